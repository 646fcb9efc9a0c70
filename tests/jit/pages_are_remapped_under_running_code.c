/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Translated code is kept by physical page, so it has to follow every change of a mapping: another
 * page at the same address, by a fence of all, of the address, of the address space, or by a switch of
 * satp; one page at two addresses, where auipc and jal give the address that it runs at; jumps and calls
 * to another page whose mapping changes; instructions on two pages of which either changes; the loop
 * that remaps the page it is about to enter.
 *
 * rerun: tests/jit/jit.test pages_are_remapped
 */
#include "jit.h"

static struct space space, other;
static uint16_t *pages[4]; /* in no order in memory */

#define HERE TEST_VA
#define THERE (TEST_VA + PAGE)
/* Elsewhere, with another slot of the TLB and another page number's end */
#define FAR (TEST_VA + 0x53000)
#define PTE_CODE (PTE_V | PTE_R | PTE_X | PTE_A)

static void map(ulong va, unsigned page)
{
    space_map(&space, va, (ulong)pages[page], 0, PTE_CODE);
}

/* Offsets in a page */
enum { ID = 0, WHERE = 64, NEXT = 128, CALLS = 256, LOOP = 512, LAST = 4094 };

static void *in(unsigned page, unsigned offset)
{
    return (char *)pages[page] + offset;
}

static void put(unsigned page, unsigned offset, const uint32_t *insns, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        put32((char *)in(page, offset) + 4 * i, insns[i]);
}

/* Each page has the same code but for its number. */
static void fill(unsigned page)
{
    const uint32_t id[] = {ENC_ADDI(10, 0, (int)page + 1), ENC_RET};
    const uint32_t where[] = {
        0x00000517,          /* auipc a0, 0 */
        enc_j(5, 8),         /* jal t0, .+8 */
        INSN_NOP,
        0x40a28533,          /* sub a0, t0, a0: 8 everywhere */
        0x00000597,          /* auipc a1, 0 */
        enc_i(0x13, 10, 1, 10, 20), /* slli a0, a0, 20 */
        enc_r(0, 10, 4, 10, 11),    /* xor a0, a0, a1 */
        ENC_RET,
    };
    /* To the other page's ID, by a jump. */
    const uint32_t next[] = {enc_j(0, (int)PAGE - NEXT)};
    /* To the other page's ID, by a call; ten times what it says plus our own. */
    const uint32_t calls[] = {
        ENC_ADDI(31, 1, 0), enc_j(1, (int)PAGE - CALLS - 4), enc_i(0x13, 11, 1, 10, 3),
        enc_i(0x13, 10, 1, 10, 1), enc_r(0, 10, 0, 10, 11), ENC_ADDI(10, 10, (int)page + 1),
        enc_i(0x67, 0, 0, 31, 0),
    };
    /* a1 calls of the other page's ID, added. */
    const uint32_t loop[] = {
        ENC_ADDI(31, 1, 0), ENC_ADDI(12, 0, 0), enc_j(1, (int)PAGE - LOOP - 8),
        enc_r(0, 12, 0, 12, 10), ENC_ADDI(11, 11, -1), enc_b(1, 11, 0, -12),
        ENC_ADDI(10, 12, 0), enc_i(0x67, 0, 0, 31, 0),
    };
    put(page, ID, id, 2);
    put(page, WHERE, where, 8);
    put(page, NEXT, next, 1);
    put(page, CALLS, calls, 7);
    put(page, LOOP, loop, 8);
    /* li a0, imm on two pages: the low half here; the high half is at the other's start... */
    put16(in(page, LAST), 0x0513);
}

static ulong at(ulong va, ulong a1)
{
    /* A return address of ours; what runs ends with ret. */
    struct run r = RUN(MODE_S, va, a1, "jalr ra, 0(a0)");
    CHECK(r.cause, CAUSE_ECALL_S);
    return r.a0;
}

