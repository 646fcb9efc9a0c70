/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What a PCI Express function is to its device, and the other way round (PCI Local Bus 3.0, PCI
 * Express Base 4.0). The device gives a const table of callbacks, its identity and its BARs; config
 * space, decoding, bridges, MSI and MSI-X are done here.
 *
 *     struct pci_function_config config = {
 *         .ops = &nvme_ops,
 *         .state = nvme,
 *         .ids = {.vendor = ..., .device = ..., .class_code = 0x010802},
 *         .bars = {[0] = {PCI_BAR_MEM64, 0x4000, 4, 8}},
 *         .interrupt_pin = 1,
 *     };
 *     nvme->pci = pci_function_new(&config, err);
 *     pci_msix_init(nvme->pci, 65, 0, 0x2000, 0x3000);
 *     ...
 *     pci_plug(bus, nvme->pci, err);             // the board does this
 *
 * An interrupt is both of these, whatever the guest has switched on; what does not apply is not sent:
 *
 *     pci_intx_set(f, level);       // the wire: as long as there is something to tell
 *     pci_interrupt(f, vector);     // the message: once each time something happens
 */
#ifndef RVVM_DEV_PCI_PCI_H
#define RVVM_DEV_PCI_PCI_H

#include "base/error.h"
#include "base/log.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pci_function;
struct pci_bus;

#define PCI_BARS 6
#define PCI_MSIX_VECTORS_MAX 2048

enum pci_capability_id {
    PCI_CAP_MSI = 0x05,
    PCI_CAP_VENDOR = 0x09,
    PCI_CAP_EXPRESS = 0x10,
    PCI_CAP_MSIX = 0x11,
    PCI_CAP_SATA = 0x12,
};

struct pci_ids {
    uint16_t vendor, device;
    uint16_t subsystem_vendor, subsystem;
    uint32_t class_code; /* 24 bits: class, subclass, programming interface */
    uint8_t revision;
};

enum pci_bar_kind {
    PCI_BAR_NONE,
    PCI_BAR_IO,
    PCI_BAR_MEM32,
    PCI_BAR_MEM64,          /* takes the next BAR too */
    PCI_BAR_MEM64_PREFETCH, /* takes the next BAR too; reads have no side effects */
};

struct pci_bar {
    enum pci_bar_kind kind;
    uint64_t size;                  /* bytes, a power of two; memory at least 16, IO 4 to 256 */
    uint8_t access_min, access_max; /* bytes, as in struct device_ops */
};

/*
 * bar_read and bar_write run on the thread of the hart that makes the access, several at once, with
 * no lock held: the device takes its own. offset is a multiple of size and inside the BAR. An access
 * wider than access_max comes as several, lowest address first; a narrower one than access_min never
 * comes: it reads as zeros and writes nothing. Table and pending bits of MSI-X are not the device's
 * either.
 *
 * The config_ callbacks run under the lock of config space, for accesses that touch bytes of a
 * capability made with pci_capability_add: there only pci_config_get and pci_config_set may be
 * called of the functions here, and the interrupt and DMA functions, which take no lock that is
 * held there.
 */
struct pci_function_ops {
    const char *name;
    uint64_t (*bar_read)(void *state, unsigned bar, uint64_t offset, unsigned size);
    void (*bar_write)(void *state, unsigned bar, uint64_t offset, unsigned size, uint64_t value);
    void (*config_read)(void *state, unsigned offset, unsigned size);    /* before; may be NULL */
    void (*config_written)(void *state, unsigned offset, unsigned size); /* after; may be NULL */
    /* Power-on state, all IO under way ended; config space has been reset. Harts are stopped, unless the
     * guest resets the bus behind a bridge: then this runs under the lock of config space. */
    void (*reset)(void *state);
    void (*remove)(
        void *state); /* frees state: no call to the function comes or is made after it */
};

