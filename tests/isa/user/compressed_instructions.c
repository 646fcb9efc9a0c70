/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Every compressed form of integer code does what its expansion does, and the HINT encodings do
 * nothing (unprivileged specification, "C Standard Extension").
 *
 * rerun: tests/isa/isa.test compressed_instructions
 */
#include "test.h"

SAME_IN_USER_MODE;

/* Runs two-byte instructions on a0 (in and out) and a1 (in); the assembler must compress each. */
#define C2(text, in0, in1, want) \
    do { \
        register ulong a0_ __asm__("a0") = (ulong)(in0); \
        register ulong a1_ __asm__("a1") = (ulong)(in1); \
        __asm__ volatile(text : "+r"(a0_), "+r"(a1_)::"memory", "ra", "t0", "t1"); \
        check(text, __LINE__, a0_, (ulong)(want)); \
    } while (0)

static ulong area[64] __attribute__((aligned(64)));

static void test_arithmetic(void)
{
    C2("c.addi a0, -32", 5, 0, -27);
    C2("c.addi a0, 31", -1, 0, 30);
    C2("c.li a0, -32", 5, 0, -32);
    C2("c.li a0, 31", 5, 0, 31);
    C2("c.lui a0, 1", 5, 0, 0x1000);
    C2("c.lui a0, 0xfffe0", 5, 0, (long)(int32_t)0xfffe0000);
    C2("c.lui a0, 31", 5, 0, 0x1f000);
    C2("c.slli a0, 1", 5, 0, 10);
    C2("c.srli a0, 1", -1, 0, (ulong)-1 >> 1);
    C2("c.srai a0, 1", -4, 0, -2);
    C2("c.srai a0, 31", (ulong)1 << (XLEN - 1), 0, (long)((ulong)1 << (XLEN - 1)) >> 31);
    C2("c.andi a0, -32", 0xff, 0, 0xe0);
    C2("c.andi a0, 15", 0xff, 0, 15);
    C2("c.mv a0, a1", 5, 9, 9);
    C2("c.add a0, a1", 5, -9, -4);
    C2("c.sub a0, a1", 5, 9, -4);
    C2("c.xor a0, a1", 5, 9, 12);
    C2("c.or a0, a1", 5, 9, 13);
    C2("c.and a0, a1", 5, 9, 1);
    C2("mv t0, sp\nc.addi16sp sp, -512\nsub a0, sp, t0\nmv sp, t0", 0, 0, -512);
    C2("mv t0, sp\nc.addi16sp sp, 496\nsub a0, sp, t0\nmv sp, t0", 0, 0, 496);
    C2("c.addi4spn a0, sp, 1020\nsub a0, a0, sp", 0, 0, 1020);
    C2("c.addi4spn a0, sp, 4\nsub a0, a0, sp", 0, 0, 4);
#if RV64
    C2("c.addiw a0, 1", 0x7fffffff, 0, 0xffffffff80000000);
    C2("c.addiw a0, 0", 0x180000000, 0, 0xffffffff80000000);
    C2("c.addw a0, a1", 0x7fffffff, 1, 0xffffffff80000000);
    C2("c.subw a0, a1", 0x180000000, 1, 0x7fffffff);
    C2("c.slli a0, 63", 3, 0, 0x8000000000000000);
    C2("c.srli a0, 63", -1, 0, 1);
    C2("c.srai a0, 32", 0x8000000000000000, 0, 0xffffffff80000000);
#endif
}

