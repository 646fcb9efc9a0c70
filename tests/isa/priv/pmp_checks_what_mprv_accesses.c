/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * With MPRV and MPP = S or U, PMP treats M-mode's loads and stores as S's or U's, and its fetches as
 * M's; changes of PMP are seen by translated accesses after sfence.vma (privileged specification,
 * "Physical Memory Protection CSRs", "Physical Memory Protection and Paging").
 *
 * rerun: tests/isa/isa.test pmp_checks
 */
#include "paging.h"
#include "pmp.h"

static uint32_t area[1024] __attribute__((aligned(4096)));
#define BASE ((ulong)area)

#define AS(mode, at, access) \
    RUN(MODE_M, at, (0x20000 | (mode) << 11), \
        "li t0, 0x1800\ncsrc mstatus, t0\ncsrs mstatus, a1\n" access)

void test_main(void)
{
    pmp_open_last();
    pmp_set(0, PMP_NAPOT | PMP_R, NAPOT(BASE, 4096));
    for (unsigned mode = MODE_U; mode <= MODE_S; mode++) {
        CHECK(AS(mode, BASE, "lw a0, 0(a0)").cause, CAUSE_ECALL_M);
        CHECK(AS(mode, BASE, "sw a1, 0(a0)").cause, CAUSE_STORE_ACCESS);
        CHECK(AS(mode, BASE, "sw a1, 0(a0)").tval, BASE);
    }
    CHECK(AS(MODE_M, BASE, "sw a1, 0(a0)").cause, CAUSE_ECALL_M);
    /* The fetch of what follows csrs is M-mode's: forbid S the code. */
    pmp_set(1, PMP_NAPOT | PMP_R | PMP_W, NAPOT(RAM_BASE, 64 << 20));
    CHECK(AS(MODE_S, BASE, "lw a0, 0(a0)").cause, CAUSE_ECALL_M);
    pmp_set(1, 0, 0);

    /* Through a page table. */
    struct space space = space_new(DEFAULT_LEVELS);
    space_map(&space, TEST_VA, BASE, 0, PTE_RW);
    CHECK(space_on(&space), true);
    pmp_set_cfg(0, PMP_NAPOT | PMP_R | PMP_W);
    CHECK(RUN(MODE_S, TEST_VA, 0, STORE_WORD).cause, CAUSE_ECALL_S);
    pmp_set_cfg(0, PMP_NAPOT | PMP_R);
    RUN_TRAPS(MODE_S, TEST_VA, 0, STORE_WORD, CAUSE_STORE_ACCESS, TEST_VA);
    RUN_TRAPS(MODE_S, TEST_VA, 0, LOAD_WORD, CAUSE_ECALL_S, 0);
    pmp_set_cfg(0, PMP_NAPOT);
    RUN_TRAPS(MODE_S, TEST_VA + 8, 0, LOAD_WORD, CAUSE_LOAD_ACCESS, TEST_VA + 8);
    CHECK(AS(MODE_S, TEST_VA, "lw a0, 0(a0)").cause, CAUSE_LOAD_ACCESS);
    pmp_set(0, PMP_NA4, AT(BASE + 0x100)); /* a part of the page */
    RUN_TRAPS(MODE_S, TEST_VA + 0xfc, 0, LOAD_WORD, CAUSE_ECALL_S, 0);
    RUN_TRAPS(MODE_S, TEST_VA + 0x100, 0, LOAD_WORD, CAUSE_LOAD_ACCESS, TEST_VA + 0x100);
    RUN_TRAPS(MODE_S, TEST_VA + 0x104, 0, STORE_WORD, CAUSE_ECALL_S, 0);
    space_off();
}
