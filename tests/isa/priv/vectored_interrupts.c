/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * With mode 1 of mtvec and stvec an interrupt enters at base + 4 * cause, an exception at base
 * (privileged specification, "Machine Trap-Vector Base-Address", "Supervisor Trap Vector").
 *
 * rerun: tests/isa/isa.test vectored
 */
#include "test.h"

/* Which entry was taken is told by the epc of the ecall that ends the run. */
#define TABLE ".option norvc\n.rept 16\necall\n.endr\n"

static void test_supervisor(uintptr_t table)
{
    static const uint8_t irqs[] = {IRQ_SSI, IRQ_STI, IRQ_SEI};

    csr_write(stvec, table | 1);
    csr_write(mideleg, 0x222);
    csr_write(mie, 0x222);
    for (unsigned i = 0; i < 3; i++) {
        struct run r;

        csr_set(mip, 1UL << irqs[i]);
        r = RUN(MODE_U, 0, 0, "1: j 1b");
        csr_clear(mip, 1UL << irqs[i]);
        CHECK(r.cause, CAUSE_ECALL_S);
        CHECK(r.epc, table + 4 * irqs[i]);
        CHECK(csr_read(scause), CAUSE_INTERRUPT | irqs[i]);
    }
    csr_write(medeleg, 1 << CAUSE_ECALL_U | 1 << CAUSE_LOAD_ACCESS);
    CHECK(RUN(MODE_U, 0, 0, "").epc, table);
    CHECK(RUN(MODE_U, UNMAPPED_PA, 0, "lb a0, 0(a0)").epc, table);
    csr_write(medeleg, 0);
    csr_write(mideleg, 0);
}

static void test_machine(void)
{
    /* A table of ecalls would trap to itself: this one restores mtvec from a1 first, and the link
     * in a0 tells which entry it was. */
    uintptr_t table =
        CODE(".option norvc\n.balign 64\n.rept 16\njal a0, 9f\n.endr\n9: csrw mtvec, a1\n");
    static const uint8_t irqs[] = {IRQ_SSI, IRQ_MSI, IRQ_STI, IRQ_MTI, IRQ_SEI};

    table = (table + 63) & ~63UL;
    csr_write(mie, 0xaaa);
    for (unsigned i = 0; i < 5; i++) {
        struct run r;

        if (irqs[i] == IRQ_MSI)
            clint_set_msip(0, 1);
        else if (irqs[i] == IRQ_MTI)
            clint_set_timecmp(0, 0);
        else
            csr_set(mip, 1UL << irqs[i]);
        r = RUN(MODE_M, table | 1, 0, "csrrw a1, mtvec, a0\ncsrsi mstatus, 8\n1: j 1b");
        clint_set_msip(0, 0);
        clint_set_timecmp(0, -1ull);
        csr_clear(mip, 0x222);
        while (csr_read(mip) & 0xaa)
            ;
        CHECK(r.cause, CAUSE_ECALL_M);
        CHECK(r.a0, table + 4 * irqs[i] + 4);
    }
    csr_write(mie, 0);
    CHECK(RUN(MODE_M, table | 1, 0, "csrrw a1, mtvec, a0\n.4byte -1").a0, table + 4);
}

void test_main(void)
{
    uintptr_t table = CODE(".option norvc\n.balign 64\n" TABLE);

    clint_set_timecmp(0, -1ull);
    test_supervisor((table + 63) & ~63UL);
    test_machine();
}
