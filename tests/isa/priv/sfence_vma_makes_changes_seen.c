/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * After a changed entry the hart may see the old or the new mapping until an sfence.vma that covers
 * it, and only the new one after: for all, by address, by ASID, by both; at the last level, at higher
 * levels, for superpages, for permissions taken away (privileged specification, "Supervisor
 * Memory-Management Fence Instruction").
 *
 * rerun: tests/isa/isa.test sfence_vma_makes
 */
#include "paging.h"

static struct space space;
/* Words of a page: 0 and 1 are code (li a0, number; ecall), 2 tells it apart, 3 is stored to. */
static uint32_t *pages[4];

enum fence { ALL, BY_ADDRESS, BY_ASID, BY_BOTH, FENCES };

static void fence(enum fence kind, ulong va, ulong asid)
{
    switch (kind) {
    case ALL:
        sfence_all();
        break;
    case BY_ADDRESS:
        __asm__ volatile("sfence.vma %0, x0" ::"r"(va) : "memory");
        break;
    case BY_ASID:
        __asm__ volatile("sfence.vma x0, %0" ::"r"(asid) : "memory");
        break;
    default:
        __asm__ volatile("sfence.vma %0, %1" ::"r"(va), "r"(asid) : "memory");
    }
}

static void map(unsigned which, ulong flags)
{
    space_map(&space, TEST_VA, (ulong)pages[which], 0, flags);
}

/* Loads, stores and fetches all follow. */
static void expect(unsigned which)
{
    uint32_t value = pages[which][2];

    CHECK(RUN_OK(MODE_S, TEST_VA + 8, 0, LOAD_WORD), value);
    RUN_OK(MODE_S, TEST_VA + 12, value * 3, STORE_WORD);
    CHECK(pages[which][3], value * 3);
    CHECK(run_fetch(MODE_S, TEST_VA).a0, which);
}

static void test_remap(enum fence kind)
{
    map(0, PTE_RWX);
    sfence_all();
    expect(0);
    for (unsigned n = 1; n < 8; n++) {
        ulong seen;

        map(n & 3, PTE_RWX);
        seen = RUN_OK(MODE_S, TEST_VA + 8, 0, LOAD_WORD);
        CHECK_TRUE(seen == pages[n & 3][2] || seen == pages[(n - 1) & 3][2]);
        fence(kind, TEST_VA + 0x678, 0); /* any address in the page */
        expect(n & 3);
    }
}

static void test_rights(enum fence kind)
{
    map(0, PTE_RWX);
    sfence_all();
    expect(0);
    map(0, PTE_V | PTE_R | PTE_X | PTE_A | PTE_D);
    fence(kind, TEST_VA, 0);
    RUN_OK(MODE_S, TEST_VA, 0, LOAD_WORD);
    RUN_TRAPS(MODE_S, TEST_VA, 0, STORE_WORD, CAUSE_STORE_PAGE, TEST_VA);
    map(0, PTE_V | PTE_R | PTE_A);
    fence(kind, TEST_VA, 0);
    RUN_OK(MODE_S, TEST_VA, 0, LOAD_WORD);
    CHECK(run_fetch(MODE_S, TEST_VA).cause, CAUSE_FETCH_PAGE);
    map(0, 0);
    fence(kind, TEST_VA, 0);
    RUN_TRAPS(MODE_S, TEST_VA, 0, LOAD_WORD, CAUSE_LOAD_PAGE, TEST_VA);
    map(0, PTE_RWX);
    fence(kind, TEST_VA, 0);
    expect(0);
}

/* Entries above the leaf: fences without an address cover them. */
static void test_pointer(enum fence kind)
{
    struct space other = space_new(DEFAULT_LEVELS);
    ulong *pointer = space_entry(&space, TEST_VA, 1), before = *pointer;

    space_map(&other, TEST_VA, (ulong)pages[3], 0, PTE_RWX);
    map(0, PTE_RWX);
    sfence_all();
    expect(0);
    *pointer = *space_entry(&other, TEST_VA, 1);
    fence(kind, TEST_VA, 0);
    expect(3);
    *pointer = before;
    fence(kind, TEST_VA, 0);
    expect(0);
    *pointer = 0;
    fence(kind, TEST_VA, 0);
    RUN_TRAPS(MODE_S, TEST_VA, 0, LOAD_WORD, CAUSE_LOAD_PAGE, TEST_VA);
    *pointer = before;
    fence(kind, TEST_VA, 0);
    expect(0);
}

/* A superpage is one leaf: a fence for any address in it covers all of it. */
static void test_superpage(enum fence kind)
{
    ulong size = LEVEL_SIZE(1), va = TEST_REGION + 8 * size;
    ulong *entry = space_entry(&space, va, 1);
    ulong at = va + (ulong)pages[1] - RAM_BASE;

    *entry = pte_make(RAM_BASE, PTE_RW);
    sfence_all();
    CHECK(RUN_OK(MODE_S, at + 8, 0, LOAD_WORD), pages[1][2]);
    *entry = pte_make(RAM_BASE, PTE_V | PTE_R | PTE_A);
    fence(kind, va + size - 8, 0);
    RUN_TRAPS(MODE_S, at, 0, STORE_WORD, CAUSE_STORE_PAGE, at);
    *entry = 0;
    fence(kind, va + 16, 0);
    RUN_TRAPS(MODE_S, at, 0, LOAD_WORD, CAUSE_LOAD_PAGE, at);
}

void test_main(void)
{
    space = space_new(DEFAULT_LEVELS);
    for (unsigned i = 0; i < 4; i++) {
        pages[i] = page_new();
        pages[i][0] = 0x00000513 | i << 20; /* li a0, i */
        pages[i][1] = INSN_ECALL;
        pages[i][2] = 0x100 + i;
    }
    CHECK(space_on(&space), true);
    for (enum fence kind = ALL; kind < FENCES; kind++) {
        test_remap(kind);
        test_rights(kind);
        test_superpage(kind);
    }
    test_pointer(ALL);
    test_pointer(BY_ASID);
    space_off();
}
