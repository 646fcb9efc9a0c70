/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Exceptions whose medeleg bit is set go from U and S to S-mode, with scause, sepc, stval and the
 * sstatus stack; M-mode's registers stay. From M-mode nothing is delegated (privileged
 * specification, "Machine Trap Delegation Registers").
 *
 * rerun: tests/isa/isa.test delegated_traps
 */
#include "test.h"

#define ALL_DELEGABLE 0xb1ffUL /* not the ecall of S-mode, which ends our runs */

static void test_status(unsigned mode, ulong spie)
{
    struct run r;

    csr_clear(sstatus, MSTATUS_SIE | MSTATUS_SPIE | MSTATUS_SPP);
    csr_set(sstatus, spie ? MSTATUS_SIE : MSTATUS_SPIE);
    if (mode == MODE_U)
        csr_set(sstatus, MSTATUS_SPP);
    r = RUN_TRAPS_TO_S(mode, 0, 0, ".4byte 0xffffffff", CAUSE_ILLEGAL, csr_read(stval));
    CHECK_TRUE(r.tval == 0 || r.tval == 0xffffffff);
    CHECK(r.status & (MSTATUS_SIE | MSTATUS_SPIE), spie ? MSTATUS_SPIE : 0);
    CHECK(r.status & MSTATUS_SPP, mode == MODE_S ? MSTATUS_SPP : 0);
    CHECK(r.status & MSTATUS_MPP, MODE_S << 11); /* the ecall that ended it */
}

static void test_causes(unsigned mode)
{
    struct run r;

    csr_write(mtval, 0x123);
    r = RUN_TRAPS_TO_S(mode, UNMAPPED_PA, 0, "nop\nlw a0, 4(a0)", CAUSE_LOAD_ACCESS,
                       UNMAPPED_PA + 4);
    CHECK(r.at, 2);
    RUN_TRAPS_TO_S(mode, UNMAPPED_PA, 0, "sw a0, 4(a0)", CAUSE_STORE_ACCESS, UNMAPPED_PA + 4);
    r = RUN_TRAPS_TO_S(mode, UNMAPPED_PA, 0, "jr a0", CAUSE_FETCH_ACCESS, UNMAPPED_PA);
    CHECK(r.epc, UNMAPPED_PA);
    r = supervisor_trap("ebreak", __LINE__, RUN(mode, 0, 0, "ebreak"));
    CHECK(r.cause, CAUSE_BREAKPOINT);
    CHECK(r.at, 0);
    if (mode == MODE_U) {
        r = supervisor_trap("ecall", __LINE__, RUN(mode, 0, 0, "nop"));
        CHECK(r.cause, CAUSE_ECALL_U);
        CHECK(r.tval, 0);
        CHECK(r.at, 2);
    }
}

static void test_bit_by_bit(void)
{
    /* Only the cause that is delegated goes down. */
    csr_write(medeleg, 1UL << CAUSE_LOAD_ACCESS);
    RUN_TRAPS_TO_S(MODE_U, UNMAPPED_PA, 0, "lb a0, 0(a0)", CAUSE_LOAD_ACCESS, UNMAPPED_PA);
    RUN_TRAPS(MODE_U, UNMAPPED_PA, 0, "sb a0, 0(a0)", CAUSE_STORE_ACCESS, UNMAPPED_PA);
    RUN_TRAPS(MODE_U, 0, 0, "nop", CAUSE_ECALL_U, 0);
    csr_write(medeleg, 1UL << CAUSE_STORE_ACCESS);
    RUN_TRAPS(MODE_S, UNMAPPED_PA, 0, "lb a0, 0(a0)", CAUSE_LOAD_ACCESS, UNMAPPED_PA);
    RUN_TRAPS_TO_S(MODE_S, UNMAPPED_PA, 0, "sb a0, 0(a0)", CAUSE_STORE_ACCESS, UNMAPPED_PA);
}

static void test_machine_mode_keeps_its_own(void)
{
    csr_write(scause, 0x55);
    RUN_TRAPS(MODE_M, UNMAPPED_PA, 0, "lw a0, 0(a0)", CAUSE_LOAD_ACCESS, UNMAPPED_PA);
    RUN_ILLEGAL(MODE_M, ".4byte 0xffffffff");
    CHECK(csr_read(scause), 0x55);
    /* MPRV makes the access S-mode's, not the trap. */
    csr_set(mstatus, MSTATUS_MPRV);
    RUN_TRAPS(MODE_M, UNMAPPED_PA, MODE_S << 11,
              "csrs mstatus, a1\nli a1, 0x20000\ncsrs mstatus, a1\nlw a0, 0(a0)", CAUSE_LOAD_ACCESS,
              UNMAPPED_PA);
    csr_clear(mstatus, MSTATUS_MPRV);
}

/* Vectored mode of stvec is for interrupts: exceptions go to its base. */
static void test_vectored_base(void)
{
    csr_write(stvec, csr_read(stvec) | 1);
    RUN_TRAPS_TO_S(MODE_U, UNMAPPED_PA, 0, "lb a0, 0(a0)", CAUSE_LOAD_ACCESS, UNMAPPED_PA);
    csr_write(stvec, csr_read(stvec) & ~1UL);
}

void test_main(void)
{
    supervisor_catch();
    csr_write(medeleg, ALL_DELEGABLE);
    CHECK(csr_read(medeleg), ALL_DELEGABLE);
    for (unsigned mode = MODE_U; mode <= MODE_S; mode++) {
        test_status(mode, 0);
        test_status(mode, 1);
        test_causes(mode);
    }
    test_vectored_base();
    test_bit_by_bit();
    test_machine_mode_keeps_its_own();
}
