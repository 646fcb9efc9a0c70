/* SPDX-License-Identifier: GPL-3.0-only */
/* QEMU's firmware configuration device: its items by the data register and by DMA.
 * Again: tools/run-tests unit/fw_cfg_test */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dev/fw_cfg.h"
#include "machine/machine.h"
#include <string.h>

#define ORDER "/pci@i0cf8/storage@1,0\n/pci@i0cf8/storage@2,0"
#define REQUEST (MACHINE_RAM_BASE + 0x100)
#define BUFFER (MACHINE_RAM_BASE + 0x1000)

static struct machine *machine;
static struct device *dev;

static int power_on(void **state)
{
    (void)state;
    struct error err = {""};
    struct machine_config config = {.ram_size = 1 << 20, .harts = 1, .interpret = true};
    isa_default(&config.isa, 64);
    machine = machine_new(&config, &err);
    assert_non_null(machine);
    struct fw_cfg_config parts = {.machine = machine, .boot_order = ORDER};
    dev = fw_cfg_new(&parts, &err);
    assert_true(machine_add(machine, dev, FW_CFG_BASE, &err));
    dev->ops->reset(dev->state);
    return 0;
}

static int power_off(void **state)
{
    (void)state;
    machine_free(machine);
    return 0;
}

static uint64_t load(uint64_t offset, unsigned size)
{
    return dev->ops->read(dev->state, offset, size);
}

static void store(uint64_t offset, unsigned size, uint64_t value)
{
    dev->ops->write(dev->state, offset, size, value);
}

static void select_key(uint16_t key)
{
    store(8, 2, __builtin_bswap16(key));
}

/* What a request leaves in its control word. */
static uint32_t request(uint32_t control, uint32_t size, uint64_t address)
{
    uint8_t bytes[16];
    uint32_t word = __builtin_bswap32(control);
    memcpy(bytes, &word, 4);
    word = __builtin_bswap32(size);
    memcpy(bytes + 4, &word, 4);
    address = __builtin_bswap64(address);
    memcpy(bytes + 8, &address, 8);
    assert_true(machine_dma_write(machine, REQUEST, bytes, sizeof(bytes)));
    store(16, 4, 0);
    store(20, 4, __builtin_bswap32(REQUEST));
    assert_true(machine_dma_read(machine, REQUEST, &word, 4));
    return __builtin_bswap32(word);
}

static void signature_and_features_are_read_byte_by_byte_or_wider(void **state)
{
    (void)state;
    select_key(0);
    assert_int_equal(load(0, 1), 'Q');
    assert_int_equal(load(0, 2), 'E' | 'M' << 8);
    assert_int_equal(load(0, 1), 'U');
    assert_int_equal(load(0, 8), 0);
    select_key(1);
    assert_int_equal(load(0, 4), 3);
    assert_int_equal(__builtin_bswap64(load(16, 8)), 0x51454d5520434647);
    assert_int_equal(__builtin_bswap32((uint32_t)load(20, 4)), 0x20434647);
    select_key(0x7777);
    assert_int_equal(load(0, 8), 0);
}

static void directory_leads_to_the_boot_order(void **state)
{
    (void)state;
    char bytes[256];
    memset(bytes, 0xee, sizeof(bytes));
    assert_true(machine_dma_write(machine, BUFFER, bytes, sizeof(bytes)));
    assert_int_equal(request(0x19 << 16 | 8 | 2, 68, BUFFER), 0);
    assert_true(machine_dma_read(machine, BUFFER, bytes, sizeof(bytes)));
    assert_memory_equal(bytes, "\0\0\0\1", 4);
    assert_int_equal((uint8_t)bytes[7], sizeof(ORDER));
    assert_int_equal(bytes[8] << 8 | bytes[9], 0x20);
    assert_string_equal(bytes + 12, "bootorder");
    assert_int_equal((uint8_t)bytes[68], 0xee);

    assert_int_equal(request(0x20 << 16 | 8 | 2, 100, BUFFER), 0);
    assert_true(machine_dma_read(machine, BUFFER, bytes, sizeof(bytes)));
    assert_string_equal(bytes, ORDER);
    assert_int_equal(bytes[99], 0); /* behind its end */
}

static void skipping_moves_on_and_reading_continues_there(void **state)
{
    (void)state;
    char bytes[8];
    assert_int_equal(request(0x20 << 16 | 8, 0, 0), 0);
    assert_int_equal(request(4, 5, 0), 0);
    assert_int_equal(request(2, 5, BUFFER), 0);
    assert_true(machine_dma_read(machine, BUFFER, bytes, sizeof(bytes)));
    assert_memory_equal(bytes, &ORDER[5], 5);
    assert_int_equal(load(0, 1), ORDER[10]);
    select_key(0x20);
    assert_int_equal(request(4, UINT32_MAX, 0), 0);
    assert_int_equal(request(4, UINT32_MAX, 0), 0);
    assert_int_equal(load(0, 8), 0);
}

static void what_cannot_be_done_is_an_error_and_changes_nothing(void **state)
{
    (void)state;
    uint64_t before = 0x1122334455667788, after;
    assert_true(machine_dma_write(machine, BUFFER, &before, 8));
    assert_int_equal(request(0x20 << 16 | 8 | 16, 8, BUFFER), 1); /* write */
    assert_int_equal(request(2, 8, 0x1000), 1);                   /* not main memory */
    assert_int_equal(request(2, UINT32_MAX, BUFFER), 1);
    assert_int_equal(request(2, 8, UINT64_MAX - 3), 1);
    store(16, 8, __builtin_bswap64(0x1000)); /* a request that is nowhere */
    store(8, 4, 0);
    store(3, 1, 7);
    assert_true(machine_dma_read(machine, BUFFER, &after, 8));
    assert_true(before == after);
    assert_int_equal(load(0, 1), ORDER[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signature_and_features_are_read_byte_by_byte_or_wider),
        cmocka_unit_test(directory_leads_to_the_boot_order),
        cmocka_unit_test(skipping_moves_on_and_reading_continues_there),
        cmocka_unit_test(what_cannot_be_done_is_an_error_and_changes_nothing),
    };
    return cmocka_run_group_tests(tests, power_on, power_off);
}
