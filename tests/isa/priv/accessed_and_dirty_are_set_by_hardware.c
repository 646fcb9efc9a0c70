/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * The default hart sets A at any access and D at stores and AMOs, in the leaf and nothing else, at
 * every level; a fault sets neither; a store after a load still sets D (privileged specification,
 * "Virtual Address Translation Process"; Svadu with ADUE set).
 *
 * rerun: tests/isa/isa.test accessed_and_dirty_are_set
 */
#include "paging.h"

static struct space space;
static uint32_t *page;

static void set_leaf(ulong flags)
{
    space_map(&space, TEST_VA, (ulong)page, 0, flags);
    sfence_all();
}

static ulong leaf(void)
{
    return *(volatile ulong *)space_entry(&space, TEST_VA, 0) & 0x3ff;
}

static void test_pages(void)
{
    ulong rwx = PTE_V | PTE_R | PTE_W | PTE_X;

    set_leaf(rwx);
    RUN_OK(MODE_S, TEST_VA, 0, LOAD_WORD);
    CHECK(leaf(), rwx | PTE_A);
    RUN_OK(MODE_S, TEST_VA, 0, STORE_WORD); /* no fence: the TLB must not have said writable */
    CHECK(leaf(), rwx | PTE_A | PTE_D);
    set_leaf(rwx);
    RUN_OK(MODE_S, TEST_VA, 0, STORE_WORD);
    CHECK(leaf(), rwx | PTE_A | PTE_D);
    set_leaf(rwx);
    RUN_OK(MODE_S, TEST_VA, 0, AMO_WORD);
    CHECK(leaf(), rwx | PTE_A | PTE_D);
    set_leaf(rwx);
    RUN_OK(MODE_S, TEST_VA, 0, "lr.w a0, (a0)");
    CHECK(leaf(), rwx | PTE_A);
    page[0] = INSN_ECALL;
    set_leaf(rwx);
    CHECK(run_fetch(MODE_S, TEST_VA).cause, CAUSE_ECALL_S);
    CHECK(leaf(), rwx | PTE_A);
    /* Bits for software and G stay; the page number too. */
    set_leaf(rwx | 0x300 | PTE_G);
    RUN_OK(MODE_S, TEST_VA, 0, STORE_WORD);
    CHECK(*space_entry(&space, TEST_VA, 0),
          pte_make((ulong)page, rwx | 0x300 | PTE_G | PTE_A | PTE_D));

    set_leaf(PTE_V | PTE_R);
    CHECK(RUN(MODE_S, TEST_VA, 0, STORE_WORD).cause, CAUSE_STORE_PAGE);
    CHECK(leaf(), PTE_V | PTE_R);
    set_leaf(PTE_V | PTE_R | PTE_U);
    CHECK(RUN(MODE_S, TEST_VA, 0, LOAD_WORD).cause, CAUSE_LOAD_PAGE);
    CHECK(leaf(), PTE_V | PTE_R | PTE_U);
}

static void test_levels(void)
{
    for (int level = 1; level < DEFAULT_LEVELS; level++) {
        ulong size = LEVEL_SIZE(level);
        uint64_t va = TEST_VA & ~(uint64_t)(size - 1);
        ulong pa = (ulong)page & ~(size - 1);
        struct space fresh = space_new(DEFAULT_LEVELS);
        volatile ulong *entry = space_entry(&fresh, va, level);

        *entry = pte_make(pa, PTE_V | PTE_R | PTE_W);
        CHECK(space_on(&fresh), true);
        RUN_OK(MODE_S, va + (ulong)page - pa, 0, LOAD_WORD);
        CHECK(*entry, pte_make(pa, PTE_V | PTE_R | PTE_W | PTE_A));
        RUN_OK(MODE_S, va + (ulong)page - pa, 0, STORE_WORD);
        CHECK(*entry, pte_make(pa, PTE_V | PTE_R | PTE_W | PTE_A | PTE_D));
        for (int above = level + 1; above < DEFAULT_LEVELS; above++)
            CHECK(*space_entry(&fresh, va, above) & (PTE_A | PTE_D), 0);
        space_off();
    }
}

void test_main(void)
{
    space = space_new(DEFAULT_LEVELS);
    page = page_new();
    CHECK(space_on(&space), true);
    test_pages();
    space_off();
    test_levels();
}
