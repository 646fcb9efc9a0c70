/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * mret and sret go to xEPC in the stacked mode, unstack the enables and leave xPP at the least
 * mode; below their mode they are illegal (privileged specification, "Trap-Return Instructions").
 *
 * rerun: tests/isa/isa.test xret_restores
 */
#include "test.h"

/* Runs `ret` in M-mode with this mstatus and a return address at an ecall; what that ecall met. */
#define RETURN(mnemonic, epc, status) \
    RUN(MODE_M, status, CODE("nop"), "csrw " epc ", a1\ncsrw mstatus, a0\n" mnemonic "\nj .\n")

#define STACK (MSTATUS_MIE | MSTATUS_MPIE | MSTATUS_MPP | MSTATUS_SIE | MSTATUS_SPIE | MSTATUS_SPP)

static void test_mret(void)
{
    struct run r;

    for (ulong mpie = 0; mpie < 2; mpie++) {
        ulong stacked = (mpie ? MSTATUS_MPIE : 0) | MSTATUS_SPP;

        r = RETURN("mret", "mepc", stacked | MODE_U << 11);
        CHECK(r.cause, CAUSE_ECALL_U);
        CHECK(r.status & STACK, MSTATUS_SPP | (mpie ? MSTATUS_MPIE : 0) | MODE_U << 11);
        r = RETURN("mret", "mepc", stacked | MODE_S << 11);
        CHECK(r.cause, CAUSE_ECALL_S);
        CHECK(r.status & STACK, MSTATUS_SPP | (mpie ? MSTATUS_MPIE : 0) | MODE_S << 11);
    }
    /* What mret itself leaves, seen without another trap: back to M-mode. */
    r = RUN(MODE_M, MSTATUS_MPP, 0,
            "csrw mstatus, a0\nla a1, 1f\ncsrw mepc, a1\nmret\nnop\n1: csrr a0, mstatus");
    CHECK(r.cause, CAUSE_ECALL_M);
    CHECK(r.a0 & STACK, MSTATUS_MPIE);
    r = RUN(MODE_M, MSTATUS_MPP | MSTATUS_MPIE | MSTATUS_MPRV, 0,
            "csrw mstatus, a0\nla a1, 1f\ncsrw mepc, a1\nmret\nnop\n1: csrr a0, mstatus");
    CHECK(r.a0 & (STACK | MSTATUS_MPRV), MSTATUS_MPIE | MSTATUS_MIE | MSTATUS_MPRV);
}

static void test_sret(void)
{
    struct run r;

    for (ulong spie = 0; spie < 2; spie++) {
        ulong stacked = (spie ? MSTATUS_SPIE : 0) | MSTATUS_MPP;

        r = RETURN("sret", "sepc", stacked);
        CHECK(r.cause, CAUSE_ECALL_U);
        CHECK(r.status & (MSTATUS_SIE | MSTATUS_SPIE | MSTATUS_SPP),
              MSTATUS_SPIE | (spie ? MSTATUS_SIE : 0));
        r = RETURN("sret", "sepc", stacked | MSTATUS_SPP);
        CHECK(r.cause, CAUSE_ECALL_S);
        CHECK(r.status & (MSTATUS_SIE | MSTATUS_SPIE | MSTATUS_SPP),
              MSTATUS_SPIE | (spie ? MSTATUS_SIE : 0));
    }
    /* From S-mode. */
    csr_clear(sstatus, MSTATUS_SPP);
    r = RUN(MODE_S, 5, CODE("addi a0, a0, 1"), "csrw sepc, a1\nsret");
    CHECK(r.cause, CAUSE_ECALL_U);
    CHECK(r.a0, 6);
}

void test_main(void)
{
    test_mret();
    test_sret();
    RUN_ILLEGAL(MODE_S, "mret");
    RUN_ILLEGAL(MODE_U, "mret");
    RUN_ILLEGAL(MODE_U, "sret");
}
