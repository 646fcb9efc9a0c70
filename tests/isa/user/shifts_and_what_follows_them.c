/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * A shift left and an instruction that takes its result, as compilers make them for extensions and array
 * elements: the same value comes out as when the two stand apart, for each distance, whichever
 * registers they use, and also where the result of the first is read once more.
 *
 * rerun: tests/isa/isa.test shifts_and
 */
#include "test.h"

SAME_IN_USER_MODE;

static const ulong values[] = {0, 1, (ulong)-1, (ulong)0x8877665544332211, (ulong)0x1122334488776655,
                               0x7fffffff, 0x80000000, 0xff7f};

#define COUNT (sizeof(values) / sizeof(*values))

/* The first result is kept from the second instruction by a store between them. */
#define APART(r, first, second) \
    __asm__ volatile(first "\nsw zero, 0(%2)\n" second : "=&r"(r) : "r"(x), "r"(&nothing), "r"(y))
#define TOGETHER(r, first, second) __asm__ volatile(first "\n" second : "=&r"(r) : "r"(x), "r"(&nothing), "r"(y))

/* r and x are one register. */
#define IN_PLACE(r, first, second) \
    do { \
        (r) = x; \
        __asm__ volatile(first "\n" second : "+r"(r) : "r"(y)); \
    } while (0)

/* What the shift made is seen behind the second instruction, which has another destination. */
#define SEEN(r, t, first, second) \
    __asm__ volatile(first "\n" second : "=&r"(t), "=&r"(r) : "r"(x), "r"(y))

static volatile unsigned nothing;

#define BACK(op, left, right) \
    do { \
        ulong r, s, t; \
        APART(s, "slli %0, %1, " #left, #op " %0, %0, " #right); \
        TOGETHER(r, "slli %0, %1, " #left, #op " %0, %0, " #right); \
        CHECK(r, s); \
        IN_PLACE(r, "slli %0, %0, " #left, #op " %0, %0, " #right); \
        CHECK(r, s); \
        SEEN(r, t, "slli %0, %2, " #left, #op " %1, %0, " #right); \
        CHECK(r, s); \
        CHECK(t, x << (left)); \
    } while (0)

#define ELEMENT(left) \
    do { \
        ulong r, s, t; \
        APART(s, "slli %0, %1, " #left, "add %0, %0, %3"); \
        CHECK(s, (x << (left)) + y); \
        TOGETHER(r, "slli %0, %1, " #left, "add %0, %0, %3"); \
        CHECK(r, s); \
        TOGETHER(r, "slli %0, %1, " #left, "add %0, %3, %0"); \
        CHECK(r, s); \
        IN_PLACE(r, "slli %0, %0, " #left, "add %0, %0, %1"); \
        CHECK(r, s); \
        IN_PLACE(r, "slli %0, %0, " #left, "add %0, %0, %0"); \
        CHECK(r, x << (left) << 1); \
        SEEN(r, t, "slli %0, %2, " #left, "add %1, %0, %3"); \
        CHECK(r, s); \
        CHECK(t, x << (left)); \
    } while (0)

/* Registers that a host has no room for. */
static void test_far_registers(ulong x, ulong y)
{
    register ulong a __asm__("s8") = x;
    register ulong b __asm__("s9") = y;
    __asm__ volatile("slli s8, s8, 3\nadd s8, s8, s9" : "+r"(a) : "r"(b));
    CHECK(a, (x << 3) + y);
    a = x;
    __asm__ volatile("slli s9, s8, 2\nadd s9, s9, s8" : "+r"(a), "+r"(b));
    CHECK(b, (x << 2) + x);
#if RV64
    a = x;
    __asm__ volatile("slli s8, s8, 32\nsrli s8, s8, 30" : "+r"(a));
    CHECK(a, (x & 0xffffffff) << 2);
#endif
}

#if RV64
/* A narrow result goes into the shift. */
static void test_narrow(ulong x, ulong y)
{
    ulong r;
    __asm__ volatile("addiw %0, %1, 1\nslli %0, %0, 1\nadd %0, %0, %2"
                     : "=&r"(r)
                     : "r"(x), "r"(y));
    CHECK(r, ((ulong)(long)(int)(x + 1) << 1) + y);
}
#endif

static void test(ulong x, ulong y)
{
    ELEMENT(1);
    ELEMENT(2);
    ELEMENT(3);
    ELEMENT(4);
    test_far_registers(x, y);
#if RV64
    test_narrow(x, y);
    BACK(srli, 32, 32);
    BACK(srai, 32, 32);
    BACK(srli, 32, 31);
    BACK(srli, 32, 30);
    BACK(srli, 32, 29);
    BACK(srli, 32, 1);
    BACK(srli, 32, 33);
    BACK(srai, 32, 31);
    BACK(srli, 48, 48);
    BACK(srai, 48, 48);
    BACK(srli, 48, 45);
    BACK(srli, 56, 56);
    BACK(srai, 56, 56);
    BACK(srli, 63, 63);
    BACK(srli, 20, 20);
#else
    BACK(srli, 16, 16);
    BACK(srai, 16, 16);
    BACK(srli, 24, 24);
    BACK(srai, 24, 24);
    BACK(srli, 16, 14);
#endif
}

void test_main(void)
{
    for (unsigned n = 0; n < COUNT; n++)
        for (unsigned k = 0; k < COUNT; k++)
            test(values[n], values[k]);
}
