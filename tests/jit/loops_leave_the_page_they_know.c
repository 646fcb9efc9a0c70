/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Loops whose accesses move over pages, where a translator may remember what it knows of a page: the
 * next one is read-only, missing, or elsewhere in memory; it stores where so far it only
 * loaded; it goes round the end of the address space, up and down, also where only some rounds
 * access anything; the page is mapped otherwise by a fault's handler.
 *
 * rerun: tests/jit/jit.test loops_leave_the_page
 */
#include "jit.h"

#define WORD (XLEN / 8)
#define PAGES 4
#define SLOTS (PAGES * PAGE / WORD)

static struct space space;
static uint8_t *pages[PAGES]; /* in no order in memory */

static ulong *slot(unsigned n)
{
    return (ulong *)(pages[n * WORD / PAGE] + n * WORD % PAGE);
}

static void map_all(ulong flags)
{
    for (unsigned n = 0; n < PAGES; n++)
        space_map(&space, TEST_VA + n * PAGE, (ulong)pages[n], 0, flags);
    sfence_all();
}

static void fill(void)
{
    for (unsigned n = 0; n < SLOTS; n++)
        *slot(n) = 7 * n + 1;
}

/* Loads from each page, so that it is known what may be done with them: their first access is not that
 * of the loop behind. */
#define TOUCH(first) \
    "mv t3, " first "\nli t4, 4\nli t5, 4096\n3: lw t6, 0(t3)\nadd t3, t3, t5\naddi t4, t4, -1\n" \
    "bnez t4, 3b\n"

/* A loop that loads, may leave, and then stores: where the page may only be read it has to trap. */
static void stores_behind_a_way_out(void)
{
    for (unsigned n = 0; n < PAGES; n++) {
        fill();
        map_all(PTE_RW);
        space_map(&space, TEST_VA + n * PAGE, (ulong)pages[n], 0, PTE_V | PTE_R | PTE_A);
        sfence_all();
        struct run r =
            RUN(MODE_S, TEST_VA, TEST_VA + PAGES * PAGE,
                TOUCH("a0") "1: " LX " t1, 0(a0)\nbeqz t1, 2f\naddi t1, t1, 1\n" SX " t1, 0(a0)\n"
                            "addi a0, a0, " XB "\nbne a0, a1, 1b\n2:\n");
        CHECK(r.cause, CAUSE_STORE_PAGE);
        CHECK(r.tval, TEST_VA + n * PAGE);
        CHECK(r.a0, TEST_VA + n * PAGE);
        for (unsigned k = 0; k < SLOTS; k++)
            CHECK(*slot(k), 7 * k + 1 + (k < n * PAGE / WORD));
    }
}

/* The same downwards. */
static void stores_on_the_way_down(void)
{
    for (unsigned n = 0; n < PAGES; n++) {
        fill();
        map_all(PTE_RW);
        space_map(&space, TEST_VA + n * PAGE, (ulong)pages[n], 0, PTE_V | PTE_R | PTE_A);
        sfence_all();
        struct run r =
            RUN(MODE_S, TEST_VA + PAGES * PAGE, TEST_VA,
                TOUCH("a1") "1: " LX " t1, -" XB "(a0)\nbeqz t1, 2f\naddi t1, t1, 1\n" SX
                            " t1, -" XB "(a0)\naddi a0, a0, -" XB "\nbne a0, a1, 1b\n2:\n");
        CHECK(r.cause, CAUSE_STORE_PAGE);
        CHECK(r.tval, TEST_VA + (n + 1) * PAGE - WORD);
        for (unsigned k = 0; k < SLOTS; k++)
            CHECK(*slot(k), 7 * k + 1 + (k >= (n + 1) * PAGE / WORD));
    }
}

#if RV64
#define EDGE_PAGES 5 /* at -3, -2, -1, 0 and 1 */

static uint8_t *edge[EDGE_PAGES];

static uint64_t edge_value(ulong va)
{
    return *(uint64_t *)(edge[((va >> 12) + 3) % 8 % EDGE_PAGES] + va % PAGE);
}

static void map_edges(void)
{
    for (unsigned n = 0; n < EDGE_PAGES; n++) {
        edge[n] = page_new();
        for (unsigned k = 0; k < PAGE / 8; k++)
            ((uint64_t *)edge[n])[k] = (uint64_t)(n + 1) << 32 | k;
        space_map(&space, (n - 3UL) * PAGE, (ulong)edge[n], 0, PTE_RW);
    }
    sfence_all();
}

/* a0 goes by 1000 round the end of the address space, with a load each round, or every fourth. */
static void round_the_end(bool down, ulong every)
{
    ulong from = down ? 2 * PAGE - 8 : -3 * PAGE, sum = 0, va = from;
    for (unsigned n = 0; n < 20; n++, va += down ? -1000 : 1000)
        if (n % every == 0)
            sum = sum * 3 + edge_value(va);
    struct run r;
    if (!down)
        r = RUN(
            MODE_S, from, every,
            "li t0, 20\nli t1, 0\nli t3, 0\n"
            "1: bnez t1, 2f\nmv t1, a1\nld t2, 0(a0)\nslli t4, t3, 1\nadd t3, t3, t4\n"
            "add t3, t3, t2\n2: addi t1, t1, -1\naddi a0, a0, 1000\naddi t0, t0, -1\nbnez t0, 1b\n"
            "mv a1, t3");
    else
        r = RUN(
            MODE_S, from, every,
            "li t0, 20\nli t1, 0\nli t3, 0\n"
            "1: bnez t1, 2f\nmv t1, a1\nld t2, 0(a0)\nslli t4, t3, 1\nadd t3, t3, t4\n"
            "add t3, t3, t2\n2: addi t1, t1, -1\naddi a0, a0, -1000\naddi t0, t0, -1\nbnez t0, 1b\n"
            "mv a1, t3");
    CHECK(r.cause, CAUSE_ECALL_S);
    CHECK(r.a0, va);
    CHECK(r.a1, sum);
}
#endif

void test_main(void)
{
    static const unsigned order[PAGES] = {2, 0, 3, 1};
    space = space_new(DEFAULT_LEVELS);
    for (unsigned n = 0; n < PAGES; n++)
        pages[order[n]] = page_new();
    map_all(PTE_RW);
    CHECK(space_on(&space), true);
    stores_behind_a_way_out();
    stores_on_the_way_down();
#if RV64
    map_edges();
    for (ulong every = 1; every < 5; every++) {
        round_the_end(false, every);
        round_the_end(true, every);
    }
#endif
    space_off();
}
