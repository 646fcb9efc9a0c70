/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Code that is written anew: in a storm of rewrites of one page, with data in the code's own granule,
 * on two pages with either half changed, in blocks that others jump straight into, by the block
 * itself, in callees while their callers wait, and by a program that makes functions and calls them.
 *
 * rerun: tests/jit/jit.test code_is_rewritten
 */
#include "jit.h"

static uint32_t code[4096] __attribute__((aligned(4096)));

static void put_li(void *at, int value)
{
    put32(at, ENC_ADDI(10, 0, value));
    put32((char *)at + 4, ENC_RET);
}

/* A thousand versions of functions all over one page, called at once and some rounds later. */
static void test_storm(void)
{
    static int value[16];
    for (unsigned i = 0; i < 16; i++)
        put_li(code + 64 * i, 0);
    fence_i();
    for (int v = 1; v <= 1000; v++) {
        unsigned n = rnd() % 16;
        put_li(code + 64 * n, value[n] = v);
        fence_i();
        CHECK(call_at(code + 64 * n, 0, 0), v);
        unsigned k = rnd() % 16;
        CHECK(call_at(code + 64 * k, 0, 0), value[k]);
    }
}

/* A counter in the same 64 bytes as the loop that moves it. */
static void test_data_in_the_granule(void)
{
    const uint32_t loop[] = {
        0x00000617,             /* auipc a2, 0 */
        enc_i(0x03, 13, 2, 12, 48), /* lw a3, 48(a2) */
        ENC_ADDI(13, 13, 3),
        enc_s(2, 12, 13, 48),   /* sw a3, 48(a2) */
        ENC_ADDI(10, 10, -1),
        enc_b(1, 10, 0, -16),
        ENC_ADDI(10, 13, 0),
        ENC_RET,
    };
    for (unsigned i = 0; i < 8; i++)
        put32(code + i, loop[i]);
    code[12] = 5;
    fence_i();
    CHECK(call_at(code, 1, 0), 8);
    CHECK(call_at(code, 3000, 0), 9008);
    code[12] = 0;
    CHECK(call_at(code, 10, 0), 30);
    /* So many that the page is not watched any more, and is watched again later. */
    code[12] = 0;
    CHECK((uint32_t)call_at(code, 300000, 0), 900000);
    for (unsigned i = 0; i < 8; i++)
        put32(code + i, loop[i]);
    put32(code + 2, ENC_ADDI(13, 13, 5));
    code[12] = 0;
    fence_i();
    CHECK((uint32_t)call_at(code, 1000, 0), 5000);
}

/* addi a0, a0, imm over the end of a page, each half changed alone, in a loop that is chained to it. */
static void test_on_two_pages(void)
{
    uint16_t *at = (uint16_t *)(code + 1024) - 1;
    put32(code + 1020, ENC_ADDI(11, 11, -1)); /* a1: rounds */
    put32(code + 1021, INSN_NOP);
    put32(code + 1022, INSN_NOP);
    put16(code + 1023, INSN_C_NOP);
    put32(at, ENC_ADDI(10, 10, 1));
    put32(at + 2, enc_b(1, 11, 0, -18));
    put32(at + 4, ENC_RET);
    fence_i();
    for (int i = 0; i < 300; i++) {
        int step = (int)(rnd() % 2000) - 1000;
        uint32_t insn = ENC_ADDI(10, 10, step);
        switch (i % 3) {
        case 0: /* another immediate */
            at[1] = (uint16_t)(insn >> 16);
            break;
        case 1: /* another operation, xori, and another immediate */
            at[0] = 0x4513;
            at[1] = (uint16_t)(insn >> 16);
            break;
        default:
            at[0] = (uint16_t)insn;
            at[1] = (uint16_t)(insn >> 16);
        }
        fence_i();
        ulong want = 7;
        bool is_xor = at[0] == 0x4513;
        for (int n = 0; n < 5; n++)
            want = is_xor ? want ^ (ulong)(long)step : want + (ulong)(long)step;
        CHECK(call_at(code + 1020, 7, 5), want);
    }
}

