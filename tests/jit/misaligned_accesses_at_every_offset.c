/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Loads and stores of every size at every offset around the end of a page, whose neighbour in memory is
 * another page than its neighbour in the address space: alone, several off one register, in a loop
 * whose register moves, and as a base with a distance that crosses the end.
 *
 * rerun: tests/jit/jit.test misaligned
 */
#include "jit.h"

static struct space space;
static uint8_t *first, *second;
static uint8_t model[2 * PAGE];

static uint8_t *byte(ulong n)
{
    return n < PAGE ? first + n : second + n - PAGE;
}

static void fill(void)
{
    for (ulong n = 0; n < 2 * PAGE; n++)
        *byte(n) = model[n] = (uint8_t)rnd();
}

static ulong model_load(ulong n, unsigned size, bool is_signed)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < size; i++)
        value |= (uint64_t)model[n + i] << (8 * i);
    if (is_signed && size < 8)
        value = (uint64_t)((int64_t)(value << (64 - 8 * size)) >> (64 - 8 * size));
    return (ulong)value;
}

static void model_store(ulong n, unsigned size, uint64_t value)
{
    for (unsigned i = 0; i < size; i++)
        model[n + i] = (uint8_t)(value >> (8 * i));
}

static void check_memory(void)
{
    unsigned wrong = 0;
    for (ulong n = 0; n < 2 * PAGE; n++)
        wrong += *byte(n) != model[n];
    CHECK(wrong, 0);
}

#define EACH_LOAD(X) \
    X("lb", 1, true) X("lbu", 1, false) X("lh", 2, true) X("lhu", 2, false) X("lw", 4, true)
#if RV64
#define EACH_LOAD64(X) X("lwu", 4, false) X("ld", 8, true)
#define EACH_STORE64(X) X("sd", 8)
#else
#define EACH_LOAD64(X)
#define EACH_STORE64(X)
#endif
#define EACH_STORE(X) X("sb", 1) X("sh", 2) X("sw", 4)

static void test_each(void)
{
    for (ulong n = PAGE - 12; n < PAGE + 4; n++) {
        ulong va = TEST_VA + n;
#define ONE_LOAD(op, size, is_signed) \
    CHECK(RUN_OK(MODE_S, va, 0, op " a0, 0(a0)"), model_load(n, size, is_signed)); \
    CHECK(RUN_OK(MODE_S, va - 100, 0, op " s7, 100(a0)\nmv a0, s7"), model_load(n, size, is_signed));
        EACH_LOAD(ONE_LOAD)
        EACH_LOAD64(ONE_LOAD)
#define ONE_STORE(op, size) \
    { \
        ulong value = rnd() * 0x10001UL; \
        RUN_OK(MODE_S, va, value, op " a1, 0(a0)"); \
        model_store(n, size, value); \
        RUN_OK(MODE_S, va + 60, ~value, "mv s8, a1\naddi s9, a0, -160\n" op " s8, 100(s9)"); \
        model_store(n, size, ~value); \
        CHECK(RUN_OK(MODE_S, va, 0, "lbu a0, 0(a0)"), (uint8_t)~value); \
    }
        EACH_STORE(ONE_STORE)
        EACH_STORE64(ONE_STORE)
    }
    check_memory();
}

/* Every size off one register, stored and read back at once. */
static void test_groups(void)
{
    for (ulong n = PAGE - 40; n < PAGE + 2; n++) {
        ulong value = rnd() * 0x1000193UL;
        ulong got = RUN_OK(MODE_S, TEST_VA + n, value,
                           "sb a1, 0(a0)\nsh a1, 1(a0)\nsw a1, 3(a0)\nsw a1, 7(a0)\nsh a1, 20(a0)\n"
                           "lhu a2, 0(a0)\nlw a3, 1(a0)\nlh a4, 6(a0)\nlbu a5, 21(a0)\nlw t1, 5(a0)\n"
                           "xor a0, a2, a3\nadd a0, a0, a4\nxor a0, a0, a5\nadd a0, a0, t1");
        model_store(n, 1, value);
        model_store(n + 1, 2, value);
        model_store(n + 3, 4, value);
        model_store(n + 7, 4, value);
        model_store(n + 20, 2, value);
        ulong want = model_load(n, 2, false) ^ model_load(n + 1, 4, true);
        want = (want + model_load(n + 6, 2, true)) ^ model_load(n + 21, 1, false);
        CHECK(got, want + model_load(n + 5, 4, true));
    }
    check_memory();
}

/* Copies over the border, by words at any two offsets. */
static void test_loops(void)
{
    for (unsigned i = 0; i < 60; i++) {
        ulong from = PAGE - 200 + rnd() % 100, to = PAGE - 60 + rnd() % 200;
        RUN_OK(MODE_S, TEST_VA + from, TEST_VA + to,
               "li a2, 40\n1: lw a3, 0(a0)\nlhu a4, 2(a0)\nadd a3, a3, a4\nsw a3, 0(a1)\n"
               "addi a0, a0, 4\naddi a1, a1, 4\naddi a2, a2, -1\nbnez a2, 1b\n");
        for (ulong n = 0; n < 160; n += 4)
            model_store(to + n, 4, model_load(from + n, 4, true) + model_load(from + n + 2, 2, false));
    }
    check_memory();
}

void test_main(void)
{
    space = space_new(DEFAULT_LEVELS);
    second = page_new();
    first = page_new();
    space_map(&space, TEST_VA, (ulong)first, 0, PTE_RW);
    space_map(&space, TEST_VA + PAGE, (ulong)second, 0, PTE_RW);
    CHECK(space_on(&space), true);
    for (unsigned round = 0; round < 3; round++) {
        fill();
        test_each();
        test_groups();
        test_loops();
    }
    space_off();
}
