/* SPDX-License-Identifier: GPL-3.0-only */
/* Loads from flash that code is run from: at any address, as from memory; from other devices not. */
#include "lone_hart.h"

#include "cpu/mem.h"

#define FLASH 0x20000000ull
#define FLASH_SIZE (2 * (uint64_t)PAGE_SIZE)

static uint8_t flash_byte(uint64_t offset)
{
    return (uint8_t)(offset * 7 + (offset >> 8));
}

/* The flash, and a device behind it that also answers. */
static bool read_bytes(void *ctx, uint64_t paddr, unsigned size, uint64_t *value)
{
    (void)ctx;
    assert_int_equal(paddr % size, 0);
    *value = 0;
    for (unsigned i = 0; i < size; i++)
        *value |= (uint64_t)flash_byte(paddr + i - FLASH) << (8 * i);
    return paddr >= FLASH && paddr < FLASH + FLASH_SIZE + PAGE_SIZE;
}

static struct hart *hart_with_flash(void)
{
    struct hart *h = lone_hart("rv64");
    lone_bus.bus.read = read_bytes;
    lone_bus.bus.rom.base = FLASH;
    lone_bus.bus.rom.size = FLASH_SIZE;
    return h;
}

static void at_any_address_and_over_pages(void **state)
{
    (void)state;
    struct hart *h = hart_with_flash();
    for (unsigned size = 1; size <= 8; size *= 2) {
        for (uint64_t offset = PAGE_SIZE - 24; offset < PAGE_SIZE + 24; offset++) {
            uint64_t value = mem_load_slow(h, FLASH + offset, size);
            assert_false(h->fault);
            for (unsigned i = 0; i < size; i++)
                assert_int_equal(value >> (8 * i) & 0xff, flash_byte(offset + i));
            if (size < 8)
                assert_int_equal(value >> (8 * size), 0);
        }
    }
    hart_free(h);
}

static void assert_load_faults(struct hart *h, uint64_t va, unsigned size)
{
    mem_load_slow(h, va, size);
    assert_true(h->fault);
    assert_int_equal(h->fault_cause, CAUSE_LOAD_ACCESS);
    assert_int_equal(h->fault_tval, va);
    h->fault = 0;
}

static void not_beyond_its_end_nor_for_stores(void **state)
{
    (void)state;
    struct hart *h = hart_with_flash();
    const uint64_t end = FLASH + FLASH_SIZE;
    mem_load_slow(h, end - 9, 8);
    assert_false(h->fault);
    mem_load_slow(h, end, 8); /* the device behind it, aligned */
    assert_false(h->fault);
    assert_load_faults(h, end - 1, 2);
    assert_load_faults(h, end + 1, 8);
    mem_store_slow(h, FLASH + 1, 4, 0);
    assert_true(h->fault);
    assert_int_equal(h->fault_cause, CAUSE_STORE_ACCESS);
    hart_free(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(at_any_address_and_over_pages),
        cmocka_unit_test(not_beyond_its_end_nor_for_stores),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
