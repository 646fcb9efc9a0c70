/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * When one instruction could raise several exceptions the one of higher priority is reported: fetch
 * faults before illegal instructions before data faults; page faults before access faults of the
 * target (privileged specification, table "Synchronous exception priority").
 *
 * rerun: tests/isa/isa.test exception_prio
 */
#include "paging.h"
#include "pmp.h"

void test_main(void)
{
    struct space space = space_new(DEFAULT_LEVELS);
    uint32_t *page = page_new();
    struct run r;

    page[0] = 0xffffffff;
    space_map(&space, TEST_VA, (ulong)page, 0, PTE_RW);
    CHECK(space_on(&space), true);
    /* Not executable, and illegal if it were. */
    r = run_fetch(MODE_S, TEST_VA);
    CHECK(r.cause, CAUSE_FETCH_PAGE);
    space_map(&space, TEST_VA, (ulong)page, 0, PTE_RWX);
    sfence_all();
    CHECK(run_fetch(MODE_S, TEST_VA).cause, CAUSE_ILLEGAL);

    /* The page is PMP's to deny, too: a right that the page lacks comes first. */
    pmp_open_last();
    pmp_set(0, PMP_NAPOT, NAPOT(page, 4096));
    RUN_TRAPS(MODE_S, TEST_VA, 0, LOAD_WORD, CAUSE_LOAD_ACCESS, TEST_VA);
    CHECK(run_fetch(MODE_S, TEST_VA).cause, CAUSE_FETCH_ACCESS);
    space_map(&space, TEST_VA, (ulong)page, 0, PTE_V | PTE_X | PTE_A);
    sfence_all();
    RUN_TRAPS(MODE_S, TEST_VA, 0, LOAD_WORD, CAUSE_LOAD_PAGE, TEST_VA);
    RUN_TRAPS(MODE_U, TEST_VA, 0, LOAD_WORD, CAUSE_LOAD_PAGE, TEST_VA);
    CHECK(run_fetch(MODE_U, TEST_VA).cause, CAUSE_FETCH_PAGE);
    pmp_set(0, 0, 0);
    space_off();

    /* FP off: illegal before the load's own fault. */
    csr_clear(mstatus, MSTATUS_FS);
    CHECK(RUN(MODE_S, UNMAPPED_PA, 0, "flw ft0, 0(a0)").cause, CAUSE_ILLEGAL);
    csr_set(mstatus, MSTATUS_FS);
    CHECK(RUN(MODE_S, UNMAPPED_PA, 0, "flw ft0, 0(a0)").cause, CAUSE_LOAD_ACCESS);
    /* An interrupt that can be taken comes before the instruction's own exception. */
    csr_write(mie, 1 << IRQ_SSI);
    csr_set(mip, 1 << IRQ_SSI);
    CHECK(RUN(MODE_S, 0, 0, ".4byte -1").cause, CAUSE_INTERRUPT | IRQ_SSI);
    csr_write(mip, 0);
    CHECK(RUN(MODE_S, 0, 0, ".4byte -1").cause, CAUSE_ILLEGAL);
}
