/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Zacas: amocas compares memory with rd and stores rs2 when they agree; rd gets what was there,
 * sign-extended; pairs of registers for the double width, an odd register of them is reserved, x0
 * stands for zero; with Zabha bytes and halfwords; a misaligned one traps ("Zacas", "Zabha").
 *
 * rerun: tests/isa/isa.test zacas
 * oracle: none, QEMU 7.2 has no Zacas
 */
#include "test.h"

static uint64_t cell[6] __attribute__((aligned(16)));

/* rd and rs2 are a2 (a3) and a4 (a5), the address is a0. */
struct cas {
    ulong rd, rd_next;
};

#define CAS(width, old, old_next, new, new_next) \
    ({ \
        register ulong a0_ __asm__("a0") = (ulong)&cell[2]; \
        register ulong a2_ __asm__("a2") = (ulong)(old); \
        register ulong a3_ __asm__("a3") = (ulong)(old_next); \
        register ulong a4_ __asm__("a4") = (ulong)(new); \
        register ulong a5_ __asm__("a5") = (ulong)(new_next); \
        __asm__ volatile(".insn r AMO, " #width ", 5 << 2, a2, a0, a4" \
                         : "+r"(a2_), "+r"(a3_) \
                         : "r"(a0_), "r"(a4_), "r"(a5_) \
                         : "memory"); \
        (struct cas){a2_, a3_}; \
    })

static void expect(int line, uint64_t low, uint64_t high)
{
    check64("cell", line, cell[2], low);
    check64("next", line, cell[3], high);
    check64("below", line, cell[1], 0x1111111111111111);
    check64("above", line, cell[4], 0x2222222222222222);
}

static void fill(uint64_t low, uint64_t high)
{
    cell[1] = 0x1111111111111111;
    cell[2] = low;
    cell[3] = high;
    cell[4] = 0x2222222222222222;
}

static void test_words(void)
{
    fill(0x12345678ffffffff, 9);
    CHECK(CAS(2, 0xffffffff, 7, 5, 0).rd, -1); /* only 32 bits are compared */
    expect(__LINE__, 0x1234567800000005, 9);
    CHECK(CAS(2, 6, 7, 8, 0).rd, 5);
    expect(__LINE__, 0x1234567800000005, 9);
    CHECK(CAS(2, 5, 7, 0x80000001, 0).rd_next, 7); /* no pair */
    CHECK(CAS(2, 0, 0, 0, 0).rd, (long)(int32_t)0x80000001);
}

static void test_pairs(void)
{
#if RV64
    fill(0x8000000000000001, 9);
    CHECK(CAS(3, 0x8000000000000001, 0, 77, 0).rd, 0x8000000000000001);
    expect(__LINE__, 77, 9);
    CHECK(CAS(3, 76, 0, 78, 0).rd, 77);
    expect(__LINE__, 77, 9);
    struct cas r = CAS(4, 77, 9, 0xaaaa, 0xbbbb); /* .q */
    CHECK(r.rd, 77);
    CHECK(r.rd_next, 9);
    expect(__LINE__, 0xaaaa, 0xbbbb);
    r = CAS(4, 0xaaaa, 0, 1, 2); /* half agrees */
    CHECK(r.rd, 0xaaaa);
    CHECK(r.rd_next, 0xbbbb);
    expect(__LINE__, 0xaaaa, 0xbbbb);
    r = CAS(4, 0, 0xbbbb, 1, 2);
    expect(__LINE__, 0xaaaa, 0xbbbb);
    /* x0 as rd: compares with 0 and writes no register; x0 as rs2: stores 0. */
    fill(0, 0);
    RUN_OK(MODE_M, &cell[2], 0, "li a4, 3\nli a5, 4\n.insn r AMO, 4, 20, x0, a0, a4");
    expect(__LINE__, 3, 4);
    RUN_OK(MODE_M, &cell[2], 0, "li a2, 3\nli a3, 4\n.insn r AMO, 4, 20, a2, a0, x0");
    expect(__LINE__, 0, 0);
    RUN_ILLEGAL(MODE_M, ".insn r AMO, 4, 20, a3, a0, a4");
    RUN_ILLEGAL(MODE_M, ".insn r AMO, 4, 20, a2, a0, a5");
    CHECK(RUN(MODE_M, (ulong)&cell[2] + 8, 0, ".insn r AMO, 4, 20, a2, a0, a4").tval,
          (ulong)&cell[3]);
#else
    fill(0x8000000100000002, 9);
    struct cas r = CAS(3, 2, 0x80000001, 5, 6);
    CHECK(r.rd, 2);
    CHECK(r.rd_next, 0x80000001);
    expect(__LINE__, 0x0000000600000005, 9);
    r = CAS(3, 5, 0, 1, 2);
    CHECK(r.rd, 5);
    CHECK(r.rd_next, 6);
    expect(__LINE__, 0x0000000600000005, 9);
    fill(0, 9);
    RUN_OK(MODE_M, &cell[2], 0, "li a4, 3\nli a5, 4\n.insn r AMO, 3, 20, x0, a0, a4");
    expect(__LINE__, 0x0000000400000003, 9);
    RUN_OK(MODE_M, &cell[2], 0, "li a2, 3\nli a3, 4\n.insn r AMO, 3, 20, a2, a0, x0");
    expect(__LINE__, 0, 9);
    RUN_ILLEGAL(MODE_M, ".insn r AMO, 3, 20, a3, a0, a4");
    RUN_ILLEGAL(MODE_M, ".insn r AMO, 3, 20, a2, a0, a5");
#endif
}

static void test_narrow(void)
{
    fill(0x88776655443322f1, 0);
    CHECK(CAS(0, 0xf1, 0, 0x1199, 0).rd, (long)(int8_t)0xf1);
    expect(__LINE__, 0x8877665544332299, 0);
    CHECK(CAS(0, 0xf1, 0, 0x55, 0).rd, (long)(int8_t)0x99);
    expect(__LINE__, 0x8877665544332299, 0);
    CHECK(CAS(1, 0x2299, 0, 0x9988, 0).rd, 0x2299);
    expect(__LINE__, 0x8877665544339988, 0);
    CHECK(CAS(1, 0x7fff9988, 0, 0x1234, 0).rd, (long)(int16_t)0x9988); /* its low half agrees */
    expect(__LINE__, 0x8877665544331234, 0);
}

static void test_faults(void)
{
    ulong at = (ulong)&cell[2] + 2;
    struct run r = RUN(MODE_M, at, 0, ".insn r AMO, 2, 20, a2, a0, a4");

    CHECK_TRUE(r.cause == CAUSE_STORE_MISALIGNED || r.cause == CAUSE_STORE_ACCESS);
    CHECK(r.tval, at);
    r = RUN(MODE_M, at + 2, 0, ".insn r AMO, 3, 20, a2, a0, a4");
    CHECK_TRUE(r.cause == CAUSE_STORE_MISALIGNED || r.cause == CAUSE_STORE_ACCESS);
    /* Store permission is needed whether or not they agree. */
    RUN_TRAPS(MODE_M, UNMAPPED_PA, 0, ".insn r AMO, 2, 20, a2, a0, a4", CAUSE_STORE_ACCESS,
              UNMAPPED_PA);
}

void test_main(void)
{
    test_words();
    test_pairs();
    test_narrow();
    test_faults();
}
