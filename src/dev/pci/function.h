/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What the parts of src/dev/pci share: functions, buses and the host bridge. Devices see pci.h.
 *
 * Locks, in the order they are taken:
 *   pci_host.config_lock   config space of all functions, and what is derived from it
 *   a device's own lock    (its config_ callbacks run under the first)
 *   pci_function.lock      the function's messages and its INTx level
 *   pci_host.wires_lock    the four INTx wires
 * Whatever a device's thread asks on its way (is it bus master, are messages on) is atomic, so that
 * no device ever waits for config_lock.
 */
#ifndef RVVM_DEV_PCI_FUNCTION_H
#define RVVM_DEV_PCI_FUNCTION_H

#include "dev/pci/pci.h"
#include "dev/pci/pci_host.h"
#include "dev/pci/regs.h"
#include "machine/device.h"
#include <pthread.h>
#include <stdatomic.h>

#define PCI_DEVFN_MAX 256
#define PCI_WIRES 4 /* INTA to INTD */

/* Message Signaled Interrupts: the registers as the guest set them, under pci_function.lock. */
struct pci_msi {
    unsigned capability; /* offset in config space; 0: none */
    unsigned vectors;    /* that there are */
    unsigned used;       /* that the guest allows; 0: not enabled */
    uint64_t address;
    uint32_t data, mask, pending;
};

/* words: address, upper address, data, vector control. */
struct pci_msix_entry {
    uint32_t words[4];
};

struct pci_msix {
    unsigned capability; /* offset in config space; 0: none */
    unsigned vectors;
    unsigned bar;
    uint32_t table, pending; /* offsets in the BAR */
    /* Under pci_function.lock: */
    bool enabled, masked;
    struct pci_msix_entry *entries;
    uint64_t *pending_bits;
};

struct pci_function {
    const struct pci_function_ops *ops;
    void *state;
    struct pci_bar bars[PCI_BARS];
    unsigned pin;          /* 1 to 4: INTA to INTD; 0: none */
    bool conventional;     /* without the capability of PCI Express */
    struct pci_host *host; /* NULL: not plugged in */
    struct pci_bus *bus;
    struct pci_bus *secondary; /* of a bridge; NULL: an endpoint */
    struct pci_slot *slot;     /* of a port whose card comes and goes; NULL: it does not */
    unsigned devfn;

    /* Under config_lock: */
    uint8_t config[PCI_CONFIG_SIZE];
    uint8_t initial[PCI_CONFIG_SIZE];  /* at power-on */
    uint8_t writable[PCI_CONFIG_SIZE]; /* bits the guest may change */
    uint8_t clear[PCI_CONFIG_SIZE];    /* bits it clears by writing 1 */
    uint8_t owned[PCI_CONFIG_SIZE];    /* not 0: the device's callbacks want to know */
    unsigned capability_end;           /* where the next one goes */
    unsigned last_capability;          /* the byte that will point to it */

    _Atomic bool master;   /* it may reach memory */
    _Atomic bool messages; /* MSI or MSI-X is enabled */

    pthread_mutex_t lock; /* what follows, msi and msix */
    bool intx_level;      /* as the device sets it */
    bool intx_hidden;     /* INTx Disable, or messages are enabled */
    bool intx_driven;     /* what its wire was told */
    struct pci_msi msi;
    struct pci_msix msix;
};

struct pci_bus {
    struct pci_host *host;
    struct pci_function *bridge; /* NULL: the root bus */
    struct pci_function *functions[PCI_DEVFN_MAX];
    struct pci_bus *first_child, *next; /* buses behind bridges of this one */
};

/* A BAR at its address: see map.c. */
struct pci_region {
    _Atomic uint64_t base, size;
    _Atomic(struct pci_function *) function;
    _Atomic unsigned bar;
};

struct pci_map {
    _Atomic unsigned version; /* odd: being changed */
    _Atomic unsigned count;
    struct pci_region *regions; /* by base, ascending */
};

enum pci_space { PCI_SPACE_IO, PCI_SPACE_MEMORY, PCI_SPACES };

enum pci_window_id { PCI_WINDOW_ECAM, PCI_WINDOW_IO, PCI_WINDOW_LOW, PCI_WINDOW_HIGH, PCI_WINDOWS };

/* A range of the machine's addresses that leads here; a device for each. */
struct pci_window {
    struct device device;
    struct pci_host *host;
    enum pci_space space; /* not of PCI_WINDOW_ECAM */
};

struct pci_host {
    struct pci_host_config config;
    struct log *log;
    struct pci_window windows[PCI_WINDOWS];
    unsigned windows_left; /* the last one that is removed frees all */
    struct pci_bus root;
    struct pci_function **functions; /* all, in the order they were plugged in */
    unsigned function_count, function_room;

