/* SPDX-License-Identifier: MPL-2.0 */
/*
 * PCI-to-PCI bridges (PCI-to-PCI Bridge 1.2), as root ports (Express Base, 7.5.1.3): which config
 * accesses and which addresses they let through to the bus behind them. What a guest has not set up
 * yet is windows that begin and end at 0, where the host bridge lets nothing through.
 */
#include "dev/pci/function.h"

#include <stdlib.h>

#define BRIDGE_CONTROL_WRITABLE (PCI_BRIDGE_CONTROL_RESET | 0x0003 /* parity, SERR */)

static const struct pci_function_ops root_port_ops = {.name = "pci-root-port"};

/* QEMU's root port: nothing in it asks for more than a bridge's registers. */
static const struct pci_function_config root_port = {
    .ops = &root_port_ops,
    .ids = {.vendor = 0x1b36, .device = 0x000c, .class_code = 0x060400},
};

static uint32_t field(const struct pci_function *bridge, unsigned offset, unsigned size)
{
    return pci_bytes_get(bridge->config, offset, size);
}

/* A window with its last address included; empty when the limit is below the base. */
static bool holds(uint64_t first, uint64_t last, uint64_t base, uint64_t size)
{
    return base >= first && base <= last && size - 1 <= last - base;
}

static bool forwards_io(const struct pci_function *bridge, uint64_t base, uint64_t size)
{
    uint64_t first = (field(bridge, PCI_IO_BASE, 1) & 0xf0) << 8;
    uint64_t last = (field(bridge, PCI_IO_LIMIT, 1) & 0xf0) << 8 | 0xfff;
    return holds(first, last, base, size);
}

static bool forwards_memory(const struct pci_function *bridge, uint64_t base, uint64_t size)
{
    uint64_t first = (uint64_t)(field(bridge, PCI_MEMORY_BASE, 2) & 0xfff0) << 16;
    uint64_t last = (uint64_t)(field(bridge, PCI_MEMORY_LIMIT, 2) & 0xfff0) << 16 | 0xfffff;
    if (holds(first, last, base, size))
        return true;
    first = (uint64_t)field(bridge, PCI_PREFETCH_BASE_UPPER, 4) << 32 |
            (uint64_t)(field(bridge, PCI_PREFETCH_BASE, 2) & 0xfff0) << 16;
    last = (uint64_t)field(bridge, PCI_PREFETCH_LIMIT_UPPER, 4) << 32 |
           (uint64_t)(field(bridge, PCI_PREFETCH_LIMIT, 2) & 0xfff0) << 16 | 0xfffff;
    return holds(first, last, base, size);
}

bool pci_bridge_forwards(const struct pci_function *bridge, enum pci_space space, uint64_t base,
                         uint64_t size)
{
    uint32_t command = field(bridge, PCI_COMMAND, 2);
    if (space == PCI_SPACE_IO)
        return !bridge->slot && command & PCI_COMMAND_IO && forwards_io(bridge, base, size);
    return command & PCI_COMMAND_MEMORY && forwards_memory(bridge, base, size);
}

struct pci_bus *pci_bus_find(struct pci_bus *bus, unsigned number)
{
    if (!bus->bridge && number == 0)
        return bus;
    while (bus && (!bus->bridge || field(bus->bridge, PCI_SECONDARY_BUS, 1) != number)) {
        struct pci_bus *child = bus->first_child;
        while (child && !(field(child->bridge, PCI_SECONDARY_BUS, 1) <= number &&
                          number <= field(child->bridge, PCI_SUBORDINATE_BUS, 1)))
            child = child->next;
        bus = child;
    }
    return bus;
}

static void reset_config(struct pci_bus *bus)
{
    for (unsigned i = 0; i < PCI_DEVFN_MAX; i++) {
        struct pci_function *f = bus->functions[i];
        if (!f)
            continue;
        pci_function_reset_config(f);
        if (f->secondary)
            reset_config(f->secondary);
    }
}

static void reset_devices(struct pci_bus *bus)
{
    for (unsigned i = 0; i < PCI_DEVFN_MAX; i++) {
        struct pci_function *f = bus->functions[i];
        if (f && f->secondary)
            reset_devices(f->secondary);
        else if (f && f->ops->reset)
            f->ops->reset(f->state);
    }
}

/* Devices come last: other harts run, and must not set one up again that was just reset. */
void pci_bus_reset(struct pci_bus *bus)
{
    reset_config(bus);
    pci_topology_changed(bus->host);
    reset_devices(bus);
}

void pci_bridge_written(struct pci_function *bridge, uint32_t old_control)
{
    uint32_t control = field(bridge, PCI_BRIDGE_CONTROL, 2);
    if (control & ~old_control & PCI_BRIDGE_CONTROL_RESET)
        pci_bus_reset(bridge->secondary);
}

static void init_header(struct pci_function *f)
{
    pci_config_init(f, PCI_HEADER_TYPE, 1, PCI_HEADER_BRIDGE, 0);
    pci_config_init(f, PCI_COMMAND, 2, 0,
                    PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_PARITY |
                        PCI_COMMAND_SERR);
    pci_config_init(f, PCI_PRIMARY_BUS, 3, 0, 0xffffff);
    /* 16 bits: the window has no more. Slots have none, since 16 of them would take it all. */
    pci_config_init(f, PCI_IO_BASE, 2, 0, f->slot ? 0 : 0xf0f0);
    pci_bytes_set(f->clear, PCI_SECONDARY_STATUS, 2, PCI_STATUS_ERRORS);
    pci_config_init(f, PCI_MEMORY_BASE, 4, 0, 0xfff0fff0);
    pci_config_init(f, PCI_PREFETCH_BASE, 4, PCI_PREFETCH_TYPE_64 | PCI_PREFETCH_TYPE_64 << 16,
                    0xfff0fff0);
    pci_config_init(f, PCI_PREFETCH_BASE_UPPER, 4, 0, ~0u);
    pci_config_init(f, PCI_PREFETCH_LIMIT_UPPER, 4, 0, ~0u);
    pci_config_init(f, PCI_BRIDGE_CONTROL, 2, 0, BRIDGE_CONTROL_WRITABLE);
}

struct pci_bus *pci_bridge_new(struct pci_bus *bus, unsigned devfn, struct error *err)
{
    return pci_bridge_make(bus, devfn, &root_port, NULL, err);
}

struct pci_bus *pci_bridge_make(struct pci_bus *bus, unsigned devfn,
                                const struct pci_function_config *config, struct pci_slot *slot,
                                struct error *err)
{
    struct pci_bus *secondary = calloc(1, sizeof(*secondary));
    struct pci_function *f = secondary ? pci_function_alloc(config, err) : NULL;
    if (!f) {
        free(secondary);
        if (config->ops->remove)
            config->ops->remove(config->state);
        error_set(err, "pci: out of memory");
        return NULL;
    }
    f->secondary = secondary;
    f->slot = slot;
    secondary->host = bus->host;
    secondary->bridge = f;
    init_header(f);
    if (slot)
        pci_msi_init(f, 1);
    if (!pci_plug_at(bus, f, devfn, err))
        return NULL;
    secondary->next = bus->first_child;
    bus->first_child = secondary;
    return secondary;
}
