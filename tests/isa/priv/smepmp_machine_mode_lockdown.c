/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Smepmp: with mseccfg.MML each of the sixteen combinations of L, R, W and X gives M-mode and the
 * lower modes the rights of the specification's table; MML stays set; no locked executable entry can
 * be added without RLB; unmatched code is not M-mode's to run ("Smepmp").
 *
 * rerun: tests/isa/isa.test smepmp_machine
 * oracle: none, QEMU 7.2 lets a locked entry of shared code be added without RLB
 */
#include "pmp.h"

static uint32_t area[1024] __attribute__((aligned(4096)));
#define BASE ((ulong)area)

enum { R = 1, W = 2, X = 4 };

/* By L, R, W, X as in the table "Physical memory protection with mseccfg.MML": M-mode, S and U. */
static const struct {
    uint8_t cfg, machine, lower;
} table[] = {
    {0, 0, 0},
    {PMP_X, 0, X},
    {PMP_W, R | W, R},
    {PMP_W | PMP_X, R | W, R | W},
    {PMP_R, 0, R},
    {PMP_R | PMP_X, 0, R | X},
    {PMP_R | PMP_W, 0, R | W},
    {PMP_R | PMP_W | PMP_X, 0, R | W | X},
    {PMP_L, 0, 0},
    {PMP_L | PMP_X, X, 0},
    {PMP_L | PMP_W, X, X},
    {PMP_L | PMP_W | PMP_X, R | X, X},
    {PMP_L | PMP_R, R, 0},
    {PMP_L | PMP_R | PMP_X, R | X, 0},
    {PMP_L | PMP_R | PMP_W, R | W, 0},
    {PMP_L | PMP_R | PMP_W | PMP_X, R, R},
};

static void expect(unsigned mode, unsigned rights)
{
    struct run r;

    r = RUN(mode, BASE + 16, 0, "lw a0, 0(a0)");
    CHECK(r.cause, rights & R ? CAUSE_ECALL_U + mode : CAUSE_LOAD_ACCESS);
    r = RUN(mode, BASE + 16, 0, "sw a1, 0(a0)");
    CHECK(r.cause, rights & W ? CAUSE_ECALL_U + mode : CAUSE_STORE_ACCESS);
    r = run_at(mode, BASE, 0, 0);
    CHECK(r.cause, rights & X ? CAUSE_ECALL_U + mode : CAUSE_FETCH_ACCESS);
}

/*
 * M-mode must live on under MML: the code is M's alone (L, R, X) when MML is set, then shared (L, W,
 * X), which has that meaning under MML only and takes RLB to be written. All else is data of both.
 */
static void lock_down(void)
{
    extern char _text_end[];

    csr_write(0x747, MSECCFG_RLB);
    pmp_set(1, 0, AT(RAM_BASE));
    pmp_set(2, PMP_TOR | PMP_L | PMP_R | PMP_X, AT(_text_end));
    pmp_set(0, 0, 0);
    csr_write(0x747, MSECCFG_RLB | MSECCFG_MML);
    CHECK(csr_read(0x747), MSECCFG_RLB | MSECCFG_MML);
    pmp_set_cfg(2, PMP_TOR | PMP_L | PMP_W | PMP_X);
    CHECK(pmp_cfg(2), PMP_TOR | PMP_L | PMP_W | PMP_X);
    pmp_set(PMP_LAST, PMP_NAPOT | PMP_W | PMP_X, -1);
}

void test_main(void)
{
    area[0] = 0x00000073; /* ecall */
    __asm__ volatile("fence.i");
    lock_down();
    for (unsigned i = 0; i < sizeof(table) / sizeof(*table); i++) {
        pmp_set(0, PMP_NAPOT | table[i].cfg, NAPOT(BASE, 4096));
        CHECK(pmp_cfg(0), PMP_NAPOT | table[i].cfg);
        expect(MODE_M, table[i].machine);
        expect(MODE_S, table[i].lower);
        expect(MODE_U, table[i].lower);
    }
    /* What matches nothing: data of M-mode, no code, and nothing for others. */
    pmp_set_cfg(0, 0);
    pmp_set_cfg(PMP_LAST, 0);
    expect(MODE_M, R | W);
    expect(MODE_S, 0);

    /* Without RLB no code for M-mode can be added; data can. */
    csr_write(0x747, 0);
    CHECK(csr_read(0x747), MSECCFG_MML);
    pmp_set(5, PMP_NA4 | PMP_L | PMP_X, AT(BASE));
    CHECK(pmp_cfg(5), 0);
    pmp_set(5, PMP_NA4 | PMP_L | PMP_W | PMP_X, AT(BASE));
    CHECK(pmp_cfg(5), 0);
    pmp_set(5, PMP_NA4 | PMP_L | PMP_W, AT(BASE));
    CHECK(pmp_cfg(5), 0);
    pmp_set(5, PMP_NA4 | PMP_X, AT(BASE)); /* code of the others */
    CHECK(pmp_cfg(5), PMP_NA4 | PMP_X);
    pmp_set(6, PMP_NA4 | PMP_L | PMP_R, AT(BASE + 64));
    CHECK(pmp_cfg(6), PMP_NA4 | PMP_L | PMP_R);
    csr_write(0x747, MSECCFG_RLB | MSECCFG_MML);
    CHECK(csr_read(0x747), MSECCFG_MML);
}
