/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Zbb: logic with a complement, counts (of zero too), min and max, extensions, rotations with
 * amounts past the width, orc.b, rev8, and the word forms.
 *
 * rerun: tests/isa/isa.test zbb
 */
#include "test.h"

SAME_IN_USER_MODE;

#define MIN ((ulong)1 << (XLEN - 1))

void test_main(void)
{
    RR("andn", 0xff, 0x0f, 0xf0);
    RR("orn", 0xf0, -1, 0xf0);
    RR("orn", 0, 0, -1);
    RR("xnor", 0x55, 0x55, -1);
    RR("xnor", 0, -1, 0);
    R1("clz", 0, XLEN);
    R1("clz", 1, XLEN - 1);
    R1("clz", MIN, 0);
    R1("ctz", 0, XLEN);
    R1("ctz", MIN, XLEN - 1);
    R1("ctz", -1, 0);
    R1("cpop", 0, 0);
    R1("cpop", -1, XLEN);
    R1("cpop", 0x80000001, 2);
    RR("min", -1, 0, -1);
    RR("max", -1, 0, 0);
    RR("minu", -1, 0, 0);
    RR("maxu", -1, 0, -1);
    RR("min", MIN, MIN - 1, MIN);
    RR("maxu", MIN, MIN - 1, MIN);
    R1("sext.b", 0x180, -128);
    R1("sext.b", 0xff7f, 127);
    R1("sext.h", 0x18000, -32768);
    R1("sext.h", 0xffff7fff, 32767);
    R1("zext.h", -1, 0xffff);
    RR("rol", MIN, 1, 1);
    RR("rol", 0x81, XLEN, 0x81);
    RR("rol", 1, -1, MIN);
    RR("ror", 1, 1, MIN);
    RR("ror", 0x81, XLEN + 4, ((ulong)1 << (XLEN - 4)) | 8);
    RI("rori", 1, 1, MIN);
    RI("rori", 3, XLEN - 1, 6);
    RI("rori", 3, 0, 3);
    R1("orc.b", 0x01000080, 0xff0000ff);
    R1("orc.b", 0, 0);
#if RV64
    R1("orc.b", 0x0100020004000800, 0xff00ff00ff00ff00);
    R1("rev8", 0x0123456789abcdef, 0xefcdab8967452301);
    R1("clzw", 0xffffffff00000000, 32);
    R1("clzw", 0xffffffff00000001, 31);
    R1("clzw", 0x80000000, 0);
    R1("ctzw", 0x100000000, 32);
    R1("ctzw", 0x80000000, 31);
    R1("cpopw", 0xffffffff00000003, 2);
    RR("rolw", 0xffffffff40000000, 1, 0xffffffff80000000);
    RR("rolw", 0x80000000, 33, 1);
    RR("rorw", 1, 1, 0xffffffff80000000);
    RR("rorw", 0xabcd00000002, 33, 1);
    RI("roriw", 1, 1, 0xffffffff80000000);
    RI("roriw", 0xffffffff00000010, 4, 1);
#else
    R1("rev8", 0x01234567, 0x67452301);
#endif
}
