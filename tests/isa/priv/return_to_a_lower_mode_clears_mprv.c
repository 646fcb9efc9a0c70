/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * mret to S or U and every sret clear MPRV; mret to M keeps it (privileged specification, "Privilege
 * and Global Interrupt-Enable Stack in mstatus").
 *
 * rerun: tests/isa/isa.test clears_mprv
 * oracle: none, QEMU 7.2 keeps MPRV
 */
#include "test.h"

#define RETURN(mnemonic, epc, status) \
    RUN(MODE_M, status, CODE("nop"), "csrw " epc ", a1\ncsrw mstatus, a0\n" mnemonic "\nj .\n")

void test_main(void)
{
    struct run r = RETURN("mret", "mepc", MSTATUS_MPRV | MODE_S << 11);

    CHECK(r.cause, CAUSE_ECALL_S);
    CHECK(r.status & MSTATUS_MPRV, 0);
    r = RETURN("mret", "mepc", MSTATUS_MPRV | MODE_U << 11);
    CHECK(r.cause, CAUSE_ECALL_U);
    CHECK(r.status & MSTATUS_MPRV, 0);
    r = RETURN("mret", "mepc", MSTATUS_MPRV | MODE_M << 11);
    CHECK(r.cause, CAUSE_ECALL_M);
    CHECK(r.status & MSTATUS_MPRV, MSTATUS_MPRV);
    r = RETURN("sret", "sepc", MSTATUS_MPRV | MSTATUS_SPP | MODE_M << 11);
    CHECK(r.cause, CAUSE_ECALL_S);
    CHECK(r.status & MSTATUS_MPRV, 0);
    r = RETURN("sret", "sepc", MSTATUS_MPRV | MODE_M << 11);
    CHECK(r.cause, CAUSE_ECALL_U);
    CHECK(r.status & MSTATUS_MPRV, 0);
}
