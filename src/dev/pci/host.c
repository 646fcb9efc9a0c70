/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The host bridge: see pci_host.h. The machine sees a device for each range of addresses; the bus sees
 * function 00:00.0, which is there because guests expect one and does nothing.
 */
#include "dev/pci/function.h"
#include "dev/pci/pci_host.h"

#include "machine/fdt.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define ALL_ONES(size) (UINT64_MAX >> (64 - 8 * (size)))

/* The high window stands above memory, aligned to its size: 16 GiB, or for rv32, whose addresses end
 * there, the last 4 GiB of them. */
#define HIGH_WINDOW_SIZE (UINT64_C(16) << 30)
#define RV32_HIGH_WINDOW_BASE UINT64_C(0x300000000)
#define RV32_HIGH_WINDOW_SIZE (UINT64_C(4) << 30)

/* <space address>, the first three cells of a PCI address in the device tree (IEEE 1275, 2.2.1.1) */
#define DT_PCI_IO 0x01000000
#define DT_PCI_MEM32 0x02000000
#define DT_PCI_MEM64 0x03000000

/*
 * Config space as memory: bus in bits 20 to 27 of the offset, device and function below, then the
 * register.
 */

static struct pci_function *addressed(struct pci_host *host, uint64_t offset)
{
    struct pci_bus *bus = pci_bus_find(&host->root, offset >> 20 & 0xff);
    return bus && pci_bus_is_up(bus) ? bus->functions[offset >> 12 & 0xff] : NULL;
}

static uint64_t ecam_read(void *state, uint64_t offset, unsigned size)
{
    struct pci_host *host = ((struct pci_window *)state)->host;
    const unsigned reg = offset % PCI_EXTENDED_CONFIG_SIZE;
    uint64_t value = ALL_ONES(size);
    pthread_mutex_lock(&host->config_lock);
    struct pci_function *f = addressed(host, offset);
    if (f && size < 8)
        value = pci_config_read(f, reg, size);
    else if (f)
        value = pci_config_read(f, reg, 4) | (uint64_t)pci_config_read(f, reg + 4, 4) << 32;
    pthread_mutex_unlock(&host->config_lock);
    return value;
}

static void ecam_write(void *state, uint64_t offset, unsigned size, uint64_t value)
{
    struct pci_host *host = ((struct pci_window *)state)->host;
    const unsigned reg = offset % PCI_EXTENDED_CONFIG_SIZE;
    pthread_mutex_lock(&host->config_lock);
    struct pci_function *f = addressed(host, offset);
    if (f)
        pci_config_write(f, reg, size < 8 ? size : 4, (uint32_t)value);
    if (f && size == 8)
        pci_config_write(f, reg + 4, 4, (uint32_t)(value >> 32));
    pthread_mutex_unlock(&host->config_lock);
}

static void host_reset(void *state)
{
    struct pci_host *host = ((struct pci_window *)state)->host;
    pthread_mutex_lock(&host->config_lock);
    for (unsigned i = 0; i < host->function_count; i++) {
        struct pci_function *f = host->functions[i];
        pci_function_reset_config(f);
        if (f->ops->reset)
            f->ops->reset(f->state);
    }
    pci_topology_changed(host);
    pthread_mutex_unlock(&host->config_lock);
}

/*
 * Windows to BARs. IO addresses begin at 0 on the bus.
 */

static uint64_t window_read(void *state, uint64_t offset, unsigned size)
{
    const struct pci_window *w = state;
    uint64_t base = w->space == PCI_SPACE_IO ? 0 : w->device.base;
    return pci_map_read(w->host, w->space, base + offset, size);
}

static void window_write(void *state, uint64_t offset, unsigned size, uint64_t value)
{
    const struct pci_window *w = state;
    uint64_t base = w->space == PCI_SPACE_IO ? 0 : w->device.base;
    pci_map_write(w->host, w->space, base + offset, size, value);
}

/*
 * Device tree
 */

