/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Which BAR answers at which address. For each space a list sorted by address, made anew whenever a
 * command register, a BAR or a bridge's window changes, and searched without a lock: a doorbell must
 * not wait, and harts ring doorbells all the time while BARs move hardly ever.
 *
 * The list is a sequence lock: a reader looks at the version before and after, and when it was odd
 * or has changed it looks again under config_lock. What was found may be called: functions stay until
 * harts are gone, and cards until all harts have rested once (slot.h). An access that raced with a change
 * of the BAR goes by the old or the new.
 */
#include "dev/pci/function.h"

#include <stdlib.h>

#define ALL_ONES(size) (UINT64_MAX >> (64 - 8 * (size))) /* what nobody answers */

/* All regions that there can ever be. */
bool pci_maps_grow(struct pci_host *host, struct error *err)
{
    const unsigned capacity = host->function_room * PCI_BARS;
    for (unsigned space = 0; space < PCI_SPACES; space++) {
        struct pci_map *map = &host->maps[space];
        struct pci_region *regions = calloc(capacity, sizeof(*regions));
        if (!regions)
            return error_set(err, "pci: out of memory");
        free(map->regions);
        map->regions = regions;
        map->count = 0;
    }
    return true;
}

void pci_maps_free(struct pci_host *host)
{
    for (unsigned space = 0; space < PCI_SPACES; space++)
        free(host->maps[space].regions);
}

/* Whether the windows of the host bridge and of all bridges on the way let the range through. */
static bool is_reached(const struct pci_function *f, enum pci_space space, uint64_t base,
                       uint64_t size)
{
    for (const struct pci_bus *bus = f->bus; bus->bridge; bus = bus->bridge->bus)
        if (!pci_bus_is_up(bus) || !pci_bridge_forwards(bus->bridge, space, base, size))
            return false;
    const struct pci_host *host = f->host;
    for (unsigned i = PCI_WINDOW_IO; i < PCI_WINDOWS; i++) {
        const struct device *window = &host->windows[i].device;
        /* The IO window's addresses on the bus begin at 0. */
        uint64_t first = i == PCI_WINDOW_IO ? 0 : window->base;
        if (host->windows[i].space == space && base >= first && size <= window->size &&
            base - first <= window->size - size)
            return true;
    }
    return false;
}

static uint64_t bar_address(const struct pci_function *f, unsigned n)
{
    uint64_t value = pci_bytes_get(f->config, PCI_BAR0 + 4 * n, 4);
    if (f->bars[n].kind == PCI_BAR_MEM64 || f->bars[n].kind == PCI_BAR_MEM64_PREFETCH)
        value |= (uint64_t)pci_bytes_get(f->config, PCI_BAR0 + 4 * n + 4, 4) << 32;
    return value & ~(f->bars[n].size - 1);
}

static void insert(struct pci_map *map, uint64_t base, struct pci_function *f, unsigned bar)
{
    unsigned at = map->count;
    for (; at && map->regions[at - 1].base > base; at--) {
        struct pci_region *to = &map->regions[at], *from = &map->regions[at - 1];
        to->base = from->base;
        to->size = from->size;
        to->function = from->function;
        to->bar = from->bar;
    }
    struct pci_region *region = &map->regions[at];
    region->base = base;
    region->size = f->bars[bar].size;
    region->function = f;
    region->bar = bar;
    map->count++;
}

static void map_function(struct pci_host *host, struct pci_function *f)
{
    const uint32_t command = pci_bytes_get(f->config, PCI_COMMAND, 2);
    for (unsigned n = 0; n < PCI_BARS; n++) {
        enum pci_space space = f->bars[n].kind == PCI_BAR_IO ? PCI_SPACE_IO : PCI_SPACE_MEMORY;
        uint32_t enable = space == PCI_SPACE_IO ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY;
        if (f->bars[n].kind == PCI_BAR_NONE || !(command & enable))
            continue;
        uint64_t base = bar_address(f, n);
        if (is_reached(f, space, base, f->bars[n].size))
            insert(&host->maps[space], base, f, n);
    }
}

