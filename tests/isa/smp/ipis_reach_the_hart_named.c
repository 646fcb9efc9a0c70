/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * An msip written by one hart interrupts the hart it names and no other, whether that hart runs or
 * waits in wfi; memory written before it is seen by the handler; none is lost (ACLINT
 * specification, "MSWI").
 *
 * rerun: tests/isa/isa.test ipis_reach
 * harts: 4
 */
#include "smp.h"

static struct {
    uint32_t taken, wrong, letter, stop;
    ulong pad[4];
} box[HARTS] __attribute__((aligned(64)));

/* Entered by the interrupt; takes the letter that was put in its box. */
static void __attribute__((interrupt, aligned(4))) handler(void)
{
    ulong hart = csr_read(mhartid);

    if (csr_read(mcause) != (CAUSE_INTERRUPT | IRQ_MSI))
        SET(box[hart].wrong, 1);
    clint_set_msip(hart, 0);
    fence(iorw, iorw);
    if (GET(box[hart].letter) != GET(box[hart].taken) + 1)
        SET(box[hart].wrong, 2);
    SET(box[hart].taken, GET(box[hart].taken) + 1);
}

static void receive(ulong hart, ulong wait)
{
    ulong vector = csr_read(mtvec);

    csr_write(mtvec, handler);
    csr_write(mie, 1 << IRQ_MSI);
    csr_set(mstatus, MSTATUS_MIE);
    while (!GET(box[hart].stop)) {
        if (wait) {
            /* Looked at with interrupts off, so that none comes between the look and the wait. */
            csr_clear(mstatus, MSTATUS_MIE);
            if (!GET(box[hart].stop))
                __asm__ volatile("wfi");
            csr_set(mstatus, MSTATUS_MIE);
        }
    }
    csr_clear(mstatus, MSTATUS_MIE);
    csr_write(mie, 0);
    csr_write(mtvec, vector);
}

static void send(unsigned hart)
{
    uint32_t before = GET(box[hart].taken);

    SET(box[hart].letter, before + 1);
    fence(iorw, iorw);
    clint_set_msip(hart, 1);
    while (GET(box[hart].taken) == before)
        relax();
}

static void test_receivers(ulong wait)
{
    uint64_t start = clint_time();
    unsigned sent;

    for (unsigned hart = 1; hart < HARTS; hart++) {
        box[hart].taken = box[hart].letter = box[hart].stop = 0;
        smp_start(hart, receive, wait);
    }
    for (sent = 0; smp_go_on(sent, start); sent++)
        send(1 + sent % (HARTS - 1));
    /* All at once. */
    for (unsigned hart = 1; hart < HARTS; hart++) {
        SET(box[hart].letter, box[hart].taken + 1);
        fence(iorw, iorw);
        clint_set_msip(hart, 1);
    }
    for (unsigned hart = 1; hart < HARTS; hart++)
        while (GET(box[hart].taken) != GET(box[hart].letter))
            relax();
    for (unsigned hart = 1; hart < HARTS; hart++)
        SET(box[hart].stop, 1);
    for (unsigned hart = 1; hart < HARTS; hart++) {
        /* One that sleeps sees `stop` when it wakes. */
        SET(box[hart].letter, box[hart].taken + 1);
        fence(iorw, iorw);
        clint_set_msip(hart, 1);
        smp_wait(hart);
        clint_set_msip(hart, 0);
        CHECK(box[hart].wrong, 0);
        CHECK_TRUE(box[hart].taken >= sent / (HARTS - 1) + 1);
    }
    CHECK(csr_read(mip) >> IRQ_MSI & 1, 0); /* none came here */
}

void test_main(void)
{
    smp_begin();
    test_receivers(0);
    test_receivers(1);
}
