/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Accesses off one register that a translator may check at once: a stack frame at every place over the end
 * of a page, with the second page there, missing, read-only, a device's; in both orders. What stands
 * before the one that faults is done, what stands behind it is not, and registers are those of that
 * moment, also where a load overwrites its own base and where a register is the base and the value.
 *
 * rerun: tests/jit/jit.test faults_in_groups
 */
#include "jit.h"

static struct space space;
static uint8_t *first, *second;

#define SLOTS 8 /* words of a frame */
#define WORD (XLEN / 8)

/* From the lowest slot up and from the highest one down. */
#define STORE_UP \
    SX " a1, 0*" XB "(a0)\n" SX " a2, 1*" XB "(a0)\n" SX " a3, 2*" XB "(a0)\n" SX " s2, 3*" XB \
       "(a0)\n" SX " s3, 4*" XB "(a0)\n" SX " t3, 5*" XB "(a0)\n" SX " t4, 6*" XB "(a0)\n" SX \
       " a0, 7*" XB "(a0)\n"
#define STORE_DOWN \
    SX " a0, 7*" XB "(a0)\n" SX " t4, 6*" XB "(a0)\n" SX " t3, 5*" XB "(a0)\n" SX " s3, 4*" XB \
       "(a0)\n" SX " s2, 3*" XB "(a0)\n" SX " a3, 2*" XB "(a0)\n" SX " a2, 1*" XB "(a0)\n" SX \
       " a1, 0*" XB "(a0)\n"
#define VALUES "addi a2, a1, 2\naddi a3, a1, 3\naddi s2, a1, 4\naddi s3, a1, 5\naddi t3, a1, 6\naddi t4, a1, 7\n"
/* The sum of what was loaded, each of it seen; then the base is overwritten. */
#define LOAD_UP \
    "li a1, 0\n" \
    LX " a2, 0*" XB "(a0)\nadd a1, a1, a2\n" LX " s2, 1*" XB "(a0)\nadd a1, a1, s2\n" \
    LX " t3, 2*" XB "(a0)\nadd a1, a1, t3\n" LX " a5, 3*" XB "(a0)\nadd a1, a1, a5\n" \
    LX " s9, 4*" XB "(a0)\nadd a1, a1, s9\n" LX " a3, 5*" XB "(a0)\nadd a1, a1, a3\n" \
    LX " t5, 6*" XB "(a0)\nadd a1, a1, t5\n" LX " a0, 7*" XB "(a0)\nadd a1, a1, a0\n"

static ulong *slot(ulong va, unsigned n)
{
    ulong at = va + n * WORD - TEST_VA;
    return (ulong *)(at < PAGE ? first + at : second + at - PAGE);
}

static ulong value_of(ulong va, ulong seed, unsigned n)
{
    return n == 7 ? va : n ? seed + 1 + n : seed;
}

static void clear(ulong va)
{
    for (unsigned n = 0; n < SLOTS; n++)
        *slot(va, n) = 0xaaaa0000 + n;
}

/* How many slots lie on the first page: the frame is aligned to words. */
static unsigned on_first(ulong va)
{
    ulong room = TEST_VA + PAGE - va;
    return room / WORD < SLOTS ? (unsigned)(room / WORD) : SLOTS;
}

static void store_frames(ulong second_flags, bool works, ulong cause)
{
    space_map(&space, TEST_VA + PAGE, (ulong)second, 0, second_flags);
    sfence_all();
    for (unsigned back = 0; back <= SLOTS; back++) {
        ulong va = TEST_VA + PAGE - back * WORD;
        unsigned inside = on_first(va);
        bool all = works || inside == SLOTS;

        for (unsigned round = 0; round < 3; round++) {
            ulong seed = 1000 * back + round;
            clear(va);
            struct run r = RUN(MODE_S, va, seed, VALUES STORE_UP);
            CHECK(r.cause, all ? CAUSE_ECALL_S : cause);
            if (!all)
                CHECK(r.tval, TEST_VA + PAGE);
            CHECK(r.a0, va);
            for (unsigned n = 0; n < SLOTS; n++)
                CHECK(*slot(va, n), all || n < inside ? value_of(va, seed, n) : 0xaaaa0000 + n);
            clear(va);
            r = RUN(MODE_S, va, seed, VALUES STORE_DOWN);
            CHECK(r.cause, all ? CAUSE_ECALL_S : cause);
            if (!all)
                CHECK(r.tval, va + 7 * WORD);
            for (unsigned n = 0; n < SLOTS; n++)
                CHECK(*slot(va, n), all ? value_of(va, seed, n) : 0xaaaa0000 + n);
        }
    }
}

static void load_frames(ulong second_flags, bool works, ulong cause)
{
    space_map(&space, TEST_VA + PAGE, (ulong)second, 0, second_flags);
    sfence_all();
    for (unsigned back = 0; back <= SLOTS; back++) {
        ulong va = TEST_VA + PAGE - back * WORD;
        unsigned inside = on_first(va);
        bool all = works || inside == SLOTS;
        ulong sum = 0;

        for (unsigned n = 0; n < SLOTS; n++) {
            *slot(va, n) = 77 * n + back;
            sum += all || n < inside ? 77 * n + back : 0;
        }
        struct run r = RUN(MODE_S, va, 0, LOAD_UP);
        CHECK(r.cause, all ? CAUSE_ECALL_S : cause);
        CHECK(r.a1, sum);
        CHECK(r.a0, all ? 77 * 7 + back : va);
        if (!all)
            CHECK(r.tval, TEST_VA + PAGE);
    }
}

