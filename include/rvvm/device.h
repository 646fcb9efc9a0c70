/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Devices of one's own: registers somewhere in the physical address space, interrupt lines, a node in the
 * device tree by which the guest finds a driver.
 *
 *     struct rvvm_mmio how = {
 *         .struct_size = sizeof(how),
 *         .name = "gpio",
 *         .compatible = "wd,mbl-gpio",
 *         .size = 0x1000,
 *         .state = &lamp,
 *         .read = lamp_read,
 *         .write = lamp_write,
 *     };
 *     lamp.device = rvvm_machine_add_mmio(machine, &how, &error);
 *
 * Callbacks run on the thread of the hart that makes the access, several at once: the device takes a lock
 * of its own. They may call rvvm_irq_set and rvvm_machine_read_memory and rvvm_machine_write_memory, which
 * are a device's DMA, and rvvm_machine_quit. What offsets and values mean is the guest's to misuse.
 */
#ifndef RVVM_DEVICE_H
#define RVVM_DEVICE_H

#include <rvvm/fdt.h>

#ifdef __cplusplus
extern "C" {
#endif

struct rvvm_device;

#define RVVM_DEVICE_IRQS 8 /* lines that one may have */

/* What is not named is zero; its meaning is behind the semicolons. */
struct rvvm_mmio {
    size_t struct_size; /* sizeof(struct rvvm_mmio) */
    const char *name;   /* of its node, without an address, and in messages */
    /* The node has reg, and interrupts if there are any; this is its compatible. NULL: describe says
     * which; without that either there is no node. */
    const char *compatible;
    uint64_t base; /* 0: the library chooses; rvvm_mmio_base tells */
    uint64_t size; /* bytes */
    unsigned irqs; /* interrupt lines, up to RVVM_DEVICE_IRQS; high is active */
    /* Bytes, powers of two up to 8; 0: 1 and 8. Other accesses are an access fault for the guest. */
    unsigned access_min, access_max;

    void *state; /* first argument of the callbacks */
    /* offset is a multiple of size, offset + size within the device. NULL: an access fault. */
    uint64_t (*read)(void *state, uint64_t offset, unsigned size);
    void (*write)(void *state, uint64_t offset, unsigned size, uint64_t value);
    /* To the state of power-on, which lines are low in. Harts rest. NULL: nothing */
    void (*reset)(void *state);
    /* Adds to its node, at each power-on and reset. NULL: nothing */
    void (*describe)(void *state, struct rvvm_fdt *fdt);
    /* With the machine, or when the device could not be added: state is free. NULL: nothing */
    void (*remove)(void *state);
};

/*
 * While the machine is not running. The struct and its strings are copied. NULL: it overlaps something, or
 * there are too many devices or interrupts; `remove` has been called.
 */
RVVM_API struct rvvm_device *rvvm_machine_add_mmio(struct rvvm_machine *machine,
                                                   const struct rvvm_mmio *how,
                                                   struct rvvm_error *error);

RVVM_API uint64_t rvvm_mmio_base(const struct rvvm_device *device);

/* Any thread, with the device's lock held or not. Lines are counted from 0; of one that the device does not
 * have nothing happens. */
RVVM_API void rvvm_irq_set(const struct rvvm_device *device, unsigned line, bool high);

#ifdef __cplusplus
}
#endif

#endif
