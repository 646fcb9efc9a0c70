/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * The GDB stub under packets of any kind. The input is lines: each is framed as a packet, with the right sum;
 * one that begins with '!' is sent as it stands. The machine does not run: a debugger that has it go on
 * interrupts it at once.
 */
#include "fuzz.h"
#include "gdb_frame.h"

#include "debug/gdb_machine.h"
#include "gdb/session.h"
#include "machine/machine.h"
#include <stdlib.h>
#include <string.h>

#define RAM (1u << 20)

/* Made once for each width, which takes long, and then as after power-on. */
static struct machine *fresh_machine(unsigned xlen)
{
    static struct machine *machines[2];
    struct machine **m = &machines[xlen == 32];
    struct machine_config config = {.ram_size = RAM, .harts = 2, .interpret = true};
    isa_default(&config.isa, xlen);
    if (!*m && !(*m = machine_new(&config, NULL)))
        abort();
    memset((*m)->bus.ram, 0, (*m)->bus.ram_size);
    for (unsigned i = 0; i < (*m)->hart_count; i++)
        hart_reset((*m)->hart_list[i], (*m)->bus.ram_base, i, 0);
    (*m)->requested = false;
    (*m)->pauses = 0;
    return *m;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t interrupt = 3;
    struct machine *m = fresh_machine(size && data[0] & 1 ? 32 : 64);
    struct gdb_machine *stub = gdb_machine_new(&(struct gdb_config){.machine = m}, NULL);
    char *packet = malloc(2 * size + 4);
    if (!stub || !packet)
        abort();
    struct gdb *gdb = stub->gdb;
    gdb_open(gdb);
    while (size) {
        const uint8_t *end = memchr(data, '\n', size);
        size_t length = end ? (size_t)(end - data) : size;
        if (length && *data == '!') {
            gdb_input(gdb, data + 1, length - 1);
        } else {
            gdb_input(gdb, (const uint8_t *)packet, frame(packet, data, length));
        }
        gdb_input(gdb, &interrupt, 1);
        if (!gdb->attached)
            gdb_open(gdb);
        length += end != NULL;
        data += length;
        size -= length;
    }
    gdb_close(gdb);
    for (unsigned i = 0; i < m->hart_count; i++)
        if (m->hart_list[i]->points)
            abort(); /* something was left behind */
    free(packet);
    gdb_machine_free(stub);
    return 0;
}
