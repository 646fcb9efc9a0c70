/* SPDX-License-Identifier: MPL-2.0 */
/* Devices of the program's own (rvvm/device.h), each a struct device of the machine. */
#include <rvvm/device.h>

#include "api/machine.h"
#include "machine/fdt.h"
#include "machine/boot/plan.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Where nothing of the board is: between fw_cfg and the flash. */
#define PLACES_BASE UINT64_C(0x11000000)
#define PLACES_END UINT64_C(0x20000000)
#define PLACE_ALIGN UINT64_C(0x1000)
#define NAME_MAX_BYTES 40 /* of a node, and an address is added */

struct rvvm_device {
    struct device device;
    struct device_ops ops;
    struct rvvm_mmio how; /* its strings are the two below */
    char *name, *compatible;
    struct irq_line lines[RVVM_DEVICE_IRQS];
    unsigned irqs; /* that it has got */
};

static uint64_t device_read(void *state, uint64_t offset, unsigned size)
{
    struct rvvm_device *d = state;
    return d->how.read(d->how.state, offset, size);
}

static void device_write(void *state, uint64_t offset, unsigned size, uint64_t value)
{
    struct rvvm_device *d = state;
    d->how.write(d->how.state, offset, size, value);
}

static void device_reset(void *state)
{
    struct rvvm_device *d = state;
    for (unsigned i = 0; i < d->irqs; i++)
        irq_set(&d->lines[i], false);
    if (d->how.reset)
        d->how.reset(d->how.state);
}

static void describe_irqs(const struct rvvm_device *d, struct fdt *fdt)
{
    const uint32_t level_high = 4;
    uint32_t cells[2 * RVVM_DEVICE_IRQS];
    unsigned count = 0;
    for (unsigned i = 0; i < d->irqs; i++) {
        cells[count++] = d->lines[i].number;
        if (dt_irq_cells(fdt) == 2)
            cells[count++] = level_high;
    }
    dt_prop_cells(fdt, "interrupts", cells, count);
    dt_prop_u32(fdt, "interrupt-parent", dt_irq_parent(fdt));
}

static bool device_describe(void *state, struct fdt *fdt, struct error *err)
{
    struct rvvm_device *d = state;
    (void)err;
    dt_begin_node(fdt, "%s@%" PRIx64, d->name, d->device.base);
    if (d->compatible)
        dt_prop_string(fdt, "compatible", d->compatible);
    dt_prop_reg(fdt, d->device.base, d->device.size);
    if (d->irqs)
        describe_irqs(d, fdt);
    if (d->how.describe)
        d->how.describe(d->how.state, (struct rvvm_fdt *)fdt);
    dt_end_node(fdt);
    return true;
}

static void device_remove(void *state)
{
    struct rvvm_device *d = state;
    if (d->how.remove)
        d->how.remove(d->how.state);
    free(d->name);
    free(d->compatible);
    free(d);
}

static bool is_access(unsigned size)
{
    return size && size <= 8 && !(size & (size - 1));
}

/* The name becomes part of a node's. */
static bool check(const struct rvvm_mmio *how, struct error *err)
{
    const char *name = how->name ? how->name : "";
    const size_t length = strlen(name);
    if (!length || length > NAME_MAX_BYTES ||
        strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789,._+-") !=
            length)
        return error_set(err, "a device called '%s': a name has 1 to %d letters, digits and ,._+-",
                         name, NAME_MAX_BYTES);
    if (!how->size)
        return error_set(err, "%s: a device of no size", name);
    if (how->irqs > RVVM_DEVICE_IRQS)
        return error_set(err, "%s: %u interrupt lines: at most %d", name, how->irqs,
                         RVVM_DEVICE_IRQS);
    if (!is_access(how->access_min) || !is_access(how->access_max) ||
        how->access_min > how->access_max)
        return error_set(err, "%s: accesses of %u to %u bytes: powers of two up to 8", name,
                         how->access_min, how->access_max);
    return true;
}

static uint64_t find_place(const struct machine *m, uint64_t size)
{
    uint64_t base = PLACES_BASE;
    for (unsigned i = 0; i < m->device_count; i++) {
        const struct device *d = m->devices[i];
        const uint64_t end = d->base + d->size;
        if (end <= base)
            continue;
        if (d->base > base && d->base - base >= size)
            break;
        base = align_up(end, PLACE_ALIGN);
    }
    return base < PLACES_END && size <= PLACES_END - base ? base : 0;
}

static bool get_irqs(struct rvvm_machine *rv, struct rvvm_device *d, struct error *err)
{
    const struct machine_irq_controller *controller = &rv->machine->irq_controller;
    if (d->how.irqs > controller->inputs - rv->irqs_used)
        return error_set(err, "%s: all inputs of the interrupt controller are in use", d->name);
    while (d->irqs < d->how.irqs)
        d->lines[d->irqs++] = controller->line(controller->dev, ++rv->irqs_used);
    return true;
}

static void make_ops(struct rvvm_device *d)
{
    d->ops = (struct device_ops){
        .name = d->name,
        .access_min = d->how.access_min,
        .access_max = d->how.access_max,
        .read = d->how.read ? device_read : NULL,
        .write = d->how.write ? device_write : NULL,
        .reset = device_reset,
        .describe = d->compatible || d->how.describe ? device_describe : NULL,
        .remove = device_remove,
    };
    d->device = (struct device){.ops = &d->ops, .state = d, .size = d->how.size};
}

static bool init(struct rvvm_machine *rv, struct rvvm_device *d, struct error *err)
{
    struct rvvm_mmio *how = &d->how;
    how->access_min = how->access_min ? how->access_min : 1;
    how->access_max = how->access_max ? how->access_max : 8;
    if (!check(how, err) || !api_is_off(rv, how->name, err))
        return false;
    d->name = strdup(how->name);
    d->compatible = how->compatible ? strdup(how->compatible) : NULL;
    if (!d->name || (how->compatible && !d->compatible))
        return error_set(err, "out of memory");
    make_ops(d);
    if (!how->base && !(how->base = find_place(rv->machine, how->size)))
        return error_set(err, "%s: no place for 0x%" PRIx64 " bytes that the library could choose",
                         d->name, how->size);
    return get_irqs(rv, d, err);
}

struct rvvm_device *rvvm_machine_add_mmio(struct rvvm_machine *rv, const struct rvvm_mmio *how,
                                          struct rvvm_error *error)
{
    struct error err;
    struct rvvm_device *d = calloc(1, sizeof(*d));
    if (!d) {
        error_set(&err, "out of memory");
    } else if (!api_take(&d->how, sizeof(d->how), how, "struct rvvm_mmio", &err)) {
        free(d); /* whose remove is not known */
    } else if (!init(rv, d, &err)) {
        device_remove(d);
    } else if (machine_add(rv->machine, &d->device, d->how.base, &err)) {
        return d;
    }
    api_fail(error, &err);
    return NULL;
}

uint64_t rvvm_mmio_base(const struct rvvm_device *d)
{
    return d->device.base;
}

void rvvm_irq_set(const struct rvvm_device *d, unsigned line, bool high)
{
    if (line < d->irqs)
        irq_set(&d->lines[line], high);
}
