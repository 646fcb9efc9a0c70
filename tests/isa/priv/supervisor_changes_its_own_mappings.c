/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * What a kernel does, all within S-mode: it remaps pages that it loads from, stores to and calls,
 * fences them and goes on; it switches between spaces and back; it calls code that a loop has made
 * hot, with a fence in between (privileged specification, "Supervisor Memory-Management Fence
 * Instruction").
 *
 * rerun: tests/isa/isa.test supervisor_changes
 */
#include "paging.h"

#define VERSIONS 4

typedef ulong function(ulong);

static struct space spaces[VERSIONS];
/* Words 0 and 1 of a page: addi a0, a0, version + 1; ret. Word 4 holds the version. */
static uint32_t *pages[VERSIONS];
static ulong mistakes;

static void map(unsigned space, unsigned page)
{
    *(volatile ulong *)space_entry(&spaces[space], TEST_VA, 0) =
        pte_make((ulong)pages[page], PTE_RWX);
}

static void expect(ulong version)
{
    function *at = (function *)TEST_VA;
    ulong sum = 0;

    if (*(volatile uint32_t *)(TEST_VA + 16) != version)
        mistakes++;
    *(volatile uint32_t *)(TEST_VA + 20) = version * 7;
    if (*(volatile uint32_t *)&pages[version][5] != version * 7)
        mistakes++;
    for (unsigned i = 0; i < 8; i++)
        sum = at(sum);
    if (sum != 8 * (version + 1))
        mistakes++;
}

static void remap(ulong rounds, ulong unused)
{
    (void)unused;
    for (ulong n = 0; n < rounds; n++) {
        unsigned version = n * 7 / 3 % VERSIONS;

        map(0, version);
        switch (n % 3) {
        case 0:
            __asm__ volatile("sfence.vma %0, x0" ::"r"(TEST_VA) : "memory");
            break;
        case 1:
            __asm__ volatile("sfence.vma x0, x0" ::: "memory");
            break;
        default:
            __asm__ volatile("sfence.vma %0, %1" ::"r"(TEST_VA), "r"(0UL) : "memory");
        }
        expect(version);
    }
}

/* Each space has its own page there and an ASID; then all share one ASID, with a fence each time. */
static void switch_spaces(ulong rounds, ulong fence)
{
    for (ulong n = 0; n < rounds; n++) {
        unsigned version = n * 5 / 3 % VERSIONS;

        csr_write(satp, space_satp(&spaces[version], fence ? 9 : version + 1));
        if (fence)
            __asm__ volatile("sfence.vma x0, %0" ::"r"(9UL) : "memory");
        expect(version);
    }
    csr_write(satp, space_satp(&spaces[0], 0));
    sfence_all();
}

static void run(void (*work)(ulong, ulong), ulong a0, ulong a1)
{
    struct run r = run_function(MODE_S, work, a0, a1);

    CHECK(r.cause, CAUSE_ECALL_S);
    CHECK(r.tval, 0);
    CHECK(mistakes, 0);
}

void test_main(void)
{
    for (unsigned n = 0; n < VERSIONS; n++) {
        pages[n] = page_new();
        pages[n][0] = 0x00050513 | (n + 1) << 20;
        pages[n][1] = 0x00008067;
        pages[n][4] = n;
        spaces[n] = space_new(DEFAULT_LEVELS);
        map(n, n);
    }
    fence_i();
    CHECK(space_on(&spaces[0]), true);
    run(remap, 3000, 0);
    map(0, 0);
    sfence_all();
    run(switch_spaces, 3000, 0);
    run(switch_spaces, 3000, 1);
    space_off();
}
