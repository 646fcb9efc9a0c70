/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Calls and returns in every order but the usual one. A return goes where the register says, whatever
 * was called before: deeper recursion than any stack of return addresses, longjmp, returns to another
 * caller, past the call, in front of it, by either link register, and coroutines.
 *
 * rerun: tests/jit/jit.test calls_and_returns
 */
#include "jit.h"

/* --- depth ------------------------------------------------------------------------------- */

/* Frames of 16 bytes reach 256 KiB at 16,384. */
#define DEPTH 70000
static ulong deep_stack[DEPTH * 2 + 64] __attribute__((aligned(16)));

ulong deep_sum(ulong n, ulong *stack);
__asm__(".text\n"
        "deep_sum:\n" /* on the stack in a1: n + deep_sum(n - 1) */
        "  mv t2, sp\n  mv sp, a1\n  mv t3, ra\n"
        "  jal ra, 1f\n"
        "  mv sp, t2\n  jr t3\n"
        "1: beqz a0, 2f\n"
        "  addi sp, sp, -2*" XB "\n  " SX " ra, 0(sp)\n  " SX " a0, " XB "(sp)\n"
        "  addi a0, a0, -1\n"
        "  jal ra, 1b\n"
        "  " LX " t1, " XB "(sp)\n  " LX " ra, 0(sp)\n  addi sp, sp, 2*" XB "\n"
        "  add a0, a0, t1\n"
        "2: ret\n");

static void test_depth(void)
{
    for (ulong n = 1; n <= DEPTH; n = n * 3 + 1)
        CHECK(deep_sum(n, deep_stack + DEPTH * 2 + 64), (ulong)((uint64_t)n * (n + 1) / 2));
    CHECK(deep_sum(DEPTH, deep_stack + DEPTH * 2 + 64), (ulong)((uint64_t)DEPTH * (DEPTH + 1) / 2));
    for (unsigned i = 0; i < 200; i++)
        CHECK(deep_sum(i, deep_stack + 2048), (ulong)i * (i + 1) / 2);
}

/* --- longjmp ------------------------------------------------------------------------------ */

struct jump {
    ulong ra, sp, s[12];
};
ulong set_jump(struct jump *jump) __attribute__((returns_twice));
void long_jump(struct jump *jump, ulong value) __attribute__((noreturn));
#define EACH(op) \
    op " ra, 0*" XB "(a0)\n" op " sp, 1*" XB "(a0)\n" op " s0, 2*" XB "(a0)\n" op " s1, 3*" XB \
       "(a0)\n" op " s2, 4*" XB "(a0)\n" op " s3, 5*" XB "(a0)\n" op " s4, 6*" XB "(a0)\n" op \
       " s5, 7*" XB "(a0)\n" op " s6, 8*" XB "(a0)\n" op " s7, 9*" XB "(a0)\n" op " s8, 10*" XB \
       "(a0)\n" op " s9, 11*" XB "(a0)\n" op " s10, 12*" XB "(a0)\n" op " s11, 13*" XB "(a0)\n"
__asm__("set_jump:\n" EACH(SX) "  li a0, 0\n  ret\n"
        "long_jump:\n" EACH(LX) "  mv a0, a1\n  ret\n");

static struct jump jumps[8];
static volatile ulong depth_seen;

static __attribute__((noinline)) void descend(unsigned level, unsigned to, unsigned target)
{
    volatile ulong mark = level;
    if (level > 1000)
        return;
    if (level == to)
        long_jump(&jumps[target], 100 + target);
    descend(level + 1, to, target);
    depth_seen = mark;
}

static void test_long_jumps(void)
{
    for (volatile unsigned i = 0; i < 400; i++) {
        volatile unsigned rounds = 0;
        ulong value = set_jump(&jumps[i % 8]);
        if (!value || rounds < 5) {
            rounds++;
            descend(0, rnd() % 60, i % 8);
        }
        CHECK(value, 100 + i % 8);
    }
}

/* --- odd returns -------------------------------------------------------------------------- */

