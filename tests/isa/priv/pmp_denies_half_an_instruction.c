/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * An instruction of four bytes needs the right to be fetched for both halves (privileged
 * specification, "Priority and Matching Logic").
 *
 * rerun: tests/isa/isa.test pmp_denies_half
 * oracle: none, QEMU 7.2 checks the first half only
 */
#include "pmp.h"

static uint64_t area[16] __attribute__((aligned(128)));
#define BASE ((ulong)area)

void test_main(void)
{
    pmp_open_last();
    /* A four-byte instruction in two entries. */
    uint16_t *code = (uint16_t *)(BASE + 32);
    code[1] = 0x0513; /* addi a0, a0, 0x123 */
    code[2] = 0x1235;
    code[3] = 0x0073; /* ecall */
    code[4] = 0x0000;
    __asm__ volatile("fence.i");
    pmp_set(0, 0, 0);
    CHECK(run_at(MODE_S, BASE + 34, 1, 0).a0, 0x124);
    pmp_set(0, PMP_NA4 | PMP_R, AT(BASE + 36));
    CHECK(run_at(MODE_S, BASE + 34, 1, 0).cause, CAUSE_FETCH_ACCESS);
    pmp_set(0, 0, 0);
    CHECK(run_at(MODE_S, BASE + 34, 1, 0).a0, 0x124);
}
