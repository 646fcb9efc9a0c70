/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * A timer that fires as fast as it can, at random distances, while work runs whose result is known:
 * loops, calls, memory. The handler uses the stack below the work's and all the registers that it may.
 *
 * rerun: tests/jit/jit.test interrupts_between
 */
#include "jit.h"

static volatile ulong interrupts;
static volatile uint32_t gap;

void on_timer(void);
__asm__(".balign 4\n"
        "on_timer:\n"
        "  addi sp, sp, -16*" XB "\n"
        "  " SX " ra, 0*" XB "(sp)\n  " SX " t0, 1*" XB "(sp)\n  " SX " t1, 2*" XB "(sp)\n"
        "  " SX " t2, 3*" XB "(sp)\n  " SX " a0, 4*" XB "(sp)\n  " SX " a1, 5*" XB "(sp)\n"
        "  " SX " a2, 6*" XB "(sp)\n  " SX " a3, 7*" XB "(sp)\n  " SX " a4, 8*" XB "(sp)\n"
        "  " SX " a5, 9*" XB "(sp)\n  " SX " a6, 10*" XB "(sp)\n  " SX " a7, 11*" XB "(sp)\n"
        "  " SX " t3, 12*" XB "(sp)\n  " SX " t4, 13*" XB "(sp)\n  " SX " t5, 14*" XB "(sp)\n"
        "  " SX " t6, 15*" XB "(sp)\n"
        "  call timer_again\n"
        "  " LX " ra, 0*" XB "(sp)\n  " LX " t0, 1*" XB "(sp)\n  " LX " t1, 2*" XB "(sp)\n"
        "  " LX " t2, 3*" XB "(sp)\n  " LX " a0, 4*" XB "(sp)\n  " LX " a1, 5*" XB "(sp)\n"
        "  " LX " a2, 6*" XB "(sp)\n  " LX " a3, 7*" XB "(sp)\n  " LX " a4, 8*" XB "(sp)\n"
        "  " LX " a5, 9*" XB "(sp)\n  " LX " a6, 10*" XB "(sp)\n  " LX " a7, 11*" XB "(sp)\n"
        "  " LX " t3, 12*" XB "(sp)\n  " LX " t4, 13*" XB "(sp)\n  " LX " t5, 14*" XB "(sp)\n"
        "  " LX " t6, 15*" XB "(sp)\n"
        "  addi sp, sp, 16*" XB "\n"
        "  mret\n");

static void set_timer(uint32_t ticks)
{
    uint64_t when = clint_time() + ticks;
    write32(CLINT_BASE + 0x4004, 0xffffffff);
    write32(CLINT_BASE + 0x4000, (uint32_t)when);
    write32(CLINT_BASE + 0x4004, (uint32_t)(when >> 32));
}

__attribute__((used)) void timer_again(void)
{
    uint32_t g = gap;
    if (csr_read(mcause) != (CAUSE_INTERRUPT | IRQ_MTI))
        CHECK(csr_read(mcause), CAUSE_INTERRUPT | IRQ_MTI);
    interrupts++;
    gap = g = g * 1103515245 + 12345;
    set_timer(g >> 16 & 31);
}

/* --- work ---------------------------------------------------------------------------------- */

static uint32_t table[256];

static __attribute__((noinline)) uint32_t mix(uint32_t a, uint32_t b)
{
    return (a ^ (b >> 3)) * 2654435761u + (a >> 16);
}

static __attribute__((noinline)) uint32_t fibonacci(uint32_t n)
{
    return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}

static __attribute__((noinline)) uint32_t work(uint32_t seed)
{
    uint32_t sum = seed;
    for (unsigned i = 0; i < 256; i++)
        table[i] = seed = mix(seed, i);
    for (unsigned i = 0; i < 2000; i++) {
        unsigned k = sum & 255;
        sum = mix(sum, table[k]);
        table[k ^ 1] = table[k] + i;
        if (sum & 64)
            sum += table[(k + 5) & 255] % 7;
    }
    return sum + fibonacci(12);
}

static uint32_t expected[4];

/* Also the instructions that count: none is done twice or not at all. */
static ulong count_to(ulong n)
{
    ulong odd = 0, all = 0;
    __asm__ volatile("1: addi %1, %1, 1\nandi t0, %1, 1\nadd %0, %0, t0\nbne %1, %2, 1b\n"
                     : "+r"(odd), "+r"(all) : "r"(n) : "t0");
    return odd;
}

static void all_work(void)
{
    for (unsigned i = 0; i < 4; i++) {
        CHECK(work(i + 1), expected[i]);
        CHECK(count_to(5001), 2501);
    }
}

void test_main(void)
{
    ulong vector = csr_read(mtvec);
    for (unsigned i = 0; i < 4; i++)
        expected[i] = work(i + 1);
    say_digest(expected[3]);
    gap = 1;
    csr_write(mtvec, on_timer);
    csr_write(mie, 1 << IRQ_MTI);
    csr_set(mstatus, MSTATUS_MIE);
    set_timer(1);
    uint64_t start = clint_time();
    do
        all_work();
    while (interrupts <= 20 || (interrupts < 500 && clint_time() - start < 3000000));
    csr_clear(mstatus, MSTATUS_MIE);
    csr_write(mie, 0);
    csr_write(mtvec, vector);
}
