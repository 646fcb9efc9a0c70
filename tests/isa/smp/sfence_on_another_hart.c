/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * A mapping that one hart changes is gone on another after the other's sfence.vma, which an IPI asks
 * for (a TLB shootdown); harts with the same tables set A and D without losing each other's bits
 * (privileged specification, "Supervisor Memory-Management Fence Instruction", "Svadu").
 *
 * rerun: tests/isa/isa.test sfence_on
 * harts: 4
 */
#include "paging.h"
#include "smp.h"

#define PAGES 8

static struct space space;
static uint32_t *pages[PAGES];
static struct {
    uint32_t asked, done, pad[14];
} control __attribute__((aligned(64)));
static uint32_t answered[HARTS], wrong;

static ulong load_translated(ulong va)
{
    ulong value;

    /* MPRV with MPP = S: M-mode's load goes through the tables. */
    csr_set(mstatus, 1UL << 11);
    csr_clear(mstatus, 1UL << 12);
    csr_set(mstatus, MSTATUS_MPRV);
    __asm__ volatile("lw %0, 0(%1)" : "=r"(value) : "r"(va) : "memory");
    csr_clear(mstatus, MSTATUS_MPRV);
    return value;
}

static void store_translated(ulong va, uint32_t value)
{
    csr_set(mstatus, 1UL << 11);
    csr_clear(mstatus, 1UL << 12);
    csr_set(mstatus, MSTATUS_MPRV);
    __asm__ volatile("sw %1, 0(%0)" ::"r"(va), "r"(value) : "memory");
    csr_clear(mstatus, MSTATUS_MPRV);
}

static void follow(ulong hart, ulong unused)
{
    (void)unused;
    csr_write(satp, space_satp(&space, hart));
    sfence_all();
    for (uint32_t last = 0; !GET(control.done);) {
        uint32_t asked = GET(control.asked);
        ulong seen;

        if (asked == last) {
            /* Before the fence: the old page or the new one, no other. */
            seen = load_translated(TEST_VA);
            if (seen != 100 + last % PAGES && seen != 100 + (last + 1) % PAGES)
                SET(wrong, 1);
            continue;
        }
        fence(r, rw);
        switch (asked % 3) {
        case 0:
            sfence_all();
            break;
        case 1:
            __asm__ volatile("sfence.vma %0, x0" ::"r"(TEST_VA) : "memory");
            break;
        default:
            __asm__ volatile("sfence.vma x0, %0" ::"r"(hart) : "memory");
        }
        if (load_translated(TEST_VA) != 100 + asked % PAGES)
            SET(wrong, 2);
        last = asked;
        fence(rw, w);
        SET(answered[hart], asked);
    }
    csr_write(satp, 0);
    sfence_all();
}

static void test_remap(void)
{
    uint64_t start = clint_time();

    space_map(&space, TEST_VA, (ulong)pages[0], 0, PTE_RW);
    for (unsigned hart = 1; hart < HARTS; hart++)
        smp_start(hart, follow, 0);
    for (uint32_t n = 1; smp_go_on(n, start); n++) {
        *(volatile ulong *)space_entry(&space, TEST_VA, 0) =
            pte_make((ulong)pages[n % PAGES], PTE_RW);
        fence(rw, w);
        SET(control.asked, n);
        for (unsigned hart = 1; hart < HARTS; hart++)
            while (GET(answered[hart]) != n)
                relax();
    }
    SET(control.done, 1);
    for (unsigned hart = 1; hart < HARTS; hart++)
        smp_wait(hart);
    CHECK(wrong, 0);
}

/* All harts set A and D in the same entries at once; two of them only load. */
static void touch(ulong hart, ulong unused)
{
    (void)unused;
    csr_write(satp, space_satp(&space, 0));
    sfence_all();
    for (unsigned n = 0; n < PAGES; n++) {
        ulong va = TEST_VA + n * PAGE;

        if (hart & 1)
            store_translated(va + 4 * hart, n);
        else
            load_translated(va);
    }
    csr_write(satp, 0);
    sfence_all();
}

static void test_accessed_and_dirty(void)
{
    uint64_t start = clint_time();

    for (unsigned round = 0; smp_go_on(round, start); round++) {
        for (unsigned n = 0; n < PAGES; n++)
            space_map(&space, TEST_VA + n * PAGE, (ulong)pages[n], 0,
                      PTE_V | PTE_R | PTE_W | 0x100);
        smp_all(touch, 0);
        for (unsigned n = 0; n < PAGES; n++)
            CHECK(*space_entry(&space, TEST_VA + n * PAGE, 0),
                  pte_make((ulong)pages[n], PTE_RW | 0x100));
    }
}

void test_main(void)
{
    smp_begin();
    space = space_new(DEFAULT_LEVELS);
    for (unsigned n = 0; n < PAGES; n++) {
        pages[n] = page_new();
        pages[n][0] = 100 + n;
    }
    test_remap();
    test_accessed_and_dirty();
}
