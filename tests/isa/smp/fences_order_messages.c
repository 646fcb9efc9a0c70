/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Litmus tests of RVWMO that fences must forbid: message passing (data before flag), store buffering
 * (both harts miss the other's store), load buffering, and the same with aq/rl; a load never goes
 * back in time on one word (unprivileged specification, "RVWMO Memory Consistency Model").
 *
 * rerun: tests/isa/isa.test fences_order
 * harts: 4
 */
#include "smp.h"

#define ROUNDS 20000

static struct {
    uint32_t data[8], pad0[8];
    uint32_t flag, pad1[15];
    uint32_t x, pad2[15];
    uint32_t y, pad3[15];
    uint32_t bad;
    uint32_t turn[2];
    uint32_t seen[2];
    uint32_t stop;
} shared __attribute__((aligned(64)));

static void write_messages(ulong hart, ulong rounds)
{
    (void)hart;
    for (ulong n = 1; n <= rounds; n++) {
        for (unsigned i = 0; i < 8; i++)
            SET(shared.data[i], n);
        fence(w, w);
        SET(shared.flag, n);
    }
}

static void read_messages(ulong hart, ulong rounds)
{
    uint32_t last = 0;

    (void)hart;
    while (last < rounds) {
        uint32_t n = GET(shared.flag);

        fence(r, r);
        for (unsigned i = 0; i < 8; i++)
            if (GET(shared.data[i]) < n)
                SET(shared.bad, 1);
        if (n < last)
            SET(shared.bad, 2);
        last = n;
    }
}

/* Rounds in step: both harts come to the same round, store their own word and load the other's. */
static void meet(ulong hart, uint32_t round)
{
    SET(shared.turn[hart], round);
    while (GET(shared.turn[!hart]) < round)
        ;
    fence(rw, rw);
}

static void store_buffering(ulong hart, ulong rounds)
{
    uint64_t start = clint_time();
    uint32_t *mine = hart ? &shared.y : &shared.x, *other = hart ? &shared.x : &shared.y;

    for (ulong n = 1; n <= rounds && !shared.stop; n++) {
        meet(hart, 2 * n);
        SET(*mine, n);
        fence(w, r);
        SET(shared.seen[hart], GET(*other) == n);
        if (hart == 0)
            SET(shared.stop, !smp_go_on(n, start));
        fence(rw, rw);
        meet(hart, 2 * n + 1);
        if (hart == 0 && !shared.seen[0] && !shared.seen[1])
            SET(shared.bad, 3);
        fence(rw, rw);
    }
}

static void store_buffering_by_amo(ulong hart, ulong rounds)
{
    uint64_t start = clint_time();
    uint32_t *mine = hart ? &shared.y : &shared.x, *other = hart ? &shared.x : &shared.y;

    for (ulong n = 1; n <= rounds && !shared.stop; n++) {
        uint32_t old;

        meet(hart, 2 * n);
        __asm__ volatile("amoswap.w.aqrl x0, %1, (%0)" ::"r"(mine), "r"(n) : "memory");
        __asm__ volatile("lr.w.aqrl %0, (%1)" : "=r"(old) : "r"(other) : "memory");
        SET(shared.seen[hart], old == n);
        if (hart == 0)
            SET(shared.stop, !smp_go_on(n, start));
        fence(rw, rw);
        meet(hart, 2 * n + 1);
        if (hart == 0 && !shared.seen[0] && !shared.seen[1])
            SET(shared.bad, 4);
        fence(rw, rw);
    }
}

static void pair(smp_work *work, ulong rounds)
{
    shared.turn[0] = shared.turn[1] = 0;
    shared.x = shared.y = shared.stop = 0;
    smp_start(1, work, rounds);
    work(0, rounds);
    smp_wait(1);
}

void test_main(void)
{
    smp_begin();
    smp_start(1, write_messages, ROUNDS);
    smp_start(2, read_messages, ROUNDS);
    smp_start(3, read_messages, ROUNDS);
    read_messages(0, ROUNDS);
    for (unsigned hart = 1; hart < HARTS; hart++)
        smp_wait(hart);
    CHECK(shared.bad, 0);
    pair(store_buffering, 3000);
    CHECK(shared.bad, 0);
    pair(store_buffering_by_amo, 3000);
    CHECK(shared.bad, 0);
}
