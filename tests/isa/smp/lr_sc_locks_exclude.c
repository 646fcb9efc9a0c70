/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Spin locks and counters made of LR and SC: no two harts are inside, no increment is lost, and every
 * hart gets on (unprivileged specification, "Zalrsc", "Eventual Success of Store-Conditional").
 *
 * rerun: tests/isa/isa.test lr_sc_locks
 * harts: 4
 */
#include "smp.h"

#define ROUNDS 5000

static struct {
    uint32_t lock, pad0[15];
    uint32_t count, inside, pad1[14];
    uint32_t bare;
    uint32_t trouble;
    uint64_t wide;
} shared __attribute__((aligned(64)));

static void lock(uint32_t *at)
{
    ulong t;

    __asm__ volatile("1: lr.w.aq %0, (%1)\nbnez %0, 1b\nsc.w %0, %2, (%1)\nbnez %0, 1b"
                     : "=&r"(t)
                     : "r"(at), "r"(1)
                     : "memory");
}

static void unlock(uint32_t *at)
{
    __asm__ volatile("amoswap.w.rl x0, x0, (%0)" ::"r"(at) : "memory");
}

static void in_turn(ulong hart, ulong rounds)
{
    (void)hart;
    for (ulong i = 0; i < rounds; i++) {
        lock(&shared.lock);
        if (shared.inside++)
            SET(shared.trouble, 1);
        shared.count++;
        if (--shared.inside)
            SET(shared.trouble, 2);
        unlock(&shared.lock);
    }
}

static void increment(ulong hart, ulong rounds)
{
    (void)hart;
    for (ulong i = 0; i < rounds; i++) {
        ulong t, failed;

        __asm__ volatile("1: lr.w %0, (%2)\naddi %0, %0, 1\nsc.w %1, %0, (%2)\nbnez %1, 1b"
                         : "=&r"(t), "=&r"(failed)
                         : "r"(&shared.bare)
                         : "memory");
#if RV64
        __asm__ volatile("1: lr.d %0, (%2)\naddi %0, %0, 3\nsc.d %1, %0, (%2)\nbnez %1, 1b"
                         : "=&r"(t), "=&r"(failed)
                         : "r"(&shared.wide)
                         : "memory");
#endif
    }
}

/* A store by another hart between LR and SC must make SC fail: a handshake puts it there. */
static uint32_t word, step;

static void store_between(ulong hart, ulong value)
{
    (void)hart;
    while (GET(step) != 1)
        relax();
    fence(rw, rw);
    SET(word, value);
    fence(rw, rw);
    SET(step, 2);
}

static void test_interference(void)
{
    for (unsigned i = 0; i < 40; i++) {
        ulong old, failed;

        word = 5;
        step = 0;
        smp_start(1 + i % (HARTS - 1), store_between, 100 + i);
        __asm__ volatile("lr.w %0, (%2)\nfence rw, rw\nsw %4, 0(%3)\n"
                         "1: lw %1, 0(%3)\naddi %1, %1, -2\nbnez %1, 1b\nfence rw, rw\n"
                         "sc.w %1, %4, (%2)"
                         : "=&r"(old), "=&r"(failed)
                         : "r"(&word), "r"(&step), "r"(1)
                         : "memory");
        smp_wait(1 + i % (HARTS - 1));
        CHECK(old, 5);
        CHECK_TRUE(failed != 0);
        CHECK(word, 100 + i);
    }
}

void test_main(void)
{
    smp_begin();
    smp_all(in_turn, ROUNDS);
    CHECK(shared.trouble, 0);
    CHECK(shared.count, HARTS * ROUNDS);
    smp_all(increment, ROUNDS);
    CHECK(shared.bare, HARTS * ROUNDS);
#if RV64
    CHECK64(shared.wide, 3ull * HARTS * ROUNDS);
#endif
    test_interference();
}
