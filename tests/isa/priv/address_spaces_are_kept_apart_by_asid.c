/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Spaces with different ASIDs may be switched without a fence; a fence by ASID covers that ASID's
 * entries, global ones only need one without ASID; the same satp again brings the same mappings
 * (privileged specification, "Supervisor Address Translation and Protection Register").
 *
 * rerun: tests/isa/isa.test address_spaces
 */
#include "paging.h"

#define SPACES 6

/* The user's alias of each page: the same page with U. One slot of a direct-mapped TLB of 4096 pages
 * is for both TEST_VA and COLLIDING_VA. */
#define USER_VA (TEST_VA + 8 * PAGE)
#define COLLIDING_VA (TEST_VA + 4096 * PAGE)

static struct space spaces[SPACES];
static uint32_t *pages[SPACES + 2];

static void go(unsigned n, ulong asid)
{
    csr_write(satp, space_satp(&spaces[n], asid));
}

static void test_switching(void)
{
    for (unsigned round = 0; round < 4; round++) {
        for (unsigned n = 0; n < SPACES; n++) {
            go(n, n + 1);
            CHECK(RUN_OK(MODE_S, TEST_VA, 0, LOAD_WORD), 100 + n);
            RUN_OK(MODE_S, TEST_VA + 8, round * 10 + n, STORE_WORD);
            CHECK(run_fetch(MODE_S, TEST_VA + 16).a0, n);
            CHECK(RUN_OK(MODE_U, USER_VA, 0, LOAD_WORD), 100 + n);
            CHECK(run_fetch(MODE_U, USER_VA + 16).a0, n);
        }
        for (unsigned n = 0; n < SPACES; n++)
            CHECK(pages[n][2], round * 10 + n);
    }
}

static void map_both(unsigned space, unsigned page)
{
    space_map(&spaces[space], TEST_VA, (ulong)pages[page], 0, PTE_RWX);
    space_map(&spaces[space], USER_VA, (ulong)pages[page], 0, PTE_RWX | PTE_U);
}

static void test_fence_by_asid(void)
{
    /* Remap in space 0 and 1, fence only the ASID of 0, then both. */
    map_both(0, SPACES);
    __asm__ volatile("sfence.vma x0, %0" ::"r"(1UL) : "memory");
    go(0, 1);
    CHECK(RUN_OK(MODE_S, TEST_VA, 0, LOAD_WORD), 100 + SPACES);
    CHECK(RUN_OK(MODE_U, USER_VA, 0, LOAD_WORD), 100 + SPACES);
    CHECK(run_fetch(MODE_U, USER_VA + 16).a0, SPACES);
    go(1, 2);
    CHECK(RUN_OK(MODE_S, TEST_VA, 0, LOAD_WORD), 101);
    CHECK(RUN_OK(MODE_U, USER_VA, 0, LOAD_WORD), 101);
    map_both(1, SPACES);
    __asm__ volatile("sfence.vma %0, %1" ::"r"(TEST_VA), "r"(2UL) : "memory");
    CHECK(RUN_OK(MODE_S, TEST_VA, 0, LOAD_WORD), 100 + SPACES);
    __asm__ volatile("sfence.vma %0, %1" ::"r"(USER_VA), "r"(2UL) : "memory");
    CHECK(RUN_OK(MODE_U, USER_VA, 0, LOAD_WORD), 100 + SPACES);
    CHECK(run_fetch(MODE_U, USER_VA + 16).a0, SPACES);
    go(2, 3);
    CHECK(RUN_OK(MODE_S, TEST_VA, 0, LOAD_WORD), 102);
}

static void test_same_asid_after_a_fence(void)
{
    /* An ASID given to another table: right after a fence for it. */
    for (unsigned n = 0; n < 16; n++) {
        unsigned which = 2 + n % 4;

        go(which, 7);
        __asm__ volatile("sfence.vma x0, %0" ::"r"(7UL) : "memory");
        CHECK(RUN_OK(MODE_S, TEST_VA, 0, LOAD_WORD), 100 + which);
    }
}

