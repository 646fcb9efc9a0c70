/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * With Svadu's menvcfg.ADUE clear, an access to a page without A, or a store without D, is a page
 * fault and changes nothing; ADUE set, hardware sets them (privileged specification, "Svade", "Svadu").
 *
 * rerun: tests/isa/isa.test accessed_and_dirty_fault
 * oracle: none, QEMU 7.2 has no ADUE and always sets the bits
 */
#include "paging.h"

static struct space space;
static uint32_t *page;

static void set_adue(bool on)
{
#if RV64
    if (on)
        csr_set(menvcfg, MENVCFG_ADUE);
    else
        csr_clear(menvcfg, MENVCFG_ADUE);
#else
    if (on)
        csr_set(0x31a, MENVCFG_ADUE >> 32);
    else
        csr_clear(0x31a, MENVCFG_ADUE >> 32);
#endif
}

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
    set_adue(false);
    expect(rwx, false, false, false);
    expect(rwx | PTE_A, true, false, true);
    expect(rwx | PTE_D, false, false, false);
    expect(rwx | PTE_A | PTE_D, true, true, true);
    set_adue(true);
    space_map(&space, TEST_VA, (ulong)page, 0, rwx);
    sfence_all();
    RUN_OK(MODE_S, TEST_VA + 8, 0, STORE_WORD);
    CHECK(*space_entry(&space, TEST_VA, 0), pte_make((ulong)page, rwx | PTE_A | PTE_D));
    space_off();
}