/* Five blocks that jump to one another; each is rewritten in turn while the rest stays. */
static void test_chained_blocks(void)
{
    int step[5];
    for (unsigned i = 0; i < 5; i++) {
        uint32_t *at = code + 100 * i;
        step[i] = (int)i;
        put32(at, ENC_ADDI(10, 10, step[i]));
        put32(at + 1, i < 4 ? enc_j(0, 396) : enc_i(0x13, 11, 0, 11, -1));
        put32(at + 2, enc_b(1, 11, 0, -1608));
        put32(at + 3, ENC_RET);
    }
    fence_i();
    for (unsigned round = 0; round < 500; round++) {
        unsigned i = rnd() % 5;
        step[i] = (int)(rnd() % 1000);
        put32(code + 100 * i, ENC_ADDI(10, 10, step[i]));
        fence_i();
        CHECK(call_at(code, 0, 4), 4UL * (step[0] + step[1] + step[2] + step[3] + step[4]));
    }
}

/*
 * A callee that rewrites what its caller runs next, and then itself. The caller's return address is on
 * the host's stack by then.
 */
static void test_return_into_new_code(void)
{
    const uint32_t caller[] = {
        ENC_ADDI(31, 1, 0),
        enc_j(1, 256 - 4),   /* call the callee */
        ENC_ADDI(10, 0, 1),  /* rewritten */
        enc_i(0x67, 0, 0, 31, 0),
    };
    const uint32_t callee[] = {
        enc_s(2, 10, 11, 8), /* sw a1, 8(a0) */
        0x0000100f,          /* fence.i */
        ENC_RET,
    };
    for (unsigned i = 0; i < 4; i++)
        put32(code + i, caller[i]);
    for (unsigned i = 0; i < 3; i++)
        put32(code + 64 + i, callee[i]);
    fence_i();
    for (int v = 0; v < 500; v++)
        CHECK(call_at(code, (ulong)code, ENC_ADDI(10, 0, v)), v);
}

/* The block overwrites an instruction of its own, ahead of where it is: seen after fence.i. */
static void test_ahead_of_itself(void)
{
    const uint32_t block[] = {
        enc_s(2, 10, 11, 12), /* sw a1, 12(a0) */
        0x0000100f,           /* fence.i */
        INSN_NOP,
        ENC_ADDI(10, 0, 0),   /* rewritten */
        ENC_RET,
    };
    for (unsigned i = 0; i < 5; i++)
        put32(code + i, block[i]);
    fence_i();
    for (int v = 1; v < 500; v++)
        CHECK(call_at(code, (ulong)code, ENC_ADDI(10, 0, v)), v);
}

/* What a JIT of the guest does: makes a function of random length, runs it, makes the next one there. */
static void test_made_functions(void)
{
    uint32_t *at = code;
    for (unsigned i = 0; i < 1500; i++) {
        unsigned length = 1 + rnd() % 40;
        if (at + length + 2 > code + 4096)
            at = code + rnd() % 7;
        uint32_t *start = at;
        uint32_t want = i;
        for (unsigned n = 0; n < length; n++) {
            int imm = (int)(rnd() % 4096) - 2048;
            if (rnd() & 1) {
                put32(at++, ENC_ADDI(10, 10, imm));
                want += (uint32_t)imm;
            } else {
                put32(at++, enc_i(0x13, 10, 4, 10, imm)); /* xori */
                want ^= (uint32_t)imm;
            }
        }
        put32(at++, ENC_RET);
        fence_i();
        CHECK((uint32_t)call_at(start, i, 0), want);
        CHECK((uint32_t)call_at(start, i, 0), want);
    }
}

void test_main(void)
{
    test_data_in_the_granule(); /* before the storm: a page that is not to be trusted is interpreted */
    test_storm();
    test_on_two_pages();
    test_chained_blocks();
    test_return_into_new_code();
    test_ahead_of_itself();
    test_made_functions();
}
