/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * An instruction that lies on two pages is fetched from both: when the second one faults, epc is the
 * instruction's address and tval the second page's; a compressed one at the end needs no second page
 * (privileged specification, "Machine Trap Value Register").
 *
 * rerun: tests/isa/isa.test fetch_across
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

static void try(unsigned mode, ulong user)
{
    ulong at = TEST_VA + PAGE - 2;
    ulong flags = PTE_V | PTE_X | PTE_A | user;
    struct run r;

    /* addi a0, a0, 0x123 in two halves, then ecall. */
    put16(first + PAGE - 2, 0x0513);
    put16(second, 0x1235);
    put32(second + 2, INSN_ECALL);
    fence_i();
    map_both(flags, flags);
    r = run_at(mode, at, 1, 0);
    CHECK(r.cause, CAUSE_ECALL_U + mode);
    CHECK(r.a0, 0x124);
    CHECK(r.epc, at + 4);

    map_both(flags, 0);
    r = run_at(mode, at, 1, 0);
    CHECK(r.cause, CAUSE_FETCH_PAGE);
    CHECK(r.epc, at);
    CHECK(r.tval, TEST_VA + PAGE);
    CHECK(r.a0, 1);
    map_both(flags, (flags & ~PTE_X) | PTE_R);
    r = run_at(mode, at, 1, 0);
    CHECK(r.cause, CAUSE_FETCH_PAGE);
    CHECK(r.tval, TEST_VA + PAGE);

    map_both(0, flags);
    r = run_at(mode, at, 1, 0);
    CHECK(r.cause, CAUSE_FETCH_PAGE);
    CHECK(r.epc, at);
    CHECK(r.tval, at);

    /* c.addi a0, 3 before the end; then the next page faults with its own epc. */
    put16(first + PAGE - 2, 0x050d);
    fence_i();
    map_both(flags, 0);
    r = run_at(mode, at, 1, 0);
    CHECK(r.cause, CAUSE_FETCH_PAGE);
    CHECK(r.epc, TEST_VA + PAGE);
    CHECK(r.tval, TEST_VA + PAGE);
    CHECK(r.a0, 4);

    /* The second page changes under the same first page. */
    put16(first + PAGE - 2, 0x0513);
    fence_i();
    map_both(flags, flags);
    CHECK(run_at(mode, at, 1, 0).a0, 0x124);
    put16(second, 0x0025);
    fence_i();
    CHECK(run_at(mode, at, 1, 0).a0, 3);
}

void test_main(void)
{
    space = space_new(DEFAULT_LEVELS);
    second = page_new();
    first = page_new();
    CHECK(space_on(&space), true);
    try(MODE_S, 0);
    try(MODE_U, PTE_U);
    space_off();
}
