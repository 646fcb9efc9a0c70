/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Built-in SBI: the debug console (DBCN), and the legacy console's two calls.
 */
#include "host/clock.h"
#include "machine/machine.h"
#include "machine/sbi.h"
#include <sched.h>

#define PUT_PATIENCE_NS 200000000u /* a stuck receiver costs a legacy putchar no more than this */

static size_t console_put(struct machine *m, const void *bytes, size_t size)
{
    const struct machine_console *c = &m->console;
    return c->dev ? c->put(c->dev, bytes, size) : size;
}

static size_t console_get(struct machine *m, void *bytes, size_t size)
{
    const struct machine_console *c = &m->console;
    return c->dev ? c->get(c->dev, bytes, size) : 0;
}

void sbi_put_byte(struct machine *m, struct hart *h, uint8_t byte)
{
    uint64_t start = 0;
    while (!console_put(m, &byte, 1)) {
        uint64_t now = clock_monotonic_ns();
        if (!start)
            start = now;
        if (now - start > PUT_PATIENCE_NS || atomic_load(&h->events) & HART_EV_STOP)
            return;
        if (atomic_load(&h->events) & HART_EV_FENCE)
            hart_serve_fences(h);
        sched_yield();
    }
}

int sbi_get_byte(struct machine *m)
{
    uint8_t byte;
    return console_get(m, &byte, 1) ? byte : -1;
}

struct sbi_result sbi_dbcn(struct machine *m, struct hart *h, uint64_t function,
                           const uint64_t *arg)
{
    if (function == 2) {
        sbi_put_byte(m, h, (uint8_t)arg[0]);
        return (struct sbi_result){SBI_SUCCESS, 0};
    }
    if (function > 2)
        return (struct sbi_result){SBI_ERR_NOT_SUPPORTED, 0};
    /* Less than asked may be done at once: the guest calls again with the rest. */
    uint64_t address = h->xlen == 32 ? arg[2] << 32 | arg[1] : arg[1];
    void *bytes = h->xlen != 32 && arg[2] ? NULL : machine_dma_map(m, address, arg[0]);
    if (!bytes)
        return (struct sbi_result){SBI_ERR_INVALID_PARAM, 0};
    size_t done = function ? console_get(m, bytes, arg[0]) : console_put(m, bytes, arg[0]);
    if (function && done)
        machine_dma_written(m, bytes, done);
    return (struct sbi_result){SBI_SUCCESS, done};
}