static void test_memory(void)
{
    for (int i = 0; i < 64; i++)
        area[i] = (ulong)0x89abcdef + (ulong)i * 0x1010101;
    C2("c.lw a0, 0(a1)", 0, area, (long)(int32_t)area[0]);
    C2("c.lw a0, 124(a1)", 0, area, (long)((int32_t *)area)[31]);
    C2("c.sw a0, 64(a1)\nc.li a0, 0\nlw a0, 64(a1)", 0x12345678, area, 0x12345678);
    C2("mv t0, sp\nmv sp, a1\nc.lwsp a0, 252(sp)\nmv sp, t0", 0, area, (long)((int32_t *)area)[63]);
    C2("mv t0, sp\nmv sp, a1\nc.swsp a0, 128(sp)\nc.li a0, 0\nc.lwsp a0, 128(sp)\nmv sp, t0",
       0x7654321, area, 0x7654321);
#if RV64
    C2("c.ld a0, 248(a1)", 0, area, area[31]);
    C2("c.sd a0, 8(a1)\nc.li a0, 0\nc.ld a0, 8(a1)", 0x123456789abcdef0, area, 0x123456789abcdef0);
    C2("mv t0, sp\nmv sp, a1\nc.ldsp a0, 504(sp)\nmv sp, t0", 0, area, area[63]);
    C2("mv t0, sp\nmv sp, a1\nc.sdsp a0, 256(sp)\nc.li a0, 0\nc.ldsp a0, 256(sp)\nmv sp, t0", -77,
       area, -77);
#endif
}

static void test_jumps(void)
{
    C2("c.j 1f\nc.li a0, 9\n1:", 5, 0, 5);
    C2("j 2f\n1: c.li a0, 7\nc.j 3f\n.skip 2000\n2: c.j 1b\n3:", 0, 0, 7);
    C2("c.beqz a0, 1f\nc.li a0, 9\n1:", 0, 0, 0);
    C2("c.beqz a0, 1f\nc.li a0, 9\n1:", 4, 0, 9);
    C2("c.bnez a0, 1f\nc.li a0, 9\n1:", 0, 0, 9);
    C2("c.bnez a0, 1f\nc.li a0, 9\n1:", 4, 0, 4);
    C2("j 2f\n1: c.addi a0, 1\nj 3f\n.skip 240\n2: c.bnez a0, 1b\n3:", 4, 0, 5);
    C2("la t1, 1f\nc.jr t1\nc.li a0, 9\n1:", 4, 0, 4);
    C2("la t1, 1f\nc.jalr t1\n2: c.li a0, 9\n1: la a1, 2b\nsub a0, ra, a1", 4, 0, 0);
    C2("la ra, 1f\nc.jalr ra\n2: c.li a0, 9\n1: la a1, 2b\nsub a0, ra, a1", 4, 0, 0);
#if !RV64
    C2("c.jal 1f\n2: c.li a0, 9\n1: la a1, 2b\nsub a0, ra, a1", 4, 0, 0);
#endif
}

/* HINTs: rd = x0, shift by 0 (custom use on RV32), c.nop with an immediate, c.mv/c.add to x0. */
static void test_hints(void)
{
    C2(".2byte 0x0001\n.2byte 0x007d", 6, 7, 6);                /* c.nop, c.nop 31 */
    C2(".2byte 0x4005\n.2byte 0x407d", 6, 7, 6);                /* c.li x0 */
    C2(".2byte 0x6005", 6, 7, 6);                               /* c.lui x0, 1 */
    C2(".2byte 0x802e", 6, 7, 6);                               /* c.mv x0, a1 */
    C2(".2byte 0x902e\n.2byte 0x900a\n.2byte 0x9016", 6, 7, 6); /* c.add x0, ... (Zihintntl) */
    C2(".2byte 0x0502", 6, 7, 6);                               /* c.slli a0, 0 */
    C2(".2byte 0x0006\n.2byte 0x0016", 6, 7, 6);                /* c.slli x0, 1 and 5 */
    C2(".2byte 0x0501", 6, 7, 6);                               /* c.addi a0, 0 */
    C2(".2byte 0x8101\n.2byte 0x8501", 6, 7, 6);                /* c.srli64, c.srai64 a0 */
}

void test_main(void)
{
    test_arithmetic();
    test_memory();
    test_jumps();
    test_hints();
}
