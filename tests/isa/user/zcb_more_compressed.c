/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Zcb: byte and halfword loads and stores, extensions, not and mul in two bytes.
 *
 * rerun: tests/isa/isa.test zcb
 * oracle: none, QEMU 7.2 has no Zcb
 */
#include "test.h"

SAME_IN_USER_MODE;

/* One parcel on a0 (s.t. rd', rs1' = x10) and a1 (rs2' = x11). */
#define PARCEL(parcel, in0, in1) \
    ({ \
        register ulong a0_ __asm__("a0") = (ulong)(in0); \
        register ulong a1_ __asm__("a1") = (ulong)(in1); \
        __asm__ volatile(".2byte " #parcel : "+r"(a0_), "+r"(a1_)::"memory"); \
        a0_; \
    })

static uint8_t bytes[16] __attribute__((aligned(16)));

void test_main(void)
{
    for (int i = 0; i < 16; i++)
        bytes[i] = 0xf0 + i;
    /* rd' = a0, rs1' = a1 */
    CHECK(PARCEL(0x8188, 0, bytes), 0xf0);                  /* c.lbu 0 */
    CHECK(PARCEL(0x81c8, 0, bytes), 0xf1);                  /* c.lbu 1: bit 6 is offset 0 */
    CHECK(PARCEL(0x81a8, 0, bytes), 0xf2);                  /* c.lbu 2 */
    CHECK(PARCEL(0x81e8, 0, bytes), 0xf3);                  /* c.lbu 3 */
    CHECK(PARCEL(0x8588, 0, bytes), 0xf1f0);                /* c.lhu 0 */
    CHECK(PARCEL(0x85a8, 0, bytes), 0xf3f2);                /* c.lhu 2 */
    CHECK(PARCEL(0x85c8, 0, bytes), (long)(int16_t)0xf1f0); /* c.lh 0 */
    CHECK(PARCEL(0x85e8, 0, bytes), (long)(int16_t)0xf3f2); /* c.lh 2 */
    PARCEL(0x8988, 0x1234, bytes + 4);                      /* c.sb 0 */
    CHECK(bytes[4], 0x34);
    CHECK(bytes[5], 0xf5);
    PARCEL(0x89c8, 0x1277, bytes + 4); /* c.sb 1 */
    CHECK(bytes[5], 0x77);
    PARCEL(0x8d88, 0xabcd, bytes + 8); /* c.sh 0 */
    CHECK(bytes[8] | bytes[9] << 8, 0xabcd);
    PARCEL(0x8da8, 0x5678, bytes + 8); /* c.sh 2 */
    CHECK(bytes[10] | bytes[11] << 8, 0x5678);
    CHECK(bytes[12], 0xfc);

    CHECK(PARCEL(0x9d61, 0x1ff, 0), 0xff);     /* c.zext.b */
    CHECK(PARCEL(0x9d65, 0x180, 0), -128);     /* c.sext.b */
    CHECK(PARCEL(0x9d69, -1, 0), 0xffff);      /* c.zext.h */
    CHECK(PARCEL(0x9d6d, 0x18000, 0), -32768); /* c.sext.h */
    CHECK(PARCEL(0x9d75, 0x55, 0), ~0x55ul);   /* c.not */
    CHECK(PARCEL(0x9d4d, 6, -7), -42);         /* c.mul a0, a1 */
#if RV64
    CHECK(PARCEL(0x9d71, -1, 0), 0xffffffff); /* c.zext.w */
#endif
}
