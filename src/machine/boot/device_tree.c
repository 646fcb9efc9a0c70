/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The machine described (devicetree specification 0.4; Linux, Documentation/devicetree/bindings/
 * riscv/), and the part of a tree that changes with each boot: see device_tree.h.
 */
#include "machine/boot/device_tree.h"

#include "cpu/counters.h"
#include "host/random.h"
#include "machine/fdt.h"
#include "machine/machine.h"
#include <inttypes.h>
#include <libfdt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CACHE_BLOCK 64 /* bytes that cbo.* and prefetch.* work on */
#define SEED_SIZE 64
#define ISA_TEXT_MAX 512

/*
 * The machine's own tree
 */

static const char *mmu_type(const struct isa *isa)
{
    static const char *const types[] = {"riscv,none", "riscv,none", "riscv,sv32",
                                        "riscv,sv39", "riscv,sv48", "riscv,sv57"};
    return types[isa->levels];
}

static bool describe_isa(const struct isa *isa, struct fdt *fdt, struct error *err)
{
    char text[ISA_TEXT_MAX], list[ISA_TEXT_MAX];
    size_t list_size = isa_list(isa, list, sizeof(list));
    if (!isa_string(isa, text, sizeof(text)) || !list_size)
        return error_set(err, "the names of the extensions are longer than %d bytes", ISA_TEXT_MAX);
    dt_prop_string(fdt, "riscv,isa", text);
    dt_prop_string(fdt, "riscv,isa-base", isa->xlen == 32 ? "rv32i" : "rv64i");
    dt_prop_bytes(fdt, "riscv,isa-extensions", list, list_size);
    dt_prop_string(fdt, "mmu-type", mmu_type(isa));
    if (isa_has(isa, EXT_ZICBOM))
        dt_prop_u32(fdt, "riscv,cbom-block-size", CACHE_BLOCK);
    if (isa_has(isa, EXT_ZICBOP))
        dt_prop_u32(fdt, "riscv,cbop-block-size", CACHE_BLOCK);
    if (isa_has(isa, EXT_ZICBOZ))
        dt_prop_u32(fdt, "riscv,cboz-block-size", CACHE_BLOCK);
    return true;
}

static bool describe_hart(const struct isa *isa, unsigned id, struct fdt *fdt, struct error *err)
{
    dt_begin_node(fdt, "cpu@%x", id);
    dt_prop_string(fdt, "device_type", "cpu");
    dt_prop_u32(fdt, "reg", id);
    dt_prop_string(fdt, "status", "okay");
    dt_prop_string(fdt, "compatible", "riscv");
    dt_prop_phandle(fdt, DT_CPU0 + id);
    if (!describe_isa(isa, fdt, err))
        return false;
    dt_begin_node(fdt, "interrupt-controller");
    dt_prop_string(fdt, "compatible", "riscv,cpu-intc");
    dt_prop_u32(fdt, "#address-cells", 0);
    dt_prop_u32(fdt, "#interrupt-cells", 1);
    dt_prop_empty(fdt, "interrupt-controller");
    dt_prop_phandle(fdt, DT_INTC0 + id);
    dt_end_node(fdt);
    dt_end_node(fdt);
    return true;
}

static bool describe_harts(const struct machine *m, struct fdt *fdt, struct error *err)
{
    dt_begin_node(fdt, "cpus");
    dt_prop_u32(fdt, "#address-cells", 1);
    dt_prop_u32(fdt, "#size-cells", 0);
    dt_prop_u32(fdt, "timebase-frequency", m->timebase);
    for (unsigned i = 0; i < m->hart_count; i++)
        if (!describe_hart(&m->isa, i, fdt, err))
            return false;
    dt_begin_node(fdt, "cpu-map");
    dt_begin_node(fdt, "cluster0");
    for (unsigned i = 0; i < m->hart_count; i++) {
        dt_begin_node(fdt, "core%u", i);
        dt_prop_u32(fdt, "cpu", DT_CPU0 + i);
        dt_end_node(fdt);
    }
    dt_end_node(fdt);
    dt_end_node(fdt);
    dt_end_node(fdt);
    return true;
}

