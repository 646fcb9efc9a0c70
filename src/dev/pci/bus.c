/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Plugging functions into slots, and what a function that is plugged in can do: reach memory.
 */
#include "dev/pci/function.h"

#include <stdlib.h>
#include <string.h>

#define DEVFN(device, function) ((device) << 3 | (function))
#define DEVICES 32
#define FUNCTIONS 8 /* of a device */
/* From this device number on the root bus has root ports, eight a device, for what comes then. */
#define FIRST_PORT 24

bool pci_host_reserve(struct pci_host *host, struct error *err)
{
    struct pci_function **list =
        realloc(host->functions, (host->function_room + 1) * sizeof(*list));
    if (!list)
        return error_set(err, "pci: out of memory");
    host->functions = list;
    host->function_room++;
    if (pci_maps_grow(host, err))
        return true;
    host->function_room--;
    return false;
}

/* A card's room was reserved with its slot, and harts may be running when it comes. */
static bool remember(struct pci_bus *bus, struct pci_function *f, struct error *err)
{
    struct pci_host *host = bus->host;
    const bool has_slot = bus->bridge && bus->bridge->slot;
    if (!has_slot && !pci_host_reserve(host, err))
        return false;
    host->functions[host->function_count++] = f;
    return true;
}

static void forget(struct pci_host *host, const struct pci_function *f)
{
    unsigned n = 0;
    while (host->functions[n] != f)
        n++;
    host->function_count--;
    for (; n < host->function_count; n++)
        host->functions[n] = host->functions[n + 1];
}

/* Everybody else of the device must say that there are several functions: function 0 does. */
static void note_multifunction(struct pci_bus *bus, unsigned devfn)
{
    struct pci_function *first = bus->functions[devfn & ~7u];
    first->config[PCI_HEADER_TYPE] |= PCI_HEADER_MULTIFUNCTION;
    first->initial[PCI_HEADER_TYPE] |= PCI_HEADER_MULTIFUNCTION;
}

static const char *why_not(const struct pci_bus *bus, unsigned devfn)
{
    if (devfn >= PCI_DEVFN_MAX || (bus->bridge && devfn >= FUNCTIONS))
        return "there is no such slot";
    if (bus->functions[devfn])
        return "the slot is taken";
    if (devfn & 7 && !bus->functions[devfn & ~7u])
        return "the device has no function 0";
    return NULL;
}

bool pci_plug_at(struct pci_bus *bus, struct pci_function *f, unsigned devfn, struct error *err)
{
    if (!f)
        return false;
    const char *why = why_not(bus, devfn);
    if (why)
        error_set(err, "%s in slot %u.%u: %s", f->ops->name, devfn >> 3, devfn & 7, why);
    if (why || !remember(bus, f, err)) {
        pci_function_free(f);
        return false;
    }
    f->bus = bus;
    f->devfn = devfn;
    bus->functions[devfn] = f;
    if (devfn & 7)
        note_multifunction(bus, devfn);
    if (f->secondary)
        pci_express_init(f, PCI_EXPRESS_ROOT_PORT);
    else if ((devfn || bus->bridge) && !f->conventional) /* not the host bridge */
        pci_express_init(f, bus->bridge ? PCI_EXPRESS_ENDPOINT : PCI_EXPRESS_ROOT_ENDPOINT);
    memcpy(f->initial, f->config, sizeof(f->initial));
    pthread_mutex_lock(&f->lock);
    f->host = bus->host;
    pci_intx_update(f);
    pthread_mutex_unlock(&f->lock);
    pci_topology_changed(bus->host);
    return true;
}

void pci_unplug(struct pci_function *f)
{
    forget(f->host, f);
    f->bus->functions[f->devfn] = NULL;
    atomic_store(&f->master, false);
    pthread_mutex_lock(&f->lock);
    f->intx_hidden = true;
    pci_intx_update(f);
    pthread_mutex_unlock(&f->lock);
    pci_topology_changed(f->host);
}

bool pci_free_port(const struct pci_bus *root, unsigned *devfn, struct error *err)
{
    for (*devfn = DEVFN(FIRST_PORT, 0); *devfn < DEVFN(DEVICES, 0); ++*devfn)
        if (!root->functions[*devfn])
            return true;
    return error_set(err, "pci: all slots are taken");
}

bool pci_plug(struct pci_bus *bus, struct pci_function *f, struct error *err)
{
    const unsigned devices = bus->bridge ? 1 : FIRST_PORT;
    if (!f)
        return false;
    for (unsigned device = 0; device < devices; device++)
        if (!bus->functions[DEVFN(device, 0)])
            return pci_plug_at(bus, f, DEVFN(device, 0), err);
    unsigned place;
    struct pci_bus *port =
        !bus->bridge && pci_free_port(bus, &place, err) ? pci_bridge_new(bus, place, err) : NULL;
    if (port)
        return pci_plug_at(port, f, 0, err);
    if (bus->bridge)
        error_set(err, "%s: the slot is taken", f->ops->name);
    pci_function_free(f);
    return false;
}

struct log *pci_log(const struct pci_function *f)
{
    return f->host ? f->host->log : NULL;
}

/*
 * Memory
 */

bool pci_is_master(const struct pci_function *f)
{
    return atomic_load(&f->master);
}

void *pci_dma_map(struct pci_function *f, uint64_t address, size_t size)
{
    return pci_is_master(f) ? machine_dma_map(f->host->config.machine, address, size) : NULL;
}

bool pci_dma_read(struct pci_function *f, uint64_t address, void *data, size_t size)
{
    return pci_is_master(f) && machine_dma_read(f->host->config.machine, address, data, size);
}

bool pci_dma_write(struct pci_function *f, uint64_t address, const void *data, size_t size)
{
    return pci_is_master(f) && machine_dma_write(f->host->config.machine, address, data, size);
}

void pci_dma_written(struct pci_function *f, const void *bytes, size_t size)
{
    machine_dma_written(f->host->config.machine, bytes, size);
}
