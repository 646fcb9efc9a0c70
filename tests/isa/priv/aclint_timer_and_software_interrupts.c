/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * msip raises and drops MSIP; MTIP is mtime >= mtimecmp; the time CSR is mtime; a timer interrupts
 * running code and ends wfi; MSIP and MTIP cannot be written in mip (privileged specification,
 * "Machine Timer Registers"; ACLINT specification).
 *
 * rerun: tests/isa/isa.test aclint
 */
#include "test.h"

#define MTIME_HZ 10000000

/* The board's devices need not be done when a store to them is: bounded, though. */
static void wait_for(ulong bit, bool pending)
{
    for (uint64_t end = clint_time() + MTIME_HZ; clint_time() < end;)
        if (!(csr_read(mip) & bit) == !pending)
            return;
    CHECK(csr_read(mip) & bit, pending ? bit : 0);
}

static void test_software(void)
{
    clint_set_msip(0, 1);
    wait_for(1 << IRQ_MSI, true);
    CHECK(read32(CLINT_BASE), 1);
    csr_clear(mip, 1 << IRQ_MSI);
    CHECK(csr_read(mip) >> IRQ_MSI & 1, 1);
    clint_set_msip(0, 0xfffffffe); /* only bit 0 is there */
    wait_for(1 << IRQ_MSI, false);
    CHECK(read32(CLINT_BASE), 0);
    csr_set(mip, 1 << IRQ_MSI);
    CHECK(csr_read(mip) >> IRQ_MSI & 1, 0);
}

static void test_compare(void)
{
    uint64_t now = clint_time();

    clint_set_timecmp(0, -1ull);
    wait_for(1 << IRQ_MTI, false);
    csr_set(mip, 1 << IRQ_MTI);
    CHECK(csr_read(mip) >> IRQ_MTI & 1, 0);
    clint_set_timecmp(0, now);
    wait_for(1 << IRQ_MTI, true);
    CHECK(read32(CLINT_BASE + 0x4000), (uint32_t)now);
    CHECK(read32(CLINT_BASE + 0x4004), now >> 32);
    csr_clear(mip, 1 << IRQ_MTI);
    CHECK(csr_read(mip) >> IRQ_MTI & 1, 1);
    clint_set_timecmp(0, now + 1000ull * MTIME_HZ);
    wait_for(1 << IRQ_MTI, false);
    /* Not before its time. */
    now = clint_time();
    clint_set_timecmp(0, now + MTIME_HZ / 100);
    while (!(csr_read(mip) >> IRQ_MTI & 1))
        ;
    CHECK_TRUE(clint_time() >= now + MTIME_HZ / 100);
}

static void test_interrupts(void)
{
    struct run r;

    csr_write(mie, 1 << IRQ_MTI);
    for (unsigned mode = MODE_U; mode <= MODE_M; mode += mode + 1) {
        uint64_t when = clint_time() + MTIME_HZ / 500;

        csr_set(mstatus, MSTATUS_MPIE);
        clint_set_timecmp(0, when);
        r = RUN(mode, 0, 0, "1: addi a0, a0, 1\nj 1b");
        CHECK(r.cause, CAUSE_INTERRUPT | IRQ_MTI);
        CHECK(r.status >> 11 & 3, mode);
        CHECK_TRUE(clint_time() >= when);
        clint_set_timecmp(0, -1ull);
        wait_for(1 << IRQ_MTI, false);
    }
    /* wfi without MIE goes on behind it. */
    csr_clear(mstatus, MSTATUS_MIE);
    uint64_t when = clint_time() + MTIME_HZ / 500;
    clint_set_timecmp(0, when);
    __asm__ volatile("1: wfi\ncsrr t0, mip\nandi t0, t0, 0x80\nbeqz t0, 1b" ::: "t0", "memory");
    CHECK_TRUE(clint_time() >= when);
    /* With MIE it is taken behind it; before it, when the host was so slow that it had come by then. */
    r.at = 0;
    for (uint64_t wait = MTIME_HZ / 500; r.at == 0 && wait <= MTIME_HZ; wait *= 2) {
        clint_set_timecmp(0, -1ull);
        wait_for(1 << IRQ_MTI, false);
        csr_set(mstatus, MSTATUS_MPIE);
        clint_set_timecmp(0, clint_time() + wait);
        r = RUN(MODE_M, 0, 0, ".option norvc\nwfi\n1: j 1b");
        CHECK(r.cause, CAUSE_INTERRUPT | IRQ_MTI);
    }
    CHECK(r.at, 4);
    csr_write(mie, 0);
}

static void test_time(void)
{
    uint64_t first = clint_time(), last;
    ulong time = csr_read(time);

#if RV64
    CHECK_TRUE(time >= first);
#endif
    last = clint_time();
    CHECK_TRUE((ulong)last - time < MTIME_HZ);
    CHECK_TRUE(last >= first);
    for (int i = 0; i < 1000; i++) {
        ulong next = csr_read(time);
        if (next - time >= MTIME_HZ) { /* never backwards */
            CHECK(next, time);
            break;
        }
        time = next;
    }
}

void test_main(void)
{
    test_software();
    test_compare();
    test_interrupts();
    test_time();
}
