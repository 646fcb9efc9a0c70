/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * An AMO or SC that faults reports a store fault even where the load would already have failed;
 * LR reports a load fault (privileged specification, "Machine Cause"; "Zaamo").
 *
 * rerun: tests/isa/isa.test atomic_faults_are_store_faults
 * oracle: none, QEMU 7.2 reports a fault of an AMO as that of a load
 */
#include "paging.h"

static void test_page_faults(void)
{
    struct space space = space_new(DEFAULT_LEVELS);

    space_map(&space, TEST_VA, (ulong)page_new(), 0, PTE_V | PTE_R | PTE_A);
    CHECK(space_on(&space), true);
    RUN_TRAPS(MODE_S, TEST_VA, 1, "amoadd.w a0, a1, (a0)", CAUSE_STORE_PAGE, TEST_VA);
    RUN_TRAPS(MODE_U, TEST_VA, 1, "amoadd.w a0, a1, (a0)", CAUSE_STORE_PAGE, TEST_VA);
    RUN_TRAPS(MODE_S, TEST_VA + PAGE, 1, "amoor.w a0, a1, (a0)", CAUSE_STORE_PAGE, TEST_VA + PAGE);
    RUN_TRAPS(MODE_S, TEST_VA + PAGE, 1, "lr.w a0, (a0)", CAUSE_LOAD_PAGE, TEST_VA + PAGE);
    RUN_TRAPS(MODE_S, TEST_VA, 1, "lr.w a1, (a0)\nsc.w a0, a1, (a0)", CAUSE_STORE_PAGE, TEST_VA);
    space_off();
}

void test_main(void)
{
    test_page_faults();
    RUN_TRAPS(MODE_M, UNMAPPED_PA, 1, "amoadd.w a0, a1, (a0)", CAUSE_STORE_ACCESS, UNMAPPED_PA);
    RUN_TRAPS(MODE_M, UNMAPPED_PA, 1, "amoswap.w x0, a1, (a0)", CAUSE_STORE_ACCESS, UNMAPPED_PA);
    RUN_TRAPS(MODE_M, UNMAPPED_PA, 1, "lr.w a0, (a0)", CAUSE_LOAD_ACCESS, UNMAPPED_PA);
#if RV64
    RUN_TRAPS(MODE_S, UNMAPPED_PA, 1, "amomax.d a0, a1, (a0)", CAUSE_STORE_ACCESS, UNMAPPED_PA);
    RUN_TRAPS(MODE_U, UNMAPPED_PA, 1, "lr.d a0, (a0)", CAUSE_LOAD_ACCESS, UNMAPPED_PA);
#endif
}
