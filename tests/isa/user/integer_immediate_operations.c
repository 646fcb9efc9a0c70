/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Register-immediate instructions of RV32I and RV64I: sign-extended 12-bit immediates (sltiu
 * too), shift amounts up to XLEN - 1, lui and auipc sign-extension.
 *
 * rerun: tests/isa/isa.test integer_immediate_operations
 */
#include "test.h"

SAME_IN_USER_MODE;

#define MIN ((ulong)1 << (XLEN - 1))
#define MAX (MIN - 1)

static void test_both(void)
{
    RI("addi", 0, -2048, -2048);
    RI("addi", MAX, 1, MIN);
    RI("addi", MIN, -1, MAX);
    RI("addi", 0x1000, 2047, 0x17ff);
    RI("andi", 0xffff, -1, 0xffff);
    RI("andi", -1, 2047, 2047);
    RI("ori", 0, -2048, -2048);
    RI("ori", 0x1000, 0x7ff, 0x17ff);
    RI("xori", 0x55, -1, ~0x55ul);
    RI("xori", -1, -1, 0);
    RI("slti", -1, 0, 1);
    RI("slti", 0, -1, 0);
    RI("slti", -2048, -2048, 0);
    RI("slti", MIN, -2048, 1);
    RI("sltiu", 5, -1, 1);
    RI("sltiu", -1, -1, 0);
    RI("sltiu", 0, 1, 1);
    RI("sltiu", -2048, -2047, 1);
    RI("slli", 1, XLEN - 1, MIN);
    RI("slli", 0x123, 0, 0x123);
    RI("srli", MIN, XLEN - 1, 1);
    RI("srli", -1, 1, MAX);
    RI("srai", MIN, XLEN - 1, -1);
    RI("srai", MAX, XLEN - 2, 1);
    RI("srai", -7, 1, -4);
}

static void test_upper(void)
{
    ulong v, w;

    __asm__("lui %0, 0x80000" : "=r"(v));
    CHECK(v, (long)(int32_t)0x80000000);
    __asm__("lui %0, 0x7ffff" : "=r"(v));
    CHECK(v, 0x7ffff000);
    __asm__("1: auipc %0, 0\n la %1, 1b" : "=&r"(v), "=&r"(w));
    CHECK(v, w);
    __asm__("1: auipc %0, 0x80000\n la %1, 1b" : "=&r"(v), "=&r"(w));
    CHECK(v - w, (long)(int32_t)0x80000000);
    __asm__("1: auipc %0, 0xfffff\n la %1, 1b" : "=&r"(v), "=&r"(w));
    CHECK(v - w, -4096);
}

static void test_words(void)
{
#if RV64
    RI("addiw", 0x7fffffff, 1, 0xffffffff80000000);
    RI("addiw", 0xffffffff, 0, -1);
    RI("addiw", 0xf00000000, -1, -1);
    RI("slliw", 1, 31, 0xffffffff80000000);
    RI("slliw", 0x1ffffffff, 0, -1);
    RI("srliw", 0x1ffffffff, 31, 1);
    RI("srliw", 0x80000000, 0, 0xffffffff80000000);
    RI("sraiw", 0x80000000, 31, -1);
    RI("sraiw", 0xffffffff7fffffff, 30, 1);
#endif
}

void test_main(void)
{
    test_both();
    test_upper();
    test_words();
}