static void fence_of(ulong va, unsigned kind)
{
    switch (kind % 4) {
    case 0:
        sfence_all();
        break;
    case 1:
        __asm__ volatile("sfence.vma %0" ::"r"(va) : "memory");
        break;
    case 2:
        __asm__ volatile("sfence.vma zero, %0" ::"r"(0) : "memory");
        break;
    default:
        __asm__ volatile("sfence.vma %0, %1" ::"r"(va), "r"(0) : "memory");
    }
}

static void test_other_page_at_the_address(void)
{
    for (unsigned i = 0; i < 400; i++) {
        unsigned a = rnd() % 4, b = rnd() % 4;
        map(HERE, a);
        fence_of(HERE, i);
        map(THERE, b);
        fence_of(THERE, i / 4);
        for (unsigned twice = 0; twice < 2; twice++) {
            CHECK(at(HERE + ID, 0), a + 1);
            CHECK(at(THERE + ID, 0), b + 1);
            CHECK(at(HERE + NEXT, 0), b + 1);
            CHECK(at(HERE + CALLS, 0), 10 * (b + 1) + a + 1);
            CHECK(at(HERE + LOOP, 7), 7 * (b + 1));
        }
    }
}

static void test_two_addresses(void)
{
    for (unsigned i = 0; i < 50; i++) {
        unsigned a = i % 4;
        map(HERE, a);
        map(FAR, a);
        map(FAR + PAGE, (a + 1) % 4);
        map(THERE, (a + 2) % 4);
        fence_of(0, 0);
        for (unsigned twice = 0; twice < 3; twice++) {
            CHECK(at(HERE + WHERE, 0), (8UL << 20) ^ (HERE + WHERE + 16));
            CHECK(at(FAR + WHERE, 0), (8UL << 20) ^ (FAR + WHERE + 16));
            CHECK(at(HERE + CALLS, 0), 10 * ((a + 2) % 4 + 1) + a + 1);
            CHECK(at(FAR + CALLS, 0), 10 * ((a + 1) % 4 + 1) + a + 1);
            CHECK(at(FAR + NEXT, 0), (a + 1) % 4 + 1);
            CHECK(at(HERE + NEXT, 0), (a + 2) % 4 + 1);
        }
    }
}

/* Two address spaces with the pages the other way round; no fence, but an ASID each. */
static void test_switches_of_space(void)
{
    other = space_new(DEFAULT_LEVELS);
    for (unsigned i = 0; i < 2; i++) {
        map(HERE + i * PAGE, i);
        space_map(&other, HERE + i * PAGE, (ulong)pages[3 - i], 0, PTE_CODE);
    }
    sfence_all();
    for (unsigned i = 0; i < 200; i++) {
        bool there = i & 1;
        csr_write(satp, there ? space_satp(&other, 2) : space_satp(&space, 1));
        CHECK(at(HERE + ID, 0), there ? 4 : 1);
        CHECK(at(HERE + CALLS, 0), there ? 34 : 21);
        CHECK(at(HERE + LOOP, 3), there ? 9 : 6);
    }
    CHECK(space_on(&space), true);
}

/* li a0, imm: opcode and rd on one page, the immediate at the start of the next one. */
static void test_instruction_on_two_pages(void)
{
    static const uint16_t high[] = {0x0010, 0x0020, 0x0030, 0x0040};
    for (unsigned p = 0; p < 4; p++) {
        put16(in(p, 0), high[p]);
        put32(in(p, 2), ENC_RET);
    }
    fence_i();
    __asm__ volatile("" ::: "memory");
    for (unsigned i = 0; i < 400; i++) {
        unsigned a = rnd() % 4, b = rnd() % 4;
        map(HERE, a);
        map(THERE, b);
        fence_of(i & 1 ? HERE : THERE, 2 * (i / 2 % 2));
        sfence_all();
        CHECK(at(HERE + LAST, 0), b + 1);
        CHECK(at(HERE + LAST, 0), b + 1);
        if (i % 8 == 0) { /* and with the second half missing */
            space_map(&space, THERE, 0, 0, 0);
            fence_of(THERE, 1);
            struct run r = RUN(MODE_S, HERE + LAST, 0, "jalr ra, 0(a0)");
            CHECK(r.cause, CAUSE_FETCH_PAGE);
            CHECK(r.tval, THERE);
            CHECK(r.epc, HERE + LAST);
        }
    }
    for (unsigned p = 0; p < 4; p++)
        fill(p);
    fence_i();
}

