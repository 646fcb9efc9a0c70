/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * The PLIC presents a source to M and S contexts by priority, threshold and enable; a claim clears
 * it, completion lets a level that is still up come again; SEIP of the PLIC and SEIP that M-mode
 * writes are or-ed (PLIC specification; privileged specification, "Machine Interrupt Registers").
 *
 * rerun: tests/isa/isa.test plic
 * oracle: none, QEMU 7.2 applies a changed enable or threshold only when a source changes next
 */
#include "test.h"

#define UART_IRQ 10
#define PRIORITY(source) (PLIC_BASE + 4 * (source))
#define PENDING (PLIC_BASE + 0x1000)
#define ENABLE(context) (PLIC_BASE + 0x2000 + 0x80 * (context))
#define THRESHOLD(context) (PLIC_BASE + 0x200000 + 0x1000 * (context))
#define CLAIM(context) (THRESHOLD(context) + 4)
enum { MACHINE = 0, SUPERVISOR = 1 }; /* contexts of hart 0 */

/* The transmitter of the UART is always ready: its interrupt is up when it is enabled. */
static void uart_irq(bool on)
{
    write8(UART_BASE + 1, on ? 2 : 0);
}

static void expect_mip(const char *what, int line, ulong want)
{
    const ulong both = 1UL << IRQ_MEI | 1UL << IRQ_SEI;

    for (int i = 0; i < 1000 && (csr_read(mip) & both) != want; i++)
        ;
    check(what, line, csr_read(mip) & both, want);
}
#define EXPECT_MIP(want) expect_mip("mip", __LINE__, want)

static void test_context(unsigned context, ulong bit)
{
    write32(PRIORITY(UART_IRQ), 0);
    write32(ENABLE(context), 1 << UART_IRQ);
    write32(THRESHOLD(context), 0);
    uart_irq(true);
    EXPECT_MIP(0); /* priority 0 never interrupts */
    CHECK(read32(PENDING) >> UART_IRQ & 1, 1);
    write32(PRIORITY(UART_IRQ), 3);
    EXPECT_MIP(bit);
    write32(THRESHOLD(context), 3);
    EXPECT_MIP(0);
    write32(THRESHOLD(context), 2);
    EXPECT_MIP(bit);
    write32(ENABLE(context), 0);
    EXPECT_MIP(0);
    CHECK(read32(CLAIM(context)), 0);
    write32(ENABLE(context), 1 << UART_IRQ);
    EXPECT_MIP(bit);

    CHECK(read32(CLAIM(context)), UART_IRQ);
    EXPECT_MIP(0);
    CHECK(read32(CLAIM(context)), 0);
    write32(CLAIM(context), UART_IRQ + 1); /* not what was claimed */
    EXPECT_MIP(0);
    uart_irq(false);
    write32(CLAIM(context), UART_IRQ);
    EXPECT_MIP(0);
    write32(ENABLE(context), 0);
}

static void test_software_seip(void)
{
    csr_set(mip, 1 << IRQ_SEI);
    EXPECT_MIP(1 << IRQ_SEI);
    csr_clear(mip, 1 << IRQ_SEI);
    EXPECT_MIP(0);
    csr_write(mideleg, 1 << IRQ_SEI);
    RUN_OK(MODE_S, -1, 0, "csrs sip, a0"); /* S-mode cannot raise it */
    EXPECT_MIP(0);
}

/* A read-modify-write of mip shows the PLIC's wire in rd, but does not store it as M-mode's bit. */
static void test_wire_is_not_stored(void)
{
    ulong seen;

    write32(PRIORITY(UART_IRQ), 1);
    write32(ENABLE(SUPERVISOR), 1 << UART_IRQ);
    write32(THRESHOLD(SUPERVISOR), 0);
    uart_irq(true);
    EXPECT_MIP(1 << IRQ_SEI);
    __asm__ volatile("csrrs %0, mip, %1" : "=r"(seen) : "r"(1 << IRQ_SSI));
    CHECK(seen >> IRQ_SEI & 1, 1);
    CHECK(read32(CLAIM(SUPERVISOR)), UART_IRQ); /* the wire falls */
    EXPECT_MIP(0);
    write32(CLAIM(SUPERVISOR), UART_IRQ); /* the source is still up: it rises again */
    EXPECT_MIP(1 << IRQ_SEI);
    csr_clear(mip, 1 << IRQ_SEI | 1 << IRQ_SSI); /* nor does clearing it lower the wire */
    EXPECT_MIP(1 << IRQ_SEI);
    uart_irq(false);
    CHECK(read32(CLAIM(SUPERVISOR)), UART_IRQ);
    write32(CLAIM(SUPERVISOR), UART_IRQ);
    EXPECT_MIP(0);
    write32(ENABLE(SUPERVISOR), 0);
}

static void test_taken(void)
{
    struct run r;

    supervisor_catch();
    csr_write(mie, 1 << IRQ_SEI | 1 << IRQ_MEI);
    write32(PRIORITY(UART_IRQ), 1);
    write32(ENABLE(SUPERVISOR), 1 << UART_IRQ);
    write32(THRESHOLD(SUPERVISOR), 0);
    uart_irq(true);
    r = supervisor_trap("SEI", __LINE__, RUN(MODE_U, 0, 0, "1: j 1b"));
    CHECK(r.cause, CAUSE_INTERRUPT | IRQ_SEI);
    write32(ENABLE(SUPERVISOR), 0);
    EXPECT_MIP(0);
    write32(ENABLE(MACHINE), 1 << UART_IRQ);
    write32(THRESHOLD(MACHINE), 0);
    r = RUN(MODE_S, 0, 0, "1: j 1b");
    CHECK(r.cause, CAUSE_INTERRUPT | IRQ_MEI);
    CHECK(read32(CLAIM(MACHINE)), UART_IRQ);
    EXPECT_MIP(0);
    uart_irq(false);
    write32(CLAIM(MACHINE), UART_IRQ);
    write32(ENABLE(MACHINE), 0);
    csr_write(mie, 0);
}

void test_main(void)
{
    uart_irq(false);
    test_context(MACHINE, 1 << IRQ_MEI);
    test_context(SUPERVISOR, 1 << IRQ_SEI);
    test_software_seip();
    test_wire_is_not_stored();
    test_taken();
}
