/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * The GDB stub under packets of any kind. The input is lines: each is framed as a packet, with the right sum;
 * one that begins with '!' is sent as it stands. The machine does not run: a debugger that has it go on
 * interrupts it at once.
 */
#include "fuzz.h"

#include "debug/gdb_session.h"
#include <stdlib.h>
#include <string.h>

#define RAM (1u << 20)

/* What a packet is made of that is ended by a newline. */
static size_t frame(char *to, const uint8_t *line, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    uint8_t sum = 0;
    size_t n = 0;
    to[n++] = '$';
    for (size_t i = 0; i < size; i++) {
        char c = (char)line[i];
        if (c == '$' || c == '#') {
            to[n++] = '}';
            sum += '}';
            c ^= 0x20;
        }
        to[n++] = c;
        sum += (uint8_t)c;
    }
    to[n++] = '#';
    to[n++] = digits[sum >> 4];
    to[n++] = digits[sum & 15];
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t interrupt = 3;
    struct machine_config config = {.ram_size = RAM, .harts = 2, .interpret = true};
    isa_default(&config.isa, size && data[0] & 1 ? 32 : 64);
    struct machine *m = machine_new(&config, NULL);
    struct gdb *gdb = calloc(1, sizeof(*gdb));
    char *packet = malloc(2 * size + 4);
    if (!m || !gdb || !packet)
        abort();
    gdb->m = m;
    gdb->config.machine = m;
    gdb_open(gdb, NULL);
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
            gdb_open(gdb, NULL);
        length += end != NULL;
        data += length;
        size -= length;
    }
    gdb_detach(gdb);
    for (unsigned i = 0; i < m->hart_count; i++)
        if (m->hart_list[i]->points)
            abort(); /* something was left behind */
    free(packet);
    free(gdb->description);
    free(gdb);
    machine_free(m);
    return 0;
}