static unsigned describe_window(uint32_t *cells, uint32_t space, const struct pci_window *w)
{
    const uint64_t base = w->device.base, size = w->device.size;
    const uint64_t address = w->space == PCI_SPACE_IO ? 0 : base;
    const uint32_t range[] = {
        space,          (uint32_t)(address >> 32), (uint32_t)address, (uint32_t)(base >> 32),
        (uint32_t)base, (uint32_t)(size >> 32),    (uint32_t)size};
    if (!size)
        return 0;
    memcpy(cells, range, sizeof(range));
    return sizeof(range) / sizeof(range[0]);
}

/* <device 0 0 pin> to <controller input>, for four devices: then it repeats. */
static void describe_intx(const struct pci_host *host, struct fdt *fdt)
{
    const uint32_t level_high = 4;
    const uint32_t mask[] = {(PCI_WIRES - 1) << 11, 0, 0, 7};
    uint32_t map[PCI_WIRES * PCI_WIRES * 7];
    unsigned n = 0;
    for (unsigned device = 0; device < PCI_WIRES; device++) {
        for (unsigned pin = 1; pin <= PCI_WIRES; pin++) {
            map[n++] = device << 11;
            map[n++] = 0;
            map[n++] = 0;
            map[n++] = pin;
            map[n++] = host->config.intx_parent;
            map[n++] = host->config.intx[(device + pin - 1) % PCI_WIRES].number;
            if (host->config.intx_cells == 2)
                map[n++] = level_high;
        }
    }
    dt_prop_u32(fdt, "#interrupt-cells", 1);
    dt_prop_cells(fdt, "interrupt-map-mask", mask, 4);
    dt_prop_cells(fdt, "interrupt-map", map, n);
}

static bool host_describe(void *state, struct fdt *fdt, struct error *err)
{
    (void)err;
    const struct pci_host *host = ((struct pci_window *)state)->host;
    const struct pci_window *w = host->windows;
    const uint32_t buses[] = {0, 255};
    uint32_t ranges[3 * 7];
    unsigned n = describe_window(ranges, DT_PCI_IO, &w[PCI_WINDOW_IO]);
    n += describe_window(ranges + n, DT_PCI_MEM32, &w[PCI_WINDOW_LOW]);
    n += describe_window(ranges + n, DT_PCI_MEM64, &w[PCI_WINDOW_HIGH]);
    dt_begin_node(fdt, "pci@%" PRIx64, w[PCI_WINDOW_ECAM].device.base);
    dt_prop_string(fdt, "compatible", "pci-host-ecam-generic");
    dt_prop_string(fdt, "device_type", "pci");
    dt_prop_reg(fdt, w[PCI_WINDOW_ECAM].device.base, w[PCI_WINDOW_ECAM].device.size);
    dt_prop_u32(fdt, "#address-cells", 3);
    dt_prop_u32(fdt, "#size-cells", 2);
    dt_prop_u32(fdt, "linux,pci-domain", 0);
    dt_prop_cells(fdt, "bus-range", buses, 2);
    dt_prop_cells(fdt, "ranges", ranges, n);
    dt_prop_empty(fdt, "dma-coherent");
    if (host->config.msi_parent)
        dt_prop_u32(fdt, "msi-parent", host->config.msi_parent);
    describe_intx(host, fdt);
    dt_end_node(fdt);
    return true;
}

/*
 * Making and removing
 */

/*
 * The machine removes its devices from the highest address down, interrupt controllers included. So
 * the functions, which drive interrupts, go with the first window, and the host with the last. Of the
 * functions the last goes first: those behind a bridge came after it, and use it until they are gone.
 */
static void window_remove(void *state)
{
    struct pci_host *host = ((struct pci_window *)state)->host;
    while (host->function_count)
        pci_function_free(host->functions[--host->function_count]);
    if (--host->windows_left)
        return;
    pci_maps_free(host);
    free(host->functions);
    pthread_mutex_destroy(&host->config_lock);
    pthread_mutex_destroy(&host->wires_lock);
    free(host);
}

