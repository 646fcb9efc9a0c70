/* SPDX-License-Identifier: MPL-2.0 */
/* Registers and memory. Numbers of registers' bytes come lowest first, as the processor has them. */
#include "gdb/session.h"

#include "cpu/hart.h"
#include "gdb/registers.h"
#include <string.h>

/* The integer registers and pc; all others are asked for one by one. */
void gdb_read_registers(struct gdb *gdb, struct gdb_words *w)
{
    struct hart *h = gdb_hart(gdb);
    (void)w;
    for (unsigned n = 0; n <= REGISTER_PC; n++) {
        uint64_t value = 0;
        register_read(h, n, &value);
        gdb_put_hex(&gdb->reply, &value, register_size(h, n));
    }
}

void gdb_write_registers(struct gdb *gdb, struct gdb_words *w)
{
    struct hart *h = gdb_hart(gdb);
    for (unsigned n = 0; n <= REGISTER_PC; n++) {
        uint64_t value = 0;
        if (!gdb_take_hex(w, &value, register_size(h, n))) {
            gdb_put(&gdb->reply, GDB_ERROR_WORDS);
            return;
        }
        register_write(h, n, value);
    }
    gdb_put(&gdb->reply, "OK");
}

void gdb_read_register(struct gdb *gdb, struct gdb_words *w)
{
    struct hart *h = gdb_hart(gdb);
    uint64_t n, value;
    if (gdb_take_number(w, &n) && n < REGISTER_COUNT && register_read(h, (unsigned)n, &value))
        gdb_put_hex(&gdb->reply, &value, register_size(h, (unsigned)n));
    else
        gdb_put(&gdb->reply, GDB_ERROR_WORDS);
}

void gdb_write_register(struct gdb *gdb, struct gdb_words *w)
{
    struct hart *h = gdb_hart(gdb);
    uint64_t n, value = 0;
    bool ok = gdb_take_number(w, &n) && gdb_take_char(w, '=') && n < REGISTER_COUNT &&
              register_size(h, (unsigned)n) &&
              gdb_take_hex(w, &value, register_size(h, (unsigned)n)) &&
              register_write(h, (unsigned)n, value);
    gdb_put(&gdb->reply, ok ? "OK" : GDB_ERROR_WORDS);
}

static bool take_range(struct gdb_words *w, uint64_t *va, uint64_t *size)
{
    return gdb_take_number(w, va) && gdb_take_char(w, ',') && gdb_take_number(w, size);
}

void gdb_read_memory(struct gdb *gdb, struct gdb_words *w)
{
    uint8_t bytes[GDB_PACKET_SIZE / 2];
    uint64_t va, size;
    if (!take_range(w, &va, &size)) {
        gdb_put(&gdb->reply, GDB_ERROR_WORDS);
        return;
    }
    size = size < sizeof(bytes) ? size : sizeof(bytes);
    size_t done = gdb->target.ops->read(gdb->target.ctx, gdb_hart(gdb), va, bytes, size);
    if (done || !size)
        gdb_put_hex(&gdb->reply, bytes, done);
    else
        gdb_put(&gdb->reply, GDB_ERROR_MEMORY);
}

static void write_memory(struct gdb *gdb, uint64_t va, const void *bytes, size_t size)
{
    bool ok = gdb->target.ops->write(gdb->target.ctx, gdb_hart(gdb), va, bytes, size) == size;
    gdb_put(&gdb->reply, ok ? "OK" : GDB_ERROR_MEMORY);
}

void gdb_write_memory(struct gdb *gdb, struct gdb_words *w)
{
    uint8_t bytes[GDB_PACKET_SIZE / 2];
    uint64_t va, size;
    if (take_range(w, &va, &size) && gdb_take_char(w, ':') && size <= sizeof(bytes) &&
        gdb_take_hex(w, bytes, size))
        write_memory(gdb, va, bytes, size);
    else
        gdb_put(&gdb->reply, GDB_ERROR_WORDS);
}

void gdb_write_binary(struct gdb *gdb, struct gdb_words *w)
{
    uint64_t va, size;
    if (take_range(w, &va, &size) && gdb_take_char(w, ':') && size == (size_t)(w->end - w->at))
        write_memory(gdb, va, w->at, size);
    else
        gdb_put(&gdb->reply, GDB_ERROR_WORDS);
}
