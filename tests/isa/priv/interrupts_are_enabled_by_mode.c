/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * An interrupt for a higher mode is always enabled, for a lower never, for the current one by MIE or
 * SIE; one that becomes takable is taken before the next instruction (privileged specification,
 * "Machine Status Registers", "Machine Interrupt Registers").
 *
 * rerun: tests/isa/isa.test interrupts_are_enabled
 */
#include "test.h"

#define INTERRUPT(irq) (CAUSE_INTERRUPT | (irq))
/* Whether a pending SSI is taken: where it may be delegated or not, for each mode and enable. */
static void test_enables(void)
{
    for (unsigned delegated = 0; delegated < 2; delegated++) {
        csr_write(mideleg, delegated ? 1 << IRQ_SSI : 0);
        csr_write(mie, 1 << IRQ_SSI);
        csr_set(mip, 1 << IRQ_SSI);
        for (unsigned mode = MODE_U; mode <= MODE_M; mode++) {
            for (ulong enables = 0; enables < 4; enables++) {
                bool mie = enables & 1, sie = enables >> 1;
                bool taken;
                struct run r;

                if (mode == 2)
                    continue;
                csr_clear(mstatus, MSTATUS_MPIE | MSTATUS_SIE);
                csr_set(mstatus, (mie ? MSTATUS_MPIE : 0) | (sie ? MSTATUS_SIE : 0));
                r = RUN(mode, 0, 0, "");
                if (delegated)
                    taken = mode == MODE_U || (mode == MODE_S && sie);
                else
                    taken = mode != MODE_M || mie;
                if (!taken) {
                    CHECK(r.cause, CAUSE_ECALL_U + mode);
                } else if (delegated) {
                    r = supervisor_trap("delegated", __LINE__, r);
                    CHECK(r.cause, INTERRUPT(IRQ_SSI));
                    CHECK(r.at, 0);
                } else {
                    CHECK(r.cause, INTERRUPT(IRQ_SSI));
                    CHECK(r.at, 0);
                }
            }
        }
        csr_clear(mip, 1 << IRQ_SSI);
    }
    csr_clear(mstatus, MSTATUS_MPIE | MSTATUS_SIE);
    csr_write(mie, 0);
    csr_write(mideleg, 0);
}

/* Each way to make a pending interrupt takable takes effect before the next instruction. */
static void test_at_once(void)
{
    uintptr_t target;
    struct run r;

    csr_write(mideleg, 0);
    csr_set(mip, 1 << IRQ_SSI);
    csr_write(mie, 1 << IRQ_SSI);
    r = RUN(MODE_M, 1, 8, ".option norvc\ncsrs mstatus, a1\nli a0, 2");
    CHECK(r.cause, INTERRUPT(IRQ_SSI));
    CHECK(r.at, 4);
    CHECK(r.a0, 1);
    csr_write(mie, 0);
    r = RUN(MODE_M, 1, 2, ".option norvc\ncsrsi mstatus, 8\ncsrw mie, a1\nli a0, 2");
    CHECK(r.cause, INTERRUPT(IRQ_SSI));
    CHECK(r.at, 8);
    CHECK(r.a0, 1);
    csr_clear(mip, 1 << IRQ_SSI);
    r = RUN(MODE_M, 1, 2, ".option norvc\ncsrsi mstatus, 8\ncsrrs x0, mip, a1\nli a0, 2");
    CHECK(r.cause, INTERRUPT(IRQ_SSI));
    CHECK(r.at, 8);
    CHECK(r.a0, 1);
    csr_clear(mip, 1 << IRQ_SSI);
    csr_write(mideleg, 1 << IRQ_SSI);
    r = supervisor_trap(
        "sip", __LINE__,
        RUN(MODE_S, 1, 2, ".option norvc\ncsrsi sstatus, 2\ncsrw sip, a1\nli a0, 2"));
    CHECK(r.cause, INTERRUPT(IRQ_SSI));
    CHECK(r.at, 8);
    CHECK(r.a0, 1);
    csr_clear(sstatus, MSTATUS_SIE | MSTATUS_SPIE);
    target = CODE("li a0, 2");
    r = supervisor_trap("sret", __LINE__, RUN(MODE_S, 1, target, "csrw sepc, a1\nsret"));
    CHECK(r.cause, INTERRUPT(IRQ_SSI));
    CHECK(r.epc, target); /* not one instruction of U-mode was run */
    CHECK(r.a0, 1);
    csr_write(mideleg, 0);
    csr_write(mie, 0);
    csr_write(mip, 0);
}

void test_main(void)
{
    supervisor_catch();
    clint_set_timecmp(0, -1ull);
    test_enables();
    test_at_once();
}
