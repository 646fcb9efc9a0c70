/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Zicond: czero.eqz gives zero when rs2 is zero, czero.nez when it is not; all of rs2 counts.
 *
 * rerun: tests/isa/isa.test zicond
 * oracle: none, QEMU 7.2 has no Zicond
 */
#include "test.h"

SAME_IN_USER_MODE;

#define CZERO_EQZ(a, b) OP_RR(".insn r 0x33, 5, 7, ", a, b)
#define CZERO_NEZ(a, b) OP_RR(".insn r 0x33, 7, 7, ", a, b)

void test_main(void)
{
    CHECK(CZERO_EQZ(7, 0), 0);
    CHECK(CZERO_EQZ(7, 1), 7);
    CHECK(CZERO_EQZ(-7, (ulong)1 << (XLEN - 1)), -7);
    CHECK(CZERO_NEZ(7, 0), 7);
    CHECK(CZERO_NEZ(7, 1), 0);
    CHECK(CZERO_NEZ(-7, (ulong)1 << (XLEN - 1)), 0);
    CHECK(OP_RR_SAME2(".insn r 0x33, 5, 7, ", 9, 4), 9);
    CHECK(OP_RR_SAME1(".insn r 0x33, 7, 7, ", 9, 0), 9);
}
