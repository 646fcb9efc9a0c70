/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Zabha: AMOs on bytes and halfwords give the old value sign-extended, change nothing beside it, and
 * a misaligned halfword traps ("Zabha").
 *
 * rerun: tests/isa/isa.test zabha
 * oracle: none, QEMU 7.2 has no Zabha
 */
#include "test.h"

SAME_IN_USER_MODE;

static uint8_t cell[16] __attribute__((aligned(16)));

/* .insn r AMO, width, funct5 << 2, rd, rs1, rs2 */
#define AMO(width, funct5, at, operand) \
    ({ \
        ulong old_; \
        __asm__ volatile(".insn r AMO, " #width ", " #funct5 " << 2, %0, %1, %2" \
                         : "=&r"(old_) \
                         : "r"(at), "r"((ulong)(operand)) \
                         : "memory"); \
        old_; \
    })

static void fill(void)
{
    for (int i = 0; i < 16; i++)
        cell[i] = 0x5a;
}

static void neighbours_are_whole(int first, int count, int line)
{
    for (int i = 0; i < 16; i++)
        if (i < first || i >= first + count)
            check("neighbour", line, cell[i], 0x5a);
}

#define BYTE(funct5, old, operand, want) \
    do { \
        for (int i_ = 4; i_ < 8; i_++) { \
            fill(); \
            cell[i_] = (old); \
            CHECK(AMO(0, funct5, &cell[i_], operand), (long)(int8_t)(old)); \
            CHECK(cell[i_], (uint8_t)(want)); \
            neighbours_are_whole(i_, 1, __LINE__); \
        } \
    } while (0)
#define HALF(funct5, old, operand, want) \
    do { \
        for (int i_ = 4; i_ < 8; i_ += 2) { \
            fill(); \
            *(uint16_t *)&cell[i_] = (old); \
            CHECK(AMO(1, funct5, &cell[i_], operand), (long)(int16_t)(old)); \
            CHECK(*(uint16_t *)&cell[i_], (uint16_t)(want)); \
            neighbours_are_whole(i_, 2, __LINE__); \
        } \
    } while (0)

void test_main(void)
{
    BYTE(1, 0x80, 0x1234, 0x34); /* swap */
    BYTE(0, 0xff, 1, 0);         /* add: no carry out */
    BYTE(0, 0x7f, 1, 0x80);
    BYTE(4, 0xf0, 0xff, 0x0f);   /* xor */
    BYTE(12, 0xf0, 0x3c, 0x30);  /* and */
    BYTE(8, 0xf0, 0x0c, 0xfc);   /* or */
    BYTE(16, 0x80, 0x7f, 0x80);  /* min */
    BYTE(16, 0x05, 0x180, 0x80); /* the operand is its low byte */
    BYTE(20, 0x80, 0x7f, 0x7f);  /* max */
    BYTE(24, 0x80, 0x7f, 0x7f);  /* minu */
    BYTE(28, 0x80, 0x7f, 0x80);  /* maxu */
    BYTE(28, 0x80, 0xff01, 0x80);
    HALF(1, 0x8000, 0x123456, 0x3456);
    HALF(0, 0xffff, 1, 0);
    HALF(4, 0xf0f0, 0xffff, 0x0f0f);
    HALF(12, 0xf0f0, 0x3c3c, 0x3030);
    HALF(8, 0xf0f0, 0x0c0c, 0xfcfc);
    HALF(16, 0x8000, 0x7fff, 0x8000);
    HALF(20, 0x8000, 0x7fff, 0x7fff);
    HALF(24, 0x8000, 0x7fff, 0x7fff);
    HALF(28, 0x8000, 0x7fff, 0x8000);
    HALF(24, 0x8000, 0x10001, 0x0001);
}
