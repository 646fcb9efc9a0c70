/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * The same code in M, S and U-mode, at the same address and at others, with other mappings of the data
 * that it names in each; and M-mode's accesses as another mode's (MPRV) between plain ones. A block's
 * translation knows no mode: what it looks up must.
 *
 * rerun: tests/jit/jit.test modes_take_turns
 */
#include "jit.h"

static struct space space;
static uint32_t *kernel_page, *user_page, *plain_page, *code_page;

/* At one virtual address: the kernel's page in one space, the user's in another, physical memory bare. */
#define DATA_VA TEST_VA
#define CODE_VA (TEST_VA + 0x21000)

static void make_code(void)
{
    /* a1 = sum of a1 words at a0, each made one larger: stores, loads, a loop, a call. */
    const uint32_t code[] = {
        ENC_ADDI(31, 1, 0),         /* mv t6, ra */
        ENC_ADDI(12, 0, 0),
        enc_j(1, 28),               /* 2: call 9 */
        ENC_ADDI(10, 10, 4),
        ENC_ADDI(11, 11, -1),
        enc_b(1, 11, 0, -12),
        ENC_ADDI(10, 12, 0),
        enc_i(0x67, 0, 0, 31, 0),
        INSN_NOP,
        enc_i(0x03, 13, 2, 10, 0),  /* 9: lw a3, 0(a0) */
        enc_r(0, 12, 0, 12, 13),
        ENC_ADDI(13, 13, 1),
        enc_s(2, 10, 13, 0),
        ENC_RET,
    };
    for (unsigned i = 0; i < sizeof(code) / 4; i++)
        put32(code_page + i, code[i]);
    fence_i();
}

static ulong call_in(unsigned mode, ulong code, ulong data, ulong count)
{
    struct run r = run_at(mode, code, data, count);
    CHECK(r.cause, CAUSE_ECALL_U + mode);
    return r.a0;
}

static ulong sum(const uint32_t *at, unsigned count)
{
    ulong all = 0;
    for (unsigned i = 0; i < count; i++)
        all += (ulong)(long)(int32_t)at[i];
    return all;
}

static void test_turns(void)
{
    for (unsigned i = 0; i < 300; i++) {
        unsigned count = 1 + rnd() % 20;
        ulong want;
        switch (rnd() % 4) {
        case 0: /* S: the kernel's page */
            want = sum(kernel_page, count);
            CHECK(call_in(MODE_S, CODE_VA, DATA_VA, count), want);
            break;
        case 1: /* U: the same data address is another page there */
            space_map(&space, DATA_VA, (ulong)user_page, 0, PTE_RW | PTE_U);
            space_map(&space, CODE_VA, (ulong)code_page, 0, PTE_V | PTE_R | PTE_X | PTE_A | PTE_U);
            sfence_all();
            want = sum(user_page, count);
            CHECK(call_in(MODE_U, CODE_VA, DATA_VA, count), want);
            CHECK(run_at(MODE_S, CODE_VA, DATA_VA, count).cause, CAUSE_FETCH_PAGE);
            space_map(&space, DATA_VA, (ulong)kernel_page, 0, PTE_RW);
            space_map(&space, CODE_VA, (ulong)code_page, 0, PTE_V | PTE_R | PTE_X | PTE_A);
            sfence_all();
            break;
        case 2: /* M: physical addresses of data and code */
            want = sum(plain_page, count);
            CHECK(call_in(MODE_M, (ulong)code_page, (ulong)plain_page, count), want);
            break;
        default: /* S where it is linked */
            want = sum(plain_page, count);
            CHECK(call_in(MODE_S, (ulong)code_page, (ulong)plain_page, count), want);
        }
    }
}

/* U-mode may not, S-mode may, with the translation of the loop made by whoever came first. */
static void test_rights(void)
{
    for (unsigned i = 0; i < 50; i++) {
        ulong before = sum(kernel_page, 4);
        CHECK(call_in(MODE_S, (ulong)code_page, DATA_VA, 4), before);
        struct run r = run_at(MODE_U, (ulong)code_page, DATA_VA, 4);
        CHECK(r.cause, CAUSE_LOAD_PAGE);
        CHECK(r.tval, DATA_VA);
        CHECK(sum(kernel_page, 4), before + 4);
    }
}

/*
 * M-mode adds a word of the user's (MPRV, MPP = U), one of the kernel's (MPP = S) and one of its own, round
 * and round, the bits switched between two accesses off one register.
 */
static void test_mprv(void)
{
    space_map(&space, DATA_VA + PAGE, (ulong)user_page, 0, PTE_RW | PTE_U);
    sfence_all();
    plain_page[0] = 100;
    user_page[0] = 10;
    kernel_page[0] = 1;
    struct run r = RUN(MODE_M, DATA_VA, plain_page,
                       "li s2, 0x20000\nli s3, 0x1800\nli s4, 0x800\nli s5, 0\nli s6, 200\n"
                       "li t1, 4096\nadd s7, a0, t1\n"
                       "1: lw t1, 0(a1)\nadd s5, s5, t1\n"
                       "csrc mstatus, s3\ncsrs mstatus, s2\nlw t1, 0(s7)\nadd s5, s5, t1\n"
                       "addi t1, t1, 1\nsw t1, 0(s7)\n"
                       "csrs mstatus, s4\nlw t1, 0(a0)\nadd s5, s5, t1\naddi t1, t1, 2\n"
                       "sw t1, 0(a0)\nlw t2, 0(a0)\ncsrc mstatus, s2\nlw t3, 0(a1)\n"
                       "addi t3, t3, 3\nsw t3, 0(a1)\naddi s6, s6, -1\nbnez s6, 1b\nmv a0, s5\n");
    ulong want = 0;
    for (unsigned i = 0; i < 200; i++)
        want += 100 + 3 * i + 10 + i + 1 + 2 * i;
    CHECK(r.cause, CAUSE_ECALL_M);
    CHECK(r.a0, want);
    CHECK(plain_page[0], 700);
    CHECK(user_page[0], 210);
    CHECK(kernel_page[0], 401);
}

void test_main(void)
{
    space = space_new(DEFAULT_LEVELS);
    kernel_page = page_new();
    user_page = page_new();
    plain_page = page_new();
    code_page = page_new();
    for (unsigned i = 0; i < PAGE / 4; i++) {
        kernel_page[i] = 1000 + i;
        user_page[i] = 2000 + 2 * i;
        plain_page[i] = 3000 + 3 * i;
    }
    make_code();
    space_map(&space, DATA_VA, (ulong)kernel_page, 0, PTE_RW);
    space_map(&space, CODE_VA, (ulong)code_page, 0, PTE_V | PTE_R | PTE_X | PTE_A);
    CHECK(space_on(&space), true);
    test_turns();
    test_rights();
    test_mprv();
    test_turns();
    space_off();
}
