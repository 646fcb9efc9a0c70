/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Zbs: set, clear, invert and extract one bit; the index counts modulo XLEN.
 *
 * rerun: tests/isa/isa.test zbs
 */
#include "test.h"

SAME_IN_USER_MODE;

#define MIN ((ulong)1 << (XLEN - 1))

void test_main(void)
{
    RR("bset", 0, 0, 1);
    RR("bset", 0, XLEN - 1, MIN);
    RR("bset", 0, XLEN + 3, 8);
    RR("bclr", -1, -1, MIN - 1);
    RR("bclr", 5, XLEN, 4);
    RR("binv", 5, 0, 4);
    RR("binv", 4, -1, MIN | 4);
    RR("bext", MIN, XLEN - 1, 1);
    RR("bext", MIN, XLEN - 2, 0);
    RR("bext", 2, XLEN + 1, 1);
    RI("bseti", 0, XLEN - 1, MIN);
    RI("bseti", 0, 11, 2048);
    RI("bclri", -1, XLEN - 1, MIN - 1);
    RI("bclri", 7, 1, 5);
    RI("binvi", MIN, XLEN - 1, 0);
    RI("binvi", 0, 5, 32);
    RI("bexti", MIN, XLEN - 1, 1);
    RI("bexti", ~(ulong)16, 4, 0);
}