/* S-mode changes the entry of the page that it calls, fences and calls, in one loop. */
static void test_remapped_by_itself(void)
{
    ulong *entry = space_entry(&space, THERE, 0);
    map(HERE, 0);
    map(THERE, 1);
    sfence_all();
    ulong args[2] = {pte_make((ulong)pages[2], PTE_CODE), pte_make((ulong)pages[3], PTE_CODE)};
    /* a0: the entry; a1: {pte, pte}. 60 rounds of: exchange, fence, call THERE. */
    struct run r = RUN(MODE_S, entry, args,
                       LX " t3, 0(a1)\n" LX " t4, " XB "(a1)\nmv s2, a0\nli s3, 0\nli s4, 60\n"
                       "li s5, 0x40346000\n"
                       "1: " SX " t3, 0(s2)\nsfence.vma s5\nmv t5, t3\nmv t3, t4\nmv t4, t5\n"
                       "jalr ra, 0(s5)\nslli t5, s3, 1\nadd s3, t5, a0\n"
                       "addi s4, s4, -1\nbnez s4, 1b\nmv a0, s3\n");
    ulong want = 0;
    for (unsigned i = 0; i < 60; i++)
        want = want * 2 + (i & 1 ? 4 : 3);
    CHECK(r.cause, CAUSE_ECALL_S);
    CHECK(r.a0, want);
}

/*
 * The entry of the running page is changed with no fence, and its place in the TLB is taken by another page
 * before the first jump within it: then that jump may lead into the old page or the new one. But a
 * link between two pages must not stay behind for the time when the old one is mapped again.
 */
static void test_change_without_a_fence(void)
{
    enum { BEGIN = 1024, END = 1536 };
    const ulong same_slot = HERE + (PAGE << 12);
    const uint32_t begin[] = {
        enc_s(XLEN == 64 ? 3 : 2, 10, 11, 0), /* the entry at a0 becomes a1 */
        enc_i(0x03, 13, 2, 12, 0),            /* lw a3, 0(a2) */
        enc_j(0, END - BEGIN - 8),
    };
    space_map(&space, same_slot, (ulong)page_new(), 0, PTE_RW);
    for (unsigned p = 0; p < 4; p++) {
        const uint32_t end[] = {ENC_ADDI(10, 0, (int)p + 1), ENC_RET};
        put(p, BEGIN, begin, 3);
        put(p, END, end, 2);
    }
    fence_i();
    for (unsigned i = 0; i < 12; i++) {
        ulong old = i / 3 % 4, next = (old + 1 + i % 3) % 4;
        ulong args[4] = {pte_make((ulong)pages[next], PTE_CODE), same_slot, HERE + BEGIN};
        for (unsigned again = 0; again < 2; again++) {
            map(HERE, (unsigned)old);
            sfence_all();
            if (again)
                args[0] = pte_make((ulong)pages[old], PTE_CODE);
            struct run r = RUN(MODE_S, space_entry(&space, HERE, 0), args,
                               LX " a2, " XB "(a1)\n" LX " t1, 2*" XB "(a1)\n" LX " a1, 0(a1)\n"
                               "jalr ra, 0(t1)");
            CHECK(r.cause, CAUSE_ECALL_S);
            if (again)
                CHECK(r.a0, old + 1);
            else
                CHECK_TRUE(r.a0 == old + 1 || r.a0 == next + 1);
        }
    }
}

void test_main(void)
{
    static const unsigned order[] = {2, 0, 3, 1};
    space = space_new(DEFAULT_LEVELS);
    for (unsigned i = 0; i < 4; i++)
        pages[order[i]] = page_new();
    for (unsigned i = 0; i < 4; i++)
        fill(i);
    fence_i();
    CHECK(space_on(&space), true);
    test_other_page_at_the_address();
    test_two_addresses();
    test_switches_of_space();
    test_instruction_on_two_pages();
    test_remapped_by_itself();
    test_change_without_a_fence();
    test_other_page_at_the_address();
    space_off();
}
