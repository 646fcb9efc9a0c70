/* SPDX-License-Identifier: GPL-3.0-only */
/* CSRs, traps and returns, the choice of interrupts, counters. */
#include "lone_hart.h"

#define SIGN (1ull << 63)

/* In the given mode, with the registers as they are. */
static void enter_mode(struct hart *h, unsigned priv)
{
    put(h, CSR_MSTATUS, (get(h, CSR_MSTATUS) & ~MSTATUS_MPP) | (uint64_t)priv << MSTATUS_MPP_SHIFT);
    assert_true(hart_mret(h));
    assert_int_equal(h->priv, priv);
}

static void enter_machine_mode(struct hart *h)
{
    h->priv = PRIV_M;
    tlb_context_changed(h);
}

static void access_follows_number_and_mode(void **state)
{
    (void)state;
    struct hart *h = lone_hart("rv64");
    uint64_t old = 1;

    assert_int_equal(get(h, CSR_MHARTID), 3);
    assert_int_equal(put(h, CSR_MHARTID, 0), CSR_ILLEGAL);
    assert_int_equal(csr_access(h, CSR_MHARTID, CSR_CLEAR, 0, true, true, &old), CSR_ILLEGAL);
    assert_false(readable(h, 0x7ff));
    assert_false(readable(h, 0x200));
    assert_false(readable(h, 0x7b0)); /* dcsr: for debug mode */
    assert_false(readable(h, 4096));
    assert_false(readable(h, CSR_MSTATUSH)); /* rv32's */
    assert_false(readable(h, CSR_CYCLEH));
    assert_false(readable(h, CSR_STIMECMPH));
    assert_int_equal(swap_in(h, CSR_TSELECT, 5), 0);
    assert_int_equal(get(h, CSR_TSELECT + 1), 0);
    assert_int_equal(get(h, CSR_TINFO), 1);

    enter_mode(h, PRIV_S);
    assert_false(readable(h, CSR_MSTATUS));
    assert_int_equal(swap_in(h, CSR_SSCRATCH, 77), 77);
    assert_int_equal(put(h, CSR_SCOUNTOVF, 0), CSR_ILLEGAL);
    enter_machine_mode(h);
    enter_mode(h, PRIV_U);
    assert_false(readable(h, CSR_SSCRATCH));
    assert_false(readable(h, CSR_CYCLE));
    hart_free(h);
}

static void set_and_clear_touch_their_bits(void **state)
{
    (void)state;
    struct hart *h = lone_hart("rv64");
    uint64_t old = 0;

    put(h, CSR_MSCRATCH, 0xf0f0);
    assert_int_equal(csr_access(h, CSR_MSCRATCH, CSR_SET, 0x000f, true, true, &old), CSR_OK);
    assert_int_equal(old, 0xf0f0);
    assert_int_equal(csr_access(h, CSR_MSCRATCH, CSR_CLEAR, 0xff00, true, true, &old), CSR_OK);
    assert_int_equal(old, 0xf0ff);
    assert_int_equal(get(h, CSR_MSCRATCH), 0x00ff);
    hart_free(h);
}

