/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * The M extension: high halves of signed, unsigned and mixed products; division by zero and the
 * overflow of MIN / -1 give their specified values and no trap.
 *
 * rerun: tests/isa/isa.test multiply_and_divide
 */
#include "test.h"

SAME_IN_USER_MODE;

#define MIN ((ulong)1 << (XLEN - 1))
#define MAX (MIN - 1)

static void test_both(void)
{
    RR("mul", 3, -7, -21);
    RR("mul", MIN, -1, MIN);
    RR("mul", MAX, MAX, 1);
    RR("mul", 0, -1, 0);
    RR("mulh", -1, -1, 0);
    RR("mulh", MIN, MIN, (ulong)1 << (XLEN - 2));
    RR("mulh", MIN, -1, 0);
    RR("mulh", MIN, 1, -1);
    RR("mulh", MAX, MAX, ((ulong)1 << (XLEN - 2)) - 1);
    RR("mulh", MIN, MAX, -((long)1 << (XLEN - 2)));
    RR("mulhu", -1, -1, -2);
    RR("mulhu", MIN, 2, 1);
    RR("mulhu", MIN, MIN, (ulong)1 << (XLEN - 2));
    RR("mulhu", -1, 1, 0);
    RR("mulhsu", -1, -1, -1);
    RR("mulhsu", MIN, -1, MIN);
    RR("mulhsu", 1, -1, 0);
    RR("mulhsu", MAX, -1, MAX - 1);
    RR("mulhsu", -1, 1, -1);
    RR("mulhsu", 0, -1, 0);

    RR("div", 20, 6, 3);
    RR("div", -20, 6, -3);
    RR("div", 20, -6, -3);
    RR("div", -20, -6, 3);
    RR("div", MIN, -1, MIN);
    RR("div", 5, 0, -1);
    RR("div", -5, 0, -1);
    RR("div", 0, 0, -1);
    RR("div", MIN, 1, MIN);
    RR("divu", -20, 6, (ulong)-20 / 6);
    RR("divu", 20, -6, 0);
    RR("divu", MIN, -1, 0);
    RR("divu", 5, 0, -1);
    RR("rem", 20, 6, 2);
    RR("rem", -20, 6, -2);
    RR("rem", 20, -6, 2);
    RR("rem", -20, -6, -2);
    RR("rem", MIN, -1, 0);
    RR("rem", 5, 0, 5);
    RR("rem", MIN, 0, MIN);
    RR("remu", -20, 6, (ulong)-20 % 6);
    RR("remu", MIN, -1, MIN);
    RR("remu", -5, 0, -5);
}

static void test_words(void)
{
#if RV64
    RR("mulw", 0x7fffffff, 2, -2);
    RR("mulw", 0x100000003, 0x500000005, 15);
    RR("mulw", 0x80000000, 0xffffffff, 0xffffffff80000000);
    RR("divw", 0x80000000, 0xffffffff, 0xffffffff80000000);
    RR("divw", 0xffffffec, 6, -3);
    RR("divw", 5, 0x100000000, -1);
    RR("divw", 0x500000014, 0x300000006, 3);
    RR("divuw", 0xffffffec, 6, 0xffffffec / 6);
    RR("divuw", 0x80000000, 1, 0xffffffff80000000);
    RR("divuw", 5, 0, -1);
    RR("divuw", 0x80000000, 0xffffffff, 0);
    RR("remw", 0x80000000, 0xffffffff, 0);
    RR("remw", 0xffffffec, 6, -2);
    RR("remw", 0x80000000, 0, 0xffffffff80000000);
    RR("remw", 0x180000005, 0x100000000, 0xffffffff80000005);
    RR("remuw", 0x80000000, 0xffffffff, 0xffffffff80000000);
    RR("remuw", 0x80000000, 0, 0xffffffff80000000);
    RR("remuw", 0xffffffec, 6, 0xffffffec % 6);
#endif
}

void test_main(void)
{
    test_both();
    test_words();
}
