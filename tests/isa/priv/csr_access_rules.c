/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * A CSR that is not there, one of a higher mode, and a write to a read-only one are illegal
 * instructions; csrrs and csrrc with x0 or 0 do not write, csrrw with x0 does (privileged
 * specification, "CSR Address Mapping Conventions"; unprivileged, "Zicsr").
 *
 * rerun: tests/isa/isa.test csr_access
 */
#include "test.h"

static void test_absent(unsigned mode)
{
    RUN_ILLEGAL(mode, "csrr a0, 0x8ff");
    RUN_ILLEGAL(mode, "csrr a0, 0x1ff");
    RUN_ILLEGAL(mode, "csrw 0x7ff, a0");
    RUN_ILLEGAL(mode, "csrr a0, 0xcff");
    RUN_ILLEGAL(mode, "csrr a0, 0xfff");
    RUN_ILLEGAL(mode, "csrr a0, 0x200");
    RUN_ILLEGAL(mode, "csrr a0, 0x600"); /* hstatus: no hypervisor */
    RUN_ILLEGAL(mode, "csrr a0, 0x008"); /* vstart: no vectors */
    RUN_ILLEGAL(mode, "csrr a0, 0x7b0"); /* dcsr: debug mode only */
#if RV64
    RUN_ILLEGAL(mode, "csrr a0, 0xc80"); /* cycleh */
    RUN_ILLEGAL(mode, "csrr a0, 0x310"); /* mstatush */
    RUN_ILLEGAL(mode, "csrr a0, 0x3a1"); /* pmpcfg1 */
    RUN_ILLEGAL(mode, "csrr a0, 0xb80"); /* mcycleh */
#endif
}

static void test_read_only(unsigned mode)
{
    csr_write(mcounteren, -1);
    csr_write(scounteren, -1);
    RUN_OK(mode, 0, 0, "csrr a0, cycle");
    RUN_OK(mode, 0, 0, "csrrs a0, instret, x0");
    RUN_OK(mode, 0, 0, "csrrci a0, cycle, 0");
    RUN_ILLEGAL(mode, "csrrw x0, cycle, x0");
    RUN_ILLEGAL(mode, "csrrwi a0, instret, 0");
    RUN_ILLEGAL(mode, "csrrs a0, cycle, ra");
    RUN_ILLEGAL(mode, "csrrsi a0, time, 1");
    RUN_ILLEGAL(mode, "csrrc a0, hpmcounter3, ra");
}

static void test_lower_modes(void)
{
    RUN_ILLEGAL(MODE_S, "csrr a0, mstatus");
    RUN_ILLEGAL(MODE_S, "csrw mscratch, a0");
    RUN_ILLEGAL(MODE_S, "csrr a0, mhartid");
    RUN_ILLEGAL(MODE_S, "csrr a0, misa");
    RUN_ILLEGAL(MODE_S, "csrr a0, pmpcfg0");
    RUN_ILLEGAL(MODE_S, "csrr a0, mcycle");
    RUN_ILLEGAL(MODE_S, "csrr a0, 0x30a"); /* menvcfg */
    RUN_ILLEGAL(MODE_S, "csrr a0, 0x747"); /* mseccfg */
    RUN_ILLEGAL(MODE_U, "csrr a0, mstatus");
    RUN_ILLEGAL(MODE_U, "csrr a0, sstatus");
    RUN_ILLEGAL(MODE_U, "csrr a0, satp");
    RUN_ILLEGAL(MODE_U, "csrw sscratch, a0");
    RUN_ILLEGAL(MODE_U, "csrr a0, scounteren");
    RUN_ILLEGAL(MODE_U, "csrr a0, sip");
    RUN_OK(MODE_S, 0, 0, "csrr a0, sstatus\ncsrr a0, scause\ncsrr a0, stvec\ncsrr a0, 0x10a");
    RUN_OK(MODE_U, 0, 0, "csrr a0, fcsr");
    RUN_ILLEGAL(MODE_M, "csrw mhartid, a0");
    RUN_ILLEGAL(MODE_M, "csrw mvendorid, x0");
}

static void test_operations(void)
{
    CHECK(RUN_OK(MODE_S, 0x1f0, 0x0f0, "csrw sscratch, a0\ncsrrw a0, sscratch, a1"), 0x1f0);
    CHECK(csr_read(sscratch), 0x0f0);
    CHECK(RUN_OK(MODE_S, 0xf0f, 0, "csrrs a0, sscratch, a0"), 0x0f0);
    CHECK(csr_read(sscratch), 0xfff);
    CHECK(RUN_OK(MODE_S, 0x00f, 0, "csrrc a0, sscratch, a0"), 0xfff);
    CHECK(csr_read(sscratch), 0xff0);
    CHECK(RUN_OK(MODE_S, 0, 0, "csrrsi a0, sscratch, 31"), 0xff0);
    CHECK(csr_read(sscratch), 0xfff);
    CHECK(RUN_OK(MODE_S, 0, 0, "csrrci a0, sscratch, 1"), 0xfff);
    CHECK(csr_read(sscratch), 0xffe);
    CHECK(RUN_OK(MODE_S, 0, 0, "csrrwi a0, sscratch, 17"), 0xffe);
    CHECK(csr_read(sscratch), 17);
    RUN_OK(MODE_S, 0, 0, "csrrw x0, sscratch, x0");
    CHECK(csr_read(sscratch), 0);
    csr_write(sscratch, -1);
    CHECK(csr_read(sscratch), -1);
}

void test_main(void)
{
    static const unsigned modes[] = {MODE_M, MODE_S, MODE_U};

    for (unsigned i = 0; i < 3; i++) {
        test_absent(modes[i]);
        test_read_only(modes[i]);
    }
    test_lower_modes();
    test_operations();
}
