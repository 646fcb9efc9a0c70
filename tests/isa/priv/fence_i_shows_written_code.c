/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Code that a hart writes is run after fence.i, whatever ran there before: a changed immediate, a
 * changed length, across a page, by another mapping, in a loop that changes itself, and one page of
 * code and data that is written all the time (unprivileged specification, "Zifencei").
 *
 * rerun: tests/isa/isa.test fence_i
 */
#include "paging.h"

static uint32_t code[4096] __attribute__((aligned(4096)));

static ulong call(void *at)
{
    struct run r = run_at(MODE_S, (uintptr_t)at, 0, 0);

    CHECK(r.cause, CAUSE_ECALL_S);
    return r.a0;
}

static void put_li(uint32_t *at, unsigned value)
{
    put32(at, 0x00000513 | value << 20); /* li a0, value */
    put32(at + 1, INSN_ECALL);
}

static void test_many_versions(void)
{
    for (unsigned v = 0; v < 1500; v++) {
        put_li(code, v);
        fence_i();
        CHECK(call(code), v);
    }
}

static void test_other_lengths(void)
{
    put_li(code, 1);
    fence_i();
    CHECK(call(code), 1);
    put16(code, 0x4515);             /* c.li a0, 5 */
    put16((char *)code + 2, 0x0509); /* c.addi a0, 2 */
    fence_i();
    CHECK(call(code), 7);
    put_li(code, 2);
    fence_i();
    CHECK(call(code), 2);
    /* The middle of what was one instruction. */
    put16((char *)code + 2, 0x0050); /* li a0, 5 */
    fence_i();
    CHECK(call(code), 5);
    /* Over a page's end, each half changed alone. */
    uint16_t *end = (uint16_t *)(code + 1024) - 1;
    put32(end, 0x00300513);
    put32(end + 2, INSN_ECALL);
    fence_i();
    CHECK(call(end), 3);
    end[1] = 0x0040;
    fence_i();
    CHECK(call(end), 4);
    end[0] = 0x4501; /* c.li a0, 0 */
    end[1] = 0x0511; /* c.addi a0, 4 */
    put32(end + 2, INSN_ECALL);
    fence_i();
    CHECK(call(end), 4);
}

/* The store goes through one address, the fetch through another. */
static void test_alias(void)
{
    struct space space = space_new(DEFAULT_LEVELS);

    space_map(&space, TEST_VA, (ulong)code, 0, PTE_V | PTE_X | PTE_A);
    space_map(&space, TEST_VA + PAGE, (ulong)code, 0, PTE_RW);
    CHECK(space_on(&space), true);
    for (unsigned v = 0; v < 50; v++) {
        put_li(code, v);
        fence_i();
        CHECK(run_fetch(MODE_S, TEST_VA).a0, v);
        RUN_OK(MODE_S, TEST_VA + PAGE, 0x00000513 | (v + 100) << 20, STORE_WORD);
        RUN_OK(MODE_S, 0, 0, "fence.i");
        CHECK(run_fetch(MODE_S, TEST_VA).a0, v + 100);
    }
    space_off();
}

/* A loop whose body patches the body. */
static void test_patches_itself(void)
{
    ulong sum = RUN_OK(MODE_S, 0, 50,
                       "la t0, 2f\nlw t1, 0(t0)\nli t3, 1 << 20\n"
                       "1: fence.i\n"
                       "2: .4byte 0x00050513\n" /* addi a0, a0, 0: grows by 1 each time round */
                       "add t1, t1, t3\nsw t1, 0(t0)\naddi a1, a1, -1\nbnez a1, 1b\n");
    CHECK(sum, 49 * 50 / 2);
}

/* Code beside data: stores near it must not harm it, nor it them. */
static void test_data_beside_code(void)
{
    put_li(code, 9);
    fence_i();
    for (unsigned i = 0; i < 2000; i++) {
        code[16 + i % 200] = i;
        if (i % 50 == 0)
            CHECK(call(code), 9);
        CHECK(code[16 + i % 200], i);
    }
}

void test_main(void)
{
    test_many_versions();
    test_other_lengths();
    test_alias();
    test_patches_itself();
    test_data_beside_code();
}
