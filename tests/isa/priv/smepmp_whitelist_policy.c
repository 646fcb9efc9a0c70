/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Smepmp: MMWP denies M-mode what no entry matches, and stays set; RLB lets locked entries change
 * and, once cleared while an entry is locked, stays clear ("Smepmp").
 *
 * rerun: tests/isa/isa.test smepmp_whitelist
 * oracle: none, QEMU 7.2 binds M-mode by no locked entry while RLB is set
 */
#include "pmp.h"

static uint32_t area[1024] __attribute__((aligned(4096)));
#define BASE ((ulong)area)

void test_main(void)
{
    CHECK(csr_read(0x747), 0);
    pmp_open_last();

    /* RLB: locked entries can be written and unlocked. */
    csr_write(0x747, MSECCFG_RLB);
    CHECK(csr_read(0x747), MSECCFG_RLB);
    pmp_set(0, PMP_NAPOT | PMP_R | PMP_L, NAPOT(BASE, 64));
    RUN_TRAPS(MODE_M, BASE, 0, "sw a1, 0(a0)", CAUSE_STORE_ACCESS, BASE);
    pmp_set(0, PMP_NAPOT | PMP_RWX | PMP_L, NAPOT(BASE, 128));
    CHECK(pmp_cfg(0), PMP_NAPOT | PMP_RWX | PMP_L);
    CHECK(pmp_addr(0), NAPOT(BASE, 128));
    RUN_TRAPS(MODE_M, BASE, 0, "sw a1, 0(a0)", CAUSE_ECALL_M, 0);
    pmp_set_cfg(0, 0);
    CHECK(pmp_cfg(0), 0);
    /* With nothing locked it may go off and on. */
    csr_write(0x747, 0);
    csr_write(0x747, MSECCFG_RLB);
    CHECK(csr_read(0x747), MSECCFG_RLB);
    pmp_set(0, PMP_NAPOT | PMP_R | PMP_L, NAPOT(BASE, 64));
    csr_write(0x747, 0);
    csr_write(0x747, MSECCFG_RLB);
    CHECK(csr_read(0x747), 0);
    pmp_set_cfg(0, 0);
    CHECK(pmp_cfg(0), PMP_NAPOT | PMP_R | PMP_L);

    /* MMWP: the open entry is not locked, but it matches, so M-mode still may. */
    pmp_set(1, PMP_NAPOT | PMP_RWX, NAPOT(RAM_BASE, 64 << 20));
    pmp_set(2, PMP_NAPOT | PMP_RWX, NAPOT(FINISHER_BASE, 4096));
    pmp_set(3, PMP_NAPOT | PMP_RWX, NAPOT(UART_BASE, 4096));
    csr_write(0x747, MSECCFG_MMWP);
    CHECK(csr_read(0x747) & MSECCFG_MMWP, MSECCFG_MMWP);
    RUN_TRAPS(MODE_M, CLINT_BASE, 0, "lw a0, 0(a0)", CAUSE_ECALL_M, 0);
    pmp_set_cfg(PMP_LAST, 0);
    RUN_TRAPS(MODE_M, CLINT_BASE, 0, "lw a0, 0(a0)", CAUSE_LOAD_ACCESS, CLINT_BASE);
    RUN_TRAPS(MODE_M, CLINT_BASE, 0, "sw a0, 0(a0)", CAUSE_STORE_ACCESS, CLINT_BASE);
    RUN_TRAPS(MODE_M, CLINT_BASE, 0, "jr a0", CAUSE_FETCH_ACCESS, CLINT_BASE);
    RUN_TRAPS(MODE_M, BASE + 64, 0, "sw a0, 0(a0)", CAUSE_ECALL_M, 0);
    csr_write(0x747, 0); /* sticky */
    CHECK(csr_read(0x747), MSECCFG_MMWP);
    RUN_ILLEGAL(MODE_S, "csrr a0, 0x747");
}
