/* SPDX-License-Identifier: MPL-2.0 */
/* Address translation: page tables, PMP, and the slow paths of memory accesses. */
#ifndef RVVM_CPU_MMU_H
#define RVVM_CPU_MMU_H

#include "cpu/hart.h"

/* Where a virtual address leads. */
struct mem_target {
    uint8_t *host; /* in main memory (a fetch: or the rom), or NULL: a device at paddr */
    uint64_t paddr;
};

/* Notes a trap for the running instruction; the caller returns and the engine takes it. */
static inline void hart_fault(struct hart *h, unsigned cause, uint64_t tval)
{
    h->fault = 1;
    h->fault_cause = cause;
    h->fault_tval = tval;
}

/*
 * The target of `size` bytes at va, all on one page, for one enum access. Fills the TLB where it can.
 * false: a fault was noted. For fetch, a page with finer PMP regions gives *mixed = true: what is
 * known holds for these bytes only.
 */
bool mmu_target(struct hart *h, uint64_t va, unsigned size, enum access access,
                struct mem_target *target, bool *mixed);

/* Loads and stores that missed the TLB, or are misaligned. Little-endian value; on a fault
 * h->fault is set and nothing was stored. */
uint64_t mem_load_slow(struct hart *h, uint64_t va, unsigned size);
void mem_store_slow(struct hart *h, uint64_t va, unsigned size, uint64_t value);

/* The host address of an aligned word for an atomic operation (access: ACCESS_READ for LR, else
 * ACCESS_WRITE). NULL: a fault was noted. */
void *mem_atomic_slow(struct hart *h, uint64_t va, unsigned size, enum access access);

#endif
