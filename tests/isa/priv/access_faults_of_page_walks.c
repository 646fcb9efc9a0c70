/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * A table entry that cannot be read (no memory there, or PMP forbids it to S-mode) is an access fault
 * of the access's kind with its virtual address; so is a page that is mapped to nothing; a page fault
 * comes first (privileged specification, "Virtual Address Translation Process", "Exception priority").
 *
 * rerun: tests/isa/isa.test access_faults_of_page_walks
 * oracle: none, QEMU 7.2 says page fault where a table is outside memory
 */
#include "paging.h"

void test_main(void)
{
    struct space space = space_new(DEFAULT_LEVELS);
    ulong *pointer = space_entry(&space, TEST_VA, 1);
    struct run r;

    /* A leaf to no memory. */
    space_map(&space, TEST_VA, UNMAPPED_PA, 0, PTE_RWX);
    CHECK(space_on(&space), true);
    RUN_TRAPS(MODE_S, TEST_VA + 4, 0, LOAD_WORD, CAUSE_LOAD_ACCESS, TEST_VA + 4);
    RUN_TRAPS(MODE_S, TEST_VA + 4, 0, STORE_WORD, CAUSE_STORE_ACCESS, TEST_VA + 4);
    r = run_fetch(MODE_S, TEST_VA + 4);
    CHECK(r.cause, CAUSE_FETCH_ACCESS);
    CHECK(r.tval, TEST_VA + 4);
    /* The page's rights come first. */
    space_map(&space, TEST_VA, UNMAPPED_PA, 0, PTE_V | PTE_R | PTE_A);
    sfence_all();
    RUN_TRAPS(MODE_S, TEST_VA, 0, STORE_WORD, CAUSE_STORE_PAGE, TEST_VA);
    RUN_TRAPS(MODE_U, TEST_VA, 0, LOAD_WORD, CAUSE_LOAD_PAGE, TEST_VA);

    /* A pointer to no memory. */
    *pointer = pte_make(UNMAPPED_PA, PTE_V);
    sfence_all();
    RUN_TRAPS(MODE_S, TEST_VA + 4, 0, LOAD_WORD, CAUSE_LOAD_ACCESS, TEST_VA + 4);
    RUN_TRAPS(MODE_S, TEST_VA + 4, 0, STORE_WORD, CAUSE_STORE_ACCESS, TEST_VA + 4);
    r = run_fetch(MODE_S, TEST_VA + 4);
    CHECK(r.cause, CAUSE_FETCH_ACCESS);
    CHECK(r.tval, TEST_VA + 4);

    /* A table in memory that PMP keeps from S-mode: entry 0 before the one for all. */
    ulong *table = page_new();
    *pointer = pte_make((ulong)table, PTE_V);
    table[(TEST_VA >> 12) & ((1 << INDEX_BITS) - 1)] = pte_make((ulong)page_new(), PTE_RW);
    csr_write(pmpaddr1, -1);
    csr_write(pmpaddr0, (ulong)table >> 2 | (PAGE / 8 - 1));
    csr_write(pmpcfg0, (PMP_NAPOT | PMP_RWX) << 8 | PMP_NAPOT);
    sfence_all();
    RUN_TRAPS(MODE_S, TEST_VA, 0, LOAD_WORD, CAUSE_LOAD_ACCESS, TEST_VA);
    RUN_TRAPS(MODE_S, TEST_VA, 0, STORE_WORD, CAUSE_STORE_ACCESS, TEST_VA);
    CHECK(run_fetch(MODE_S, TEST_VA).cause, CAUSE_FETCH_ACCESS);
    csr_write(pmpcfg0, (PMP_NAPOT | PMP_RWX) << 8 | PMP_NAPOT | PMP_R);
    sfence_all();
    RUN_OK(MODE_S, TEST_VA, 0, LOAD_WORD);
    RUN_OK(MODE_S, TEST_VA, 0, STORE_WORD);
    /* A and D are to be written through PMP too. */
    table[(TEST_VA >> 12) & ((1 << INDEX_BITS) - 1)] &= ~(PTE_A | PTE_D);
    sfence_all();
    RUN_TRAPS(MODE_S, TEST_VA, 0, LOAD_WORD, CAUSE_LOAD_ACCESS, TEST_VA);
    RUN_TRAPS(MODE_S, TEST_VA, 0, STORE_WORD, CAUSE_STORE_ACCESS, TEST_VA);
    space_off();
}
