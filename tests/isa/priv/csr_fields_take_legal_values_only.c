/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * WARL fields keep or take a legal value whatever is written: MPP, xEPC, xtvec, the delegation and
 * enable registers, satp's mode and the envcfg fields; misa reads as the hart is (privileged
 * specification, "CSR Field Specifications" and each register).
 *
 * rerun: tests/isa/isa.test csr_fields
 * oracle: none, QEMU 7.2 keeps low bits of mepc, takes medeleg bit 11 and MPP 2, and writes no register by a csrrs of 0
 */
#include "test.h"

static void test_status(void)
{
    csr_clear(mstatus, MSTATUS_MPP);
    csr_set(mstatus, 2UL << 11); /* no such mode */
    CHECK_TRUE((csr_read(mstatus) & MSTATUS_MPP) != 2UL << 11);
    csr_write(mstatus, MSTATUS_MPP);
    CHECK(csr_read(mstatus) & MSTATUS_MPP, MSTATUS_MPP);
    csr_write(mstatus, MSTATUS_FS);
#if RV64
    csr_set(mstatus, 15UL << 32); /* UXL and SXL have one value */
    CHECK(csr_read(mstatus) >> 32 & 15, 10);
    CHECK(csr_read(sstatus) >> 32 & 15, 2);
#else
    CHECK(csr_read(0x310), 0); /* mstatush: little-endian */
#endif
    /* sstatus shows and changes its own fields only. */
    csr_write(sstatus, -1);
    CHECK(csr_read(mstatus) & (MSTATUS_MIE | MSTATUS_MPIE | MSTATUS_MPP | MSTATUS_MPRV |
                               MSTATUS_TVM | MSTATUS_TW | MSTATUS_TSR),
          0);
    CHECK(csr_read(sstatus) &
              (MSTATUS_SUM | MSTATUS_MXR | MSTATUS_SPP | MSTATUS_SPIE | MSTATUS_SIE),
          MSTATUS_SUM | MSTATUS_MXR | MSTATUS_SPP | MSTATUS_SPIE | MSTATUS_SIE);
    csr_write(sstatus, MSTATUS_FS);
}

static void test_trap_registers(void)
{
    ulong before = csr_read(mtvec);

    csr_write(mepc, RAM_BASE + 3);
    CHECK(csr_read(mepc), RAM_BASE + 2);
    csr_write(sepc, -1);
    CHECK(csr_read(sepc), -2);
    csr_write(mtvec, before | 3);
    CHECK_TRUE((csr_read(mtvec) & 3) < 2);
    csr_write(mtvec, before);
    CHECK(csr_read(mtvec), before);
    csr_write(stvec, RAM_BASE | 1);
    CHECK(csr_read(stvec), RAM_BASE | 1);
    csr_write(stvec, RAM_BASE | 2);
    CHECK_TRUE((csr_read(stvec) & 3) < 2);

    csr_write(medeleg, -1);
    CHECK(csr_read(medeleg) & 1UL << CAUSE_ECALL_M, 0);
    CHECK(csr_read(medeleg) & 0xb1ff, 0xb1ff);
    csr_write(medeleg, 0);
    csr_write(mideleg, -1);
    CHECK(csr_read(mideleg), 1 << IRQ_SSI | 1 << IRQ_STI | 1 << IRQ_SEI | 1 << IRQ_LCOFI);
    csr_write(mideleg, 0);
    csr_write(mie, -1);
    CHECK(csr_read(mie), 0xaaa | 1 << IRQ_LCOFI);
    CHECK(csr_read(sie), 0); /* nothing is delegated */
    csr_write(sie, -1);
    csr_write(mie, 0);
    CHECK(csr_read(mie), 0);
    csr_write(mideleg, 1 << IRQ_SSI);
    csr_write(sie, -1);
    CHECK(csr_read(mie), 1 << IRQ_SSI);
    csr_write(mie, 0);
    csr_write(mideleg, 0);
}

static void test_translation(void)
{
#if RV64
    for (ulong mode = 1; mode < 16; mode++) {
        csr_write(satp, 0);
        csr_write(satp, mode << 60 | 0x1234);
        if (mode == 8 || mode == 9)
            CHECK(csr_read(satp), mode << 60 | 0x1234);
        else
            CHECK(csr_read(satp),
                  0); /* the whole write has no effect; Sv57 is off if not asked for */
    }
    csr_write(satp, 8UL << 60 | 0xffffUL << 44 | 0xfffffffffff);
    CHECK(csr_read(satp), 8UL << 60 | 0xffffUL << 44 | 0xfffffffffff);
#else
    csr_write(satp, -1);
    CHECK(csr_read(satp), -1);
#endif
    csr_write(satp, 0);
    CHECK(csr_read(satp), 0);
}

static void test_environment(void)
{
    csr_write(menvcfg, ENVCFG_CBIE_FLUSH);
    csr_write(menvcfg, 2 << 4); /* reserved */
    CHECK_TRUE((csr_read(menvcfg) & ENVCFG_CBIE) != 2 << 4);
    csr_write(menvcfg, ENVCFG_CBIE_INVAL | ENVCFG_CBCFE | ENVCFG_CBZE | 1);
    CHECK(csr_read(menvcfg), ENVCFG_CBIE_INVAL | ENVCFG_CBCFE | ENVCFG_CBZE | 1);
    csr_write(senvcfg, -1);
    CHECK(csr_read(senvcfg), ENVCFG_CBIE_INVAL | ENVCFG_CBCFE | ENVCFG_CBZE | 1);
    csr_write(senvcfg, 0);
    csr_write(menvcfg, 0);
}

static void test_identity(void)
{
    ulong misa = csr_read(misa);
    ulong want = 1 << ('i' - 'a') | 1 << ('m' - 'a') | 1 << ('a' - 'a') | 1 << ('f' - 'a') |
                 1 << ('d' - 'a') | 1 << ('c' - 'a') | 1 << ('s' - 'a') | 1 << ('u' - 'a');

    CHECK(misa >> (XLEN - 2), RV64 ? 2 : 1);
    CHECK(misa & want, want);
    CHECK(misa & (1 << ('h' - 'a') | 1 << ('v' - 'a') | 1 << ('e' - 'a')), 0);
    RUN_ILLEGAL(MODE_M, "csrrs a1, mhartid, a0"); /* a write, though of no bit: rs1 is not x0 */
    csr_write(misa, 0); /* no extension can be switched off while the hart runs */
    CHECK(csr_read(misa), misa);
    CHECK(csr_read(mhartid), 0);
    (void)csr_read(mvendorid);
    (void)csr_read(marchid);
    (void)csr_read(mimpid);
    CHECK(csr_read(0xf15), 0); /* mconfigptr */
}

void test_main(void)
{
    test_status();
    test_trap_registers();
    test_translation();
    test_environment();
    test_identity();
}
