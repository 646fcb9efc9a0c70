/* SPDX-License-Identifier: GPL-3.0-only */
/* What the tests of the translator share beside tests/isa/lib. */
#ifndef JIT_TEST_H
#define JIT_TEST_H

#include "paging.h"

/* A whole register in assembly text. */
#if RV64
#define SX "sd"
#define LX "ld"
#define XB "8"
#else
#define SX "sw"
#define LX "lw"
#define XB "4"
#endif

static uint32_t random_state = 2463534242;

static inline uint32_t rnd(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 17;
    random_state ^= random_state << 5;
    return random_state;
}

/*
 * Says a number that is the same however the program is run: jit.test compares what the engines say.
 */
static inline void say_digest(uint32_t value)
{
    print("digest ");
    print_hex(value);
    print("\n");
}

/* Encodings. */
static inline uint32_t enc_i(uint32_t opcode, unsigned rd, unsigned f3, unsigned rs1, int imm)
{
    return opcode | rd << 7 | f3 << 12 | rs1 << 15 | (uint32_t)imm << 20;
}
static inline uint32_t enc_r(unsigned f7, unsigned rd, unsigned f3, unsigned rs1, unsigned rs2)
{
    return 0x33 | rd << 7 | f3 << 12 | rs1 << 15 | rs2 << 20 | f7 << 25;
}
static inline uint32_t enc_s(unsigned f3, unsigned rs1, unsigned rs2, int imm)
{
    return 0x23 | f3 << 12 | rs1 << 15 | rs2 << 20 | ((uint32_t)imm & 31) << 7 |
           (uint32_t)imm >> 5 << 25;
}
static inline uint32_t enc_b(unsigned f3, unsigned rs1, unsigned rs2, int imm)
{
    uint32_t u = (uint32_t)imm;
    return 0x63 | f3 << 12 | rs1 << 15 | rs2 << 20 | (u >> 11 & 1) << 7 | (u >> 1 & 15) << 8 |
           (u >> 5 & 63) << 25 | (u >> 12 & 1) << 31;
}
static inline uint32_t enc_j(unsigned rd, int imm)
{
    uint32_t u = (uint32_t)imm;
    return 0x6f | rd << 7 | (u >> 12 & 255) << 12 | (u >> 11 & 1) << 20 | (u >> 1 & 1023) << 21 |
           (u >> 20 & 1) << 31;
}
#define ENC_ADDI(rd, rs1, imm) enc_i(0x13, rd, 0, rs1, imm)
#define ENC_RET 0x00008067u

typedef ulong function(ulong a0, ulong a1);

static inline ulong call_at(const void *at, ulong a0, ulong a1)
{
    return ((function *)(uintptr_t)at)(a0, a1);
}

#endif
