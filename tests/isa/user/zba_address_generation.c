/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Zba: shift-and-add, and the forms that zero-extend a word first.
 *
 * rerun: tests/isa/isa.test zba
 */
#include "test.h"

SAME_IN_USER_MODE;

void test_main(void)
{
    RR("sh1add", 3, 100, 106);
    RR("sh2add", 3, 100, 112);
    RR("sh3add", 3, 100, 124);
    RR("sh1add", -1, 1, -1);
    RR("sh2add", (ulong)3 << (XLEN - 2), 5, 5);
    RR("sh3add", -1, -1, -9);
#if RV64
    RR("add.uw", 0xffffffffffffffff, 1, 0x100000000);
    RR("add.uw", 0x180000000, -1, 0x7fffffff);
    RR("sh1add.uw", 0xffffffff80000000, 1, 0x100000001);
    RR("sh2add.uw", 0xffffffff80000000, 1, 0x200000001);
    RR("sh3add.uw", 0xffffffffffffffff, 8, 0x800000000);
    RI("slli.uw", 0xffffffffffffffff, 0, 0xffffffff);
    RI("slli.uw", 0xffffffff80000001, 4, 0x800000010);
    RI("slli.uw", 1, 63, 0x8000000000000000);
    RI("slli.uw", 0xffffffff, 33, 0xfffffffe00000000);
#endif
}