static void test_global(void)
{
    ulong va = TEST_VA + PAGE;

    for (unsigned n = 0; n < SPACES; n++)
        space_map(&spaces[n], va, (ulong)pages[SPACES + 1], 0, PTE_RW | PTE_G);
    sfence_all();
    for (unsigned n = 0; n < SPACES; n++) {
        go(n, n + 1);
        CHECK(RUN_OK(MODE_S, va, 0, LOAD_WORD), 101 + SPACES);
    }
    for (unsigned n = 0; n < SPACES; n++)
        space_map(&spaces[n], va, (ulong)pages[n], 0, PTE_RW | PTE_G);
    __asm__ volatile("sfence.vma %0, x0" ::"r"(va) : "memory");
    for (unsigned n = 0; n < SPACES; n++) {
        ulong seen;

        go(n, n + 1);
        seen = RUN_OK(MODE_S, va, 0, LOAD_WORD);
        /* "Global" promised that all spaces agree; they do not, so any of theirs, but no old one. */
        CHECK_TRUE(seen >= 100 && seen < 100 + SPACES);
    }
    sfence_all();
}

/* More spaces than any small cache of them. */
static void test_many(void)
{
    for (ulong asid = 1; asid < 400; asid++) {
        unsigned n = asid % SPACES;

        go(n, asid);
        __asm__ volatile("sfence.vma x0, %0" ::"r"(asid) : "memory");
        CHECK(RUN_OK(MODE_S, TEST_VA + 4, 0, LOAD_WORD), 200 + n);
        CHECK(RUN_OK(MODE_U, USER_VA + 4, 0, LOAD_WORD), 200 + n);
    }
    for (ulong asid = 1; asid < 400; asid++) {
        unsigned n = asid % SPACES;

        go(n, asid);
        CHECK(RUN_OK(MODE_S, TEST_VA + 4, 0, LOAD_WORD), 200 + n);
        CHECK(RUN_OK(MODE_U, USER_VA + 4, 0, LOAD_WORD), 200 + n);
        CHECK(run_fetch(MODE_U, USER_VA + 16).a0, n);
    }
}

/* A space's own page takes the place of a global one in the TLB: it is not global for that. */
static void test_local_after_global(void)
{
    for (unsigned n = 0; n < SPACES; n++)
        space_map(&spaces[n], COLLIDING_VA, (ulong)pages[SPACES + 1], 0, PTE_RW | PTE_G);
    sfence_all();
    for (unsigned n = 0; n < 3 * SPACES; n++) {
        unsigned which = n % SPACES;

        go(which, which + 1);
        if (n & 1) /* the first access finds what the round before left */
            CHECK(RUN_OK(MODE_S, TEST_VA, 0, LOAD_WORD), 100 + which);
        else
            CHECK(RUN_OK(MODE_S, COLLIDING_VA, TEST_VA, "lw a2, 0(a0)\nlw a0, 0(a1)"), 100 + which);
    }
}

void test_main(void)
{
    for (unsigned n = 0; n < SPACES + 2; n++) {
        pages[n] = page_new();
        pages[n][0] = 100 + n;
        pages[n][1] = 200 + n;
        pages[n][4] = 0x00000513 | n << 20; /* li a0, n */
        pages[n][5] = INSN_ECALL;
    }
    for (unsigned n = 0; n < SPACES; n++) {
        spaces[n] = space_new(DEFAULT_LEVELS);
        map_both(n, n);
    }
    CHECK(space_on(&spaces[0]), true);
    sfence_all();
    test_switching();
    test_fence_by_asid();
    for (unsigned n = 0; n < SPACES; n++)
        map_both(n, n);
    sfence_all();
    test_same_asid_after_a_fence();
    test_many();
    test_local_after_global();
    test_global();
    space_off();
}
