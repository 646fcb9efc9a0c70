/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * An access of which an entry matches only some bytes fails, whatever the entry allows: doublewords,
 * misaligned words (privileged specification, "Priority and Matching
 * Logic").
 *
 * rerun: tests/isa/isa.test pmp_partial
 */
#include "pmp.h"

static uint64_t area[16] __attribute__((aligned(128)));
#define BASE ((ulong)area)

void test_main(void)
{
    pmp_open_last();
    /* Full rights, but for four bytes of eight. */
    pmp_set(0, PMP_NA4 | PMP_RWX, AT(BASE + 16));
    RUN_TRAPS(MODE_S, BASE + 16, 0, "lw a0, 0(a0)", CAUSE_ECALL_S, 0);
    RUN_TRAPS(MODE_S, BASE + 20, 0, "lw a0, 0(a0)", CAUSE_ECALL_S, 0);
#if RV64
    RUN_TRAPS(MODE_S, BASE + 16, 0, "ld a0, 0(a0)", CAUSE_LOAD_ACCESS, BASE + 16);
    RUN_TRAPS(MODE_U, BASE + 16, 0, "sd a1, 0(a0)", CAUSE_STORE_ACCESS, BASE + 16);
    RUN_TRAPS(MODE_U, BASE + 8, 0, "ld a0, 0(a0)", CAUSE_ECALL_U, 0);
    /* In M-mode as well, though an entry that is not locked allows it everything. */
    RUN_TRAPS(MODE_M, BASE + 16, 0, "ld a0, 0(a0)", CAUSE_LOAD_ACCESS, BASE + 16);
    RUN_TRAPS(MODE_M, BASE + 24, 0, "ld a0, 0(a0)", CAUSE_ECALL_M, 0);
#endif
    CHECK(RUN(MODE_S, BASE + 14, 0, "lw a0, 0(a0)").cause, CAUSE_LOAD_ACCESS);
    CHECK(RUN(MODE_S, BASE + 18, 0, "sw a1, 0(a0)").cause, CAUSE_STORE_ACCESS);
}
