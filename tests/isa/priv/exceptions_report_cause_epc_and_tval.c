/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Every synchronous exception reports its cause, the address of its instruction and its value, and
 * stacks the mode and MIE; the instruction has no effect (privileged specification, "Machine Cause",
 * "Machine Trap Value", "Privilege and Global Interrupt-Enable Stack in mstatus").
 *
 * rerun: tests/isa/isa.test exceptions_report
 */
#include "test.h"

static const unsigned modes[] = {MODE_M, MODE_S, MODE_U};

static void test_calls_and_breakpoints(unsigned mode)
{
    struct run r;

    r = RUN_TRAPS(mode, 1, 2, "nop\necall\nnop", CAUSE_ECALL_U + mode, 0);
    CHECK(r.at, 2); /* nop is a compressed one here */
    CHECK(r.a0, 1);
    CHECK(r.a1, 2);
    CHECK(r.status >> 11 & 3, mode);

    r = RUN(mode, 0, 0, ".option norvc\nnop\nebreak");
    CHECK(r.cause, CAUSE_BREAKPOINT);
    CHECK(r.at, 4);
    CHECK_TRUE(r.tval == 0 || r.tval == r.epc);
    r = RUN(mode, 0, 0, "c.nop\nc.ebreak");
    CHECK(r.cause, CAUSE_BREAKPOINT);
    CHECK(r.at, 2);
    CHECK_TRUE(r.tval == 0 || r.tval == r.epc);
}

static void test_illegal(unsigned mode)
{
    RUN_ILLEGAL(mode, ".4byte 0xffffffff");
    RUN_ILLEGAL(mode, ".2byte 0");
    RUN_ILLEGAL(mode, ".4byte 0x0000002b"); /* custom-1: nothing is there */
    RUN_ILLEGAL(mode, ".4byte 0x00002063"); /* BRANCH with funct3 2 */
}

static void test_access_faults(unsigned mode)
{
    ulong nowhere = UNMAPPED_PA + 0x124;
    struct run r;

    r = RUN_TRAPS(mode, nowhere, 7, "nop\nlw a0, 0(a0)", CAUSE_LOAD_ACCESS, nowhere);
    CHECK(r.at, 2);
    CHECK(r.a0, nowhere); /* rd is as it was */
    RUN_TRAPS(mode, nowhere, 7, "lbu a0, 1(a0)", CAUSE_LOAD_ACCESS, nowhere + 1);
    RUN_TRAPS(mode, nowhere, 7, "sw a1, -4(a0)", CAUSE_STORE_ACCESS, nowhere - 4);
    RUN_TRAPS(mode, nowhere, 7, "sb a1, 3(a0)", CAUSE_STORE_ACCESS, nowhere + 3);

    r = RUN_TRAPS(mode, nowhere, 0, "jr a0", CAUSE_FETCH_ACCESS, nowhere);
    CHECK(r.epc, nowhere);
    r = RUN_TRAPS(mode, nowhere | 1, 0, "jalr a1, 2(a0)", CAUSE_FETCH_ACCESS, nowhere + 2);
    CHECK(r.epc, nowhere + 2); /* bit 0 of the sum is dropped, and the link was written */
    CHECK_TRUE(r.a1 != 0);
}

static void test_stacked_enable(unsigned mode)
{
    struct run r;

    /* mret puts MPIE into MIE, the trap puts it back and clears MIE. */
    csr_set(mstatus, MSTATUS_MPIE);
    r = RUN(mode, 0, 0, "");
    CHECK(r.status & (MSTATUS_MIE | MSTATUS_MPIE), MSTATUS_MPIE);
    csr_clear(mstatus, MSTATUS_MPIE);
    r = RUN(mode, 0, 0, "");
    CHECK(r.status & (MSTATUS_MIE | MSTATUS_MPIE), 0);
}

void test_main(void)
{
    for (unsigned i = 0; i < 3; i++) {
        test_calls_and_breakpoints(modes[i]);
        test_illegal(modes[i]);
        test_access_faults(modes[i]);
        test_stacked_enable(modes[i]);
    }
}
