/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What a device is to the machine: a const table of callbacks, an opaque state, a place in the
 * physical address space, an interrupt line that it drives without knowing the controller.
 * One file a device, one constructor:
 *
 *     struct device *plic_new(const struct plic_config *config, struct error *err);
 *     machine_add(machine, dev, 0x0c000000);
 */
#ifndef RVVM_MACHINE_DEVICE_H
#define RVVM_MACHINE_DEVICE_H

#include "base/error.h"
#include <stdbool.h>
#include <stdint.h>

struct fdt; /* machine/fdt.h */

/* An interrupt line. set() may be called from any thread and keeps no lock of the caller's. */
struct irq_line {
    void (*set)(void *ctx, unsigned number, bool level);
    void *ctx;
    unsigned number; /* input of the controller */
};

static inline void irq_set(const struct irq_line *line, bool level)
{
    if (line->set)
        line->set(line->ctx, line->number, level);
}

/*
 * Callbacks run on the thread of the hart that makes the access, several at once: the device takes
 * its own lock. offset is from the device's base, a multiple of size, and offset + size is within
 * the device's size; size is a power of two between access_min and access_max (others are an
 * access fault for the guest and never get here).
 */
struct device_ops {
    const char *name;
    unsigned access_min, access_max; /* bytes: 1, 2, 4 or 8 */
    uint64_t (*read)(void *state, uint64_t offset, unsigned size);
    void (*write)(void *state, uint64_t offset, unsigned size, uint64_t value);
    void (*reset)(void *state); /* power-on state; harts are stopped */
    bool (*describe)(void *state, struct fdt *fdt, struct error *err); /* its node; NULL: none */
    void (*remove)(void *state); /* frees state; harts are stopped */
};

struct device {
    const struct device_ops *ops;
    void *state;
    uint64_t base; /* set by machine_add; describe() may use it */
    uint64_t size; /* bytes it decodes, set by its constructor */
};

#endif