/* For OpenSBI: which counters can count which of the SBI's events, <first last mask>. */
static void describe_counters(const struct machine *m, struct fdt *fdt)
{
    const uint32_t map[] = {
        COUNTER_EVENT_CYCLES,       COUNTER_EVENT_CYCLES,       COUNTER_HPM_MASK | 1 << 0,
        COUNTER_EVENT_INSTRUCTIONS, COUNTER_EVENT_INSTRUCTIONS, COUNTER_HPM_MASK | 1 << 2,
    };
    if (!isa_has(&m->isa, EXT_ZIHPM))
        return;
    dt_begin_node(fdt, "pmu");
    dt_prop_string(fdt, "compatible", "riscv,pmu");
    dt_prop_cells(fdt, "riscv,event-to-mhpmcounters", map, sizeof(map) / sizeof(map[0]));
    dt_end_node(fdt);
}

static bool describe_devices(const struct machine *m, struct fdt *fdt, struct error *err)
{
    dt_begin_node(fdt, "soc");
    dt_prop_string(fdt, "compatible", "simple-bus");
    dt_prop_u32(fdt, "#address-cells", 2);
    dt_prop_u32(fdt, "#size-cells", 2);
    dt_prop_empty(fdt, "ranges");
    for (unsigned i = 0; i < m->device_count; i++) {
        const struct device *dev = m->devices[i];
        if (dev->ops->describe && !dev->ops->describe(dev->state, fdt, err))
            return false;
    }
    dt_end_node(fdt);
    return true;
}

static bool describe_machine(const struct machine *m, struct fdt *fdt, struct error *err)
{
    dt_prop_u32(fdt, "#address-cells", 2);
    dt_prop_u32(fdt, "#size-cells", 2);
    /* The second name is the board whose memory map this one has. */
    dt_prop_strings(fdt, "compatible", "rvvm,virt", "riscv-virtio", NULL);
    dt_prop_string(fdt, "model", "rvvm");
    dt_begin_node(fdt, "chosen");
    if (m->stdout_path)
        dt_prop_string(fdt, "stdout-path", m->stdout_path);
    dt_end_node(fdt);
    if (m->stdout_path) {
        dt_begin_node(fdt, "aliases");
        dt_prop_string(fdt, "serial0", m->stdout_path);
        dt_end_node(fdt);
    }
    dt_begin_node(fdt, "memory@%" PRIx64, m->bus.ram_base);
    dt_prop_string(fdt, "device_type", "memory");
    dt_prop_reg(fdt, m->bus.ram_base, m->bus.ram_size);
    dt_end_node(fdt);
    if (!describe_harts(m, fdt, err))
        return false;
    describe_counters(m, fdt);
    return describe_devices(m, fdt, err);
}

static bool make_own(const struct machine *m, void **blob, size_t *size, struct error *err)
{
    const struct dt_config config = {.irq_parent = m->irq_controller.phandle,
                                     .irq_cells = m->irq_controller.cells,
                                     .supervisor = m->boot.supervisor};
    struct fdt *fdt = dt_new(&config);
    if (!fdt)
        return error_set(err, "out of memory");
    bool ok = describe_machine(m, fdt, err) && dt_finish(fdt, blob, size, err);
    dt_free(fdt);
    return ok;
}

/*
 * This boot, in a finished tree. Functions return libfdt's error codes, 0 for none.
 */

static int node_of(void *blob, const char *name)
{
    int node = fdt_subnode_offset(blob, 0, name);
    return node == -FDT_ERR_NOTFOUND ? fdt_add_subnode(blob, 0, name) : node;
}

/* One memory node: what the file says of others is not so. */
static int set_memory(void *blob, uint64_t base, uint64_t ram_size)
{
    static const char type[] = "memory";
    int first = fdt_node_offset_by_prop_value(blob, -1, "device_type", type, sizeof(type)), other;
    if (first == -FDT_ERR_NOTFOUND) {
        char name[32];
        snprintf(name, sizeof(name), "memory@%" PRIx64, base);
        first = node_of(blob, name);
        int code = first < 0 ? first : fdt_setprop_string(blob, first, "device_type", type);
        if (code < 0)
            return code;
    }
    if (first < 0)
        return first;
    while ((other = fdt_node_offset_by_prop_value(blob, first, "device_type", type,
                                                  sizeof(type))) >= 0) {
        int code = fdt_del_node(blob, other);
        if (code < 0)
            return code;
    }
    int code = fdt_setprop(blob, first, "reg", NULL, 0);
    return code < 0 ? code : fdt_appendprop_addrrange(blob, 0, first, "reg", base, ram_size);
}

