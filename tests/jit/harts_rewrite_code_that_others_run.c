/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Four harts write and run code in the same pages at once. Each has functions of its own in every granule
 * of them, which it rewrites, fences and calls, so that code of one hart stands beside stores of
 * the others; and one function that all of them run while hart 0 rewrites it behind a message.
 *
 * rerun: tests/jit/jit.test harts_rewrite
 * harts: 4
 * timeout: 60
 */
#include "jit.h"
#include "smp.h"

/* In a granule of 64 bytes: a slot of 16 for each hart. */
#define GRANULES 128
static uint32_t code[GRANULES * 16] __attribute__((aligned(4096)));
static uint32_t shared[16] __attribute__((aligned(64)));
static uint32_t wrong[HARTS], rounds_done[HARTS];
static uint32_t version, stop, seen[HARTS];
static uint64_t start;

static uint32_t step(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

static void write_own(ulong hart, ulong rounds)
{
    static int16_t values[HARTS][GRANULES];
    uint32_t state = 88172645 + (uint32_t)hart;
    for (unsigned g = 0; g < GRANULES; g++) {
        put32(code + 16 * g + 4 * hart, ENC_ADDI(10, 10, 0));
        put32(code + 16 * g + 4 * hart + 1, ENC_RET);
    }
    fence_i();
    for (ulong i = 0; i < rounds && (i <= 5 || clint_time() - start < 6000000); i++) {
        unsigned g = step(&state) % GRANULES, k = step(&state) % GRANULES;
        int value = (int)(step(&state) % 2000) - 1000;
        uint32_t *at = code + 16 * g + 4 * hart;
        put32(at, ENC_ADDI(10, 10, value));
        values[hart][g] = (int16_t)value;
        fence_i();
        if (call_at(at, i, 0) != i + (ulong)(long)value)
            SET(wrong[hart], 1);
        at = code + 16 * k + 4 * hart;
        if (call_at(at, i, 0) != i + (ulong)(long)values[hart][k])
            SET(wrong[hart], 2);
        rounds_done[hart]++;
    }
}

/* Everybody calls the shared function; what it says may be old until the message, never after it. */
static void run_shared(ulong hart, ulong unused)
{
    (void)unused;
    for (uint32_t last = 0; !GET(stop);) {
        uint32_t now = GET(version);
        if (now == last) {
            relax();
            continue;
        }
        fence(r, rw);
        fence_i();
        for (unsigned i = 0; i < 8; i++)
            if (call_at(shared, 0, 0) != now)
                SET(wrong[hart], 3);
        last = now;
        fence(rw, w);
        SET(seen[hart], now);
    }
}

void test_main(void)
{
    smp_begin();
    start = clint_time();
    smp_all(write_own, 1500);
    for (unsigned hart = 0; hart < HARTS; hart++) {
        CHECK(wrong[hart], 0);
        CHECK_TRUE(rounds_done[hart] > 5);
    }
    put32(shared, ENC_ADDI(10, 0, 0));
    put32(shared + 1, ENC_RET);
    fence_i();
    fence(rw, rw);
    for (unsigned hart = 1; hart < HARTS; hart++)
        smp_start(hart, run_shared, 0);
    start = clint_time();
    for (uint32_t v = 1; v < 1000 && smp_go_on(v, start); v++) {
        put32(shared, ENC_ADDI(10, 0, (int)v));
        fence(rw, w);
        SET(version, v);
        fence_i();
        CHECK(call_at(shared, 0, 0), v);
        for (unsigned hart = 1; hart < HARTS; hart++)
            while (GET(seen[hart]) != v)
                relax();
    }
    SET(stop, 1);
    for (unsigned hart = 1; hart < HARTS; hart++) {
        smp_wait(hart);
        CHECK(wrong[hart], 0);
    }
}