/* The second page is a device's: an access that works there, and one that it refuses. */
static void device_frames(void)
{
    space_map(&space, TEST_VA + PAGE, CLINT_BASE + 0x4000, 0, PTE_RW);
    sfence_all();
    clint_set_timecmp(0, 0x0123456789abcdefULL);
    for (unsigned back = 0; back < 3; back++) {
        ulong va = TEST_VA + PAGE - back * 4;
        for (unsigned n = 0; n < back; n++)
            *(uint32_t *)(first + PAGE - back * 4 + 4 * n) = n + 1;
        struct run r = RUN(MODE_S, va, 0,
                           "lw a1, 0(a0)\nlw a2, 4(a0)\nlw a3, 8(a0)\nslli a2, a2, 1\n"
                           "add a1, a1, a2\nslli a3, a3, 2\nadd a1, a1, a3\n");
        uint32_t words[3];
        for (unsigned n = 0; n < 3; n++)
            words[n] = n < back ? n + 1 : n - back == 0 ? 0x89abcdef : n - back == 1 ? 0x01234567 : 0;
        CHECK(r.cause, back ? CAUSE_ECALL_S : r.cause);
        if (back) /* with none on the first page, the third word is another timer's */
            CHECK((uint32_t)r.a1, words[0] + 2 * words[1] + 4 * words[2]);
    }
    space_map(&space, TEST_VA + PAGE, UNMAPPED_PA, 0, PTE_RW);
    sfence_all();
    *(uint32_t *)(first + PAGE - 8) = 5;
    *(uint32_t *)(first + PAGE - 4) = 6;
    struct run r = RUN(MODE_S, TEST_VA + PAGE - 8, 0,
                       "lw a1, 0(a0)\nlw a2, 4(a0)\nadd a1, a1, a2\nlw a1, 8(a0)\nli a1, 0\n");
    CHECK(r.cause, CAUSE_LOAD_ACCESS);
    CHECK(r.tval, TEST_VA + PAGE);
    CHECK(r.a1, 11);
    r = RUN(MODE_S, TEST_VA + PAGE - 8, 9, "sw a1, 0(a0)\nsw a1, 4(a0)\nsw a1, 8(a0)\nli a1, 0\n");
    CHECK(r.cause, CAUSE_STORE_ACCESS);
    CHECK(r.a1, 9);
    CHECK(*(uint32_t *)(first + PAGE - 4), 9);
}

/* A register that is the base, then what was loaded, then the base again. */
static void chases(void)
{
    ulong *list = (ulong *)first;
    space_map(&space, TEST_VA + PAGE, (ulong)second, 0, 0);
    sfence_all();
    for (unsigned n = 0; n < 16; n++) {
        list[2 * n] = TEST_VA + 2 * WORD * ((n * 5 + 3) % 16);
        list[2 * n + 1] = n;
    }
    list[2 * 7] = TEST_VA + PAGE; /* falls off */
    unsigned node = 0;
    ulong sum = 0;
    for (; node != 7; node = (node * 5 + 3) % 16)
        sum = sum * 2 + node;
    struct run r = RUN(MODE_S, TEST_VA, 0,
                       "1: " LX " t1, " XB "(a0)\n" LX " a0, 0(a0)\nslli a1, a1, 1\nadd a1, a1, t1\n"
                       "j 1b\n");
    CHECK(r.cause, CAUSE_LOAD_PAGE);
    CHECK(r.tval, TEST_VA + PAGE + WORD);
    CHECK(r.a1, sum * 2 + 7);
    CHECK(r.a0, TEST_VA + PAGE);
}

/* A base that moves on between accesses, over the end of the page. */
static void moving_base(void)
{
    for (unsigned i = 0; i < PAGE / 4; i++)
        ((uint32_t *)first)[i] = i;
    struct run r = RUN(MODE_S, TEST_VA + PAGE - 64, 0,
                       "1: lw a2, 0(a0)\nlw a3, 4(a0)\naddi a0, a0, 8\nadd a1, a1, a2\n"
                       "lw a4, 0(a0)\nadd a1, a1, a3\nadd a1, a1, a4\nsw a1, -4(a0)\nj 1b\n");
    ulong sum = 0;
    for (unsigned i = PAGE / 4 - 16; i + 2 < PAGE / 4; i += 2)
        sum += 3 * i + 3;
    CHECK(r.cause, CAUSE_LOAD_PAGE);
    CHECK(r.tval, TEST_VA + PAGE);
    CHECK(r.a0, TEST_VA + PAGE);
    CHECK(r.a1, sum + PAGE / 4 - 2); /* half of the last round */
    CHECK(((uint32_t *)first)[PAGE / 4 - 3], (uint32_t)sum);
}

void test_main(void)
{
    space = space_new(DEFAULT_LEVELS);
    second = page_new();
    first = page_new();
    space_map(&space, TEST_VA, (ulong)first, 0, PTE_RW);
    CHECK(space_on(&space), true);
    for (unsigned round = 0; round < 3; round++) {
        store_frames(PTE_RW, true, 0);
        store_frames(0, false, CAUSE_STORE_PAGE);
        store_frames(PTE_V | PTE_R | PTE_A, false, CAUSE_STORE_PAGE);
        load_frames(PTE_RW, true, 0);
        load_frames(0, false, CAUSE_LOAD_PAGE);
        load_frames(PTE_V | PTE_X | PTE_A, false, CAUSE_LOAD_PAGE);
        device_frames();
        chases();
        moving_base();
    }
    space_off();
}
