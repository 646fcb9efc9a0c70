/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Sscofpmf: a counter that wraps sets its OF and, if OF was clear, LCOFIP; scountovf shows OF of
 * those that mcounteren lets through; xINH bits stop a counter in that mode; the interrupt is
 * number 13 and can be delegated ("Sscofpmf").
 *
 * rerun: tests/isa/isa.test hpm_counters
 * oracle: none, QEMU 7.2 counts host time and overflows by a timer
 */
#include "test.h"

#define INSTRUCTIONS 2
#define LCOFIP (1UL << IRQ_LCOFI)
#define OF (1ULL << 63)
#define MINH (1ULL << 62)
#define SINH (1ULL << 61)
#define UINH (1ULL << 60)

static void set_event(uint64_t event)
{
    csr_write(mhpmevent3, event);
#if !RV64
    csr_write(0x723, event >> 32);
#endif
}

static uint64_t event(void)
{
#if RV64
    return csr_read(mhpmevent3);
#else
    return csr_read(mhpmevent3) | (uint64_t)csr_read(0x723) << 32;
#endif
}

static void set_counter(uint64_t value)
{
#if !RV64
    csr_write(mhpmcounter3h, value >> 32);
#endif
    csr_write(mhpmcounter3, value);
}

static uint64_t counter(void)
{
#if RV64
    return csr_read(mhpmcounter3);
#else
    return csr_read(mhpmcounter3) | (uint64_t)csr_read(mhpmcounter3h) << 32;
#endif
}

static void test_counting(void)
{
    set_event(INSTRUCTIONS);
    CHECK(RUN_OK(MODE_M, 0, 0,
                 "csrr a0, mhpmcounter3\nnop\nnop\ncsrr a1, mhpmcounter3\nsub a0, a1, a0"),
          3);
    csr_write(mcountinhibit, 8);
    CHECK(RUN_OK(MODE_M, 0, 0,
                 "csrr a0, mhpmcounter3\nnop\nnop\ncsrr a1, mhpmcounter3\nsub a0, a1, a0"),
          0);
    csr_write(mcountinhibit, 0);
    set_event(0);
    CHECK(RUN_OK(MODE_M, 0, 0,
                 "csrr a0, mhpmcounter3\nnop\nnop\ncsrr a1, mhpmcounter3\nsub a0, a1, a0"),
          0);
}

/* Instructions that 100 nops of each mode add, when the other modes are inhibited or not. */
static void test_modes(void)
{
    static const unsigned modes[] = {MODE_U, MODE_S, MODE_M};
    static const uint64_t inhibit[] = {UINH, SINH, MINH};

    for (unsigned only = 0; only < 3; only++) {
        set_event(INSTRUCTIONS | ((UINH | SINH | MINH) & ~inhibit[only]));
        for (unsigned m = 0; m < 3; m++) {
            uint64_t before = counter(), added;

            RUN_OK(modes[m], 0, 0, ".rept 100\nnop\n.endr");
            added = counter() - before;
            if (m == only)
                CHECK_TRUE(added >= 100);
            else if (only < 2) /* the harness itself runs in M-mode */
                CHECK64(added, 0);
        }
        if (only < 2)
            CHECK64(event() & ~OF, INSTRUCTIONS | ((UINH | SINH | MINH) & ~inhibit[only]));
    }
    set_event(0);
}

static void test_overflow(void)
{
    csr_write(mip, 0);
    set_event(INSTRUCTIONS | MINH | SINH);
    set_counter(-50ull);
    RUN_OK(MODE_U, 0, 0, ".rept 20\nnop\n.endr");
    CHECK(csr_read(mip) & LCOFIP, 0);
    CHECK64(event() & OF, 0);
    RUN_OK(MODE_U, 0, 0, ".rept 60\nnop\n.endr");
    CHECK(csr_read(mip) & LCOFIP, LCOFIP);
    CHECK64(event() & OF, OF);
    CHECK_TRUE(counter() < 100);

    /* With OF set another overflow raises nothing. */
    csr_clear(mip, LCOFIP);
    set_counter(-5ull);
    RUN_OK(MODE_U, 0, 0, ".rept 20\nnop\n.endr");
    CHECK_TRUE(counter() < 100);
    CHECK(csr_read(mip) & LCOFIP, 0);

    csr_write(mcounteren, 8);
    CHECK(RUN_OK(MODE_S, 0, 0, "csrr a0, 0xda0"), 8); /* scountovf */
    csr_write(mcounteren, 0);
    CHECK(RUN_OK(MODE_S, 0, 0, "csrr a0, 0xda0"), 0);
    CHECK(csr_read(0xda0), 8);
    RUN_ILLEGAL(MODE_U, "csrr a0, 0xda0");
    set_event(0);
    CHECK(csr_read(0xda0), 0);
}

static void test_interrupt(void)
{
    struct run r;

    supervisor_catch();
    csr_write(mideleg, LCOFIP);
    csr_write(mie, LCOFIP);
    set_event(INSTRUCTIONS | MINH | SINH);
    set_counter(-5000ull);
    /* When after the overflow it comes is the hart's choice; at the latest with the next trap. */
    r = RUN(MODE_U, 100000, 0, "1: addi a0, a0, -1\nbnez a0, 1b");
    if (r.cause == CAUSE_ECALL_U)
        r = RUN(MODE_U, 0, 0, "nop");
    r = supervisor_trap("overflow", __LINE__, r);
    CHECK(r.cause, CAUSE_INTERRUPT | IRQ_LCOFI);
    RUN_OK(MODE_S, LCOFIP, 0, "csrc sip, a0"); /* S-mode's to clear when delegated */
    CHECK(csr_read(mip) & LCOFIP, 0);
    RUN_OK(MODE_S, LCOFIP, 0, "csrs sip, a0\ncsrr a0, sip");
    CHECK(csr_read(mip) & LCOFIP, LCOFIP);
    csr_write(mie, 0);
    csr_write(mideleg, 0);
    RUN_OK(MODE_S, LCOFIP, 0, "csrc sip, a0");
    CHECK(csr_read(mip) & LCOFIP, LCOFIP); /* not delegated: not S-mode's */
    csr_write(mip, 0);
}

void test_main(void)
{
    test_counting();
    test_modes();
    test_overflow();
    test_interrupt();
}
