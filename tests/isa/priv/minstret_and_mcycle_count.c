/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * minstret counts each retired instruction once, none that traps; a write takes effect after the
 * writing instruction; mcountinhibit stops either counter; rv32 has upper halves (privileged
 * specification, "Hardware Performance Monitor", "Machine Counter-Inhibit Register").
 *
 * rerun: tests/isa/isa.test minstret
 * oracle: none, QEMU 7.2 counts host time unless it runs with -icount
 */
#include "test.h"

static void test_exact(void)
{
    CHECK(RUN_OK(MODE_M, 0, 0, "csrr a0, minstret\ncsrr a1, minstret\nsub a0, a1, a0"), 1);
    CHECK(
        RUN_OK(MODE_M, 0, 0, "csrr a0, minstret\nnop\nnop\nnop\ncsrr a1, minstret\nsub a0, a1, a0"),
        4);
    CHECK(
        RUN_OK(
            MODE_M, 0, 0,
            "csrr a0, minstret\nli t0, 10\n1: addi t0, t0, -1\nbnez t0, 1b\ncsrr a1, minstret\nsub a0, a1, a0"),
        1 + 1 + 20);
    /* Jumps, taken and not taken; a load and store; fence.i ends blocks. */
    CHECK(
        RUN_OK(
            MODE_M, 0, 0,
            "csrr a0, minstret\nj 1f\nnop\n1: beqz sp, 1b\nfence.i\nsw a0, -8(sp)\nlw t0, -8(sp)\n"
            "csrr a1, minstret\nsub a0, a1, a0"),
        6);
}

static void test_writes(void)
{
    CHECK(RUN_OK(MODE_M, 1000, 0, "csrw minstret, a0\ncsrr a0, minstret"), 1000);
    CHECK(RUN_OK(MODE_M, 1000, 0, "csrw minstret, a0\nnop\nnop\ncsrr a0, minstret"), 1002);
    CHECK(RUN_OK(MODE_M, 500, 0, "csrw mcycle, a0\ncsrr a0, mcycle\nsltiu a0, a0, 2000"), 1);
#if !RV64
    CHECK(RUN_OK(MODE_M, 7, 0, "csrw minstreth, a0\ncsrr a0, minstreth"), 7);
    CHECK(RUN_OK(MODE_M, -1, 3,
                 "csrw minstreth, a1\ncsrw minstret, a0\nnop\nnop\ncsrr a0, minstreth"),
          4);
    CHECK(RUN_OK(MODE_M, 9, 0, "csrw mcycleh, a0\ncsrr a0, mcycleh"), 9);
#endif
}

static void test_inhibit(void)
{
    CHECK(RUN_OK(MODE_M, 4, 100,
                 "csrw mcountinhibit, a0\ncsrw minstret, a1\nnop\nnop\ncsrr a0, minstret"),
          100);
    CHECK(RUN_OK(MODE_M, 0, 0, "csrr a0, minstret\nnop\ncsrr a1, minstret\nsub a0, a1, a0"), 0);
    CHECK(RUN_OK(MODE_M, 0, 0, "csrr a0, mcycle\nnop\nnop\ncsrr a1, mcycle\nsltu a0, a0, a1"), 1);
    CHECK(
        RUN_OK(MODE_M, 1, 77, "csrw mcountinhibit, a0\ncsrw mcycle, a1\nnop\nnop\ncsrr a0, mcycle"),
        77);
    CHECK(RUN_OK(MODE_M, 0, 0, "csrr a0, minstret\nnop\ncsrr a1, minstret\nsub a0, a1, a0"), 2);
    csr_write(mcountinhibit, -1);
    CHECK(csr_read(mcountinhibit) & 7, 5); /* time is not to be stopped */
    csr_write(mcountinhibit, 0);
}

static void test_traps(void)
{
    ulong before, after;
    struct run r;

    /* csrr of run's own: a trapping instruction adds nothing to what the rest adds. */
    r = RUN(MODE_M, 0, 0, "csrw minstret, zero\nnop\n.4byte -1");
    after = csr_read(minstret);
    CHECK(r.cause, CAUSE_ILLEGAL);
    r = RUN(MODE_M, 0, 0, "csrw minstret, zero\nnop\nnop\n.4byte -1");
    before = after;
    after = csr_read(minstret);
    CHECK(after - before, 1);
    r = RUN(MODE_M, 0, 0, "csrw minstret, zero\nnop\necall");
    CHECK(csr_read(minstret), before);
    r = RUN(MODE_M, UNMAPPED_PA, 0, "csrw minstret, zero\nnop\nlw a0, 0(a0)");
    CHECK(csr_read(minstret), before);
}

void test_main(void)
{
    test_exact();
    test_writes();
    test_inhibit();
    test_traps();
}
