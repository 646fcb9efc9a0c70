/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Every AMO gives the old value (sign-extended for .w) and stores the new one; neighbours stay
 * as they were; with rd = x0 the store still happens; rd may be rs1 or rs2; the aq and rl bits
 * change no value (unprivileged specification, "Zaamo").
 *
 * rerun: tests/isa/isa.test atomic_memory_operations
 */
#include "test.h"

SAME_IN_USER_MODE;

static uint64_t cell[3] __attribute__((aligned(16)));

#define AMO(op, old, operand, want) \
    do { \
        ulong got_, other_ = (ulong)(operand); \
        amo_setup(old); \
        __asm__ volatile(op " %0, %1, (%2)" \
                         : "=&r"(got_) \
                         : "r"(other_), "r"(&cell[1]) \
                         : "memory"); \
        amo_verify(op, __LINE__, got_, old, want); \
        amo_setup(old); \
        __asm__ volatile(op ".aqrl %0, %0, (%1)" : "+&r"(other_) : "r"(&cell[1]) : "memory"); \
        amo_verify(op, __LINE__, other_, old, want); \
        amo_setup(old); \
        __asm__ volatile(op " x0, %0, (%1)" ::"r"((ulong)(operand)), "r"(&cell[1]) : "memory"); \
        amo_verify(op, __LINE__, op[sizeof(op) - 2] == 'w' ? (ulong)(int32_t)(old) : (ulong)(old), \
                   old, want); \
        got_ = (ulong)&cell[1]; \
        amo_setup(old); \
        __asm__ volatile(op ".aq %0, %1, (%0)" : "+&r"(got_) : "r"((ulong)(operand)) : "memory"); \
        amo_verify(op, __LINE__, got_, old, want); \
    } while (0)

static void amo_setup(uint64_t old)
{
    cell[0] = 0x1111111111111111;
    cell[1] = old;
    cell[2] = 0x2222222222222222;
}

static void amo_verify(const char *what, int line, ulong got, uint64_t old, uint64_t want)
{
    bool word = false;

    for (const char *p = what; *p; p++)
        if (p[0] == '.' && p[1] == 'w')
            word = true;
    if (word) {
        check(what, line, got, (ulong)(long)(int32_t)old);
        check64(what, line, cell[1], (old & 0xffffffff00000000ull) | (uint32_t)want);
    } else {
        check64(what, line, got, old);
        check64(what, line, cell[1], want);
    }
    check64("below", line, cell[0], 0x1111111111111111);
    check64("above", line, cell[2], 0x2222222222222222);
}

static void test_words(void)
{
    AMO("amoswap.w", 0x1234567889abcdef, 0xffffffff, 0xffffffff);
    AMO("amoadd.w", 0x12345678ffffffff, 1, 0);
    AMO("amoadd.w", 0x123456787fffffff, 1, 0x80000000);
    AMO("amoxor.w", 0x5555555580000001, -1, 0x7ffffffe);
    AMO("amoand.w", 0x55555555ff00ff00, 0x0ff00ff0, 0x0f000f00);
    AMO("amoor.w", 0x55555555ff00ff00, 0x0ff00ff0, 0xfff0fff0);
    AMO("amomin.w", 0x5555555500000005, -1, 0xffffffff);
    AMO("amomin.w", 0x5555555580000000, 0x7fffffff, 0x80000000);
    AMO("amomax.w", 0x5555555500000005, -1, 5);
    AMO("amomax.w", 0x5555555580000000, 0x7fffffff, 0x7fffffff);
    AMO("amominu.w", 0x5555555500000005, -1, 5);
    AMO("amominu.w", 0x5555555580000000, 0x7fffffff, 0x7fffffff);
    AMO("amomaxu.w", 0x5555555500000005, -1, 0xffffffff);
    AMO("amomaxu.w", 0x5555555580000000, 0x7fffffff, 0x80000000);
#if RV64
    /* Only the low 32 bits of the operand count. */
    AMO("amomin.w", 5, 0xffffffff00000006, 5);
    AMO("amomaxu.w", 5, 0xffffffff00000004, 5);
    AMO("amomax.w", 0xfffffffe, 0x00000001ffffffff, 0xffffffff);
#endif
}

static void test_doubles(void)
{
#if RV64
    AMO("amoswap.d", 0x1234567889abcdef, -1, -1);
    AMO("amoadd.d", 0x7fffffffffffffff, 1, 0x8000000000000000);
    AMO("amoadd.d", 0x00000000ffffffff, 1, 0x100000000);
    AMO("amoxor.d", 0x5555555580000001, -1, ~0x5555555580000001);
    AMO("amoand.d", 0xf0f0f0f0f0f0f0f0, 0xff00ff00ff00ff00, 0xf000f000f000f000);
    AMO("amoor.d", 0xf0f0f0f0f0f0f0f0, 0xff00ff00ff00ff00, 0xfff0fff0fff0fff0);
    AMO("amomin.d", 5, -1, -1);
    AMO("amomax.d", 5, -1, 5);
    AMO("amominu.d", 5, -1, 5);
    AMO("amomaxu.d", 5, -1, -1);
    AMO("amomin.d", 0x8000000000000000, 1, 0x8000000000000000);
    AMO("amomaxu.d", 0x8000000000000000, 1, 0x8000000000000000);
#endif
}

void test_main(void)
{
    test_words();
    test_doubles();
}
