/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * A virtio device on the PCI bus of a machine without harts that run, and a driver for it that finds
 * everything as a kernel does: by capabilities, registers and rings.
 *
 *     struct vrig *v = vrig_new(function);
 *     vrig_negotiate(v, features);
 *     vrig_queue(v, 0, 8);
 *     vrig_go(v);
 *     int id = driver_add(&v->queues[0], parts, n, 0);
 *     vrig_kick(v, 0);
 */
#ifndef RVVM_TESTS_VIRTIO_RIG_H
#define RVVM_TESTS_VIRTIO_RIG_H

#include "pci_rig.h"
#include "virtio_driver.h"
#include <sched.h>
#include <time.h>

enum { STATUS_ACK = 1, STATUS_DRIVER = 2, STATUS_OK = 4, STATUS_FEATURES = 8, STATUS_BROKEN = 64 };
enum { ISR_QUEUE = 1, ISR_CONFIG = 2 };
#define F_INDIRECT_DESC (UINT64_C(1) << 28)
#define F_EVENT_IDX (UINT64_C(1) << 29)
#define F_VERSION_1 (UINT64_C(1) << 32)
#define F_RING_PACKED (UINT64_C(1) << 34)
#define F_RING_RESET (UINT64_C(1) << 40)

#define VRIG_BAR UINT64_C(0x40000000)
#define VRIG_RINGS MACHINE_RAM_BASE /* 32 KiB a queue */
#define VRIG_DATA (MACHINE_RAM_BASE + 0x100000)
#define VRIG_QUEUES 16
#define VRIG_PATIENCE 20 /* seconds that a device may take for anything */

struct vrig {
    struct rig *pci;
    uint64_t common, isr, device, notify; /* addresses of the structures */
    uint32_t multiplier;
    unsigned window; /* config space: the capability that leads to them all */
    uint64_t features;
    struct driver queues[VRIG_QUEUES];
};

static inline uint32_t vrig_config(struct vrig *v, unsigned reg, unsigned size)
{
    return (uint32_t)rig_read(v->pci, ecam(0, DEV(1), reg), size);
}

static inline void vrig_set_config(struct vrig *v, unsigned reg, unsigned size, uint32_t value)
{
    rig_write(v->pci, ecam(0, DEV(1), reg), size, value);
}

static inline void vrig_find_structure(struct vrig *v, unsigned cap)
{
    unsigned kind = vrig_config(v, cap + 3, 1);
    uint64_t at = VRIG_BAR + vrig_config(v, cap + 8, 4);
    assert_int_equal(vrig_config(v, cap + 4, 1), 0);
    switch (kind) {
    case 1:
        v->common = at;
        break;
    case 2:
        v->notify = at;
        v->multiplier = vrig_config(v, cap + 16, 4);
        break;
    case 3:
        v->isr = at;
        break;
    case 4:
        v->device = at;
        break;
    case 5:
        v->window = cap;
        break;
    default:
        fail();
    }
}

static inline struct vrig *vrig_new(struct pci_function *f)
{
    struct vrig *v = calloc(1, sizeof(*v));
    void *pci;
    rig_setup(&pci);
    v->pci = pci;
    assert_non_null(f);
    assert_true(pci_plug_at(v->pci->root, f, DEV(1), NULL));
    vrig_set_config(v, 0x10, 4, VRIG_BAR);
    vrig_set_config(v, 0x14, 4, 0);
    vrig_set_config(v, 0x04, 2, 0x06); /* memory, bus master */
    for (unsigned cap = vrig_config(v, 0x34, 1); cap; cap = vrig_config(v, cap + 1, 1))
        if (vrig_config(v, cap, 1) == PCI_CAP_VENDOR)
            vrig_find_structure(v, cap);
    assert_true(v->common && v->notify && v->isr && v->window);
    return v;
}

static inline void vrig_free(struct vrig *v)
{
    void *pci = v->pci;
    rig_teardown(&pci);
    free(v);
}

static inline uint32_t vrig_get(struct vrig *v, unsigned reg, unsigned size)
{
    return (uint32_t)rig_read(v->pci, v->common + reg, size);
}

static inline void vrig_set(struct vrig *v, unsigned reg, unsigned size, uint32_t value)
{
    rig_write(v->pci, v->common + reg, size, value);
}

static inline uint8_t vrig_status(struct vrig *v)
{
    return (uint8_t)vrig_get(v, 0x14, 1);
}

static inline void vrig_set_status(struct vrig *v, uint8_t status)
{
    vrig_set(v, 0x14, 1, status);
}

/* Lets time pass; false when the device has had enough of it. */
static inline bool vrig_wait(time_t *since)
{
    if (!*since)
        *since = time(NULL);
    sched_yield();
    return time(NULL) - *since < VRIG_PATIENCE;
}

static inline void vrig_reset(struct vrig *v)
{
    time_t since = 0;
    vrig_set_status(v, 0);
    while (vrig_status(v))
        assert_true(vrig_wait(&since));
}

