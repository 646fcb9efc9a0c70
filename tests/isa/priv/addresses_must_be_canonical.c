/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Bits above the highest translated one must equal it: otherwise load, store and fetch are page
 * faults with the whole address as tval (privileged specification, "Sv39", "Sv48", "Sv57").
 *
 * rerun: tests/isa/isa.test canonical
 * needs: rv64
 * cpu: sv57=on
 */
#include "paging.h"

static void try(uint64_t va, bool works)
{
    CHECK(RUN(MODE_S, va, 0, LOAD_WORD).cause, works ? CAUSE_ECALL_S : CAUSE_LOAD_PAGE);
    CHECK(RUN(MODE_S, va, 0, STORE_WORD).cause, works ? CAUSE_ECALL_S : CAUSE_STORE_PAGE);
    struct run r = run_fetch(MODE_S, va + 8);
    CHECK(r.cause, works ? CAUSE_ECALL_S : CAUSE_FETCH_PAGE);
    CHECK(r.epc, va + 8);
    if (!works) {
        CHECK(r.tval, va + 8);
        CHECK(RUN(MODE_S, va, 0, LOAD_WORD).tval, va);
        CHECK(RUN(MODE_S, va, 0, STORE_WORD).tval, va);
    }
}

static void test_levels(int levels)
{
    struct space space = space_new(levels);
    int top = 12 + 9 * levels - 1;
    uint64_t low = TEST_VA, high = -(1ull << top) + TEST_VA; /* highest bit set, extended */
    uint32_t *page = page_new();

    page[2] = INSN_ECALL;
    space_map(&space, low, (ulong)page, 0, PTE_RWX);
    space_map(&space, high, (ulong)page, 0, PTE_RWX);
    if (!space_on(&space)) {
        CHECK_TRUE(levels > 3);
        return;
    }
    try(low, true);
    try(high, true);
    for (int bit = top; bit < 64; bit++) {
        if (bit > top) {
            try(low ^ 1ull << bit, false);
            try(high ^ 1ull << bit, false);
        }
    }
    try(low | ~0ull << (top + 1), false);
    try(high & ~(~0ull << (top + 1)), false);
    space_off();
}

void test_main(void)
{
    for (int levels = 3; levels <= 5; levels++)
        test_levels(levels);
}
