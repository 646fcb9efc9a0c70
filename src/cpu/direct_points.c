/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A debugger's points in a hart without a machine. It has no TLB to keep pages out of, and what it accesses is
 * accessed by the host. So instructions on the page of a breakpoint run one by one, each of which is compared
 * first; and while anything is watched all do, each of which is asked what it is about to access. What others
 * access for the program, its system calls above all, nobody sees.
 */
#include "cpu/direct.h"

#include "cpu/code.h"

bool direct_is_lone(const struct hart *h, uint64_t va)
{
    for (unsigned i = 0; i < h->points->count; i++) {
        const struct debug_point *p = &h->points->list[i];
        if (!debug_is_break(p->kind) || ((p->va ^ va) & PAGE_MASK) == 0)
            return true;
    }
    return false;
}

/* What an instruction accesses at the address that direct_address knows: enum access bits, 0 for nothing. Where
 * loads, stores and atomics have their size is the same (funct3). */
static unsigned accesses_of(const struct decoded *d, unsigned *size)
{
    enum { FUNCT3_SHIFT = 12, FUNCT5_SHIFT = 27, FUNCT5_SC = 3, CACHE_BLOCK = 64, PAIR = 4 };
    const struct insn_info *info = insn_info(d->id);
    const unsigned funct3 = info->match >> FUNCT3_SHIFT & 7;
    *size = 1u << (funct3 & 3);
    switch (info->format) {
    case FORMAT_L:
    case FORMAT_FL:
    case FORMAT_LR:
        return ACCESS_READ;
    case FORMAT_S:
    case FORMAT_FS:
        return ACCESS_WRITE;
    case FORMAT_A:
    case FORMAT_AP:
        if (funct3 == PAIR)
            *size = 16;
        return info->match >> FUNCT5_SHIFT == FUNCT5_SC ? ACCESS_WRITE : ACCESS_READ | ACCESS_WRITE;
    case FORMAT_CBO:
        *size = CACHE_BLOCK;
        return d->id == INSN_cbo_zero ? ACCESS_WRITE : 0;
    default:
        return 0;
    }
}

bool direct_watches(struct hart *h, uint32_t bits)
{
    struct decoded d;
    struct debug_stop stop;
    unsigned size;
    if (!isa_decode(h->code->decoder, bits, &d))
        return false;
    const unsigned accesses = accesses_of(&d, &size);
    /* Only of a cache block the address need not be where it begins. */
    const uint64_t va = direct_operand(h, &d) & ~(size > 16 ? (uint64_t)size - 1 : 0);
    if (!accesses ||
        !debug_finds_watch(h, h->xlen == 32 ? (uint32_t)va : va, size, accesses, &stop))
        return false;
    debug_stop_hart(h, stop.kind, stop.va);
    return true;
}