ulong odd_returns(ulong a0, ulong a1);
__asm__(".option push\n.option norvc\n"
        "odd_returns:\n"
        "  mv t6, ra\n"
        "  jal ra, skips\n"         /* comes back behind the next instruction */
        "  j wrong\n  addi a0, a0, 1\n"
        "  jal t0, by_t0\n"         /* the other link register */
        "  addi a0, a0, 2\n"
        "  jal t0, t0_by_ra\n"      /* called by t0, returns by ra */
        "  addi a0, a0, 4\n"
        "  jal ra, 1f\n"            /* where am I: the call that never returns */
        "1: addi ra, ra, 8\n  ret\n"
        "  addi a0, a0, 8\n"
        "  jal ra, drops_a_frame\n" /* its callee comes back here */
        "  addi a0, a0, 16\n"
        "  la ra, 2f\n  ret\n"      /* a return with no call */
        "  j wrong\n"
        "2: addi a0, a0, 32\n"
        "  la t1, 3f\n  jalr ra, 4(t1)\n"
        "  addi a0, a0, 64\n  la t1, 4f\n  jalr x0, 0(t1)\n"
        "3: j wrong\n  addi a0, a0, 128\n  ret\n"
        "4: la ra, 5f\n  jalr ra, 0(ra)\n" /* jumps by the register it links in */
        "  addi a0, a0, 256\n  j 6f\n"
        "5: ret\n"
        "6: la t0, 7f\n  jalr ra, 0(t0)\n" /* swaps one link register for the other */
        "  addi a0, a0, 512\n  j 8f\n"
        "7: jalr t0, 0(ra)\n"
        "8: jr t6\n"
        "wrong: li a0, -1\n  jr t6\n"
        "skips: addi ra, ra, 4\n  ret\n"
        "by_t0: jr t0\n"
        "t0_by_ra: mv ra, t0\n  ret\n"
        "drops_a_frame: mv t5, ra\n  jal ra, 9f\n  j wrong\n"
        "9: mv ra, t5\n  ret\n"
        ".option pop\n");

static void test_odd_returns(void)
{
    for (unsigned i = 0; i < 300; i++)
        CHECK(odd_returns(0, 0), 1023);
}

/* --- coroutines --------------------------------------------------------------------------- */

ulong coroutines(ulong rounds);
__asm__("coroutines:\n" /* two that call each other by jalr t0, t0 */
        "  mv a1, a0\n  li a0, 0\n  mv a3, ra\n"
        "  la t0, 2f\n"
        "1: jalr t0, 0(t0)\n"
        "  addi a0, a0, 1\n  addi a1, a1, -1\n  bnez a1, 1b\n"
        "  jr a3\n"
        "2: slli a0, a0, 1\n  jalr t0, 0(t0)\n"
        "  xori a0, a0, 5\n  jalr t0, 0(t0)\n  j 2b\n");

static void test_coroutines(void)
{
    ulong want = 0;
    for (unsigned i = 0; i < 1001; i++)
        want = (i % 2 ? want ^ 5 : want << 1) + 1;
    CHECK(coroutines(1001), want);
}

/* --- a walk that no stack predicts ---------------------------------------------------------- */

/* Functions that call one another by a table and return to whom the table says. */
static ulong walk_sum;
static __attribute__((noinline)) void step(unsigned n)
{
    walk_sum = walk_sum * 31 + n;
}
static void walk(unsigned which, unsigned left);
static __attribute__((noinline)) void walk0(unsigned left)
{
    step(0);
    walk(left % 3, left);
    step(10);
}
static __attribute__((noinline)) void walk1(unsigned left)
{
    step(1);
    walk(left % 2, left / 2);
    walk(left % 3, left / 3);
    step(11);
}
static __attribute__((noinline)) void walk2(unsigned left)
{
    if (left & 4)
        walk(1, left / 2);
    step(left);
}
static __attribute__((noinline)) void walk(unsigned which, unsigned left)
{
    static void (*const walks[])(unsigned) = {walk0, walk1, walk2};
    if (left)
        walks[which](left - 1);
}

void test_main(void)
{
    test_depth();
    test_long_jumps();
    test_odd_returns();
    test_coroutines();
    for (unsigned i = 0; i < 300; i++)
        walk(i % 3, i);
    say_digest((uint32_t)walk_sum);
}
