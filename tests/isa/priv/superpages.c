/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * A leaf at any level of Sv32, Sv39, Sv48 and Sv57 maps its whole size with the low bits of the
 * address; a leaf that is not aligned to its size is a page fault at each misaligned bit (privileged
 * specification, "Virtual Address Translation Process").
 *
 * rerun: tests/isa/isa.test superpages
 * cpu-rv64: sv57=on
 */
#include "paging.h"

/* Somewhere in the first 16 MiB of RAM, at a place that tells pages apart. */
static uint32_t spot[3 * 1024] __attribute__((aligned(4096)));

static void test_level(int levels, int level)
{
    struct space space = space_new(levels);
    ulong size = LEVEL_SIZE(level);
    /* A slot of this level that the space does not use: a multiple of its size above RAM's. */
    uint64_t va = level >= (RV64 ? 3 : 2) ? (uint64_t)size * 2 : (TEST_VA & ~(uint64_t)(size - 1));
    ulong offset = (ulong)&spot[1025] & (size - 1);
    ulong pa = (ulong)&spot[1025] & ~(size - 1);
    struct run r;

    space_map(&space, va, pa, level, PTE_RWX);
    if (!space_on(&space)) {
        CHECK_TRUE(levels > DEFAULT_LEVELS); /* the least mode is always there */
        return;
    }
    spot[1025] = 0xabc + level;
    r = RUN_TRAPS(MODE_S, va + offset, 0, LOAD_WORD, CAUSE_ECALL_S, 0);
    CHECK(r.a0, 0xabc + level);
    r = RUN_TRAPS(MODE_S, va + offset, 0x55, STORE_WORD, CAUSE_ECALL_S, 0);
    CHECK(spot[1025], 0x55);
    put32(&spot[1025], INSN_ECALL);
    fence_i();
    r = run_fetch(MODE_S, va + offset);
    CHECK(r.cause, CAUSE_ECALL_S);
    CHECK(r.epc, va + offset);
    /* Both ends of it. */
    if (level == 1) {
        *(uint32_t *)pa = *(uint32_t *)pa; /* the test's own first page: read only */
        r = RUN_TRAPS(MODE_S, va, 0, LOAD_WORD, CAUSE_ECALL_S, 0);
        CHECK(r.a0, *(int32_t *)pa);
    }

    for (int bit = 0; bit < level * INDEX_BITS; bit++) {
        *space_entry(&space, va, level) = pte_make(pa | PAGE << bit, PTE_RWX);
        sfence_all();
        RUN_TRAPS(MODE_S, va + offset, 0, LOAD_WORD, CAUSE_LOAD_PAGE, va + offset);
        RUN_TRAPS(MODE_S, va + offset, 0, STORE_WORD, CAUSE_STORE_PAGE, va + offset);
        CHECK(run_fetch(MODE_S, va + offset).cause, CAUSE_FETCH_PAGE);
    }
    space_off();
}

void test_main(void)
{
    for (int levels = RV64 ? 3 : 2; levels <= (RV64 ? 5 : 2); levels++)
        for (int level = 0; level < levels; level++)
            test_level(levels, level);
}
