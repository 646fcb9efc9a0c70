/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * sfence.w.inval and sfence.inval.ir are illegal in U-mode, and in S-mode legal whatever TVM says
 * ("Svinval").
 *
 * rerun: tests/isa/isa.test svinval_fences
 * oracle: none, QEMU 7.2 lets U-mode run them
 */
#include "test.h"

void test_main(void)
{
    RUN_ILLEGAL(MODE_U, "sfence.w.inval");
    RUN_ILLEGAL(MODE_U, "sfence.inval.ir");
    csr_set(mstatus, MSTATUS_TVM);
    RUN_OK(MODE_S, 0, 0, "sfence.w.inval\nsfence.inval.ir");
    RUN_OK(MODE_M, 0, 0, "sfence.w.inval\nsfence.inval.ir");
}