static void fields_are_legalised(void **state)
{
    (void)state;
    struct hart *h = lone_hart("rv64");
    const uint64_t widths = 0xaull << 32;

    assert_int_equal(get(h, CSR_MISA) >> 62, 2);
    assert_int_equal(get(h, CSR_MISA) & 0x3ffffff, 0x14112f);
    put(h, CSR_MISA, 0);
    assert_int_equal(get(h, CSR_MISA) & 0x3ffffff, 0x14112f);

    assert_int_equal(swap_in(h, CSR_MSTATUS, UINT64_MAX), SIGN | widths | 0x7e79aa);
    assert_int_equal(swap_in(h, CSR_MSTATUS, 2ull << MSTATUS_MPP_SHIFT), widths | MSTATUS_MPP);
    assert_int_equal(swap_in(h, CSR_SSTATUS, UINT64_MAX), SIGN | 2ull << 32 | 0xc6122);
    assert_int_equal(swap_in(h, CSR_MEDELEG, UINT64_MAX), 0xb3ff);
    assert_int_equal(swap_in(h, CSR_MIDELEG, UINT64_MAX), 0x2222);
    assert_int_equal(swap_in(h, CSR_MIE, UINT64_MAX), 0x2aaa);
    assert_int_equal(swap_in(h, CSR_MTVEC, 0x80000101), 0x80000101);
    assert_int_equal(swap_in(h, CSR_MTVEC, 0x90000002), 0x80000101);
    assert_int_equal(swap_in(h, CSR_STVEC, 0xffffffff80000000), 0xffffffff80000000);
    assert_int_equal(swap_in(h, CSR_MEPC, 0x1003), 0x1002);
    assert_int_equal(swap_in(h, CSR_MENVCFG, UINT64_MAX), 7ull << 61 | 0xf1);
    assert_int_equal(swap_in(h, CSR_MENVCFG, ENVCFG_CBIE & 2 << 4), ENVCFG_CBIE);
    assert_int_equal(swap_in(h, CSR_SENVCFG, UINT64_MAX), 0xf1);
    assert_int_equal(swap_in(h, CSR_SCOUNTEREN, UINT64_MAX), 0xffffffff);

    /* satp: an unknown mode leaves all as it was. */
    uint64_t sv48 = (uint64_t)SATP_SV48 << SATP64_MODE_SHIFT | 0xfffffffffffffff;
    assert_int_equal(swap_in(h, CSR_SATP, sv48), sv48);
    assert_int_equal(swap_in(h, CSR_SATP, (uint64_t)SATP_SV57 << SATP64_MODE_SHIFT), sv48);
    assert_int_equal(swap_in(h, CSR_SATP, 1ull << SATP64_MODE_SHIFT), sv48);
    assert_int_equal(put(h, CSR_SATP, 0), CSR_RESYNC);
    hart_free(h);

    h = lone_hart("rv64,c=off,f=off,sv48=off,svadu=off,sstc=off,svpbmt=off,sscofpmf=off");
    assert_int_equal(swap_in(h, CSR_MEPC, 0x1003), 0x1000);
    assert_int_equal(swap_in(h, CSR_MSTATUS, MSTATUS_FS), 0xaull << 32);
    assert_int_equal(swap_in(h, CSR_SATP, sv48), 0);
    assert_int_equal(swap_in(h, CSR_MENVCFG, UINT64_MAX), 0xf1);
    assert_int_equal(swap_in(h, CSR_MIE, UINT64_MAX), 0x0aaa);
    assert_false(readable(h, CSR_FCSR));
    assert_false(readable(h, CSR_STIMECMP));
    assert_false(readable(h, CSR_SCOUNTOVF));
    hart_free(h);
}

static void rv32_has_halves_and_sign_extends(void **state)
{
    (void)state;
    struct hart *h = lone_hart("rv32");

    assert_int_equal(get(h, CSR_MISA), 0x4014112f);
    assert_int_equal(swap_in(h, CSR_MSCRATCH, 0x80000000), 0xffffffff80000000);
    assert_int_equal(h->csr.mscratch, 0x80000000);
    assert_int_equal(swap_in(h, CSR_MSTATUS, MSTATUS_FS), 0xffffffff80006000);
    assert_int_equal(swap_in(h, CSR_MSTATUSH, UINT64_MAX), 0);
    assert_int_equal(swap_in(h, CSR_MENVCFGH, UINT64_MAX), 0xffffffffa0000000); /* no PBMTE */
    assert_int_equal(h->csr.menvcfg, MENVCFG_STCE | MENVCFG_ADUE);
    assert_int_equal(swap_in(h, CSR_MENVCFG, 1), 1);
    assert_int_equal(h->csr.menvcfg, MENVCFG_STCE | MENVCFG_ADUE | 1);
    assert_int_equal(swap_in(h, CSR_STIMECMP, 0x80000001), 0xffffffff80000001);
    assert_int_equal(swap_in(h, CSR_STIMECMPH, 2), 2);
    assert_int_equal(h->csr.stimecmp, 0x280000001);
    assert_int_equal(swap_in(h, CSR_SATP, UINT64_MAX), UINT64_MAX);
    assert_int_equal(h->csr.satp, 0xffffffff);
    put(h, CSR_MCYCLEH, 0x12345678);
    h->instret++;
    put(h, CSR_MCYCLE, 5);
    h->instret++;
    assert_int_equal(get(h, CSR_MCYCLE), 5);
    assert_int_equal(get(h, CSR_CYCLEH), 0x12345678);
    assert_int_equal(swap_in(h, CSR_MHPMEVENT3H, UINT64_MAX), 0xfffffffff0ffffff);

    /* A trap's pc and value are cut; the interrupt bit is bit 31. */
    h->pc = 0x80000004;
    put(h, CSR_MTVEC, 0xfffffffd);
    hart_trap(h, CAUSE_LOAD_ACCESS, 0xffffffff80000010);
    assert_int_equal(h->csr.mtval, 0x80000010);
    assert_int_equal(h->pc, 0xfffffffc);
    put(h, CSR_MIE, IRQ_BIT(MSI));
    put(h, CSR_MSTATUS, MSTATUS_MIE);
    hart_set_irq(h, IRQ_BIT(MSI), true);
    assert_true(hart_take_interrupt(h));
    assert_int_equal(h->csr.mcause, 0x80000003);
    assert_int_equal(h->pc, 8); /* the vector wraps at 4 GiB */
    hart_free(h);
}

