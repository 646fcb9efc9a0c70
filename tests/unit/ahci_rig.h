/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * An AHCI controller with one drive on the PCI bus of a machine without harts that run, and a driver for it.
 *
 *     struct arig *a = arig_new(false, NULL);
 *     struct fis_host_to_device f = frame(ATA_READ_DMA, lba, sectors);
 *     assert_int_equal(do_frame(a, f, DATA, bytes), 0);
 */
#ifndef RVVM_TESTS_AHCI_RIG_H
#define RVVM_TESTS_AHCI_RIG_H

#include "pci_rig.h"
#include "scratch_file.h"

#include "dev/ahci/controller.h"
#include <sched.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define BAR UINT64_C(0x40000000)
#define PATIENCE 20 /* seconds that the controller may take for anything */
#define DISK (4u << 20)
#define NOT_MEMORY UINT64_C(0x1000)

/* Where things lie in guest memory. */
#define LIST MACHINE_RAM_BASE
#define FRAMES (MACHINE_RAM_BASE + 0x1000)
#define TABLES (MACHINE_RAM_BASE + 0x10000) /* 1 KiB a slot */
#define DATA (MACHINE_RAM_BASE + 0x40000)

struct arig {
    struct rig *pci;
    char path[32]; /* empty: the disk is no file */
};

static inline void *memory(struct arig *a, uint64_t address, size_t size)
{
    void *bytes = machine_dma_map(a->pci->m, address, size);
    assert_non_null(bytes);
    return bytes;
}

static inline uint32_t get(struct arig *a, unsigned offset)
{
    return (uint32_t)rig_read(a->pci, BAR + offset, 4);
}

static inline void set(struct arig *a, unsigned offset, uint32_t value)
{
    rig_write(a->pci, BAR + offset, 4, value);
}

static inline uint32_t port_get(struct arig *a, unsigned offset)
{
    return get(a, AHCI_PORTS + offset);
}

static inline void port_set(struct arig *a, unsigned offset, uint32_t value)
{
    set(a, AHCI_PORTS + offset, value);
}

/* Until (the register & mask) == value. */
static inline void until(struct arig *a, unsigned offset, uint32_t mask, uint32_t value)
{
    time_t since = time(NULL);
    while ((get(a, offset) & mask) != value) {
        assert_true(time(NULL) - since < PATIENCE);
        sched_yield();
    }
}

static inline void port_until(struct arig *a, unsigned offset, uint32_t mask, uint32_t value)
{
    until(a, AHCI_PORTS + offset, mask, value);
}

