/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * With mstatus.FS off every FP instruction and FP CSR is illegal; a write to FP state makes it
 * Dirty, and SD is there exactly when FS is Dirty (privileged specification, "Extension Context
 * Status in mstatus Register").
 *
 * rerun: tests/isa/isa.test fs_guards
 */
#include "test.h"

#define FS_INITIAL (1UL << 13)
#define FS_CLEAN (2UL << 13)
#define SD (1UL << (XLEN - 1))

static void set_fs(ulong fs)
{
    csr_clear(mstatus, MSTATUS_FS);
    csr_set(mstatus, fs);
}

/* One instruction that must make Clean state Dirty. */
#define DIRTIES(mode, text) \
    do { \
        struct run r_; \
        set_fs(FS_CLEAN); \
        CHECK(csr_read(mstatus) & SD, 0); \
        r_ = RUN(mode, scratch, 0, text); \
        check("ended: " text, __LINE__, r_.cause, CAUSE_ECALL_U + (mode)); \
        check("dirty: " text, __LINE__, r_.status &(MSTATUS_FS | SD), MSTATUS_FS | SD); \
    } while (0)

static ulong scratch[2] __attribute__((aligned(16)));

static void test_off(unsigned mode)
{
    set_fs(0);
    RUN_ILLEGAL(mode, "fadd.s ft0, ft1, ft2");
    RUN_ILLEGAL(mode, "fadd.d ft0, ft1, ft2");
    RUN_ILLEGAL(mode, "fmadd.d ft0, ft1, ft2, ft3");
    RUN_ILLEGAL(mode, "flw ft0, 0(a0)");
    RUN_ILLEGAL(mode, "fsd ft0, 0(a0)");
    RUN_ILLEGAL(mode, "c.fldsp ft0, 0(sp)");
    RUN_ILLEGAL(mode, "fmv.x.w a0, ft0");
    RUN_ILLEGAL(mode, "feq.s a0, ft0, ft0");
    RUN_ILLEGAL(mode, "fcvt.s.w ft0, a0");
    RUN_ILLEGAL(mode, "csrr a0, fcsr");
    RUN_ILLEGAL(mode, "csrr a0, frm");
    RUN_ILLEGAL(mode, "csrw fflags, zero");
    set_fs(FS_INITIAL);
}

static void test_dirty(unsigned mode)
{
    DIRTIES(mode, "flw ft0, 0(a0)");
    DIRTIES(mode, "fmv.w.x ft0, zero");
    DIRTIES(mode, "fadd.d ft0, ft1, ft2");
    DIRTIES(mode, "fsgnj.s ft3, ft0, ft0");
    DIRTIES(mode, "csrw fcsr, zero");
    DIRTIES(mode, "csrrsi a0, fflags, 1");
    DIRTIES(mode, "csrw frm, zero");
}

static void test_views(void)
{
    set_fs(MSTATUS_FS);
    CHECK(csr_read(sstatus) & (MSTATUS_FS | SD), MSTATUS_FS | SD);
    csr_clear(sstatus, MSTATUS_FS);
    CHECK(csr_read(mstatus) & (MSTATUS_FS | SD), 0);
    csr_set(mstatus, SD); /* read-only */
    CHECK(csr_read(mstatus) & SD, 0);
    csr_set(sstatus, FS_CLEAN);
    CHECK(csr_read(mstatus) & (MSTATUS_FS | SD), FS_CLEAN);
}

void test_main(void)
{
    static const unsigned modes[] = {MODE_M, MODE_S, MODE_U};

    for (unsigned i = 0; i < 3; i++) {
        test_off(modes[i]);
        test_dirty(modes[i]);
    }
    test_views();
}
