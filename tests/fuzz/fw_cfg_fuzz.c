/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * fw_cfg: selectors, data and DMA requests in any order and anywhere, beside a model of its documents ("QEMU
 * Firmware Configuration Device"). Each input begins with empty memory. What must hold: every byte that is
 * read is the model's, and in the end memory is as the model's requests have left it.
 */
#include "fuzz.h"

#include "dev/fw_cfg.h"
#include "machine/machine.h"
#include <stdlib.h>
#include <string.h>

#define RAM_SIZE (1u << 20)
#define OPERATIONS_MAX 300
#define ORDER "/pci@30000000/scsi@1/disk@0,0\n/pci@30000000/ethernet@2\n"

enum { DATA = 0, SELECTOR = 8, DMA = 16, DMA_LOW = 20 };
enum { FAILED = 1, READ = 2, SKIP = 4, SELECT = 8, WRITE = 16 };

static struct {
    uint8_t ram[RAM_SIZE], directory[68];
    uint16_t key;
    uint64_t at;
    uint32_t high;
} model;

static struct machine *machine;
static struct device *dev;

static void check(bool holds)
{
    if (!holds)
        abort();
}

static uint64_t reversed(uint64_t value, unsigned size)
{
    return __builtin_bswap64(value) >> (64 - 8 * size);
}

static void put(uint8_t *to, uint64_t value, unsigned size)
{
    value = reversed(value, size);
    memcpy(to, &value, size);
}

/*
 * The model
 */

static uint8_t next_byte(void)
{
    static const uint8_t features[] = {3, 0, 0, 0};
    const struct {
        uint16_t key;
        const void *bytes;
        size_t size;
    } items[] = {{0, "QEMU", 4},
                 {1, features, sizeof(features)},
                 {0x19, model.directory, sizeof(model.directory)},
                 {0x20, ORDER, sizeof(ORDER)}};
    const uint64_t at = model.at++;
    for (unsigned i = 0; i < 4; i++)
        if (items[i].key == model.key && at < items[i].size)
            return ((const uint8_t *)items[i].bytes)[at];
    return 0;
}

static void model_select(uint16_t key)
{
    model.key = key;
    model.at = 0;
}

static bool in_ram(uint64_t address, uint64_t size)
{
    return address >= MACHINE_RAM_BASE && address - MACHINE_RAM_BASE <= RAM_SIZE &&
           size <= RAM_SIZE - (address - MACHINE_RAM_BASE);
}

static bool model_performs(uint32_t control, uint32_t size, uint64_t address)
{
    if (control & SELECT)
        model_select((uint16_t)(control >> 16));
    if (control & READ) {
        if (size && !in_ram(address, size))
            return false;
        for (uint32_t i = 0; i < size; i++)
            model.ram[address - MACHINE_RAM_BASE + i] = next_byte();
        return true;
    }
    if (control & WRITE)
        return false;
    if (control & SKIP)
        model.at += size;
    return true;
}

/* A request that is in memory, by what is there when it begins. */
static void model_request(uint64_t where)
{
    uint64_t words[2];
    if (!in_ram(where, sizeof(words)))
        return;
    memcpy(words, model.ram + (where - MACHINE_RAM_BASE), sizeof(words));
    const uint64_t first = reversed(words[0], 8), address = reversed(words[1], 8);
    bool done = model_performs((uint32_t)(first >> 32), (uint32_t)first, address);
    put(model.ram + (where - MACHINE_RAM_BASE), done ? 0 : FAILED, 4);
}

/*
 * The device
 */

static void power_on(void)
{
    if (!machine) {
        struct machine_config config = {.ram_size = RAM_SIZE, .harts = 1, .interpret = true};
        isa_default(&config.isa, 64);
        machine = machine_new(&config, NULL);
        check(machine);
        dev = fw_cfg_new(&(struct fw_cfg_config){machine, ORDER}, NULL);
        check(machine_add(machine, dev, FW_CFG_BASE, NULL));
    }
    dev->ops->reset(dev->state);
    memset(machine->bus.ram, 0, RAM_SIZE);
    memset(&model, 0, sizeof(model));
    put(model.directory, 1, 4);
    put(model.directory + 4, sizeof(ORDER), 4);
    put(model.directory + 8, 0x20, 2);
    strcpy((char *)model.directory + 12, "bootorder");
}

/* Mostly in main memory, and now and then across one of its ends. */
static uint64_t take_address(struct fuzz_input *in)
{
    unsigned kind = (unsigned)fuzz_take(in, 1);
    if (!(kind & 7))
        return fuzz_take(in, 8);
    if ((kind & 7) == 1)
        return MACHINE_RAM_BASE - 16 + fuzz_take(in, 1);
    if ((kind & 7) == 2)
        return MACHINE_RAM_BASE + RAM_SIZE - fuzz_take(in, 1);
    return MACHINE_RAM_BASE + fuzz_take(in, 2);
}

static void store(uint64_t offset, unsigned size, uint64_t big_endian)
{
    check(machine_bus_write(machine, FW_CFG_BASE + offset, size, reversed(big_endian, size)));
}

static void put_request(struct fuzz_input *in, uint64_t where)
{
    static const uint8_t keys[] = {0, 1, 0x19, 0x20};
    uint8_t request[16];
    unsigned flags = (unsigned)fuzz_take(in, 1), key = (unsigned)fuzz_take(in, 1);
    uint32_t control = (flags & 0x1f) | (uint32_t)(flags & 0x80 ? key : keys[key & 3]) << 16;
    put(request, control, 4);
    put(request + 4, flags & 0x40 ? fuzz_take(in, 4) : fuzz_take(in, 1), 4);
    put(request + 8, take_address(in), 8);
    if (machine_dma_write(machine, where, request, sizeof(request)))
        memcpy(model.ram + (where - MACHINE_RAM_BASE), request, sizeof(request));
}

static void request(struct fuzz_input *in, bool halves)
{
    uint64_t where = take_address(in);
    put_request(in, where);
    if (halves) {
        store(DMA, 4, where >> 32);
        store(DMA_LOW, 4, (uint32_t)where);
        model.high = 0;
    } else {
        store(DMA, 8, where);
    }
    model_request(where);
}

static void read_data(unsigned size, uint64_t offset)
{
    uint64_t value, expected = 0;
    check(machine_bus_read(machine, FW_CFG_BASE + DATA + offset, size, &value));
    for (unsigned i = 0; i < size; i++)
        expected |= (uint64_t)next_byte() << 8 * i;
    check(value == expected);
}

static void select_item(uint16_t key)
{
    store(SELECTOR, 2, key);
    model_select(key);
}

/* Anything anywhere but what begins a request: those go through request(). */
static void touch(struct fuzz_input *in, unsigned size, uint64_t offset)
{
    uint64_t value = fuzz_take(in, size);
    if (offset == SELECTOR && size == 2)
        model_select((uint16_t)value);
    if (offset == DMA && size == 4)
        model.high = (uint32_t)value;
    if (offset == DMA && size == 8)
        return;
    if (offset == DMA_LOW && size == 4) {
        store(offset, size, value);
        model_request((uint64_t)model.high << 32 | value);
        model.high = 0;
        return;
    }
    store(offset, size, value);
}

static void step(struct fuzz_input *in)
{
    unsigned what = (unsigned)fuzz_take(in, 1), size = 1u << (what >> 3 & 3);
    uint64_t value;
    switch (what & 7) {
    case 0:
    case 1:
        read_data(size, (what >> 5) / size * size);
        break;
    case 2:
        select_item((uint16_t)(what & 0x80 ? fuzz_take(in, 2) : fuzz_take(in, 1) & 0x39));
        break;
    case 3:
        touch(in, size, fuzz_take(in, 1) % FW_CFG_SIZE / size * size);
        break;
    case 4:
        check(machine_bus_read(machine, FW_CFG_BASE + DMA, 8, &value));
        check(!memcmp(&value, "QEMU CFG", 8));
        break;
    default:
        request(in, what & 0x80);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = {data, size};
    power_on();
    for (unsigned n = 0; fuzz_left(&in) && n < OPERATIONS_MAX; n++)
        step(&in);
    check(!memcmp(machine->bus.ram, model.ram, RAM_SIZE));
    return 0;
}
