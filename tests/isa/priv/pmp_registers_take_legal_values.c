/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * pmpcfg: bits 5 and 6 read zero, W without R is not taken; pmpaddr holds 32 bits on rv32 and 54 on
 * rv64; every entry is there or reads zero (privileged specification, "Physical Memory Protection
 * CSRs").
 *
 * rerun: tests/isa/isa.test pmp_registers
 * oracle: none, QEMU 7.2 keeps bits 5 and 6, W without R, and all 64 bits of pmpaddr
 */
#include "pmp.h"

void test_main(void)
{
    pmp_open_last();
    for (unsigned n = 0; n < PMP_LAST; n++) {
        pmp_set_cfg(n, 0x60 | PMP_R);
        CHECK(pmp_cfg(n), PMP_R);
        pmp_set_cfg(n, PMP_W | PMP_X);
        CHECK_TRUE((pmp_cfg(n) & 3) != PMP_W);
        pmp_set_cfg(n, 0);
        pmp_set_addr(n, -1);
        CHECK64(pmp_addr(n), RV64 ? (1ull << 54) - 1 : 0xffffffff);
        pmp_set_addr(n, 0x12345678);
        CHECK(pmp_addr(n), 0x12345678);
        pmp_set_addr(n, 0);
    }
    /* 16 to 63: there is no error, and here nothing behind them. */
    CHECK(RUN_OK(MODE_M, -1, 0, "csrw 0x3c0, a0\ncsrr a0, 0x3c0"), 0);
    CHECK(RUN_OK(MODE_M, -1, 0, "csrw 0x3ef, a0\ncsrr a0, 0x3ef"), 0);
    CHECK(RUN_OK(MODE_M, -1, 0, "csrw 0x3ae, a0\ncsrr a0, 0x3ae"), 0);
}
