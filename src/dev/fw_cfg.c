/* SPDX-License-Identifier: MPL-2.0 */
/*
 * fw_cfg, memory mapped: a selector chooses an item, the data register gives its bytes one after the
 * other, and a DMA request does both at once. Numbers are big-endian; behind an item's end there are
 * zeros. Nothing can be written.
 */
#include "dev/fw_cfg.h"

#include "base/big_endian.h"
#include "machine/fdt.h"
#include "machine/machine.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { REG_DATA = 0, REG_SELECTOR = 8, REG_DMA = 16, REG_DMA_LOW = 20 };

enum key {
    KEY_SIGNATURE = 0x00,
    KEY_FEATURES = 0x01,
    KEY_DIRECTORY = 0x19,
    KEY_BOOT_ORDER = 0x20, /* the first file */
};

enum { FEATURE_TRADITIONAL = 1, FEATURE_DMA = 2 };

enum dma_control {
    DMA_ERROR = 1 << 0,
    DMA_READ = 1 << 1,
    DMA_SKIP = 1 << 2,
    DMA_SELECT = 1 << 3, /* the key is in the upper half */
    DMA_WRITE = 1 << 4,
};

#define DMA_SIGNATURE UINT64_C(0x51454d5520434647) /* "QEMU CFG" */
#define DIRECTORY_SIZE 68                          /* a count and an entry */
#define ENTRY_NAME 12                              /* where its name is in the directory */

struct fw_cfg {
    struct device device;
    struct machine *machine;
    char *boot_order;
    uint8_t directory[DIRECTORY_SIZE];

    pthread_mutex_t lock; /* all below */
    uint16_t key;
    uint64_t at;       /* in the item */
    uint32_t dma_high; /* of the address that is being written */
};

struct item {
    const void *bytes;
    size_t size;
};

static struct item item_of(const struct fw_cfg *f)
{
    static const uint8_t features[] = {FEATURE_TRADITIONAL | FEATURE_DMA, 0, 0, 0};
    switch (f->key) {
    case KEY_SIGNATURE:
        return (struct item){"QEMU", 4};
    case KEY_FEATURES:
        return (struct item){features, sizeof(features)};
    case KEY_DIRECTORY:
        return (struct item){f->directory, sizeof(f->directory)};
    case KEY_BOOT_ORDER:
        return (struct item){f->boot_order, strlen(f->boot_order) + 1};
    default:
        return (struct item){NULL, 0};
    }
}

static void select_item(struct fw_cfg *f, uint16_t key)
{
    f->key = key;
    f->at = 0;
}

/* to: NULL skips. */
static void take_bytes(struct fw_cfg *f, uint8_t *to, uint64_t size)
{
    struct item item = item_of(f);
    uint64_t there = f->at < item.size ? item.size - f->at : 0;
    if (there > size)
        there = size;
    if (to && there)
        memcpy(to, (const uint8_t *)item.bytes + f->at, there);
    if (to)
        memset(to + there, 0, size - there);
    f->at += size;
}

/* The bytes of a request; false: what it asks for cannot be done. */
static bool perform(struct fw_cfg *f, uint32_t control, uint64_t size, uint64_t address)
{
    if (control & DMA_SELECT)
        select_item(f, (uint16_t)(control >> 16));
    if (control & DMA_READ) {
        uint8_t *to = size ? machine_dma_map(f->machine, address, size) : NULL;
        if (size && !to)
            return false;
        if (size) {
            take_bytes(f, to, size);
            machine_dma_written(f->machine, to, size);
        }
        return true;
    }
    if (control & DMA_WRITE)
        return false;
    if (control & DMA_SKIP)
        take_bytes(f, NULL, size);
    return true;
}

static void perform_request(struct fw_cfg *f, uint64_t where)
{
    uint8_t request[16], result[4];
    if (!machine_dma_read(f->machine, where, request, sizeof(request))) {
        log_line(f->machine->log, LOG_GUEST, "fw_cfg: a request at 0x%" PRIx64, where);
        return;
    }
    bool done = perform(f, get_be32(request), get_be32(request + 4), get_be64(request + 8));
    put_be32(result, done ? 0 : DMA_ERROR);
    machine_dma_write(f->machine, where, result, sizeof(result));
}