static inline uint64_t vrig_offered(struct vrig *v)
{
    vrig_set(v, 0x00, 4, 0);
    uint64_t low = vrig_get(v, 0x04, 4);
    vrig_set(v, 0x00, 4, 1);
    return low | (uint64_t)vrig_get(v, 0x04, 4) << 32;
}

static inline void vrig_write_features(struct vrig *v, uint64_t features)
{
    for (unsigned half = 0; half < 2; half++) {
        vrig_set(v, 0x08, 4, half);
        vrig_set(v, 0x0c, 4, (uint32_t)(features >> 32 * half));
    }
}

/* VERSION_1 comes with it. */
static inline void vrig_negotiate(struct vrig *v, uint64_t features)
{
    v->features = features | F_VERSION_1;
    vrig_reset(v);
    vrig_set_status(v, STATUS_ACK);
    vrig_set_status(v, STATUS_ACK | STATUS_DRIVER);
    assert_int_equal(vrig_offered(v) & v->features, v->features);
    vrig_write_features(v, v->features);
    vrig_set_status(v, STATUS_ACK | STATUS_DRIVER | STATUS_FEATURES);
    assert_int_equal(vrig_status(v), STATUS_ACK | STATUS_DRIVER | STATUS_FEATURES);
}

static inline void vrig_queue_address(struct vrig *v, unsigned reg, uint64_t address)
{
    vrig_set(v, reg, 4, (uint32_t)address);
    vrig_set(v, reg + 4, 4, (uint32_t)(address >> 32));
}

/* Selects it, tells where its ring is and enables it. */
static inline void vrig_queue(struct vrig *v, unsigned index, uint16_t size)
{
    struct driver *d = &v->queues[index];
    *d = (struct driver){.memory = v->pci->m->ram.data,
                         .base = MACHINE_RAM_BASE,
                         .packed = v->features & F_RING_PACKED,
                         .event_idx = v->features & F_EVENT_IDX,
                         .size = size};
    driver_start(d, VRIG_RINGS + 0x8000u * index);
    vrig_set(v, 0x16, 2, index);
    assert_true(vrig_get(v, 0x18, 2) >= size);
    vrig_set(v, 0x18, 2, size);
    vrig_queue_address(v, 0x20, d->desc);
    vrig_queue_address(v, 0x28, d->driver);
    vrig_queue_address(v, 0x30, d->device);
    vrig_set(v, 0x1c, 2, 1);
    assert_int_equal(vrig_get(v, 0x1c, 2), 1);
}

static inline void vrig_go(struct vrig *v)
{
    vrig_set_status(v, vrig_status(v) | STATUS_OK);
}

static inline void vrig_ring(struct vrig *v, unsigned index)
{
    rig_write(v->pci, v->notify + v->multiplier * index, 2, index);
}

/* The doorbell, if the device wants it. */
static inline void vrig_kick(struct vrig *v, unsigned index)
{
    if (driver_must_kick(&v->queues[index]))
        vrig_ring(v, index);
}

/* Messages from now on, MSI-X: vector i has data 100 + i. As many as the device has. */
static inline unsigned vrig_enable_msix(struct vrig *v)
{
    unsigned cap = vrig_config(v, PCI_CAPABILITY_LIST, 1);
    while (vrig_config(v, cap, 1) != PCI_CAP_MSIX)
        cap = vrig_config(v, cap + 1, 1);
    unsigned vectors = (vrig_config(v, cap + 2, 2) & 0x7ff) + 1;
    uint64_t table = VRIG_BAR + (vrig_config(v, cap + 4, 4) & ~7u);
    for (unsigned i = 0; i < vectors; i++) {
        rig_write(v->pci, table + 16 * i, 4, (uint32_t)RIG_MSI_BASE);
        rig_write(v->pci, table + 16 * i + 4, 4, 0);
        rig_write(v->pci, table + 16 * i + 8, 4, 100 + i);
        rig_write(v->pci, table + 16 * i + 12, 4, 0);
    }
    vrig_set_config(v, cap + 2, 2, 0x8000);
    return vectors;
}

/* The next buffer that comes back; waits for it. */
static inline int vrig_get_used(struct vrig *v, unsigned index, uint32_t *written)
{
    time_t since = 0;
    int id;
    while ((id = driver_get(&v->queues[index], written)) == -1)
        assert_true(vrig_wait(&since));
    assert_true(id >= 0);
    return id;
}

/* One buffer of two parts there and back: what the device read and what it may write. */
static inline uint32_t vrig_send(struct vrig *v, unsigned index, const void *out, uint32_t out_size,
                                 uint64_t in, uint32_t in_size)
{
    struct driver_part parts[2];
    unsigned count = 0;
    uint32_t written;
    if (out_size) {
        memcpy(driver_at(&v->queues[index], VRIG_DATA), out, out_size);
        parts[count++] = (struct driver_part){VRIG_DATA, out_size, false};
    }
    if (in_size)
        parts[count++] = (struct driver_part){in, in_size, true};
    int id = driver_add(&v->queues[index], parts, count, 0);
    assert_true(id >= 0);
    vrig_kick(v, index);
    assert_int_equal(vrig_get_used(v, index, &written), id);
    return written;
}

#endif
