/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * A message to an IMSIC's page becomes an external interrupt of M-mode or S-mode when its file
 * delivers and enables it; the lowest identity below the threshold goes first; xtopei claims it; the
 * APLIC turns a wire into a message (Advanced Interrupt Architecture 1.0, chapters 3, 4 and 5).
 *
 * rerun: tests/isa/isa.test aia
 * aia: aplic-imsic
 */
#include "test.h"

#define MISELECT 0x350
#define MIREG 0x351
#define MTOPEI 0x35c
#define MTOPI 0xfb0
#define SISELECT 0x150
#define SIREG 0x151
#define STOPEI 0x15c
#define STOPI 0xdb0

/* The assembler does not know their names; one more step has the numbers put in. */
#define READ(csr) csr_read(csr)
#define WRITE(csr, value) csr_write(csr, value)
#define SET(csr, value) csr_set(csr, value)
#define CLEAR(csr, value) csr_clear(csr, value)

enum { EIDELIVERY = 0x70, EITHRESHOLD = 0x72, EIP0 = 0x80, EIE0 = 0xc0 };

#define IMSIC_M 0x24000000UL
#define IMSIC_S 0x28000000UL
#define APLIC_M 0x0c000000UL
#define APLIC_S 0x0d000000UL
#define DOMAINCFG 0x0000
#define SOURCECFG(n) (4 * (n))
#define SETIENUM 0x1edc
#define SETIPNUM_LE 0x2000
#define TARGET(n) (0x3000 + 4 * (n))
#define UART_IRQ 10

#define TOPEI(n) ((ulong)(n) << 16 | (n))
#define EXTERNAL (1UL << IRQ_MEI | 1UL << IRQ_SEI)

static void put_m(ulong select, ulong value)
{
    WRITE(MISELECT, select);
    WRITE(MIREG, value);
}

static void put_s(ulong select, ulong value)
{
    WRITE(SISELECT, select);
    WRITE(SIREG, value);
}

static ulong get_s(ulong select)
{
    WRITE(SISELECT, select);
    return READ(SIREG);
}

/* QEMU's own threads bring a message, so it may be a while. */
static void expect_mip(int line, ulong want)
{
    for (int i = 0; i < 1000 && (csr_read(mip) & EXTERNAL) != want; i++)
        ;
    check("mip", line, csr_read(mip) & EXTERNAL, want);
}
#define EXPECT_MIP(want) expect_mip(__LINE__, want)

static ulong claim_s(void)
{
    ulong top;
    __asm__ volatile("csrrw %0, 0x15c, zero" : "=r"(top));
    return top;
}

static void test_machine_file(void)
{
    put_m(EIDELIVERY, 1);
    put_m(EITHRESHOLD, 0);
    write32(IMSIC_M, 5);
    EXPECT_MIP(0); /* not enabled */
    put_m(EIE0, 1 << 5 | 1 << 9);
    EXPECT_MIP(1UL << IRQ_MEI);
    CHECK(READ(MTOPEI), TOPEI(5));
    CHECK(READ(MTOPI), 0); /* mie is 0 */
    csr_write(mie, 1UL << IRQ_MEI);
    CHECK(READ(MTOPI) >> 16, IRQ_MEI);
    write32(IMSIC_M, 9);
    struct run r = RUN(MODE_S, 0, 0, "1: j 1b");
    CHECK(r.cause, CAUSE_INTERRUPT | IRQ_MEI);
    WRITE(MTOPEI, 0); /* claims 5 */
    CHECK(READ(MTOPEI), TOPEI(9));
    WRITE(MTOPEI, 0);
    CHECK(READ(MTOPEI), 0);
    EXPECT_MIP(0);
    csr_write(mie, 0);
    write32(IMSIC_M, 0);
    write32(IMSIC_M, 0x12345);
    CHECK(read32(IMSIC_M), 0);
    WRITE(MISELECT, EIP0);
    CHECK(READ(MIREG), 0);
    put_m(EIDELIVERY, 0);
}

