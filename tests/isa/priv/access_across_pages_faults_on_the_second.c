/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * A misaligned access over the end of a page uses both pages; when the second one faults, tval is an
 * address on the second page, nothing was stored and rd stays; when the first one faults it is the
 * access's own address (privileged specification, "Supervisor Trap Value Register").
 *
 * rerun: tests/isa/isa.test access_across_pages
 */
#include "paging.h"

static struct space space;
static uint8_t *first, *second;

static void map_both(ulong flags0, ulong flags1)
{
    space_map(&space, TEST_VA, (ulong)first, 0, flags0);
    space_map(&space, TEST_VA + PAGE, (ulong)second, 0, flags1);
    sfence_all();
}

static void test_works(void)
{
    map_both(PTE_RW, PTE_RW);
    for (ulong back = 1; back < 4; back++) {
        ulong va = TEST_VA + PAGE - back;
        uint32_t seen = 0;

        for (ulong i = 0; i < 4; i++)
            *(i < back ? &first[PAGE - back + i] : &second[i - back]) = 0x81 + i;
        CHECK(RUN_OK(MODE_S, va, 0, LOAD_WORD), (long)(int32_t)0x84838281);
        RUN_OK(MODE_S, va, 0x44332211, STORE_WORD);
        for (ulong i = 4; i-- > 0;)
            seen = seen << 8 | *(i < back ? &first[PAGE - back + i] : &second[i - back]);
        CHECK(seen, 0x44332211);
    }
}

static void test_second_faults(void)
{
    map_both(PTE_RW, 0);
    for (ulong back = 1; back < 4; back++) {
        ulong va = TEST_VA + PAGE - back;
        struct run r = RUN(MODE_S, va, 0, LOAD_WORD);

        CHECK(r.cause, CAUSE_LOAD_PAGE);
        CHECK(r.tval, TEST_VA + PAGE);
        CHECK(r.at, 0);
        CHECK(r.a0, va);
        first[PAGE - 1] = first[PAGE - 2] = first[PAGE - 3] = 0x99;
        r = RUN(MODE_S, va, 0x11111111, STORE_WORD);
        CHECK(r.cause, CAUSE_STORE_PAGE);
        CHECK(r.tval, TEST_VA + PAGE);
        CHECK(first[PAGE - 1] & first[PAGE - 2] & first[PAGE - 3], 0x99);
    }
    map_both(PTE_RW, PTE_V | PTE_R | PTE_A);
    RUN_OK(MODE_S, TEST_VA + PAGE - 2, 0, LOAD_WORD);
    RUN_TRAPS(MODE_S, TEST_VA + PAGE - 2, 0, STORE_WORD, CAUSE_STORE_PAGE, TEST_VA + PAGE);
    map_both(PTE_RW, 0);
#if RV64
    RUN_TRAPS(MODE_S, TEST_VA + PAGE - 1, 0, LOAD_LONG, CAUSE_LOAD_PAGE, TEST_VA + PAGE);
    RUN_TRAPS(MODE_S, TEST_VA + PAGE - 7, 0, STORE_LONG, CAUSE_STORE_PAGE, TEST_VA + PAGE);
#endif
    /* Two aligned accesses at the border touch one page each. */
    RUN_OK(MODE_S, TEST_VA + PAGE - 4, 0, LOAD_WORD);
    RUN_TRAPS(MODE_S, TEST_VA + PAGE, 0, LOAD_WORD, CAUSE_LOAD_PAGE, TEST_VA + PAGE);
}

static void test_first_faults(void)
{
    map_both(0, PTE_RW);
    second[0] = 0x77;
    RUN_TRAPS(MODE_S, TEST_VA + PAGE - 2, 0, LOAD_WORD, CAUSE_LOAD_PAGE, TEST_VA + PAGE - 2);
    RUN_TRAPS(MODE_S, TEST_VA + PAGE - 1, 0, STORE_WORD, CAUSE_STORE_PAGE, TEST_VA + PAGE - 1);
    CHECK(second[0], 0x77);
}

void test_main(void)
{
    space = space_new(DEFAULT_LEVELS);
    second = page_new(); /* not in this order in physical memory */
    first = page_new();
    CHECK(space_on(&space), true);
    test_works();
    test_second_faults();
    test_first_faults();
    space_off();
}
