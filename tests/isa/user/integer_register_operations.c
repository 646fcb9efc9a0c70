/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Register-register instructions of RV32I and RV64I on corner operands (unprivileged
 * specification, "Integer Computational Instructions"): wrap-around, shift amounts of which only
 * the low bits count, signed against unsigned comparison, W-forms that sign-extend 32 bits.
 *
 * rerun: tests/isa/isa.test integer_register_operations
 */
#include "test.h"

SAME_IN_USER_MODE;

#define MIN ((ulong)1 << (XLEN - 1))
#define MAX (MIN - 1)

static void test_both(void)
{
    RR("add", 0, 0, 0);
    RR("add", 1, -1, 0);
    RR("add", MAX, 1, MIN);
    RR("add", MIN, MIN, 0);
    RR("add", -1, -1, -2);
    RR("sub", 0, 1, -1);
    RR("sub", MIN, 1, MAX);
    RR("sub", 5, 5, 0);
    RR("sub", 0, MIN, MIN);
    RR("and", 0xff00ff00, 0x0f0f0f0f, 0x0f000f00);
    RR("or", 0xff00ff00, 0x0f0f0f0f, 0xff0fff0f);
    RR("xor", 0xff00ff00, 0x0f0f0f0f, 0xf00ff00f);
    RR("and", -1, MIN, MIN);
    RR("or", 0, MIN, MIN);
    RR("xor", -1, MIN, MAX);

    RR("slt", 0, 0, 0);
    RR("slt", -1, 0, 1);
    RR("slt", 0, -1, 0);
    RR("slt", MIN, MAX, 1);
    RR("slt", MAX, MIN, 0);
    RR("sltu", 0, 0, 0);
    RR("sltu", -1, 0, 0);
    RR("sltu", 0, -1, 1);
    RR("sltu", MIN, MAX, 0);
    RR("sltu", MAX, MIN, 1);

    RR("sll", 1, 0, 1);
    RR("sll", 1, XLEN - 1, MIN);
    RR("sll", 1, XLEN, 1);
    RR("sll", 3, XLEN + 4, 48);
    RR("sll", 1, -1, MIN);
    RR("srl", MIN, XLEN - 1, 1);
    RR("srl", -1, 0, -1);
    RR("srl", -1, XLEN, -1);
    RR("srl", MIN, -1, 1);
    RR("srl", -1, 4, (ulong)-1 >> 4);
    RR("sra", MIN, XLEN - 1, -1);
    RR("sra", MIN, -1, -1);
    RR("sra", MAX, XLEN - 1, 0);
    RR("sra", -16, 2, -4);
    RR("sra", MIN, XLEN, MIN);
}

#if RV64
static void test_words(void)
{
    RR("addw", 0x7fffffff, 1, 0xffffffff80000000);
    RR("addw", 0xffffffff, 1, 0);
    RR("addw", 0x123456789abcdef0, 0, 0xffffffff9abcdef0);
    RR("subw", 0, 1, -1);
    RR("subw", 0x80000000, 1, 0x7fffffff);
    RR("subw", 0xdead00000005, 0xbeef00000003, 2);
    RR("sllw", 1, 31, 0xffffffff80000000);
    RR("sllw", 1, 32, 1);
    RR("sllw", 0xffffffff00000001, 4, 16);
    RR("srlw", 0xffffffff80000000, 31, 1);
    RR("srlw", 0xffffffff80000000, 0, 0xffffffff80000000);
    RR("srlw", 0x1234567880000000, 63, 1);
    RR("sraw", 0x0000000080000000, 31, -1);
    RR("sraw", 0xffffffff7fffffff, 31, 0);
    RR("sraw", 0x0000000080000000, 32, 0xffffffff80000000);
}
#else
static void test_words(void)
{
}
#endif

static void test_x0_is_never_written(void)
{
    ulong v;

    __asm__ volatile(
        "li t0, 77\n add x0, t0, t0\n lui x0, 5\n auipc x0, 1\n jal x0, 1f\n1: ori x0, t0, 1\n"
        "mul x0, t0, t0\n csrr x0, fcsr\n mv %0, x0"
        : "=r"(v)::"t0");
    CHECK(v, 0);
    __asm__ volatile("la t0, test_main\n lw x0, 0(t0)\n mv %0, x0" : "=r"(v)::"t0");
    CHECK(v, 0);
}

void test_main(void)
{
    test_both();
    test_words();
    test_x0_is_never_written();
}