static void test_supervisor_file(void)
{
    csr_write(mideleg, 1UL << IRQ_SEI);
    supervisor_catch();
    put_s(EIDELIVERY, 1);
    put_s(EITHRESHOLD, 0);
    put_s(EIE0, ~0UL);
    CHECK(get_s(EIE0), ~1UL); /* there is no identity 0 */
    write32(IMSIC_S, 31);
    write32(IMSIC_S, 7);
    EXPECT_MIP(1UL << IRQ_SEI);
    CHECK(get_s(EIP0), 1UL << 31 | 1UL << 7);
    put_s(EITHRESHOLD, 7);
    EXPECT_MIP(0);
    put_s(EITHRESHOLD, 8);
    EXPECT_MIP(1UL << IRQ_SEI);
    csr_write(mie, 1UL << IRQ_SEI);
    struct run r = supervisor_trap("SEI", __LINE__, RUN(MODE_U, 0, 0, "1: j 1b"));
    CHECK(r.cause, CAUSE_INTERRUPT | IRQ_SEI);
    CHECK(READ(STOPI) >> 16, IRQ_SEI);
    CHECK(claim_s(), TOPEI(7));
    CHECK(claim_s(), 0);
    CHECK(READ(STOPI), 0);
    put_s(EITHRESHOLD, 0);
    CHECK(RUN_OK(MODE_S, 0, 0, "csrrw a0, 0x15c, zero"), TOPEI(31));
    csr_write(mie, 0);
    /* pending bits are registers too */
    WRITE(SISELECT, EIP0);
    SET(SIREG, 1 << 4 | 1 << 3);
    CHECK(READ(STOPEI), TOPEI(3));
    CLEAR(SIREG, 1 << 3);
    CHECK(claim_s(), TOPEI(4));
    EXPECT_MIP(0);
}

static void test_who_may(void)
{
    WRITE(SISELECT, EIDELIVERY);
    RUN_OK(MODE_S, 0, 0, "csrr a0, 0x151");
    RUN_ILLEGAL(MODE_U, "csrr a0, 0x15c");
    RUN_ILLEGAL(MODE_U, "csrr a0, 0xdb0");
    RUN_ILLEGAL(MODE_S, "csrr a0, 0x35c");
    RUN_ILLEGAL(MODE_S, "csrr a0, 0x351");
    RUN_ILLEGAL(MODE_M, "csrw 0xfb0, a0");
    WRITE(SISELECT, EIP0 + 1);
    if (RV64)
        RUN_ILLEGAL(MODE_S, "csrr a0, 0x151");
    else
        RUN_OK(MODE_S, 0, 0, "csrr a0, 0x151");
}

/* The transmitter of the UART is always ready: its interrupt is up when it is enabled. */
static void test_wire_to_message(void)
{
    write32(APLIC_M + SOURCECFG(UART_IRQ), 1 << 10);
    write32(APLIC_S + SOURCECFG(UART_IRQ), 6); /* Level1 */
    write32(APLIC_S + TARGET(UART_IRQ), 21);
    write32(APLIC_S + DOMAINCFG, 1 << 8 | 1 << 2);
    CHECK(read32(APLIC_S + DOMAINCFG), 0x80000000 | 1 << 8 | 1 << 2);
    write32(APLIC_S + SETIENUM, UART_IRQ);
    CHECK(read32(APLIC_S + TARGET(UART_IRQ)), 21);
    write8(UART_BASE + 1, 2);
    EXPECT_MIP(1UL << IRQ_SEI);
    CHECK(claim_s(), TOPEI(21));
    CHECK(claim_s(), 0);
    write32(APLIC_S + SETIPNUM_LE, UART_IRQ); /* it is still up */
    EXPECT_MIP(1UL << IRQ_SEI);
    CHECK(claim_s(), TOPEI(21));
    write8(UART_BASE + 1, 0);
    CHECK(claim_s(), 0);
}

void test_main(void)
{
    /* Where messages go: a register in QEMU, built in here. */
    write32(APLIC_M + 0x1bc0, IMSIC_M >> 12);
    write32(APLIC_M + 0x1bc8, IMSIC_S >> 12);
    test_machine_file();
    test_supervisor_file();
    test_who_may();
    test_wire_to_message();
}
