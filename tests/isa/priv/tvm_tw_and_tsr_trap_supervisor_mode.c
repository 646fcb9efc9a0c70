/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * mstatus.TVM makes satp and sfence.vma illegal in S-mode, TSR sret, TW wfi; without them they work;
 * in M-mode they always do, in U-mode never (privileged specification, "Virtualization Support in
 * mstatus Register").
 *
 * rerun: tests/isa/isa.test tvm_tw
 */
#include "test.h"

static void test_tvm(void)
{
    csr_set(mstatus, MSTATUS_TVM);
    RUN_ILLEGAL(MODE_S, "csrr a0, satp");
    RUN_ILLEGAL(MODE_S, "csrw satp, zero");
    RUN_ILLEGAL(MODE_S, "sfence.vma");
    RUN_ILLEGAL(MODE_S, "sfence.vma a0, a1");
    RUN_OK(MODE_M, 0, 0, "csrr a0, satp\nsfence.vma a0, a1");
    RUN_OK(MODE_S, 0, 0, "csrr a0, sstatus");
    csr_clear(mstatus, MSTATUS_TVM);
    CHECK(RUN_OK(MODE_S, 0, 0, "csrw satp, a0\nsfence.vma a0, a1\nsfence.vma\ncsrr a0, satp"), 0);
    RUN_ILLEGAL(MODE_U, "sfence.vma");
    RUN_ILLEGAL(MODE_U, "csrr a0, satp");
}

static void test_tsr(void)
{
    csr_set(mstatus, MSTATUS_TSR);
    csr_set(mstatus, MSTATUS_SPP);
    RUN_ILLEGAL(MODE_S, "sret");
    CHECK(RUN(MODE_M, 0, CODE("nop"), "csrw sepc, a1\nsret").cause, CAUSE_ECALL_S);
    csr_clear(mstatus, MSTATUS_TSR);
    csr_clear(mstatus, MSTATUS_SPP);
    CHECK(RUN(MODE_S, 0, CODE("nop"), "csrw sepc, a1\nsret").cause, CAUSE_ECALL_U);
}

static void test_tw(void)
{
    /* A pending interrupt that is enabled but cannot be taken lets wfi end at once. */
    csr_set(mie, 1 << IRQ_SSI);
    csr_set(mideleg, 1 << IRQ_SSI);
    csr_set(mip, 1 << IRQ_SSI);
    csr_clear(sstatus, MSTATUS_SIE);
    RUN_OK(MODE_S, 0, 0, "wfi");
    csr_set(mstatus, MSTATUS_TW);
    RUN_OK(MODE_M, 0, 0, "wfi");
    csr_clear(mip, 1 << IRQ_SSI);
    RUN_ILLEGAL(MODE_S, "wfi");
    csr_clear(mstatus, MSTATUS_TW);
}

void test_main(void)
{
    test_tvm();
    test_tsr();
    test_tw();
}