static bool may_master(const struct pci_function *f)
{
    for (; f; f = f->bus->bridge)
        if (!(pci_bytes_get(f->config, PCI_COMMAND, 2) & PCI_COMMAND_MASTER) ||
            !pci_bus_is_up(f->bus))
            return false;
    return true;
}

void pci_topology_changed(struct pci_host *host)
{
    for (unsigned space = 0; space < PCI_SPACES; space++) {
        atomic_fetch_add(&host->maps[space].version, 1);
        host->maps[space].count = 0;
    }
    for (unsigned i = 0; i < host->function_count; i++) {
        struct pci_function *f = host->functions[i];
        atomic_store(&f->master, may_master(f));
        map_function(host, f);
    }
    for (unsigned space = 0; space < PCI_SPACES; space++)
        atomic_fetch_add(&host->maps[space].version, 1);
}

/* A copy of the region that holds the address. false: there is none. */
struct place {
    struct pci_function *function;
    unsigned bar;
    uint64_t offset;
};

static bool search(const struct pci_map *map, uint64_t address, struct place *place)
{
    unsigned low = 0, high = map->count;
    while (low < high) {
        unsigned middle = (low + high) / 2;
        if (map->regions[middle].base <= address)
            low = middle + 1;
        else
            high = middle;
    }
    if (!low)
        return false;
    const struct pci_region *region = &map->regions[low - 1];
    *place = (struct place){region->function, region->bar, address - region->base};
    return place->offset < region->size;
}

static bool find(struct pci_host *host, enum pci_space space, uint64_t address, struct place *place)
{
    const struct pci_map *map = &host->maps[space];
    unsigned before = atomic_load(&map->version);
    if (!(before & 1)) {
        bool found = search(map, address, place);
        if (atomic_load(&map->version) == before)
            return found;
    }
    pthread_mutex_lock(&host->config_lock);
    bool found = search(map, address, place);
    pthread_mutex_unlock(&host->config_lock);
    return found;
}

/* Regions are aligned to their size and no smaller than an access: none lies half in one. */
uint64_t pci_map_read(struct pci_host *host, enum pci_space space, uint64_t address, unsigned size)
{
    struct place at;
    if (!find(host, space, address, &at)) {
        log_line(host->log, LOG_GUEST, "pci: read of %u bytes at 0x%llx: no BAR is there", size,
                 (unsigned long long)address);
        return ALL_ONES(size);
    }
    struct pci_function *f = at.function;
    const struct pci_bar *bar = &f->bars[at.bar];
    if (pci_msix_covers(f, at.bar, at.offset))
        return pci_msix_read(f, at.offset, size);
    if (size < bar->access_min || !f->ops->bar_read)
        return 0;
    unsigned step = size < bar->access_max ? size : bar->access_max;
    uint64_t value = 0;
    for (unsigned done = 0; done < size; done += step)
        value |= f->ops->bar_read(f->state, at.bar, at.offset + done, step) << 8 * done;
    return value;
}

void pci_map_write(struct pci_host *host, enum pci_space space, uint64_t address, unsigned size,
                   uint64_t value)
{
    struct place at;
    if (!find(host, space, address, &at)) {
        log_line(host->log, LOG_GUEST, "pci: write of %u bytes at 0x%llx: no BAR is there", size,
                 (unsigned long long)address);
        return;
    }
    struct pci_function *f = at.function;
    const struct pci_bar *bar = &f->bars[at.bar];
    if (pci_msix_covers(f, at.bar, at.offset)) {
        pci_msix_write(f, at.offset, size, value);
        return;
    }
    if (size < bar->access_min || !f->ops->bar_write)
        return;
    unsigned step = size < bar->access_max ? size : bar->access_max;
    for (unsigned done = 0; done < size; done += step)
        f->ops->bar_write(f->state, at.bar, at.offset + done, step,
                          value >> 8 * done & ALL_ONES(step));
}
