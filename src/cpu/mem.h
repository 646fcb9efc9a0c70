/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The inline half of a memory access: one TLB comparison, then the host's own load or store. Guest
 * memory is shared between harts, so aligned accesses are relaxed atomics: what RVWMO asks of
 * plain loads and stores, and the same host instruction.
 */
#ifndef RVVM_CPU_MEM_H
#define RVVM_CPU_MEM_H

#include "cpu/mmu.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "guest memory is accessed in host order: a little-endian host is needed"
#endif

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

static inline struct tlb_entry *tlb_entry(struct hart *h, uint64_t va)
{
    return &h->tlb.data->entries[tlb_slot(va)];
}

/* Whether an access of `size` bytes at va is aligned and on the tag's page. */
static inline bool tlb_hits(uint64_t tag, uint64_t va, unsigned size)
{
    return ((va ^ tag) & (PAGE_MASK | (size - 1))) == 0;
}

/* The host's address of an aligned word for an atomic operation. NULL: a fault was noted. */
static inline void *mem_atomic(struct hart *h, uint64_t va, unsigned size, enum access access)
{
    const struct tlb_entry *e = tlb_entry(h, va);
    if (likely(tlb_hits(access == ACCESS_READ ? e->read : e->write, va, size)))
        return (void *)(uintptr_t)(va + e->addend);
    return mem_atomic_slow(h, va, size, access);
}

#endif
