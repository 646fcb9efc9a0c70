/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Plugging functions into slots, and what a function that is plugged in can do: reach memory.
 */
#include "dev/pci/function.h"

#include <stdlib.h>
#include <string.h>

#define DEVFN(device, function) ((device) << 3 | (function))
#define DEVICES 32
#define FUNCTIONS 8
/* From this device number on the root bus has root ports, eight a device, for what comes then. */
#define FIRST_PORT 24

static bool remember(struct pci_host *host, struct pci_function *f, struct error *err)
{
    struct pci_function **list =
        realloc(host->functions, (host->function_count + 1) * sizeof(*list));
    if (!list)
        return error_set(err, "pci: out of memory");
    host->functions = list;
    list[host->function_count++] = f;
    if (pci_maps_grow(host, err))
        return true;
    host->function_count--;
    return false;
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
    if (why || !remember(bus->host, f, err)) {
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

/* A root port that is still empty, made if need be. */
static struct pci_bus *free_port(struct pci_bus *root, struct error *err)
{
    for (unsigned device = FIRST_PORT; device < DEVICES; device++)
        for (unsigned function = 0; function < FUNCTIONS; function++)
            if (!root->functions[DEVFN(device, function)])
                return pci_bridge_new(root, DEVFN(device, function), err);
    error_set(err, "pci: all slots are taken");
    return NULL;
}

bool pci_plug(struct pci_bus *bus, struct pci_function *f, struct error *err)
{
    const unsigned devices = bus->bridge ? 1 : FIRST_PORT;
    if (!f)
        return false;
    for (unsigned device = 0; device < devices; device++)
        if (!bus->functions[DEVFN(device, 0)])
            return pci_plug_at(bus, f, DEVFN(device, 0), err);
    struct pci_bus *port = bus->bridge ? NULL : free_port(bus, err);
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
