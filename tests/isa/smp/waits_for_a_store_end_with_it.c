/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * A token goes round the harts; each waits for it with LR and wrs.nto or wrs.sto, and none waits for
 * ever, with words and doublewords, whatever stands above a negative word ("Zawrs").
 *
 * rerun: tests/isa/isa.test waits_for_a_store
 * harts: 4
 * oracle: none, QEMU 7.2 has no Zawrs
 */
#include "smp.h"

#define ROUNDS 40

static struct {
    uint32_t word, pad[15];
    uint64_t wide;
} token __attribute__((aligned(64)));

/* Waits until the token is `mine`, in the two ways in turn. */
#define WAIT_FOR(lr, at, mine, round) \
    do { \
        ulong now; \
        for (;;) { \
            __asm__ volatile(lr " %0, (%1)" : "=r"(now) : "r"(at) : "memory"); \
            if (now == (ulong)(mine)) \
                break; \
            if ((round)&1) \
                __asm__ volatile(".option push\n.option arch, +zawrs\nwrs.nto\n.option pop"); \
            else \
                __asm__ volatile(".option push\n.option arch, +zawrs\nwrs.sto\n.option pop"); \
        } \
    } while (0)

static void pass_on(ulong hart, ulong rounds)
{
    for (ulong i = 0; i < rounds; i++) {
        /* Negative numbers, which LR.W extends with their sign. */
        WAIT_FOR("lr.w", &token.word, (long)(hart + i * HARTS) - 1000000, i);
        SET(token.word, token.word + 1);
    }
#if RV64
    for (ulong i = 0; i < rounds; i++) {
        WAIT_FOR("lr.d", &token.wide, (hart + i * HARTS) << 32, i);
        SET(token.wide, token.wide + (1ull << 32));
    }
#endif
}

void test_main(void)
{
    token.word = (uint32_t)-1000000;
    smp_begin();
    smp_all(pass_on, ROUNDS);
    CHECK(token.word, (uint32_t)(HARTS * ROUNDS - 1000000));
#if RV64
    CHECK64(token.wide, (uint64_t)HARTS * ROUNDS << 32);
#endif
}
