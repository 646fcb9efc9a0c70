/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * wfi ends when an interrupt that mie enables is pending, whether or not it can be taken; then goes
 * on behind wfi, or takes it with epc there; U-mode may not wait (privileged specification, "Wait for
 * Interrupt").
 *
 * rerun: tests/isa/isa.test wfi
 */
#include "test.h"

void test_main(void)
{
    struct run r;

    clint_set_timecmp(0, -1ull);
    /* Pending and enabled by mie, MIE off. */
    csr_write(mie, 1 << IRQ_SSI);
    csr_set(mip, 1 << IRQ_SSI);
    CHECK(RUN_OK(MODE_M, 1, 0, "wfi\naddi a0, a0, 1\nwfi\naddi a0, a0, 1"), 3);
    /* Delegated or not makes no difference. */
    csr_write(mideleg, 1 << IRQ_SSI);
    CHECK(RUN_OK(MODE_M, 1, 0, "wfi\naddi a0, a0, 1"), 2);
    csr_clear(sstatus, MSTATUS_SIE);
    CHECK(RUN_OK(MODE_S, 1, 0, "wfi\naddi a0, a0, 1"), 2);
    csr_write(mideleg, 0);
    csr_clear(mip, 1 << IRQ_SSI);

    /* Arrives while it waits. */
    for (unsigned mode = MODE_S; mode <= MODE_M; mode += 2) {
        uint64_t when = clint_time() + 20000;

        csr_write(mie, 1 << IRQ_MTI);
        csr_set(mstatus, MSTATUS_MPIE);
        clint_set_timecmp(0, when);
        r = RUN(mode, 0, 0, ".option norvc\n1: wfi\nj 1b");
        CHECK(r.cause, CAUSE_INTERRUPT | IRQ_MTI);
        CHECK_TRUE(r.at == 4 || r.at == 0); /* behind wfi, or after the jump when it came early */
        CHECK_TRUE(clint_time() >= when);
        clint_set_timecmp(0, -1ull);
    }
    csr_clear(mstatus, MSTATUS_MPIE);

    /* An interrupt that mie masks does not end it: the one that is enabled does. */
    csr_set(mip, 1 << IRQ_SSI);
    csr_write(mie, 1 << IRQ_MTI);
    uint64_t when = clint_time() + 20000;
    clint_set_timecmp(0, when);
    __asm__ volatile("1: wfi\ncsrr t0, mip\nandi t0, t0, 128\nbeqz t0, 1b" ::: "t0", "memory");
    CHECK_TRUE(clint_time() >= when);
    csr_write(mie, 0);
    csr_write(mip, 0);
    clint_set_timecmp(0, -1ull);

    RUN_ILLEGAL(MODE_U, "wfi");
}
