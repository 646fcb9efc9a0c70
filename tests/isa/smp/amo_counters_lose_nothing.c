/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * AMOs of four harts on the same words lose no update: add, or, xor, and, swap as a token, min and
 * max; words beside them are not touched (unprivileged specification, "Zaamo").
 *
 * rerun: tests/isa/isa.test amo_counters
 * harts: 4
 */
#include "smp.h"

#define ROUNDS 20000

static struct {
    uint32_t below, sum, above;
    uint32_t bits, parity, largest, least;
    uint64_t wide;
    uint32_t token, tokens_seen;
} shared __attribute__((aligned(64)));

static void count(ulong hart, ulong rounds)
{
    (void)hart;
    for (ulong i = 0; i < rounds; i++) {
        __asm__ volatile("amoadd.w x0, %1, (%0)" ::"r"(&shared.sum), "r"(1) : "memory");
        __asm__ volatile("amoxor.w x0, %1, (%0)" ::"r"(&shared.parity), "r"(1UL << (i & 31))
                         : "memory");
#if RV64
        __asm__ volatile("amoadd.d.aqrl x0, %1, (%0)" ::"r"(&shared.wide), "r"(0x100000001)
                         : "memory");
#endif
    }
}

static void set_own_bits(ulong hart, ulong rounds)
{
    for (ulong i = 0; i < rounds; i++) {
        uint32_t mine = 1u << (8 * hart + i % 8), old;

        __asm__ volatile("amoor.w %0, %2, (%1)"
                         : "=r"(old)
                         : "r"(&shared.bits), "r"(mine)
                         : "memory");
        __asm__ volatile("amoand.w %0, %2, (%1)"
                         : "=r"(old)
                         : "r"(&shared.bits), "r"(~mine)
                         : "memory");
        if (!(old & mine)) { /* only this hart clears it */
            __asm__ volatile("amoadd.w x0, %1, (%0)" ::"r"(&shared.above), "r"(1) : "memory");
        }
        __asm__ volatile("amomaxu.w x0, %1, (%0)" ::"r"(&shared.largest), "r"(i * 4 + hart)
                         : "memory");
        __asm__ volatile("amominu.w x0, %1, (%0)" ::"r"(&shared.least), "r"(1000000 - i * 4 - hart)
                         : "memory");
    }
}

/* One token goes round by swaps: whoever takes it counts without an atomic. */
static void pass_token(ulong hart, ulong rounds)
{
    (void)hart;
    for (ulong i = 0; i < rounds; i++) {
        uint32_t token;

        do {
            __asm__ volatile("amoswap.w.aq %0, x0, (%1)"
                             : "=r"(token)
                             : "r"(&shared.token)
                             : "memory");
        } while (!token);
        shared.tokens_seen++;
        __asm__ volatile("amoswap.w.rl x0, %1, (%0)" ::"r"(&shared.token), "r"(token) : "memory");
    }
}

void test_main(void)
{
    smp_begin();
    smp_all(count, ROUNDS);
    CHECK(shared.sum, HARTS * ROUNDS);
    CHECK(shared.parity, 0); /* each bit an even number of times */
    CHECK(shared.below | shared.above, 0);
#if RV64
    CHECK64(shared.wide, (uint64_t)HARTS * ROUNDS * 0x100000001);
#endif
    shared.least = -1;
    smp_all(set_own_bits, ROUNDS);
    CHECK(shared.bits, 0);
    CHECK(shared.above, 0);
    CHECK(shared.largest, (ROUNDS - 1) * 4 + HARTS - 1);
    CHECK(shared.least, 1000000 - (ROUNDS - 1) * 4 - (HARTS - 1));
    shared.token = 1;
    smp_all(pass_token, 2000);
    CHECK(shared.tokens_seen, HARTS * 2000);
}
