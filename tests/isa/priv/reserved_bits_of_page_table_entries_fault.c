/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Reserved bits and encodings are page faults: bits 54 to 60, PBMT 3, N with a wrong page number or
 * above the last level, A, D, U, PBMT and N in a pointer, a pointer at the last level; without
 * menvcfg.PBMTE both PBMT bits are reserved (privileged specification, "Sv39", "Svnapot", "Svpbmt").
 *
 * rerun: tests/isa/isa.test reserved_bits
 * needs: rv64
 * oracle: none, QEMU 7.2 looks at no reserved bit of a pointer
 */
#include "paging.h"

static struct space space;
static uint32_t *page;

static void expect_at(int line, int level, ulong flags, bool works)
{
    volatile ulong *entry = space_entry(&space, TEST_VA, level);
    ulong before = *entry;
    ulong want[] = {CAUSE_LOAD_PAGE, CAUSE_STORE_PAGE, CAUSE_FETCH_PAGE};

    *entry = before ^ flags;
    sfence_all();
    if (works)
        want[0] = want[1] = want[2] = CAUSE_ECALL_S;
    check("load", line, RUN(MODE_S, TEST_VA + 4, 0, LOAD_WORD).cause, want[0]);
    check("store", line, RUN(MODE_S, TEST_VA + 4, 0, STORE_WORD).cause, want[1]);
    check("fetch", line, run_fetch(MODE_S, TEST_VA).cause, want[2]);
    *entry = before;
    sfence_all();
}
#define WORKS(level, flags) expect_at(__LINE__, level, flags, true)
#define FAULTS(level, flags) expect_at(__LINE__, level, flags, false)

void test_main(void)
{
    space = space_new(DEFAULT_LEVELS);
    page = page_new();
    page[0] = INSN_ECALL;
    space_map(&space, TEST_VA, (ulong)page, 0, PTE_RWX);
    CHECK(space_on(&space), true);

    WORKS(0, 0);
    WORKS(0, 0x300); /* RSW */
    WORKS(0, PTE_G);
    FAULTS(0, PTE_V);
    FAULTS(0, PTE_R);                 /* W without R */
    FAULTS(0, PTE_R | PTE_W | PTE_X); /* a pointer, but there is no next level */
    for (int bit = 54; bit <= 60; bit++)
        FAULTS(0, 1UL << bit);
    FAULTS(0, 1UL << 61); /* PBMTE is clear */
    FAULTS(0, 2UL << 61);
    FAULTS(0, 3UL << 61);
    csr_set(menvcfg, MENVCFG_PBMTE);
    WORKS(0, 1UL << 61);
    WORKS(0, 2UL << 61);
    FAULTS(0, 3UL << 61);
    FAULTS(0, PTE_N | (*space_entry(&space, TEST_VA, 0) & 15UL << 10)); /* N, page number ..0000 */

    for (int level = 1; level <= 2; level++) {
        WORKS(level, 0);
        WORKS(level, PTE_G);
        WORKS(level, 0x300);
        FAULTS(level, PTE_A);
        FAULTS(level, PTE_D);
        FAULTS(level, PTE_U);
        FAULTS(level, 1UL << 61);
        FAULTS(level, 2UL << 61);
        FAULTS(level, PTE_N);
        FAULTS(level, PTE_W); /* W without R is no pointer */
        for (int bit = 54; bit <= 60; bit++)
            FAULTS(level, 1UL << bit);
    }
    space_off();
}
