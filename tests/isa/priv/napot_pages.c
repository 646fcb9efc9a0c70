/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Svnapot: sixteen entries with N and page number ...1000 map 64 KiB in one; other low bits, and N
 * at a higher level, are page faults; a fence for any address in it drops all of it ("Svnapot").
 *
 * rerun: tests/isa/isa.test napot_pages
 * needs: rv64
 */
#include "paging.h"

#define SIZE (16 * PAGE)
#define NAPOT_VA (TEST_REGION + 0x120000)

static uint32_t area[2][SIZE / 4] __attribute__((aligned(65536)));
static struct space space;

static void map(ulong pa)
{
    for (ulong at = 0; at < SIZE; at += PAGE)
        space_map(&space, NAPOT_VA + at, (pa & ~(SIZE - 1)) | 8 * PAGE, 0, PTE_RW | PTE_N);
}

void test_main(void)
{
    space = space_new(3);
    for (unsigned n = 0; n < 2; n++)
        for (unsigned i = 0; i < 16; i++)
            area[n][i * 1024] = n * 100 + i;
    map((ulong)area[0]);
    CHECK(space_on(&space), true);
    for (unsigned i = 0; i < 16; i++)
        CHECK(RUN_OK(MODE_S, NAPOT_VA + i * PAGE, 0, LOAD_WORD), i);
    RUN_OK(MODE_S, NAPOT_VA + 5 * PAGE + 8, 0x55, STORE_WORD);
    CHECK(area[0][5 * 1024 + 2], 0x55);

    map((ulong)area[1]);
    __asm__ volatile("sfence.vma %0, x0" ::"r"(NAPOT_VA + 3 * PAGE) : "memory");
    for (unsigned i = 0; i < 16; i++)
        CHECK(RUN_OK(MODE_S, NAPOT_VA + i * PAGE, 0, LOAD_WORD), 100 + i);

    for (ulong low = 0; low < 16; low++) {
        if (low == 8)
            continue;
        space_map(&space, NAPOT_VA, (ulong)area[0] | low * PAGE, 0, PTE_RW | PTE_N);
        sfence_all();
        RUN_TRAPS(MODE_S, NAPOT_VA, 0, LOAD_WORD, CAUSE_LOAD_PAGE, NAPOT_VA);
    }
    space_map(&space, NAPOT_VA & ~(LEVEL_SIZE(1) - 1), RAM_BASE, 1, PTE_RW | PTE_N);
    sfence_all();
    RUN_TRAPS(MODE_S, NAPOT_VA, 0, LOAD_WORD, CAUSE_LOAD_PAGE, NAPOT_VA);
    space_off();
}
