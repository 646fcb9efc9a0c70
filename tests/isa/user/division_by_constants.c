/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Quotients and remainders by numbers that stand in the code are those by the same numbers out of a
 * register: for divisors of all kinds, at the ends of the range, and next to each multiple.
 *
 * rerun: tests/isa/isa.test division_by
 */
#include "test.h"

SAME_IN_USER_MODE;

static uint64_t state = 88172645463325252;

static ulong rnd(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state >> (state % 48);
}

#define ONE(op, x, d) \
    do { \
        ulong by_register, by_constant, t; \
        __asm__ volatile(op " %0, %1, %2" : "=r"(by_register) : "r"(x), "r"((ulong)(d))); \
        __asm__ volatile("li %1, " #d "\n" op " %0, %2, %1" \
                         : "=&r"(by_constant), "=&r"(t) \
                         : "r"(x)); \
        CHECK(by_constant, by_register); \
    } while (0)

#if RV64
#define WORDS(x, d) \
    ONE("divw", x, d); \
    ONE("remw", x, d); \
    ONE("divuw", x, d); \
    ONE("remuw", x, d)
#else
#define WORDS(x, d) (void)0
#endif

#define BOTH(x, d) \
    ONE("div", x, d); \
    ONE("rem", x, d); \
    ONE("divu", x, d); \
    ONE("remu", x, d); \
    WORDS(x, d)

#define TEST(d) \
    for (unsigned n = 0; n < 40; n++) { \
        ulong x = rnd(); \
        BOTH(x, d); \
        BOTH(-x, d); \
        ulong multiple = x / (ulong)(d) * (ulong)(d); \
        BOTH(multiple, d); \
        BOTH(multiple - 1, d); \
        BOTH(multiple + 1, d); \
        BOTH(-multiple, d); \
    } \
    BOTH((ulong)0, d); \
    BOTH((ulong)-1, d); \
    BOTH((ulong)1 << (XLEN - 1), d); \
    BOTH(((ulong)1 << (XLEN - 1)) - 1, d); \
    BOTH((ulong)0x80000000, d); \
    BOTH((ulong)0x7fffffff, d); \
    BOTH((ulong)0xffffffff, d)

void test_main(void)
{
    TEST(1);
    TEST(2);
    TEST(3);
    TEST(5);
    TEST(6);
    TEST(7);
    TEST(8);
    TEST(10);
    TEST(11);
    TEST(25);
    TEST(28);
    TEST(100);
    TEST(641);
    TEST(1000);
    TEST(1009);
    TEST(65535);
    TEST(65536);
    TEST(65537);
    TEST(1000000);
    TEST(1000000007);
    TEST(0x7ffffffe);
    TEST(0x7fffffff);
    TEST(0x80000001);
    TEST(0xfffffffd);
    TEST(-1);
    TEST(-3);
    TEST(-10);
}