static int set_seeds(void *blob, int chosen)
{
    uint8_t seed[SEED_SIZE];
    random_bytes(seed, sizeof(seed));
    int code = fdt_setprop(blob, chosen, "rng-seed", seed, sizeof(seed));
    random_bytes(seed, sizeof(uint64_t));
    return code < 0 ? code : fdt_setprop(blob, chosen, "kaslr-seed", seed, sizeof(uint64_t));
}

static int set_initrd(void *blob, int chosen, bool has_initrd)
{
    if (has_initrd) {
        int code = fdt_setprop_u64(blob, chosen, "linux,initrd-start", 0);
        return code < 0 ? code : fdt_setprop_u64(blob, chosen, "linux,initrd-end", 0);
    }
    /* A user's tree may name one that was there when the tree was made. */
    fdt_delprop(blob, chosen, "linux,initrd-start");
    fdt_delprop(blob, chosen, "linux,initrd-end");
    return 0;
}

static int set_boot(const struct machine *m, void *blob)
{
    int code = set_memory(blob, m->bus.ram_base, m->bus.ram_size);
    int chosen = code < 0 ? code : node_of(blob, "chosen");
    if (chosen < 0)
        return chosen;
    if (m->files.append)
        code = fdt_setprop_string(blob, chosen, "bootargs", m->files.append);
    if (code >= 0)
        code = set_seeds(blob, chosen);
    if (code >= 0)
        code = set_initrd(blob, chosen, m->files.initrd.path);
    return code < 0 ? code : tree_edits_apply(&m->tree_edits, blob);
}

bool device_tree_make(struct machine *m, void **blob, size_t *size, struct error *err)
{
    const struct boot_file *file = &m->files.dtb;
    const void *tree = file->data.bytes;
    void *own = NULL;
    size_t tree_size = file->data.size;
    if (!file->path) {
        if (!make_own(m, &own, &tree_size, err))
            return false;
        tree = own;
    }
    const size_t room = tree_size + 1024 + (m->files.append ? strlen(m->files.append) : 0) +
                        tree_edits_room(&m->tree_edits);
    int code = room > INT32_MAX ? -FDT_ERR_NOSPACE : 0;
    void *result = code ? NULL : calloc(1, room);
    if (!code)
        code = result ? fdt_open_into(tree, result, (int)room) : -FDT_ERR_NOSPACE;
    if (!code)
        code = set_boot(m, result);
    if (code >= 0)
        code = fdt_pack(result);
    free(own);
    if (code < 0) {
        free(result);
        return error_set(err, "%s: cannot be completed: %s",
                         file->path ? file->path : "device tree", fdt_strerror(code));
    }
    *blob = result;
    *size = fdt_totalsize(result);
    return true;
}

void device_tree_set_initrd(void *blob, uint64_t start, uint64_t end)
{
    int chosen = fdt_path_offset(blob, "/chosen");
    fdt_setprop_inplace_u64(blob, chosen, "linux,initrd-start", start);
    fdt_setprop_inplace_u64(blob, chosen, "linux,initrd-end", end);
}

bool device_tree_check(const struct boot_file *file, struct error *err)
{
    const struct file_data *data = &file->data;
    if (data->size < sizeof(struct fdt_header) || fdt_magic(data->bytes) != FDT_MAGIC)
        return error_set(err, "%s: not a device tree blob", file->path);
    if (fdt_totalsize(data->bytes) > data->size)
        return error_set(err, "%s: cut short: a device tree of %u bytes, and %zu are there",
                         file->path, fdt_totalsize(data->bytes), data->size);
    int code = fdt_check_full(data->bytes, data->size);
    if (code)
        return error_set(err, "%s: a damaged device tree blob: %s", file->path, fdt_strerror(code));
    return true;
}