static uint64_t fw_cfg_read(void *state, uint64_t offset, unsigned size)
{
    struct fw_cfg *f = state;
    uint8_t bytes[8] = {0};
    pthread_mutex_lock(&f->lock);
    if (offset < REG_SELECTOR)
        take_bytes(f, bytes, size);
    pthread_mutex_unlock(&f->lock);
    uint64_t value = 0;
    if (offset >= REG_DMA) {
        put_be64(bytes, DMA_SIGNATURE);
        memmove(bytes, bytes + (offset - REG_DMA), size);
    }
    for (unsigned i = 0; i < size; i++)
        value |= (uint64_t)bytes[i] << 8 * i;
    return value;
}

static void fw_cfg_write(void *state, uint64_t offset, unsigned size, uint64_t value)
{
    struct fw_cfg *f = state;
    uint8_t bytes[8];
    for (unsigned i = 0; i < 8; i++)
        bytes[i] = (uint8_t)(value >> 8 * i);
    pthread_mutex_lock(&f->lock);
    if (offset == REG_SELECTOR && size == 2) {
        select_item(f, get_be16(bytes));
    } else if (offset == REG_DMA && size == 8) {
        perform_request(f, get_be64(bytes));
    } else if (offset == REG_DMA && size == 4) {
        f->dma_high = get_be32(bytes);
    } else if (offset == REG_DMA_LOW && size == 4) {
        perform_request(f, (uint64_t)f->dma_high << 32 | get_be32(bytes));
        f->dma_high = 0;
    }
    pthread_mutex_unlock(&f->lock);
}

static void fw_cfg_reset(void *state)
{
    struct fw_cfg *f = state;
    pthread_mutex_lock(&f->lock);
    select_item(f, KEY_SIGNATURE);
    f->dma_high = 0;
    pthread_mutex_unlock(&f->lock);
}

static bool fw_cfg_describe(void *state, struct fdt *fdt, struct error *err)
{
    (void)err;
    struct fw_cfg *f = state;
    dt_begin_node(fdt, "fw-cfg@%" PRIx64, f->device.base);
    dt_prop_string(fdt, "compatible", "qemu,fw-cfg-mmio");
    dt_prop_reg(fdt, f->device.base, f->device.size);
    dt_prop_empty(fdt, "dma-coherent");
    dt_end_node(fdt);
    return true;
}

static void fw_cfg_remove(void *state)
{
    struct fw_cfg *f = state;
    pthread_mutex_destroy(&f->lock);
    free(f->boot_order);
    free(f);
}

static const struct device_ops fw_cfg_ops = {
    .name = "fw_cfg",
    .access_min = 1,
    .access_max = 8,
    .read = fw_cfg_read,
    .write = fw_cfg_write,
    .reset = fw_cfg_reset,
    .describe = fw_cfg_describe,
    .remove = fw_cfg_remove,
};

struct device *fw_cfg_new(const struct fw_cfg_config *config, struct error *err)
{
    struct fw_cfg *f = calloc(1, sizeof(*f));
    char *boot_order = strdup(config->boot_order);
    if (!f || !boot_order) {
        error_set(err, "fw_cfg: out of memory");
        free(boot_order);
        free(f);
        return NULL;
    }
    f->machine = config->machine;
    f->boot_order = boot_order;
    put_be32(f->directory, 1);
    put_be32(f->directory + 4, (uint32_t)strlen(boot_order) + 1);
    put_be16(f->directory + 8, KEY_BOOT_ORDER);
    strcpy((char *)f->directory + ENTRY_NAME, "bootorder");
    pthread_mutex_init(&f->lock, NULL);
    f->device = (struct device){.ops = &fw_cfg_ops, .state = f, .size = FW_CFG_SIZE};
    return &f->device;
}