static void fp_registers_follow_fs(void **state)
{
    (void)state;
    struct hart *h = lone_hart("rv64");

    assert_false(readable(h, CSR_FFLAGS));
    assert_int_equal(put(h, CSR_MSTATUS, 1 << 13), CSR_RESYNC);
    assert_int_equal(get(h, CSR_FCSR), 0);
    assert_int_equal(h->csr.mstatus & MSTATUS_FS, 1 << 13);
    assert_int_equal(swap_in(h, CSR_FCSR, UINT64_MAX), 0xff);
    assert_int_equal(h->csr.mstatus & MSTATUS_FS, MSTATUS_FS);
    assert_int_equal(get(h, CSR_FRM), 7);
    assert_int_equal(get(h, CSR_FFLAGS), 31);
    assert_int_equal(swap_in(h, CSR_FRM, 2), 2);
    assert_int_equal(h->fp.flags, 31);
    hart_free(h);
}

static void seed_gives_entropy_once_a_write(void **state)
{
    (void)state;
    struct hart *h = lone_hart("rv64");
    uint64_t old = 0;

    assert_false(readable(h, CSR_SEED));
    assert_int_equal(csr_access(h, CSR_SEED, CSR_WRITE, 0, true, true, &old), CSR_OK);
    assert_int_equal(old, 0x8000a5a5);
    enter_mode(h, PRIV_S);
    assert_int_equal(put(h, CSR_SEED, 0), CSR_ILLEGAL);
    enter_machine_mode(h);
    put(h, CSR_MSECCFG, MSECCFG_SSEED);
    enter_mode(h, PRIV_S);
    assert_int_equal(put(h, CSR_SEED, 0), CSR_OK);
    enter_machine_mode(h);
    enter_mode(h, PRIV_U);
    assert_int_equal(put(h, CSR_SEED, 0), CSR_ILLEGAL);
    hart_free(h);
}

static void gates_of_satp_counters_and_timer(void **state)
{
    (void)state;
    struct hart *h = lone_hart("rv64");

    put(h, CSR_MSTATUS, MSTATUS_TVM);
    enter_mode(h, PRIV_S);
    assert_false(readable(h, CSR_SATP));
    assert_false(readable(h, CSR_TIME));
    assert_false(readable(h, CSR_STIMECMP));
    enter_machine_mode(h);
    put(h, CSR_MCOUNTEREN, COUNTEREN_TM | 8);
    enter_mode(h, PRIV_S);
    assert_true(readable(h, CSR_TIME));
    assert_true(readable(h, CSR_HPMCOUNTER3));
    assert_false(readable(h, CSR_HPMCOUNTER3 + 1));
    assert_false(readable(h, CSR_STIMECMP));
    put(h, CSR_SCOUNTEREN, 8);
    enter_machine_mode(h);
    put(h, CSR_MENVCFG, MENVCFG_STCE);
    enter_mode(h, PRIV_S);
    assert_true(readable(h, CSR_STIMECMP));
    enter_machine_mode(h);
    enter_mode(h, PRIV_U);
    assert_false(readable(h, CSR_TIME));
    assert_true(readable(h, CSR_HPMCOUNTER3));
    hart_free(h);
}

