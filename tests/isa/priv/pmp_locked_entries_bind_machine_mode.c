/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * L makes an entry bind M-mode and its registers read-only until reset; a locked TOR entry also locks
 * the address below it; writes to the rest of a pmpcfg go through (privileged specification,
 * "Locking and Privilege Mode").
 *
 * rerun: tests/isa/isa.test pmp_locked
 */
#include "pmp.h"

static uint32_t area[1024] __attribute__((aligned(4096)));
#define BASE ((ulong)area)

void test_main(void)
{
    pmp_open_last();
    area[0] = 5;
    pmp_set(0, PMP_NAPOT | PMP_R, NAPOT(BASE, 64));
    RUN_TRAPS(MODE_M, BASE, 0, "sw a1, 0(a0)", CAUSE_ECALL_M, 0);
    pmp_set_cfg(0, PMP_NAPOT | PMP_R | PMP_L);
    RUN_TRAPS(MODE_M, BASE, 0, "sw a1, 0(a0)", CAUSE_STORE_ACCESS, BASE);
    RUN_TRAPS(MODE_M, BASE, 0, "lw a0, 0(a0)", CAUSE_ECALL_M, 0);
    CHECK(run_at(MODE_M, BASE, 0, 0).cause, CAUSE_FETCH_ACCESS);
    RUN_TRAPS(MODE_S, BASE, 0, "sw a1, 0(a0)", CAUSE_STORE_ACCESS, BASE);
    RUN_TRAPS(MODE_M, BASE + 64, 0, "sw a1, 0(a0)", CAUSE_ECALL_M, 0);

    pmp_set(0, PMP_NAPOT | PMP_RWX, NAPOT(BASE, 64));
    CHECK(pmp_cfg(0), PMP_NAPOT | PMP_R | PMP_L);
    pmp_set_addr(0, 0);
    CHECK(pmp_addr(0), NAPOT(BASE, 64));

    /* Its neighbours in the register are free. */
    pmp_set(1, PMP_NA4 | PMP_X, AT(BASE + 256));
    CHECK(pmp_cfg(1), PMP_NA4 | PMP_X);
    CHECK(pmp_cfg(0), PMP_NAPOT | PMP_R | PMP_L);
    RUN_TRAPS(MODE_S, BASE + 256, 0, "lw a0, 0(a0)", CAUSE_LOAD_ACCESS, BASE + 256);

    pmp_set_addr(3, AT(BASE + 512));
    pmp_set(4, PMP_TOR | PMP_L, AT(BASE + 1024));
    pmp_set_addr(3, 0);
    CHECK(pmp_addr(3), AT(BASE + 512));
    RUN_TRAPS(MODE_M, BASE + 512, 0, "lw a0, 0(a0)", CAUSE_LOAD_ACCESS, BASE + 512);
    RUN_TRAPS(MODE_M, BASE + 508, 0, "lw a0, 0(a0)", CAUSE_ECALL_M, 0);

    /* Off and locked is locked, too. */
    pmp_set(6, PMP_L, 123);
    pmp_set(6, PMP_NAPOT, 456);
    CHECK(pmp_cfg(6), PMP_L);
    CHECK(pmp_addr(6), 123);
}
