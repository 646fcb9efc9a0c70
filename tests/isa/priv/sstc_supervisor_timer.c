/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Sstc: with menvcfg.STCE STIP is time >= stimecmp and cannot be written; stimecmp needs STCE and
 * mcounteren.TM below M-mode; without STCE STIP is M-mode's to write (Sstc specification).
 *
 * rerun: tests/isa/isa.test sstc
 */
#include "test.h"

#define MTIME_HZ 10000000
#define STIP (1UL << IRQ_STI)

static void set_stce(bool on)
{
#if RV64
    if (on)
        csr_set(0x30a, MENVCFG_STCE);
    else
        csr_clear(0x30a, MENVCFG_STCE);
#else
    if (on)
        csr_set(0x31a, MENVCFG_STCE >> 32);
    else
        csr_clear(0x31a, MENVCFG_STCE >> 32);
#endif
}

static void set_stimecmp(uint64_t when)
{
#if RV64
    csr_write(stimecmp, when);
#else
    csr_write(stimecmp, -1);
    csr_write(stimecmph, when >> 32);
    csr_write(stimecmp, when);
#endif
}

static void wait_for_stip(bool pending)
{
    for (uint64_t end = clint_time() + MTIME_HZ; clint_time() < end;)
        if (!(csr_read(mip) & STIP) == !pending)
            return;
    CHECK(csr_read(mip) & STIP, pending ? STIP : 0);
}

static void test_access(void)
{
    set_stce(false);
    csr_write(mcounteren, COUNTEREN_TM);
    RUN_ILLEGAL(MODE_S, "csrr a0, stimecmp");
    RUN_ILLEGAL(MODE_S, "csrw stimecmp, a0");
    set_stce(true);
    csr_write(mcounteren, 0);
    RUN_ILLEGAL(MODE_S, "csrr a0, stimecmp");
    csr_write(mcounteren, COUNTEREN_TM);
    RUN_OK(MODE_S, -1, 0, "csrw stimecmp, a0\ncsrr a0, stimecmp");
    RUN_ILLEGAL(MODE_U, "csrr a0, stimecmp");
#if !RV64
    RUN_OK(MODE_S, -1, 0, "csrw stimecmph, a0\ncsrr a0, stimecmph");
#else
    RUN_ILLEGAL(MODE_M, "csrr a0, stimecmph");
#endif
}

static void test_pending(void)
{
    set_stce(true);
    set_stimecmp(-1ull);
    wait_for_stip(false);
    csr_set(mip, STIP);
    CHECK(csr_read(mip) & STIP, 0);
    set_stimecmp(0);
    wait_for_stip(true);
    csr_clear(mip, STIP);
    CHECK(csr_read(mip) & STIP, STIP);
    set_stimecmp(-1ull);
    wait_for_stip(false);
}

static void test_interrupt(void)
{
    uint64_t when = clint_time() + MTIME_HZ / 500;
    struct run r;

    csr_write(mideleg, STIP);
    csr_write(mie, STIP);
    set_stimecmp(when);
    r = supervisor_trap("user", __LINE__, RUN(MODE_U, 0, 0, "1: j 1b"));
    CHECK(r.cause, CAUSE_INTERRUPT | IRQ_STI);
    CHECK_TRUE(clint_time() >= when);
    set_stimecmp(-1ull);
    wait_for_stip(false);

    when = clint_time() + MTIME_HZ / 500;
    set_stimecmp(when);
    csr_set(sstatus, MSTATUS_SIE);
    r = supervisor_trap("wfi", __LINE__, RUN(MODE_S, 0, 0, "1: wfi\nj 1b"));
    CHECK(r.cause, CAUSE_INTERRUPT | IRQ_STI);
    CHECK_TRUE(clint_time() >= when);
    csr_write(mie, 0);
    csr_write(mideleg, 0);
    set_stimecmp(-1ull);
}

void test_main(void)
{
    supervisor_catch();
    test_access();
    test_pending();
    test_interrupt();
}