    pthread_mutex_t config_lock;
    struct pci_map maps[PCI_SPACES]; /* written under config_lock, read without */

    pthread_mutex_t wires_lock;
    unsigned wire_users[PCI_WIRES]; /* functions that hold the wire up */
};

/* Little-endian values in arrays of config bytes; size is 1 to 4. */
static inline uint32_t pci_bytes_get(const uint8_t *bytes, unsigned offset, unsigned size)
{
    uint32_t value = 0;
    for (unsigned i = size; i--;)
        value = value << 8 | bytes[offset + i];
    return value;
}

static inline void pci_bytes_set(uint8_t *bytes, unsigned offset, unsigned size, uint32_t value)
{
    for (unsigned i = 0; i < size; i++)
        bytes[offset + i] = (uint8_t)(value >> 8 * i);
}

/* function.c, before it is plugged in. A value that stays, and bits that can be written. */
void pci_config_init(struct pci_function *f, unsigned offset, unsigned size, uint32_t value,
                     uint32_t writable);
/* A function of a bridge: no BARs, a header of type 1. */
struct pci_function *pci_function_alloc(const struct pci_function_config *config,
                                        struct error *err);
void pci_express_init(struct pci_function *f, enum pci_express_type type);
/* Config space at power-on, messages and wire off. Under config_lock. */
void pci_function_reset_config(struct pci_function *f);

/* config.c, under config_lock. size is 1, 2 or 4 and offset a multiple of it. */
uint32_t pci_config_read(struct pci_function *f, unsigned offset, unsigned size);
void pci_config_write(struct pci_function *f, unsigned offset, unsigned size, uint32_t value);

/* bus.c: room for one function more, in lists that harts read and that move for it. Before the machine runs. */
bool pci_host_reserve(struct pci_host *host, struct error *err);
/* The first place for a root port that is free; false: there is none. */
bool pci_free_port(const struct pci_bus *root, unsigned *devfn, struct error *err);
/* Takes f out of its bus, under config_lock: it is found no more, is no bus master and drives no wire. Harts
 * that had found it before may still call it. */
void pci_unplug(struct pci_function *f);

/* map.c */
bool pci_maps_grow(struct pci_host *host, struct error *err); /* for the functions there may be */
void pci_maps_free(struct pci_host *host);
/* After config space changed, under config_lock: which BARs answer where, who is bus master. */
void pci_topology_changed(struct pci_host *host);
uint64_t pci_map_read(struct pci_host *host, enum pci_space space, uint64_t address, unsigned size);
void pci_map_write(struct pci_host *host, enum pci_space space, uint64_t address, unsigned size,
                   uint64_t value);

/* bridge.c, under config_lock */
bool pci_bridge_forwards(const struct pci_function *bridge, enum pci_space space, uint64_t base,
                         uint64_t size);
/* The bus of that number at or behind this one; NULL: there is none. */
struct pci_bus *pci_bus_find(struct pci_bus *bus, unsigned number);
void pci_bridge_written(struct pci_function *bridge, uint32_t old_control);
/* As if it had been powered on just now: everything on the bus and behind it. */
void pci_bus_reset(struct pci_bus *bus);
/* A bridge of that kind, with a slot if slot is not NULL. It takes over config->state, also when it fails. */
struct pci_bus *pci_bridge_make(struct pci_bus *bus, unsigned devfn,
                                const struct pci_function_config *config, struct pci_slot *slot,
                                struct error *err);

/* slot.c, under config_lock. Its registers, before it is plugged in; the guest wrote some of them. */
void pci_slot_init(struct pci_function *port, unsigned capability);
void pci_slot_written(struct pci_function *port, unsigned offset, unsigned size);
bool pci_slot_has_link(const struct pci_slot *slot);

/* Whether what is on the bus can be reached at all. */
static inline bool pci_bus_is_up(const struct pci_bus *bus)
{
    return !bus->bridge || !bus->bridge->slot || pci_slot_has_link(bus->bridge->slot);
}

/* msi.c. The guest wrote the capability, under config_lock; registers of the table in a BAR. */
void pci_messages_written(struct pci_function *f);
uint32_t pci_msi_pending(struct pci_function *f);
bool pci_msix_covers(const struct pci_function *f, unsigned bar, uint64_t offset);
uint64_t pci_msix_read(struct pci_function *f, uint64_t offset, unsigned size);
void pci_msix_write(struct pci_function *f, uint64_t offset, unsigned size, uint64_t value);
void pci_messages_reset(struct pci_function *f);

/* intx.c */
void pci_intx_update(struct pci_function *f); /* under pci_function.lock */

#endif