static const struct device_ops ecam_ops = {
    .name = "pci-ecam",
    .access_min = 1,
    .access_max = 8,
    .read = ecam_read,
    .write = ecam_write,
    .reset = host_reset,
    .describe = host_describe,
    .remove = window_remove,
};

static const struct device_ops io_window_ops = {
    .name = "pci-io",
    .access_min = 1,
    .access_max = 4,
    .read = window_read,
    .write = window_write,
    .remove = window_remove,
};

static const struct device_ops memory_window_ops = {
    .name = "pci-memory",
    .access_min = 1,
    .access_max = 8,
    .read = window_read,
    .write = window_write,
    .remove = window_remove,
};

/* Where the high window stands; size 0: there is no room for it. */
static uint64_t high_window(const struct machine *m, uint64_t *size)
{
    const uint64_t memory_end = m->bus.ram_base + m->bus.ram_size;
    if (m->isa.xlen == 64) {
        *size = HIGH_WINDOW_SIZE;
        return (memory_end + HIGH_WINDOW_SIZE - 1) & ~(HIGH_WINDOW_SIZE - 1);
    }
    *size = memory_end <= RV32_HIGH_WINDOW_BASE ? RV32_HIGH_WINDOW_SIZE : 0;
    return RV32_HIGH_WINDOW_BASE;
}

static struct pci_host *make_host(const struct pci_host_config *config, struct error *err)
{
    struct pci_host *host = calloc(1, sizeof(*host));
    if (!host) {
        error_set(err, "pci: out of memory");
        return NULL;
    }
    host->config = *config;
    host->log = config->machine->log;
    host->root.host = host;
    host->windows_left = PCI_WINDOWS;
    pthread_mutex_init(&host->config_lock, NULL);
    pthread_mutex_init(&host->wires_lock, NULL);
    return host;
}

/* Every window counts as removed once: also those that failed or were not tried. */
static bool add_windows(struct pci_host *host, struct error *err)
{
    uint64_t high_size;
    const uint64_t high = high_window(host->config.machine, &high_size);
    const struct {
        const struct device_ops *ops;
        uint64_t base, size;
        enum pci_space space;
    } table[PCI_WINDOWS] = {
        [PCI_WINDOW_ECAM] = {&ecam_ops, PCI_ECAM_BASE, PCI_ECAM_SIZE, PCI_SPACES},
        [PCI_WINDOW_IO] = {&io_window_ops, PCI_IO_WINDOW_BASE, PCI_IO_WINDOW_SIZE, PCI_SPACE_IO},
        [PCI_WINDOW_LOW] = {&memory_window_ops, PCI_LOW_WINDOW_BASE, PCI_LOW_WINDOW_SIZE,
                            PCI_SPACE_MEMORY},
        [PCI_WINDOW_HIGH] = {&memory_window_ops, high, high_size, PCI_SPACE_MEMORY},
    };
    bool ok = true;
    for (unsigned i = 0; i < PCI_WINDOWS; i++) {
        struct pci_window *w = &host->windows[i];
        w->host = host;
        w->space = table[i].space;
        w->device = (struct device){.ops = table[i].ops, .state = w, .size = table[i].size};
        if (!ok || !table[i].size)
            window_remove(w);
        else
            ok = machine_add(host->config.machine, &w->device, table[i].base, err);
    }
    return ok;
}

static const struct pci_function_ops bridge_ops = {.name = "pci-host-bridge"};

struct pci_bus *pci_host_add(const struct pci_host_config *config, struct error *err)
{
    const struct pci_function_config bridge = {
        .ops = &bridge_ops,
        .ids = {0x1b36, 0x0008, 0x1af4, 0x1100, 0x060000, 0}, /* QEMU's generic one */
    };
    struct pci_host *host = make_host(config, err);
    if (!host || !add_windows(host, err))
        return NULL;
    struct pci_function *f = pci_function_new(&bridge, err);
    return pci_plug_at(&host->root, f, 0, err) ? &host->root : NULL;
}