static void exceptions_enter_the_right_mode(void **state)
{
    (void)state;
    struct hart *h = lone_hart("rv64");

    put(h, CSR_MTVEC, 0x1001); /* vectored: exceptions still go to the base */
    put(h, CSR_STVEC, 0x2001);
    put(h, CSR_MEDELEG, 1 << CAUSE_LOAD_PAGE | 1 << CAUSE_ECALL_U);
    put(h, CSR_MSTATUS, MSTATUS_SIE | MSTATUS_MIE);
    h->pc = 0x5000;
    hart_trap(h, CAUSE_LOAD_PAGE, 0xdead); /* never from M-mode to a lower one */
    assert_int_equal(h->pc, 0x1000);
    assert_int_equal(h->csr.mepc, 0x5000);
    assert_int_equal(h->csr.mcause, CAUSE_LOAD_PAGE);
    assert_int_equal(h->csr.mtval, 0xdead);
    assert_int_equal(h->csr.mstatus, MSTATUS_SIE | MSTATUS_MPIE | MSTATUS_MPP);

    enter_mode(h, PRIV_U);
    assert_int_equal(h->pc, 0x5000);
    h->pc = 0x6000;
    hart_trap(h, CAUSE_ECALL_U, 0);
    assert_int_equal(h->priv, PRIV_S);
    assert_int_equal(h->pc, 0x2000);
    assert_int_equal(h->csr.sepc, 0x6000);
    assert_int_equal(h->csr.scause, CAUSE_ECALL_U);
    assert_int_equal(h->csr.mstatus & (MSTATUS_SIE | MSTATUS_SPIE | MSTATUS_SPP), MSTATUS_SPIE);
    hart_trap(h, CAUSE_LOAD_PAGE, 1);
    assert_int_equal(h->priv, PRIV_S);
    assert_int_equal(h->csr.mstatus & (MSTATUS_SIE | MSTATUS_SPIE | MSTATUS_SPP), MSTATUS_SPP);
    hart_trap(h, CAUSE_ILLEGAL, 0x13);
    assert_int_equal(h->priv, PRIV_M);
    assert_int_equal(h->csr.mstatus & MSTATUS_MPP, (uint64_t)PRIV_S << MSTATUS_MPP_SHIFT);
    hart_free(h);
}

static void returns_restore_and_are_gated(void **state)
{
    (void)state;
    struct hart *h = lone_hart("rv64");

    put(h, CSR_MEPC, 0x4000);
    put(h, CSR_SEPC, 0x3000);
    h->reservation = 0x80000000;
    put(h, CSR_MSTATUS, MSTATUS_MPRV | MSTATUS_MPIE | MSTATUS_MPP);
    assert_true(hart_mret(h));
    assert_int_equal(h->priv, PRIV_M);
    assert_true(h->reservation == NO_RESERVATION);
    assert_int_equal(h->csr.mstatus, MSTATUS_MPRV | MSTATUS_MIE | MSTATUS_MPIE);

    put(h, CSR_MSTATUS, MSTATUS_MPRV | MSTATUS_TSR | 1ull << MSTATUS_MPP_SHIFT);
    assert_true(hart_mret(h));
    assert_int_equal(h->csr.mstatus, MSTATUS_TSR | MSTATUS_MPIE);
    assert_false(hart_mret(h));
    assert_false(hart_sret(h)); /* TSR */
    enter_machine_mode(h);
    put(h, CSR_MSTATUS, MSTATUS_TSR | MSTATUS_MPRV | MSTATUS_SPIE | MSTATUS_SPP);
    assert_true(hart_sret(h)); /* M-mode may */
    assert_int_equal(h->priv, PRIV_S);
    assert_int_equal(h->pc, 0x3000);
    assert_int_equal(h->csr.mstatus, MSTATUS_TSR | MSTATUS_SIE | MSTATUS_SPIE);
    enter_machine_mode(h);
    enter_mode(h, PRIV_U);
    assert_false(hart_sret(h));
    assert_false(hart_mret(h));
    hart_free(h);
}

static void counters_count_instructions(void **state)
{
    (void)state;
    struct hart *h = lone_hart("rv64");

    h->instret = 100;
    put(h, CSR_MINSTRET, 5);
    h->instret++; /* the write itself */
    assert_int_equal(get(h, CSR_INSTRET), 5);
    h->instret += 10;
    assert_int_equal(get(h, CSR_MINSTRET), 15);
    uint64_t cycle = get(h, CSR_MCYCLE);
    put(h, CSR_MCOUNTINHIBIT, 4);
    h->instret += 7;
    assert_int_equal(get(h, CSR_MINSTRET), 16);
    assert_int_equal(get(h, CSR_MCYCLE), cycle + 7);
    put(h, CSR_MINSTRET, 50);
    put(h, CSR_MCOUNTINHIBIT, 0);
    h->instret += 3;
    assert_int_equal(get(h, CSR_MINSTRET), 52);
    assert_int_equal(swap_in(h, CSR_MCOUNTINHIBIT, UINT64_MAX), 5 | COUNTER_HPM_MASK);
    hart_free(h);
}

