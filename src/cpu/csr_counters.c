/* SPDX-License-Identifier: MPL-2.0 */
/* CSRs of counters and the supervisor timer; the counting itself is in counters.c. */
#include "cpu/csr_regs.h"
#include "cpu/irq.h"
#include "host/clock.h"

/* Runs of counters and events begin at numbers whose low five bits are the counter's. */
static unsigned counter_of(unsigned csr)
{
    return csr & 31;
}

/* cycle, time, instret, hpmcounterN: each mode above the hart's must have let them through. */
bool csr_check_counter(const struct hart *h, unsigned csr, bool writes)
{
    uint64_t bit = 1ull << counter_of(csr);

    (void)writes;
    if (h->priv < PRIV_M && !(h->csr.mcounteren & bit))
        return false;
    return h->priv > PRIV_U || h->csr.scounteren & bit;
}

uint64_t csr_read_counter(struct hart *h, unsigned csr)
{
    if (h->direct) /* nobody counts instructions: as if each took a nanosecond */
        return clock_monotonic_ns();
    return counters_read(h, counter_of(csr));
}

enum csr_result csr_write_counter(struct hart *h, unsigned csr, uint64_t value)
{
    counters_write(h, counter_of(csr), value);
    return CSR_OK;
}

uint64_t csr_read_time(struct hart *h, unsigned csr)
{
    (void)csr;
    return h->bus->time(h->bus->ctx);
}

uint64_t csr_read_mcounteren(struct hart *h, unsigned csr)
{
    (void)csr;
    return h->csr.mcounteren;
}

enum csr_result csr_write_mcounteren(struct hart *h, unsigned csr, uint64_t value)
{
    uint64_t mask = COUNTEREN_TM; /* gates stimecmp too */

    (void)csr;
    if (isa_has(&h->isa, EXT_ZICNTR))
        mask |= COUNTEREN_CY | COUNTEREN_IR;
    if (isa_has(&h->isa, EXT_ZIHPM))
        mask |= 0xfffffff8u;
    h->csr.mcounteren = value & mask;
    return CSR_OK;
}

uint64_t csr_read_mcountinhibit(struct hart *h, unsigned csr)
{
    (void)csr;
    return h->csr.counters.inhibit;
}

enum csr_result csr_write_mcountinhibit(struct hart *h, unsigned csr, uint64_t value)
{
    (void)csr;
    counters_write_inhibit(h, value);
    return CSR_OK;
}

uint64_t csr_read_mhpmevent(struct hart *h, unsigned csr)
{
    counters_sync(h); /* for OF */
    return h->csr.counters.event[counter_of(csr)];
}

enum csr_result csr_write_mhpmevent(struct hart *h, unsigned csr, uint64_t value)
{
    counters_write_event(h, counter_of(csr), value);
    return CSR_OK;
}

uint64_t csr_read_scountovf(struct hart *h, unsigned csr)
{
    (void)csr;
    counters_sync(h);
    uint64_t overflowed = counters_overflowed(h);
    return h->priv == PRIV_M ? overflowed : overflowed & h->csr.mcounteren;
}

bool csr_check_stimecmp(const struct hart *h, unsigned csr, bool writes)
{
    (void)csr;
    (void)writes;
    return h->priv == PRIV_M || (h->csr.mcounteren & COUNTEREN_TM && h->csr.menvcfg & MENVCFG_STCE);
}

uint64_t csr_read_stimecmp(struct hart *h, unsigned csr)
{
    (void)csr;
    return atomic_load_explicit(&h->csr.stimecmp, memory_order_relaxed);
}

enum csr_result csr_write_stimecmp(struct hart *h, unsigned csr, uint64_t value)
{
    (void)csr;
    csr_set_stimecmp(h, value);
    return csr_after_enable(h);
}
