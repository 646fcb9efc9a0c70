/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * A hart with no machine: a bus with nothing on it, a clock that the test sets, and a record of
 * what the hart asked for. For tests of single parts of the CPU.
 */
#ifndef TESTS_UNIT_LONE_HART_H
#define TESTS_UNIT_LONE_HART_H

/* cmocka.h wants these first */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cpu/hart.h"
#include <string.h>

struct lone_bus {
    struct bus bus;
    _Atomic uint64_t now;      /* what time reads */
    _Atomic uint64_t timer_at; /* the last set_stimer */
    uint8_t ram[PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));
};

static uint64_t lone_time(void *ctx)
{
    return ((struct lone_bus *)ctx)->now;
}

static void lone_set_stimer(void *ctx, unsigned hart_id, uint64_t when)
{
    (void)hart_id;
    ((struct lone_bus *)ctx)->timer_at = when;
}

static void lone_entropy(void *ctx, void *bytes, size_t size)
{
    (void)ctx;
    memset(bytes, 0xa5, size);
}

static struct lone_bus lone_bus;

/* A hart at its reset, made from a -cpu option, with the clock at 0. */
static struct hart *lone_hart(const char *cpu)
{
    struct hart_config config = {.id = 3, .bus = &lone_bus.bus};
    struct error err = {""};

    lone_bus.bus = (struct bus){
        .ctx = &lone_bus,
        .ram = lone_bus.ram,
        .ram_base = 0x80000000,
        .ram_size = sizeof lone_bus.ram,
        .read = bus_no_read,
        .write = bus_no_write,
        .time = lone_time,
        .set_stimer = lone_set_stimer,
        .entropy = lone_entropy,
    };
    lone_bus.now = 0;
    if (!isa_parse(&config.isa, cpu, &err))
        fail_msg("%s", err.text);
    struct hart *h = hart_new(&config, &err);
    if (!h)
        fail_msg("%s", err.text);
    hart_reset(h, 0x80000000, 0, 0);
    return h;
}

/* csrr rd, csr */
static inline uint64_t get(struct hart *h, unsigned csr)
{
    uint64_t value = 0;
    assert_int_not_equal(csr_access(h, csr, CSR_SET, 0, true, false, &value), CSR_ILLEGAL);
    return value;
}

/* csrw csr, value */
static inline enum csr_result put(struct hart *h, unsigned csr, uint64_t value)
{
    return csr_write(h, csr, value);
}

/* Writes, and reads what became of it. */
static inline uint64_t swap_in(struct hart *h, unsigned csr, uint64_t value)
{
    assert_int_not_equal(put(h, csr, value), CSR_ILLEGAL);
    return get(h, csr);
}

static inline bool readable(struct hart *h, unsigned csr)
{
    uint64_t value;
    return csr_access(h, csr, CSR_SET, 0, true, false, &value) != CSR_ILLEGAL;
}

#define IRQ_BIT(n) (1ull << IRQ_##n)

#endif
