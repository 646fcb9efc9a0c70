/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Random programs of thousands of blocks, made by the guest: arithmetic, memory, branches forward, loops,
 * calls of earlier functions, calls by register. Each ends for sure: branches go forward but for loops
 * that count. What they compute is compared between the ways to run them; each is run
 * several times, with others between, so that its code has been evicted by then where room is short.
 *
 * rerun: tests/jit/jit.test programs_larger
 * timeout: 60
 */
#include "jit.h"

#define FUNCTIONS 4000
#define CODE_WORDS (1 << 19)
static uint32_t code[CODE_WORDS] __attribute__((aligned(4096)));
static uint32_t data[1024] __attribute__((aligned(4096)));
static uint32_t starts[FUNCTIONS];
static uint32_t *at;

static void emit(uint32_t insn)
{
    put32(at++, insn);
}

/* What may be computed in: a0 to a5, t1, t2, s2 to s5, t3. s1 is the data. */
static unsigned any(void)
{
    static const uint8_t regs[] = {10, 11, 12, 13, 14, 15, 6, 7, 18, 19, 20, 21, 28};
    return regs[rnd() % sizeof(regs)];
}

static void make_operation(void)
{
    static const uint16_t ops[] = {0x000, 0x200, 0x004, 0x006, 0x007, 0x001, 0x005, 0x205,
                                   0x002, 0x003, 0x010, 0x011, 0x013, 0x014, 0x015, 0x017};
    static const uint8_t loads[] = {0, 1, 2, 4, 5}, stores[] = {0, 1, 2};
    switch (rnd() % 8) {
    case 0:
    case 1:
    case 2: {
        unsigned op = ops[rnd() % 16]; /* funct7 bit 5 as 0x200, bit 0 as 0x010; funct3 */
        emit(enc_r(op & 0x200 ? 32 : op & 0x10 ? 1 : 0, any(), op & 7, any(), any()));
        break;
    }
    case 3:
        emit(enc_i(0x13, any(), (unsigned[]){0, 2, 3, 4, 6, 7}[rnd() % 6], any(),
                   (int)(rnd() % 4096) - 2048));
        break;
    case 4:
        emit(enc_i(0x13, any(), rnd() & 1 ? 1 : 5, any(), (int)(rnd() % 31)));
        break;
    case 5:
        emit(enc_i(0x03, any(), loads[rnd() % 5], 9, (int)(rnd() % 2040)));
        break;
    case 6:
        emit(enc_s(stores[rnd() % 3], 9, any(), (int)(rnd() % 2040)));
        break;
    default: { /* an address that was computed */
        unsigned r = any();
        emit(enc_i(0x13, 30, 7, any(), 0x7f8)); /* andi t5 */
        emit(enc_r(0, 30, 0, 30, 9));
        if (rnd() & 1)
            emit(enc_i(0x03, r, 2, 30, 8 * (int)(rnd() % 8) - 4));
        else
            emit(enc_s(2, 30, r, 8 * (int)(rnd() % 8) - 4));
    }
    }
}

static void make_straight(unsigned count)
{
    while (count--)
        make_operation();
}

/* Of a function that was made before, so that there is no recursion. */
static void make_call(unsigned from)
{
    unsigned to = from - 1 - rnd() % (from < 8 ? from : 8);
    int distance = (int)(starts[to] - (uint32_t)(uintptr_t)at);
    if (rnd() & 1) {
        emit(enc_j(1, distance));
    } else {
        unsigned high = ((unsigned)distance + 0x800) >> 12;
        emit(0x00000f97 | high << 12); /* auipc t6 */
        emit(enc_i(0x67, 1, 0, 31, distance - (int)(high << 12)));
    }
}

static void make_function(unsigned n)
{
    starts[n] = (uint32_t)(uintptr_t)at;
    emit(ENC_ADDI(2, 2, -16));
    emit(enc_s(XLEN == 64 ? 3 : 2, 2, 1, 8));
    unsigned parts = 2 + rnd() % 5;
    for (unsigned p = 0; p < parts; p++) {
        unsigned kind = rnd() % 4;
        if (kind == 0) { /* a branch over something */
            uint32_t *branch = at++;
            make_straight(1 + rnd() % 6);
            put32(branch, enc_b((unsigned[]){0, 1, 4, 5, 6, 7}[rnd() % 6], any(), any(),
                                (int)((at - branch) * 4)));
        } else if (kind == 1) { /* a loop that counts in t4 */
            emit(ENC_ADDI(29, 0, 1 + (int)(rnd() % 6)));
            uint32_t *loop = at;
            make_straight(1 + rnd() % 8);
            emit(ENC_ADDI(29, 29, -1));
            emit(enc_b(1, 29, 0, (int)((loop - at) * 4)));
        } else if (kind == 2 && n && p == 0) {
            make_call(n);
        } else {
            make_straight(1 + rnd() % 12);
        }
    }
    emit(enc_i(0x03, 1, XLEN == 64 ? 3 : 2, 2, 8));
    emit(ENC_ADDI(2, 2, 16));
    emit(ENC_RET);
}

/* Runs a function with all its registers set and the state of memory; a digest of what is left. */
static ulong run_one(uint32_t start, ulong seed)
{
    register ulong a0 __asm__("a0") = seed;
    register ulong a1 __asm__("a1") = start;
    register uint32_t *a2 __asm__("a2") = data;
    __asm__ volatile("mv t6, a1\nmv s1, a2\nmv a1, a0\nmv a2, a0\nmv a3, a0\nmv a4, a0\nmv a5, a0\n"
                     "mv t1, a0\nmv t2, a0\nmv s2, a0\nmv s3, a0\nmv s4, a0\nmv s5, a0\nmv t3, a0\n"
                     "jalr ra, 0(t6)\n"
                     "xor a0, a0, a1\nadd a0, a0, a2\nxor a0, a0, a3\nadd a0, a0, a4\n"
                     "xor a0, a0, a5\nadd a0, a0, t1\nxor a0, a0, t2\nadd a0, a0, s2\n"
                     "xor a0, a0, s3\nadd a0, a0, s4\nxor a0, a0, s5\nadd a0, a0, t3\n"
                     : "+r"(a0), "+r"(a1), "+r"(a2)
                     :
                     : "ra", "s1", "a3", "a4", "a5", "a6", "a7", "t0", "t1", "t2", "t3", "t4", "t5",
                       "t6", "s2", "s3", "s4", "s5", "memory");
    return a0;
}

void test_main(void)
{
    random_state = 123456789;
    at = code;
    unsigned made = 0;
    while (made < FUNCTIONS && at < code + CODE_WORDS - 4096)
        make_function(made++);
    fence_i();
    CHECK(made, FUNCTIONS);
    uint32_t digest = 0;
    for (unsigned round = 0; round < 8; round++) {
        for (unsigned i = 0; i < made; i++) {
            unsigned n = (i * 7 + round) % made;
            digest = digest * 31 + (uint32_t)run_one(starts[n], digest + i);
        }
        say_digest(digest);
    }
    for (unsigned i = 0; i < 1024; i++)
        digest = digest * 31 + data[i];
    say_digest(digest);
}
