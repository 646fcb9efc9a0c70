/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * LR/SC: a pair with nothing between succeeds and writes 0 to rd; an SC without a reservation, to
 * another address, or after another SC, fails with a nonzero rd and stores nothing; an SC always
 * ends the reservation (unprivileged specification, "Zalrsc").
 *
 * rerun: tests/isa/isa.test lr_sc
 */
#include "test.h"

SAME_IN_USER_MODE;

static uint64_t cell[64] __attribute__((aligned(512)));

static void test_words(void)
{
    uint32_t *word = (uint32_t *)cell;
    ulong old, failed, again;

    word[0] = 0x80000001;
    word[1] = 7;
    __asm__ volatile("lr.w %0, (%2)\nsc.w %1, %3, (%2)"
                     : "=&r"(old), "=&r"(failed)
                     : "r"(word), "r"(42)
                     : "memory");
    CHECK(old, (long)(int32_t)0x80000001);
    CHECK(failed, 0);
    CHECK(word[0], 42);
    CHECK(word[1], 7);
    /* The reservation is used up. */
    __asm__ volatile("sc.w %0, %2, (%1)" : "=&r"(failed) : "r"(word), "r"(43) : "memory");
    CHECK_TRUE(failed != 0);
    CHECK(word[0], 42);
    /* A failed SC uses it up as well. */
    __asm__ volatile("lr.w %0, (%3)\nsc.w %1, %5, (%4)\nsc.w %2, %5, (%3)"
                     : "=&r"(old), "=&r"(failed), "=&r"(again)
                     : "r"(word), "r"(word + 100), "r"(44)
                     : "memory");
    CHECK_TRUE(failed != 0);
    CHECK_TRUE(again != 0);
    CHECK(word[0], 42);
    CHECK(word[100], 0);
    /* A later LR replaces the earlier one. */
    __asm__ volatile("lr.w %0, (%2)\nlr.w.aq %0, (%3)\nsc.w.rl %1, %4, (%2)"
                     : "=&r"(old), "=&r"(failed)
                     : "r"(word), "r"(word + 100), "r"(45)
                     : "memory");
    CHECK_TRUE(failed != 0);
    CHECK(word[0], 42);
    /* rd, rs1 and rs2 may be one register. */
    again = (ulong)word;
    __asm__ volatile("lr.w %0, (%1)\nsc.w %1, %1, (%1)" : "=&r"(old), "+&r"(again)::"memory");
    CHECK(again, 0);
    CHECK(word[0], (uint32_t)(ulong)word);
}

static void test_doubles(void)
{
#if RV64
    ulong old, failed;

    cell[1] = 0x8000000000000001;
    __asm__ volatile("lr.d.aqrl %0, (%2)\nsc.d.aqrl %1, %3, (%2)"
                     : "=&r"(old), "=&r"(failed)
                     : "r"(&cell[1]), "r"(-3l)
                     : "memory");
    CHECK(old, 0x8000000000000001);
    CHECK(failed, 0);
    CHECK64(cell[1], -3ll);
    __asm__ volatile("sc.d %0, %2, (%1)" : "=&r"(failed) : "r"(&cell[1]), "r"(0l) : "memory");
    CHECK_TRUE(failed != 0);
    CHECK64(cell[1], -3ll);
#endif
}

/* The specification's own loop must end: compare and swap by LR/SC, a constrained loop. */
static void test_loop(void)
{
    uint32_t *word = (uint32_t *)cell;
    ulong failed = 0;

    word[0] = 0;
    for (unsigned i = 0; i < 1000; i++) {
        ulong t;

        __asm__ volatile(
            "1: lr.w %0, (%2)\nbne %0, %3, 2f\nsc.w %0, %4, (%2)\nbnez %0, 1b\nj 3f\n2: li %1, 1\n3:"
            : "=&r"(t), "+r"(failed)
            : "r"(word), "r"((ulong)i), "r"((ulong)i + 1)
            : "memory");
    }
    CHECK(word[0], 1000);
    CHECK(failed, 0);
}

void test_main(void)
{
    test_words();
    test_doubles();
    test_loop();
}
