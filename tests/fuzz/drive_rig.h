/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * For harnesses of disk controllers: a machine of memory and a PCI bus with the controller in slot 1,
 * disks that begin as zeroes, and operations of a guest, all of what they do taken from the input.
 */
#ifndef TESTS_FUZZ_DRIVE_RIG_H
#define TESTS_FUZZ_DRIVE_RIG_H

#include "fuzz.h"

#include "block/disk.h"
#include "dev/pci/pci_host.h"
#include "dev/pci/regs.h"
#include "host/clock.h"
#include "machine/machine.h"
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RIG_RAM (1u << 20)
#define RIG_USED 0x40000u /* where queues, lists and most data lie: small, so that they meet */
#define RIG_DISK (1u << 20)
#define RIG_BAR UINT64_C(0x40000000)
#define RIG_OPERATIONS_MAX 500

static inline void check(bool holds)
{
    if (!holds)
        abort();
}

static inline struct disk *rig_disk(bool read_only)
{
    char path[] = "/tmp/rvvm-fuzz-XXXXXX";
    int fd = mkstemp(path);
    check(fd >= 0 && !ftruncate(fd, RIG_DISK));
    close(fd);
    struct disk_options options = {.path = path, .format = DISK_FORMAT_RAW, .read_only = read_only};
    struct disk *disk = disk_open(&options, NULL);
    unlink(path);
    check(disk);
    return disk;
}

static inline void rig_wire(void *ctx, unsigned number, bool level)
{
    (void)ctx, (void)number, (void)level;
}

static inline bool rig_message(void *ctx, uint64_t address, uint32_t data)
{
    (void)ctx, (void)data;
    return address >> 16 == 0x2800;
}

static inline struct machine *rig_machine(struct pci_function *function)
{
    struct machine_config config = {.ram_size = RIG_RAM, .harts = 1, .interpret = true};
    isa_default(&config.isa, 64);
    struct machine *m = machine_new(&config, NULL);
    check(m);
    struct pci_host_config host = {.machine = m, .msi = {.send = rig_message}};
    for (unsigned i = 0; i < 4; i++)
        host.intx[i] = (struct irq_line){rig_wire, NULL, PCI_INTX_IRQ + i};
    struct pci_bus *root = pci_host_add(&host, NULL);
    check(root && pci_plug_at(root, function, 1 << 3, NULL));
    return m;
}

static inline void rig_config(struct machine *m, unsigned reg, unsigned size, uint64_t value)
{
    machine_bus_write(m, PCI_ECAM_BASE + (1 << 15) + reg, size, value);
}

/* Power-on, and as a kernel leaves it for the driver. bar: the number of its first BAR. */
static inline void rig_power_on(struct machine *m, unsigned bar)
{
    for (unsigned i = 0; i < m->device_count; i++)
        if (m->devices[i]->ops->reset)
            m->devices[i]->ops->reset(m->devices[i]->state);
    memset(m->ram.data, 0, RIG_USED);
    rig_config(m, 0x10 + 4 * bar, 4, RIG_BAR);
    rig_config(m, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}

static inline uint64_t rig_read(struct machine *m, uint64_t offset, unsigned size)
{
    uint64_t value = 0;
    machine_bus_read(m, RIG_BAR + offset, size, &value);
    return value;
}

static inline void rig_write(struct machine *m, uint64_t offset, unsigned size, uint64_t value)
{
    machine_bus_write(m, RIG_BAR + offset, size, value);
}

/* Mostly in the part of memory that is used, sometimes anywhere. */
static inline uint64_t rig_address(struct fuzz_input *in)
{
    uint64_t kind = fuzz_take(in, 1), low = fuzz_take(in, 3);
    if (kind == 0xff)
        return low << 40 | fuzz_take(in, 5);
    if (kind == 0xfe)
        return MACHINE_RAM_BASE + RIG_RAM - (low & 0x3fff);
    low = kind & 1 ? low & ~UINT64_C(0xfff) : low & ~UINT64_C(3);
    return MACHINE_RAM_BASE + low % RIG_USED;
}

/* A few bytes of guest memory. */
static inline void rig_poke(struct machine *m, struct fuzz_input *in)
{
    uint64_t at = rig_address(in);
    unsigned count = (unsigned)fuzz_take(in, 1) % 64;
    for (unsigned i = 0; i < count; i++) {
        uint8_t byte = (uint8_t)fuzz_take(in, 1);
        machine_dma_write(m, at + i, &byte, 1);
    }
}

/* An address there, as an entry of a list. */
static inline void rig_poke_address(struct machine *m, struct fuzz_input *in)
{
    uint64_t at = rig_address(in) & ~UINT64_C(7), value = rig_address(in);
    machine_dma_write(m, at, &value, sizeof(value));
}

/* Whether what the controller does comes to pass; it has ten seconds. */
static inline bool rig_within(struct machine *m, bool (*holds)(struct machine *m, unsigned n),
                              unsigned n)
{
    uint64_t start = clock_monotonic_ns();
    while (!holds(m, n)) {
        if (clock_monotonic_ns() - start > UINT64_C(10000000000))
            return false;
        sched_yield();
    }
    return true;
}

/* Lets the controller's threads get on. */
static inline void rig_pause(struct fuzz_input *in)
{
    for (uint64_t n = fuzz_take(in, 1) % 16; n; n--)
        sched_yield();
}

#endif
