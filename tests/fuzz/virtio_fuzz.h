/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * A virtio device behind the machine's PCI bridge, driven by an input: registers in any order, config
 * space and the window in it, what lies in memory, and chains that a driver might have made. A device
 * works on threads of its own; sync() waits until it has nothing to do, so that inputs do the same
 * each time.
 */
#ifndef TESTS_FUZZ_VIRTIO_FUZZ_H
#define TESTS_FUZZ_VIRTIO_FUZZ_H

#include "../unit/virtio_driver.h"
#include "dev/pci/pci_host.h"
#include "dev/pci/regs.h"
#include "fuzz.h"
#include "machine/machine.h"
#include <sched.h>
#include <stdlib.h>

#define FUZZ_RAM (1u << 20)
#define FUZZ_BAR PCI_LOW_WINDOW_BASE
#define FUZZ_RINGS MACHINE_RAM_BASE
#define FUZZ_RING_SIZE 0x1000u
#define FUZZ_DATA (MACHINE_RAM_BASE + 0x40000)
#define FUZZ_QUEUES 8
#define FUZZ_OPERATIONS_MAX 400
#define FUZZ_FUNCTION (PCI_ECAM_BASE + (1u << 15)) /* config space of 00:01.0 */

struct fuzz_device {
    struct machine *m;
    unsigned queue_count;
    void (*sync)(void);
    struct driver queues[FUZZ_QUEUES];
};

static inline void fuzz_check(bool holds)
{
    if (!holds)
        abort();
}

static inline void fuzz_wire(void *ctx, unsigned number, bool level)
{
    (void)ctx, (void)number, (void)level;
}

static inline bool fuzz_message(void *ctx, uint64_t address, uint32_t data)
{
    (void)ctx, (void)data;
    return address >> 16 == 0x2800;
}

static inline struct fuzz_device *fuzz_device_new(struct pci_function *f, unsigned queues,
                                                  void (*sync)(void))
{
    struct fuzz_device *d = calloc(1, sizeof(*d));
    struct machine_config config = {.ram_size = FUZZ_RAM, .harts = 1, .interpret = true};
    isa_default(&config.isa, 64);
    d->m = machine_new(&config, NULL);
    struct pci_host_config host = {.machine = d->m, .msi = {.send = fuzz_message}};
    for (unsigned i = 0; i < 4; i++)
        host.intx[i] = (struct irq_line){fuzz_wire, NULL, PCI_INTX_IRQ + i};
    struct pci_bus *root = pci_host_add(&host, NULL);
    fuzz_check(root && f && pci_plug_at(root, f, 1 << 3, NULL));
    d->queue_count = queues < FUZZ_QUEUES ? queues : FUZZ_QUEUES;
    d->sync = sync;
    return d;
}

static inline uint64_t fuzz_read(struct fuzz_device *d, uint64_t address, unsigned size)
{
    uint64_t value = 0;
    machine_bus_read(d->m, address, size, &value);
    return value;
}

static inline void fuzz_write(struct fuzz_device *d, uint64_t address, unsigned size,
                              uint64_t value)
{
    machine_bus_write(d->m, address, size, value);
}

