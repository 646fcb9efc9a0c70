/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Files that a sandbox is to load (sandbox/program.h): segments, symbols, relocations. What must hold: they are
 * refused in one line, or what they name is in the file and lies where a program may lie.
 */
#include "fuzz.h"

#include "sandbox/program.h"
#include <stdlib.h>
#include <string.h>

#define FIRST UINT64_C(0x10000)
#define END UINT64_C(0x2000000000)

static bool store(void *ctx, uint64_t address, uint64_t value)
{
    const struct program *p = ctx;
    (void)value;
    for (unsigned i = 0; i < p->segment_count; i++) {
        uint64_t into = address - p->segments[i].address;
        if (into <= p->segments[i].size && p->segments[i].size - into >= sizeof(value))
            return true;
    }
    return false;
}

static void check_segment(const struct program *p, const struct program_segment *s)
{
    if (s->file_size > s->size || s->offset > p->size || s->file_size > p->size - s->offset)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct program p;
    struct error err = {0};
    uint64_t address, end = FIRST;
    bool ok = program_read(&p, "input", data, size, FIRST, END, &err);
    for (unsigned i = 0; ok && i < p.segment_count; i++) {
        check_segment(&p, &p.segments[i]);
        if (p.segments[i].address < end || p.segments[i].size > END - p.segments[i].address)
            abort();
        end = (p.segments[i].address + p.segments[i].size + 4095) & ~UINT64_C(4095);
    }
    if (ok) {
        check_segment(&p, &p.tls);
        program_find(&p, "f", &address);
        ok = program_relocate(&p, store, &p, &err);
    }
    if (!ok && (!*err.text || strchr(err.text, '\n')))
        abort();
    return 0;
}