static void programmable_counters_filter_and_overflow(void **state)
{
    (void)state;
    struct hart *h = lone_hart("rv64");

    put(h, CSR_MCOUNTEREN, UINT64_MAX);
    put(h, CSR_MIE, IRQ_BIT(LCOFI));
    put(h, CSR_MHPMEVENT3, COUNTER_EVENT_INSTRUCTIONS | MHPMEVENT_MINH);
    h->instret++;
    put(h, CSR_MHPMEVENT3 + 1, COUNTER_EVENT_CYCLES | MHPMEVENT_UINH);
    h->instret++;
    put(h, CSR_MHPMEVENT3 + 2, 99); /* held, counts nothing */
    h->instret += 10;
    assert_int_equal(get(h, CSR_HPMCOUNTER3), 0);
    assert_int_equal(get(h, CSR_HPMCOUNTER3 + 1), 10 - 1 + 1);
    assert_int_equal(get(h, CSR_HPMCOUNTER3 + 2), 0);
    assert_int_equal(get(h, CSR_MHPMEVENT3 + 2), 99);
    assert_int_equal(swap_in(h, CSR_MHPMEVENT3 + 16, UINT64_MAX), 0); /* counter 19: not there */
    assert_int_equal(swap_in(h, CSR_MINSTRET + 17, UINT64_MAX), 0);

    put(h, CSR_MINSTRET + 1, (uint64_t)-20);
    h->instret++;
    enter_mode(h, PRIV_U); /* the mret counts in M-mode */
    h->instret += 1 + 5;
    hart_trap(h, CAUSE_ILLEGAL, 0);
    h->instret += 50;
    assert_int_equal(get(h, CSR_HPMCOUNTER3), (uint64_t)-15);
    assert_int_equal(get(h, CSR_SCOUNTOVF), 0);
    enter_mode(h, PRIV_U);
    h->instret += 1 + 15;
    atomic_store(&h->events, 0);
    hart_trap(h, CAUSE_ILLEGAL, 0);
    assert_int_equal(get(h, CSR_HPMCOUNTER3), 0);
    assert_int_equal(get(h, CSR_SCOUNTOVF), 8);
    assert_true(get(h, CSR_MIP) & IRQ_BIT(LCOFI));
    assert_true(get(h, CSR_MHPMEVENT3) & MHPMEVENT_OF);
    assert_true(atomic_load(&h->events) & HART_EV_IRQ);

    /* With OF set an overflow raises nothing. */
    put(h, CSR_MIP, 0);
    put(h, CSR_MHPMEVENT3, COUNTER_EVENT_INSTRUCTIONS | MHPMEVENT_OF);
    h->instret++;
    put(h, CSR_MINSTRET + 1, UINT64_MAX);
    h->instret += 9;
    assert_int_equal(get(h, CSR_HPMCOUNTER3), 7);
    assert_false(get(h, CSR_MIP) & IRQ_BIT(LCOFI));

    /* In S-mode only what mcounteren lets through. */
    put(h, CSR_MCOUNTEREN, 0);
    enter_mode(h, PRIV_S);
    assert_int_equal(get(h, CSR_SCOUNTOVF), 0);
    hart_free(h);
}

static void extensions_that_are_off_have_no_counters(void **state)
{
    (void)state;
    struct hart *h = lone_hart("rv64,zicntr=off,zihpm=off");

    assert_false(readable(h, CSR_CYCLE));
    assert_false(readable(h, CSR_TIME));
    assert_false(readable(h, CSR_HPMCOUNTER3));
    assert_true(readable(h, CSR_MCYCLE));
    assert_int_equal(swap_in(h, CSR_MHPMEVENT3, 1), 0);
    assert_int_equal(swap_in(h, CSR_MCOUNTEREN, UINT64_MAX), COUNTEREN_TM);
    hart_free(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(access_follows_number_and_mode),
        cmocka_unit_test(set_and_clear_touch_their_bits),
        cmocka_unit_test(fields_are_legalised),
        cmocka_unit_test(rv32_has_halves_and_sign_extends),
        cmocka_unit_test(fp_registers_follow_fs),
        cmocka_unit_test(seed_gives_entropy_once_a_write),
        cmocka_unit_test(gates_of_satp_counters_and_timer),
        cmocka_unit_test(exceptions_enter_the_right_mode),
        cmocka_unit_test(returns_restore_and_are_gated),
        cmocka_unit_test(counters_count_instructions),
        cmocka_unit_test(programmable_counters_filter_and_overflow),
        cmocka_unit_test(extensions_that_are_off_have_no_counters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
