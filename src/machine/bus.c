/* SPDX-License-Identifier: MPL-2.0 */
/*
 * From a physical address to what is there: the devices, sorted by base. The list is complete before
 * a hart runs, so that looking needs no lock. Also the checked way from devices to memory.
 */
#include "cpu/code_map.h"
#include "machine/machine.h"
#include <string.h>

bool machine_add(struct machine *m, struct device *dev, uint64_t base, struct error *err)
{
    if (!dev)
        return false;
    unsigned at = 0;
    while (at < m->device_count && m->devices[at]->base < base)
        at++;
    const char *other = NULL;
    if (!dev->size || base + (dev->size - 1) < base)
        other = "the end of the address space";
    else if (at > 0 && base - m->devices[at - 1]->base < m->devices[at - 1]->size)
        other = m->devices[at - 1]->ops->name;
    else if (at < m->device_count && m->devices[at]->base - base < dev->size)
        other = m->devices[at]->ops->name;
    else if (base < m->bus.ram_base ? m->bus.ram_base - base < dev->size
                                    : base - m->bus.ram_base < m->bus.ram_size)
        other = "main memory";
    if (other || m->device_count == MACHINE_DEVICES_MAX) {
        error_set(err, "%s at 0x%llx: %s%s", dev->ops->name, (unsigned long long)base,
                  other ? "overlaps " : "too many devices", other ? other : "");
        dev->ops->remove(dev->state);
        return false;
    }
    memmove(&m->devices[at + 1], &m->devices[at], (m->device_count - at) * sizeof(m->devices[0]));
    m->devices[at] = dev;
    m->device_count++;
    dev->base = base;
    return true;
}

static struct device *find_device(const struct machine *m, uint64_t paddr, unsigned size)
{
    unsigned low = 0, high = m->device_count;
    while (low < high) {
        unsigned middle = (low + high) / 2;
        if (m->devices[middle]->base <= paddr)
            low = middle + 1;
        else
            high = middle;
    }
    if (!low)
        return NULL;
    struct device *dev = m->devices[low - 1];
    uint64_t offset = paddr - dev->base;
    if (offset >= dev->size || size > dev->size - offset)
        return NULL;
    return size >= dev->ops->access_min && size <= dev->ops->access_max ? dev : NULL;
}

bool machine_bus_read(void *machine, uint64_t paddr, unsigned size, uint64_t *value)
{
    struct machine *m = machine;
    struct device *dev = find_device(m, paddr, size);
    if (!dev || !dev->ops->read) {
        log_line(m->log, LOG_GUEST, "read of %u bytes at 0x%llx: nothing answers", size,
                 (unsigned long long)paddr);
        return false;
    }
    atomic_fetch_add_explicit(&m->io_reads, 1, memory_order_relaxed);
    *value = dev->ops->read(dev->state, paddr - dev->base, size);
    return true;
}

bool machine_bus_write(void *machine, uint64_t paddr, unsigned size, uint64_t value)
{
    struct machine *m = machine;
    struct device *dev = find_device(m, paddr, size);
    if (!dev || !dev->ops->write) {
        log_line(m->log, LOG_GUEST, "write of %u bytes at 0x%llx: nothing answers", size,
                 (unsigned long long)paddr);
        return false;
    }
    atomic_fetch_add_explicit(&m->io_writes, 1, memory_order_relaxed);
    dev->ops->write(dev->state, paddr - dev->base, size, value);
    return true;
}

void *machine_dma_map(struct machine *m, uint64_t paddr, size_t size)
{
    return bus_is_ram(&m->bus, paddr, size) ? m->bus.ram + (paddr - m->bus.ram_base) : NULL;
}

bool machine_dma_read(struct machine *m, uint64_t paddr, void *data, size_t size)
{
    const void *from = machine_dma_map(m, paddr, size);
    if (from)
        memcpy(data, from, size);
    return from;
}

bool machine_dma_write(struct machine *m, uint64_t paddr, const void *data, size_t size)
{
    void *to = machine_dma_map(m, paddr, size);
    if (to) {
        memcpy(to, data, size);
        machine_dma_written(m, to, size);
    }
    return to;
}

void machine_dma_written(struct machine *m, const void *bytes, size_t size)
{
    if (m->bus.code_map)
        code_map_stored(m->bus.code_map, bytes, size);
}