static inline void fuzz_power_on(struct fuzz_device *d)
{
    for (unsigned i = 0; i < d->m->device_count; i++)
        if (d->m->devices[i]->ops->reset)
            d->m->devices[i]->ops->reset(d->m->devices[i]->state);
    d->sync();
    memset(d->m->ram.data, 0, FUZZ_RAM);
    fuzz_write(d, FUZZ_FUNCTION + PCI_BAR0, 4, FUZZ_BAR);
    fuzz_write(d, FUZZ_FUNCTION + PCI_BAR0 + 4, 4, 0);
    fuzz_write(d, FUZZ_FUNCTION + PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    fuzz_check(fuzz_read(d, FUZZ_BAR + 0x14, 1) == 0);
}

static inline void fuzz_set_address(struct fuzz_device *d, unsigned reg, uint64_t address)
{
    fuzz_write(d, FUZZ_BAR + reg, 4, (uint32_t)address);
    fuzz_write(d, FUZZ_BAR + reg + 4, 4, address >> 32);
}

static inline void fuzz_enable_queue(struct fuzz_device *d, unsigned index, uint64_t features,
                                     unsigned size)
{
    struct driver *q = &d->queues[index];
    *q = (struct driver){.memory = d->m->ram.data,
                         .base = MACHINE_RAM_BASE,
                         .packed = features >> 34 & 1,
                         .event_idx = features >> 29 & 1,
                         .size = (uint16_t)size};
    driver_start(q, FUZZ_RINGS + FUZZ_RING_SIZE * index);
    fuzz_write(d, FUZZ_BAR + 0x16, 2, index);
    fuzz_write(d, FUZZ_BAR + 0x18, 2, size);
    fuzz_set_address(d, 0x20, q->desc);
    fuzz_set_address(d, 0x28, q->driver);
    fuzz_set_address(d, 0x30, q->device);
    fuzz_write(d, FUZZ_BAR + 0x1c, 2, 1);
}

/* As a driver does it, with the features that the input wants of those there are. */
static inline void fuzz_bring_up(struct fuzz_device *d, struct fuzz_input *in)
{
    uint64_t wanted = fuzz_take(in, 2), features = 0;
    unsigned size = 1u << (wanted & 7) % 7;
    fuzz_write(d, FUZZ_BAR + 0x14, 1, 0);
    d->sync();
    fuzz_write(d, FUZZ_BAR + 0x14, 1, 3);
    for (unsigned half = 0; half < 2; half++) {
        fuzz_write(d, FUZZ_BAR + 0x00, 4, half);
        features |= fuzz_read(d, FUZZ_BAR + 0x04, 4) << 32 * half;
    }
    for (unsigned i = 0; i < 3; i++) /* indirect, event index, packed */
        if (!(wanted >> (3 + i) & 1))
            features &= ~(UINT64_C(1) << (i == 2 ? 34 : 28 + i));
    if (!(wanted >> 6 & 1)) /* the device's own */
        features &= ~UINT64_C(0xffffff);
    for (unsigned half = 0; half < 2; half++) {
        fuzz_write(d, FUZZ_BAR + 0x08, 4, half);
        fuzz_write(d, FUZZ_BAR + 0x0c, 4, (uint32_t)(features >> 32 * half));
    }
    fuzz_write(d, FUZZ_BAR + 0x14, 1, 11);
    for (unsigned i = 0; i < d->queue_count; i++)
        fuzz_enable_queue(d, i, features, size);
    fuzz_write(d, FUZZ_BAR + 0x14, 1, 15);
}

/* A chain of up to 7 parts; bytes of the input lie where the first one is. */
static inline void fuzz_add_chain(struct fuzz_device *d, struct fuzz_input *in)
{
    unsigned what = (unsigned)fuzz_take(in, 1), shape = (unsigned)fuzz_take(in, 1);
    struct driver *q = &d->queues[what % d->queue_count];
    struct driver_part parts[7];
    unsigned count = what >> 5;
    if (!q->size || !count)
        return;
    for (unsigned i = 0; i < count; i++) {
        uint64_t word = fuzz_take(in, 2);
        parts[i] =
            (struct driver_part){FUZZ_DATA + 0x1000u * i, (uint32_t)word & 0x7ff, i >= (shape & 7)};
        if (shape >> 7 && i == (shape >> 3 & 7)) /* one that may be anywhere */
            parts[i].address = MACHINE_RAM_BASE - 0x100 + fuzz_take(in, 3);
    }
    for (unsigned i = 0, n = (unsigned)fuzz_take(in, 1) % 65; i < n; i++)
        *(uint8_t *)driver_at(q, FUZZ_DATA + i) = (uint8_t)fuzz_take(in, 1);
    /* All slots count as free again: an honest driver would ask. */
    memset(q->slot_used, 0, sizeof(q->slot_used));
    memset(q->id_used, 0, sizeof(q->id_used));
    q->free = q->size;
    driver_add(q, parts, count, what & 16 ? FUZZ_DATA + 0x8000 : 0);
    fuzz_write(d, FUZZ_BAR + 0x3000 + 4 * (what % d->queue_count), 2, what % d->queue_count);
}

static inline void fuzz_operate(struct fuzz_device *d, struct fuzz_input *in)
{
    unsigned what = (unsigned)fuzz_take(in, 1), size = 1u << (what >> 6);
    uint64_t at;
    switch (what & 15) {
    case 0:
        fuzz_bring_up(d, in);
        break;
    case 1:
    case 2:
        fuzz_read(d, (FUZZ_BAR + fuzz_take(in, 2) % 0x8000) & -(uint64_t)size, size);
        break;
    case 3:
    case 4:
        at = (FUZZ_BAR + fuzz_take(in, 2) % 0x8000) & -(uint64_t)size;
        fuzz_write(d, at, size, fuzz_take(in, size));
        break;
    case 5: /* common configuration */
        at = (FUZZ_BAR + fuzz_take(in, 1) % 0x40) & -(uint64_t)size;
        fuzz_write(d, at, size, fuzz_take(in, size));
        break;
    case 6: /* config space, with the window */
        at = (FUZZ_FUNCTION + fuzz_take(in, 1)) & -(uint64_t)size;
        if (what & 32)
            fuzz_read(d, at, size);
        else
            fuzz_write(d, at, size, fuzz_take(in, size));
        break;
    case 7: /* rings and data */
        at = fuzz_take(in, 3) % (FUZZ_RAM - 8);
        memcpy(d->m->ram.data + at, &(uint64_t){fuzz_take(in, size)}, size);
        break;
    case 8:
        d->sync();
        break;
    default:
        fuzz_add_chain(d, in);
        if (what & 32)
            d->sync();
        break;
    }
}

/* The device ends in good order, whatever went on. */
static inline void fuzz_run(struct fuzz_device *d, const uint8_t *data, size_t size)
{
    struct fuzz_input in = {data, size};
    fuzz_power_on(d);
    memset(d->queues, 0, sizeof(d->queues));
    for (unsigned n = 0; fuzz_left(&in) && n < FUZZ_OPERATIONS_MAX; n++)
        fuzz_operate(d, &in);
    fuzz_power_on(d);
}

#endif