static inline void enable(struct arig *a)
{
    rig_write(a->pci, ecam(0, DEV(1), 0x24), 4, BAR);
    rig_write(a->pci, ecam(0, DEV(1), PCI_COMMAND), 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}

static inline void start(struct arig *a)
{
    port_set(a, PORT_CLB, (uint32_t)LIST);
    port_set(a, PORT_FB, (uint32_t)FRAMES);
    port_set(a, PORT_SERR, UINT32_MAX);
    port_set(a, PORT_IS, UINT32_MAX);
    port_set(a, PORT_CMD, CMD_FRE | CMD_ST);
}

/* After an error, as section 6.2.2.1 wants it. */
static inline void restart(struct arig *a)
{
    port_set(a, PORT_CMD, CMD_FRE);
    port_until(a, PORT_CMD, CMD_CR, 0);
    start(a);
}

/* calls: NULL for a file. */
static inline struct arig *arig_new(bool read_only, const struct disk_calls *calls)
{
    struct arig *a = calloc(1, sizeof(*a));
    void *pci;
    rig_setup(&pci);
    a->pci = pci;
    if (!calls) {
        strcpy(a->path, "/tmp/rvvm-ahci-XXXXXX");
        scratch_make(a->path, DISK);
    }
    struct disk_options options = {
        .path = a->path, .calls = calls, .format = DISK_FORMAT_RAW, .read_only = read_only};
    struct ahci_config config = {.ports = {{disk_open(&options, NULL), "SERIAL-1"}},
                                 .port_count = 1};
    struct pci_function *f = ahci_new(&config, NULL);
    assert_true(f && pci_plug_at(a->pci->root, f, DEV(1), NULL));
    enable(a);
    start(a);
    return a;
}

static inline int setup(void **state)
{
    *state = arig_new(false, NULL);
    return 0;
}

static inline int teardown(void **state)
{
    struct arig *a = *state;
    void *pci = a->pci;
    rig_teardown(&pci);
    if (a->path[0])
        unlink(a->path);
    free(a);
    return 0;
}

static inline struct fis_host_to_device frame(unsigned command, uint64_t lba, unsigned count)
{
    struct fis_host_to_device f = {
        .type = FIS_HOST_TO_DEVICE,
        .flags = FIS_COMMAND,
        .command = (uint8_t)command,
        .device = DEVICE_LBA,
        .count_low = (uint8_t)count,
        .count_high = (uint8_t)(count >> 8),
    };
    for (unsigned i = 0; i < 3; i++) {
        f.lba_low[i] = (uint8_t)(lba >> 8 * i);
        f.lba_high[i] = (uint8_t)(lba >> (24 + 8 * i));
    }
    return f;
}

/* A queued command: the count stands in the features, the tag in the count. */
static inline struct fis_host_to_device queued(unsigned command, unsigned tag, uint64_t lba,
                                               unsigned count)
{
    struct fis_host_to_device f = frame(command, lba, tag << 3);
    f.features_low = (uint8_t)count;
    f.features_high = (uint8_t)(count >> 8);
    return f;
}

/* Into a slot, with one piece of data; it is not issued. */
static inline void put(struct arig *a, unsigned slot, const struct fis_host_to_device *f,
                       uint64_t data, unsigned size)
{
    struct ahci_command header = {.flags = 5, .prdtl = 1};
    struct ahci_prd prd = {.address = data, .count = size - 1};
    header.ctba = (uint32_t)TABLES + 0x400 * slot;
    memcpy(memory(a, LIST + 32 * slot, 32), &header, 32);
    memcpy(memory(a, header.ctba, 20), f, 20);
    memcpy(memory(a, header.ctba + TABLE_PRDT, 16), &prd, 16);
}

static inline void issue(struct arig *a, unsigned slot)
{
    port_set(a, PORT_CI, 1u << slot);
}

/* A command that is not queued, to its end: bits of the error register. */
static inline unsigned do_frame(struct arig *a, struct fis_host_to_device f, uint64_t data,
                                unsigned size)
{
    put(a, 3, &f, data, size);
    port_set(a, PORT_IS, UINT32_MAX);
    issue(a, 3);
    time_t since = time(NULL);
    while (port_get(a, PORT_CI) && !(port_get(a, PORT_IS) & IS_TFES)) {
        assert_true(time(NULL) - since < PATIENCE);
        sched_yield();
    }
    uint32_t tfd = port_get(a, PORT_TFD);
    assert_int_equal(tfd & (ATA_BSY | ATA_DRQ), 0);
    assert_int_equal(tfd & ATA_ERR, tfd >> 8 ? ATA_ERR : 0);
    return tfd >> 8;
}

static inline unsigned failing(struct arig *a, struct fis_host_to_device f, uint64_t data,
                               unsigned size)
{
    unsigned error = do_frame(a, f, data, size);
    assert_int_equal(port_get(a, PORT_CI), 1 << 3); /* it shows which one it was */
    restart(a);
    return error;
}

static inline void fill(struct arig *a, uint64_t address, size_t size, unsigned seed)
{
    uint8_t *bytes = memory(a, address, size);
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(seed + i * 7 + i / 251);
}

static inline void assert_image(struct arig *a, uint64_t offset, const void *bytes, size_t size)
{
    uint8_t *found = malloc(size);
    scratch_read(a->path, offset, found, size);
    assert_memory_equal(found, bytes, size);
    free(found);
}

/* Of what IDENTIFY DEVICE has sent to DATA. */
static inline uint16_t word(struct arig *a, unsigned n)
{
    return *(uint16_t *)memory(a, DATA + 2 * n, 2);
}

static inline bool wire(struct arig *a)
{
    return a->pci->wire[1];
}

#endif
