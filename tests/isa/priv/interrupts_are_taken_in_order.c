/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Of several pending interrupts the order is MEI, MSI, MTI, SEI, SSI, STI, LCOFI; those for M-mode
 * come before those for S-mode (privileged specification, "Machine Interrupt Registers").
 *
 * rerun: tests/isa/isa.test interrupts_are_taken_in_order
 * oracle: none, QEMU 7.2 takes the lowest number first when it has no AIA
 */
#include "test.h"

#define INTERRUPT(irq) (CAUSE_INTERRUPT | (irq))
#define SOFTWARE_BITS (1UL << IRQ_SSI | 1UL << IRQ_STI | 1UL << IRQ_SEI | 1UL << IRQ_LCOFI)

static const uint8_t order[] = {IRQ_MSI, IRQ_MTI, IRQ_SEI, IRQ_SSI, IRQ_STI, IRQ_LCOFI};

static void all_pending(void)
{
    csr_set(mip, SOFTWARE_BITS);
    clint_set_msip(0, 1);
    clint_set_timecmp(0, 0);
    while ((csr_read(mip) & 0xaa) != 0xaa)
        ;
}

static void none_pending(void)
{
    csr_clear(mip, SOFTWARE_BITS);
    clint_set_msip(0, 0);
    clint_set_timecmp(0, -1ull);
    while (csr_read(mip) & 0x22aa)
        ;
}

static void test_order_in_machine_mode(void)
{
    csr_write(mideleg, 0);
    csr_write(mie, 0x2aaa);
    all_pending();
    for (unsigned i = 0; i < sizeof(order); i++) {
        struct run r;

        csr_set(mstatus, MSTATUS_MPIE);
        r = RUN(MODE_M, 1, 0, "li a0, 2");
        CHECK(r.cause, INTERRUPT(order[i]));
        CHECK(r.at, 0);
        CHECK(r.tval, 0);
        CHECK(r.a0, 1);
        CHECK(r.status & (MSTATUS_MIE | MSTATUS_MPIE | MSTATUS_MPP), MSTATUS_MPIE | MSTATUS_MPP);
        csr_clear(mie, 1UL << order[i]);
    }
    CHECK(RUN(MODE_M, 0, 0, "").cause, CAUSE_ECALL_M);
    csr_clear(mstatus, MSTATUS_MPIE);
    none_pending();
}

static void test_order_in_supervisor_mode(void)
{
    csr_write(mideleg, SOFTWARE_BITS);
    csr_write(mie, 0x2aaa);
    all_pending();
    csr_set(sstatus, MSTATUS_SIE);
    for (unsigned i = 0; i < sizeof(order); i++) {
        struct run r = RUN(MODE_S, 0, 0, "1: j 1b");

        if (i < 2) {
            CHECK(r.cause, INTERRUPT(order[i]));
        } else {
            r = supervisor_trap("delegated", __LINE__, r);
            CHECK(r.cause, INTERRUPT(order[i]));
            CHECK(r.at, 0);
            CHECK(r.status & (MSTATUS_SIE | MSTATUS_SPIE | MSTATUS_SPP),
                  MSTATUS_SPIE | MSTATUS_SPP);
            csr_set(sstatus, MSTATUS_SIE);
        }
        csr_clear(mie, 1UL << order[i]);
    }
    none_pending();
    csr_clear(sstatus, MSTATUS_SIE);
}

void test_main(void)
{
    supervisor_catch();
    clint_set_timecmp(0, -1ull);
    test_order_in_machine_mode();
    test_order_in_supervisor_mode();
}
