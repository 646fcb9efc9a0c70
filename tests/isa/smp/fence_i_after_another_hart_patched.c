/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Code that one hart writes is run by another after that other's fence.i, which a message or an
 * interrupt asks it for, as kernels do; and harts that run code beside the code being written are not
 * disturbed (unprivileged specification, "Zifencei").
 *
 * rerun: tests/isa/isa.test fence_i_after
 * harts: 4
 */
#include "smp.h"

typedef ulong function(void);

static uint32_t code[1024] __attribute__((aligned(4096)));
static struct {
    uint32_t version, pad[15];
} asked __attribute__((aligned(64))), answered[HARTS] __attribute__((aligned(64)));
static uint32_t wrong, done;

static void put_function(uint32_t *at, unsigned value)
{
    uint16_t *parcel = (uint16_t *)at;
    uint32_t li = 0x00000513 | value << 20; /* li a0, value */

    *(volatile uint16_t *)&parcel[0] = li;
    *(volatile uint16_t *)&parcel[1] = li >> 16;
    *(volatile uint32_t *)&at[1] = 0x00008067; /* ret */
}

static ulong call(uint32_t *at)
{
    return ((function *)at)();
}

static void run_versions(ulong hart, ulong unused)
{
    (void)unused;
    for (uint32_t last = 0; !GET(done);) {
        uint32_t version = GET(asked.version);

        if (version == last) {
            /* What nobody writes stays as it is, though it is on the same page. */
            if (call(&code[64 * hart]) != 1000 + hart)
                SET(wrong, 2);
            continue;
        }
        fence(r, rw);
        __asm__ volatile("fence.i" ::: "memory");
        if (call(code) != version)
            SET(wrong, 1);
        last = version;
        fence(rw, w);
        SET(answered[hart].version, version);
    }
}

static void test_messages(void)
{
    uint64_t start = clint_time();

    for (unsigned hart = 1; hart < HARTS; hart++)
        put_function(&code[64 * hart], 1000 + hart);
    put_function(code, 0);
    __asm__ volatile("fence.i" ::: "memory");
    for (unsigned hart = 1; hart < HARTS; hart++)
        smp_start(hart, run_versions, 0);
    for (uint32_t version = 1; version < 2000 && smp_go_on(version, start); version++) {
        put_function(code, version);
        fence(rw, w);
        SET(asked.version, version);
        __asm__ volatile("fence.i" ::: "memory");
        if (call(code) != version)
            SET(wrong, 3);
        for (unsigned hart = 1; hart < HARTS; hart++)
            while (GET(answered[hart].version) != version)
                relax();
    }
    SET(done, 1);
    for (unsigned hart = 1; hart < HARTS; hart++)
        smp_wait(hart);
    CHECK(wrong, 0);
}

/* The hart runs a loop that does not look anywhere; an interrupt's handler does the fence. */
static uint32_t fences;

static void __attribute__((interrupt, aligned(4))) on_ipi(void)
{
    clint_set_msip(csr_read(mhartid), 0);
    fence(iorw, iorw);
    __asm__ volatile("fence.i" ::: "memory");
    SET(fences, GET(fences) + 1);
}

static void loop_until_patched(ulong hart, ulong unused)
{
    ulong vector = csr_read(mtvec);

    (void)hart;
    (void)unused;
    __asm__ volatile("fence.i" ::: "memory"); /* what it ran there last time is stale */
    csr_write(mtvec, on_ipi);
    csr_write(mie, 1 << IRQ_MSI);
    csr_set(mstatus, MSTATUS_MIE);
    call(code); /* an endless loop until its jump is patched */
    csr_clear(mstatus, MSTATUS_MIE);
    csr_write(mie, 0);
    csr_write(mtvec, vector);
}

static void test_interrupt(void)
{
    uint64_t start = clint_time();

    for (unsigned i = 0; smp_go_on(i, start); i++) {
        unsigned hart = 1 + i % (HARTS - 1);
        uint32_t before = fences;

        code[0] = 0x0000006f; /* j . */
        code[1] = 0x00008067; /* ret */
        __asm__ volatile("fence.i" ::: "memory");
        fence(rw, rw);
        smp_start(hart, loop_until_patched, 0);
        for (uint64_t end = clint_time() + 1000; clint_time() < end;)
            relax();              /* it has most likely run by now */
        SET(code[0], 0x00000013); /* nop */
        fence(rw, iorw);
        clint_set_msip(hart, 1);
        smp_wait(hart);
        /* It may have left the loop by itself; the interrupt then comes or does not. */
        clint_set_msip(hart, 0);
        CHECK_TRUE(fences - before <= 1);
    }
}

void test_main(void)
{
    smp_begin();
    test_messages();
    test_interrupt();
}
