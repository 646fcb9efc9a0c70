/* SPDX-License-Identifier: MPL-2.0 */
/*
 * PCI functions of one's own. Config space, BARs, MSI-X and bus mastering are the library's; the device has
 * what is behind its BARs.
 *
 *     struct rvvm_pci how = {
 *         .struct_size = sizeof(how),
 *         .name = "adder",
 *         .vendor = 0x1234, .device = 0x5678, .class_code = 0xff0000,
 *         .bars = {[0] = {RVVM_BAR_MEMORY32, 0x1000}},
 *         .vectors = 1, .vector_bar = 1,
 *         .state = &adder, .read = adder_read, .write = adder_write,
 *     };
 *     adder.function = rvvm_machine_add_pci(machine, &how, &error);
 *
 * Callbacks run on the thread of the hart that makes the access, several at once. They may call the
 * functions here that are for any thread.
 */
#ifndef RVVM_PCI_H
#define RVVM_PCI_H

#include <rvvm/machine.h>

#ifdef __cplusplus
extern "C" {
#endif

struct rvvm_pci_function;

#define RVVM_PCI_BARS 6

enum rvvm_bar_kind {
    RVVM_BAR_NONE,
    RVVM_BAR_IO,
    RVVM_BAR_MEMORY32,
    RVVM_BAR_MEMORY64,              /* takes the next BAR too */
    RVVM_BAR_MEMORY64_PREFETCHABLE, /* the same; reads have no side effects */
};

struct rvvm_bar {
    enum rvvm_bar_kind kind;
    uint64_t size; /* bytes, a power of two: IO 4 to 256, memory from 16 */
    /* Bytes that an access has; 0: 1 and 8. Wider ones come as several, narrower ones never. */
    uint8_t access_min, access_max;
};

/* What is not named is zero; its meaning is behind the semicolons. */
struct rvvm_pci {
    size_t struct_size; /* sizeof(struct rvvm_pci) */
    const char *name;   /* for messages */
    uint16_t vendor, device, subsystem_vendor, subsystem;
    uint32_t class_code; /* 24 bits: class, subclass, programming interface */
    uint8_t revision;
    struct rvvm_bar bars[RVVM_PCI_BARS];
    bool wire;           /* it has INTA */
    unsigned vectors;    /* of MSI-X, up to 2048; 0: it has none */
    unsigned vector_bar; /* with vectors: a BAR that has no other use, for their table */

    void *state; /* first argument of the callbacks */
    /* offset is a multiple of size and within the BAR. NULL: reads as zeros, writes nothing */
    uint64_t (*read)(void *state, unsigned bar, uint64_t offset, unsigned size);
    void (*write)(void *state, unsigned bar, uint64_t offset, unsigned size, uint64_t value);
    /* To the state of power-on, what is under way ended. NULL: nothing */
    void (*reset)(void *state);
    /* With the machine, or when the function could not be added: state is free. NULL: nothing */
    void (*remove)(void *state);
};

/* While the machine is not running. The struct is copied. NULL: there is no place for it, or it is not one
 * that could be; `remove` has been called. */
RVVM_API struct rvvm_pci_function *rvvm_machine_add_pci(struct rvvm_machine *machine,
                                                        const struct rvvm_pci *how,
                                                        struct rvvm_error *error);

/*
 * Any thread, with the device's lock held or not. An event is told both ways, whatever the guest has
 * switched on; what does not apply is not sent: the message once each time something happens, the wire as
 * long as there is something to tell.
 */
RVVM_API void rvvm_pci_interrupt(struct rvvm_pci_function *function, unsigned vector);
RVVM_API void rvvm_pci_wire(struct rvvm_pci_function *function, bool high);

/* Any thread: DMA. false: not all of it is main memory, or the guest has not let the function master the
 * bus; nothing was read or written. */
RVVM_API bool rvvm_pci_read_memory(struct rvvm_pci_function *function, uint64_t address,
                                   void *bytes, size_t size);
RVVM_API bool rvvm_pci_write_memory(struct rvvm_pci_function *function, uint64_t address,
                                    const void *bytes, size_t size);

#ifdef __cplusplus
}
#endif

#endif
