/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * sfence.w.inval, sinval.vma and sfence.inval.ir together do what sfence.vma does; sinval.vma is
 * illegal where sfence.vma is ("Svinval").
 *
 * rerun: tests/isa/isa.test svinval
 */
#include "paging.h"

void test_main(void)
{
    struct space space = space_new(DEFAULT_LEVELS);
    uint32_t *pages[2] = {page_new(), page_new()};

    pages[0][0] = 10;
    pages[1][0] = 11;
    CHECK(space_on(&space), true);
    for (unsigned n = 0; n < 8; n++) {
        space_map(&space, TEST_VA, (ulong)pages[n & 1], 0, PTE_RW);
        /* By address, by address and ASID, by ASID, all; from S-mode and from M-mode. */
        switch (n) {
        case 0:
        case 4:
            RUN_OK(MODE_S, TEST_VA, 0, "sfence.w.inval\nsinval.vma a0, x0\nsfence.inval.ir");
            break;
        case 1:
        case 5:
            RUN_OK(MODE_S, TEST_VA, 0, "sfence.w.inval\nsinval.vma a0, a1\nsfence.inval.ir");
            break;
        case 2:
        case 6:
            RUN_OK(MODE_M, TEST_VA, 0, "sfence.w.inval\nsinval.vma x0, a1\nsfence.inval.ir");
            break;
        default:
            RUN_OK(MODE_M, TEST_VA, 0, "sfence.w.inval\nsinval.vma x0, x0\nsfence.inval.ir");
        }
        CHECK(RUN_OK(MODE_S, TEST_VA, 0, LOAD_WORD), 10 + (n & 1));
    }
    space_off();
    RUN_ILLEGAL(MODE_U, "sinval.vma a0, a1");
    csr_set(mstatus, MSTATUS_TVM);
    RUN_ILLEGAL(MODE_S, "sinval.vma a0, a1");
    RUN_OK(MODE_S, 0, 0, "sfence.w.inval\nsfence.inval.ir");
    csr_clear(mstatus, MSTATUS_TVM);
}
