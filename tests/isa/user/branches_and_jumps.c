/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Conditional branches in both outcomes, forwards and backwards, with operands that tell signed
 * from unsigned; jal and jalr: link value, bit 0 of the target cleared, rd the same as rs1, far
 * targets (unprivileged specification, "Control Transfer Instructions").
 *
 * rerun: tests/isa/isa.test branches_and_jumps
 */
#include "test.h"

SAME_IN_USER_MODE;

#define MIN ((ulong)1 << (XLEN - 1))

#define TAKEN(op, a, b) \
    ({ \
        ulong t_ = 0; \
        __asm__ volatile(op " %1, %2, 1f\nj 2f\n1: addi %0, %0, 1\n2:\n" \
                            "j 4f\n3: addi %0, %0, 2\nj 5f\n4: " op " %1, %2, 3b\n5:" \
                         : "+&r"(t_) \
                         : "r"((ulong)(a)), "r"((ulong)(b))); \
        t_; \
    })
#define BRANCH(op, a, b, want) check(op " " #a ", " #b, __LINE__, TAKEN(op, a, b), (want) ? 3 : 0)

static void test_branches(void)
{
    BRANCH("beq", 5, 5, 1);
    BRANCH("beq", 5, 6, 0);
    BRANCH("beq", MIN, 0, 0);
    BRANCH("bne", 5, 5, 0);
    BRANCH("bne", MIN, 0, 1);
    BRANCH("blt", -1, 0, 1);
    BRANCH("blt", 0, -1, 0);
    BRANCH("blt", 3, 3, 0);
    BRANCH("blt", MIN, MIN - 1, 1);
    BRANCH("bge", -1, 0, 0);
    BRANCH("bge", 0, -1, 1);
    BRANCH("bge", 3, 3, 1);
    BRANCH("bltu", -1, 0, 0);
    BRANCH("bltu", 0, -1, 1);
    BRANCH("bltu", 3, 3, 0);
    BRANCH("bgeu", -1, 0, 1);
    BRANCH("bgeu", 0, -1, 0);
    BRANCH("bgeu", 3, 3, 1);
}

static void test_jumps(void)
{
    ulong link, want, hit = 0;

    __asm__ volatile(
        ".option push\n.option norvc\njal %0, 1f\n2: j 3f\n1: la %1, 2b\n3:\n.option pop"
        : "=&r"(link), "=&r"(want));
    CHECK(link, want);
    /* rd = rs1, and bit 0 of the sum is dropped. */
    __asm__ volatile(
        ".option push\n.option norvc\nla %0, 1f\njalr %0, 1(%0)\n2: j 3f\n1: addi %2, %2, 1\n"
        "la %1, 2b\n3:\n.option pop"
        : "=&r"(link), "=&r"(want), "+r"(hit));
    CHECK(link, want);
    CHECK(hit, 1);
    __asm__ volatile("la %0, 1f + 2048\njalr x0, -2048(%0)\n li %0, 0\n1:" : "=&r"(link));
    CHECK_TRUE(link != 0);
    /* A jump of half a megabyte and a branch of nearly 4 KiB, there and back. */
    __asm__ volatile(
        "li %0, 0\n jal t0, 1f\n.pushsection .text.far,\"ax\"\n.skip 0x40000\n1: addi %0, %0, 7\n"
        "jr t0\n.popsection"
        : "=&r"(hit)::"t0");
    CHECK(hit, 7);
    __asm__ volatile("li %0, 0\n j 1f\n2: addi %0, %0, 1\n j 3f\n .skip 4000\n1: beq x0, x0, 2b\n3:"
                     : "=&r"(hit));
    CHECK(hit, 1);
}

/* A loop that is entered in its middle and left from several places, as compilers make them. */
static void test_loop(void)
{
    ulong sum = 0, n = 1000;

    __asm__ volatile(
        "j 2f\n1: andi t0, %1, 3\nbeqz t0, 3f\nadd %0, %0, %1\n2: addi %1, %1, -1\nbgtz %1, 1b\nj 4f\n"
        "3: addi %0, %0, -1\n j 2b\n4:"
        : "+&r"(sum), "+&r"(n)::"t0");
    CHECK(sum, 999 * 1000 / 2 - 4 * (249 * 250 / 2) - 249);
}

void test_main(void)
{
    test_branches();
    test_jumps();
    test_loop();
}
