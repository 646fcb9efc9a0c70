/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Zbc: low, high and reversed carry-less products.
 *
 * rerun: tests/isa/isa.test zbc
 */
#include "test.h"

SAME_IN_USER_MODE;

#define MIN ((ulong)1 << (XLEN - 1))

void test_main(void)
{
    RR("clmul", 3, 3, 5);
    RR("clmul", 0xff, 0xff, 0x5555);
    RR("clmul", -1, 2, -2);
    RR("clmul", MIN, 3, MIN);
    RR("clmul", -1, -1, (ulong)0x5555555555555555);
    RR("clmulh", MIN, 2, 1);
    RR("clmulh", MIN, MIN, (ulong)1 << (XLEN - 2));
    RR("clmulh", -1, -1, (ulong)0x5555555555555555);
    RR("clmulh", 0xff, 0xff, 0);
    RR("clmulr", MIN, 1, 1);
    RR("clmulr", MIN, MIN, MIN);
    RR("clmulr", -1, -1, (ulong)0xaaaaaaaaaaaaaaaa);
    RR("clmulr", 3, 3, 0);
}