struct pci_function_config {
    const struct pci_function_ops *ops;
    void *state;
    struct pci_ids ids;
    struct pci_bar bars[PCI_BARS];
    uint8_t interrupt_pin; /* 1 to 4: INTA to INTD; 0: none */
    bool conventional;     /* it says nothing of PCI Express: a part for the older bus */
};

/* NULL: state is still the caller's. */
struct pci_function *pci_function_new(const struct pci_function_config *config, struct error *err);
/* For a function that was not plugged in: calls ops->remove. f may be NULL. */
void pci_function_free(struct pci_function *f);

/*
 * Before it is plugged in: capabilities. They stand in the list in the order they were added, and
 * the device's own values in them are its power-on values.
 */

/*
 * size bytes with the header of two bytes that is made here: body[0] is the byte behind it, and of
 * body there are size - 2. writable has a bit for each bit that the guest may change; NULL: none.
 * The capability's offset in config space, or 0: no room.
 */
unsigned pci_capability_add(struct pci_function *f, enum pci_capability_id id, unsigned size,
                            const void *body, const void *writable);
/*
 * MSI-X with its table (16 bytes a vector) and pending bits (8 bytes for each 64 vectors) at these
 * offsets of a memory BAR, which they may share with the device's own registers. Both are multiples
 * of 8. false: they overlap or do not fit.
 */
bool pci_msix_init(struct pci_function *f, unsigned vectors, unsigned bar, uint32_t table,
                   uint32_t pending);
/* MSI with 64-bit addresses and masking; vectors is a power of two up to 32. */
bool pci_msi_init(struct pci_function *f, unsigned vectors);

/* A byte, word or double word of config space, aligned: for the callbacks, or before plugging. */
uint32_t pci_config_get(const struct pci_function *f, unsigned offset, unsigned size);
void pci_config_set(struct pci_function *f, unsigned offset, unsigned size, uint32_t value);

/*
 * Any thread, with the device's own lock held or not.
 */

/* Tells of an event by the MSI-X or MSI message of this vector. Without either it does nothing. */
void pci_interrupt(struct pci_function *f, unsigned vector);
/* The level of the function's INTx wire. It is kept, and shown when messages are not enabled. */
void pci_intx_set(struct pci_function *f, bool level);
/* Whether events are told by messages now. */
bool pci_messages_enabled(const struct pci_function *f);
/* Whether the function may reach memory now: bus mastering, its own and that of bridges above. */
bool pci_is_master(const struct pci_function *f);

/*
 * machine_dma_* for a function: false or NULL also while it is no bus master. A pointer stays good
 * (memory does not move), so what is under way when mastering is switched off may end.
 */
bool pci_dma_read(struct pci_function *f, uint64_t address, void *data, size_t size);
bool pci_dma_write(struct pci_function *f, uint64_t address, const void *data, size_t size);
void *pci_dma_map(struct pci_function *f, uint64_t address, size_t size);
/* Bytes behind a pointer of pci_dma_map were written. */
void pci_dma_written(struct pci_function *f, const void *bytes, size_t size);

/* For log_line; NULL before it is plugged in, and without a log. */
struct log *pci_log(const struct pci_function *f);

/*
 * The board's side. pci_plug gives the function the next free slot, on the bus itself or, when few are
 * left, behind a root port of its own. It takes over f, also when it fails; f may be NULL (its
 * constructor failed): false. Before the machine runs.
 */
bool pci_plug(struct pci_bus *bus, struct pci_function *f, struct error *err);
/* At a place of the caller's choice: device << 3 | function. Function 0 must be there first. */
bool pci_plug_at(struct pci_bus *bus, struct pci_function *f, unsigned devfn, struct error *err);
/* The drives below in the order of their places, as OpenFirmware paths, a line each; those that fit. */
void pci_boot_order(const struct pci_bus *root, char *text, size_t size);
/* A PCI-to-PCI bridge there, of the kind that the bus calls for; the bus behind it, or NULL. */
struct pci_bus *pci_bridge_new(struct pci_bus *bus, unsigned devfn, struct error *err);

#endif
