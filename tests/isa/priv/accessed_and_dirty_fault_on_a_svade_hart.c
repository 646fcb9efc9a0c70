/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * A hart with Svade and without Svadu has no ADUE: an access to a page without A, or a store
 * without D, is a page fault and changes nothing (privileged specification, "Svade").
 *
 * rerun: tests/isa/isa.test svade_hart
 * cpu: svade=on,svadu=off
 * oracle: none, QEMU 7.2 has no ADUE and always sets the bits
 */
#include "paging.h"

static struct space space;
static uint32_t *page;

static void expect(ulong flags, bool load, bool store, bool fetch)
{
    struct run r;

    page[0] = INSN_ECALL;
    space_map(&space, TEST_VA, (ulong)page, 0, flags);
    sfence_all();
    r = RUN(MODE_S, TEST_VA + 8, 0, LOAD_WORD);
    CHECK(r.cause, load ? CAUSE_ECALL_S : CAUSE_LOAD_PAGE);
    CHECK(r.tval, load ? 0 : TEST_VA + 8);
    r = RUN(MODE_S, TEST_VA + 8, 0, STORE_WORD);
    CHECK(r.cause, store ? CAUSE_ECALL_S : CAUSE_STORE_PAGE);
    CHECK(r.tval, store ? 0 : TEST_VA + 8);
    CHECK(RUN(MODE_S, TEST_VA + 8, 0, AMO_WORD).cause, store ? CAUSE_ECALL_S : CAUSE_STORE_PAGE);
    r = run_fetch(MODE_S, TEST_VA);
    CHECK(r.cause, fetch ? CAUSE_ECALL_S : CAUSE_FETCH_PAGE);
    CHECK(*space_entry(&space, TEST_VA, 0), pte_make((ulong)page, flags));
}

void test_main(void)
{
    ulong rwx = PTE_V | PTE_R | PTE_W | PTE_X;

    space = space_new(DEFAULT_LEVELS);
    page = page_new();
    CHECK(space_on(&space), true);
#if RV64
    csr_set(menvcfg, MENVCFG_ADUE);
    CHECK(csr_read(menvcfg) & MENVCFG_ADUE, 0);
#else
    csr_set(0x31a, MENVCFG_ADUE >> 32);
    CHECK(csr_read(0x31a) & MENVCFG_ADUE >> 32, 0);
#endif
    expect(rwx, false, false, false);
    expect(rwx | PTE_A, true, false, true);
    expect(rwx | PTE_D, false, false, false);
    expect(rwx | PTE_A | PTE_D, true, true, true);
    space_off();
}
