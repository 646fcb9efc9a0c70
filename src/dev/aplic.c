/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The APLIC (Advanced Interrupt Architecture 1.0, chapter 4): a device for each domain.
 *
 * Both domains have the same sources. One that the root delegates is the child's; in the other
 * domain it is inactive: its registers there are zero. After each change the domain sends the
 * messages that are due, or sets the wires to the harts.
 */
#include "dev/aplic_domain.h"

#include "machine/fdt.h"
#include <stdlib.h>
#include <string.h>

static void set_line(void *ctx, unsigned source, bool level)
{
    struct aplic *a = ctx;
    pthread_mutex_lock(&a->lock);
    if (bit_of(a->level, source) != level) {
        struct domain *d = is_delegated(a, source) ? &a->child : &a->root;
        set_bit(a->level, source, level);
        if (mode_of(d, source) > SM_DETACHED) {
            domain_input_changed(d, source);
            domain_update(d);
        }
    }
    pthread_mutex_unlock(&a->lock);
}

struct irq_line aplic_line(struct device *root, unsigned number)
{
    const struct domain *d = root->state;
    return (struct irq_line){.set = set_line, .ctx = d->aplic, .number = number};
}

static uint64_t domain_read(void *state, uint64_t offset, unsigned size)
{
    (void)size;
    struct domain *d = state;
    pthread_mutex_lock(&d->aplic->lock);
    uint32_t value = domain_read_register(d, offset);
    pthread_mutex_unlock(&d->aplic->lock);
    return value;
}

static void domain_write(void *state, uint64_t offset, unsigned size, uint64_t value)
{
    (void)size;
    struct domain *d = state;
    pthread_mutex_lock(&d->aplic->lock);
    domain_write_register(d, offset, (uint32_t)value);
    domain_update(&d->aplic->root);
    domain_update(&d->aplic->child);
    pthread_mutex_unlock(&d->aplic->lock);
}

/* The lines are their devices' and stay as they are. */
static void domain_reset(void *state)
{
    struct domain *d = state;
    pthread_mutex_lock(&d->aplic->lock);
    d->domaincfg = d->genmsi = 0;
    memset(d->idc, 0, sizeof(d->idc));
    for (unsigned source = 1; source <= APLIC_SOURCES; source++)
        domain_deactivate(d, source);
    domain_update(d);
    pthread_mutex_unlock(&d->aplic->lock);
}

void aplic_delegate(struct device *root)
{
    struct domain *d = root->state;
    pthread_mutex_lock(&d->aplic->lock);
    for (unsigned source = 1; source <= APLIC_SOURCES; source++)
        domain_write_sourcecfg(d, source, SOURCECFG_D);
    pthread_mutex_unlock(&d->aplic->lock);
}

/*
 * Device tree
 */

static void describe_harts(const struct domain *d, struct fdt *fdt)
{
    uint32_t cells[2 * HART_WIRES_MAX];
    unsigned n = 0;
    if (d->aplic->messages) {
        dt_prop_u32(fdt, "msi-parent", d->is_root ? DT_IMSIC_M : DT_IMSIC_S);
        return;
    }
    for (unsigned i = 0; i < d->aplic->wires.count; i++) {
        cells[n++] = DT_INTC0 + i;
        cells[n++] = d->is_root ? IRQ_MEI : IRQ_SEI;
    }
    dt_prop_cells(fdt, "interrupts-extended", cells, n);
}

static bool domain_describe(void *state, struct fdt *fdt, struct error *err)
{
    (void)err;
    const struct domain *d = state;
    const uint32_t delegation[] = {DT_APLIC_S, 1, APLIC_SOURCES};
    if (d->is_root && dt_is_for_supervisor(fdt))
        return true;
    dt_begin_node(fdt, "interrupt-controller@%llx", (unsigned long long)d->device.base);
    dt_prop_phandle(fdt, d->is_root ? DT_APLIC_M : DT_APLIC_S);
    dt_prop_string(fdt, "compatible", "riscv,aplic");
    dt_prop_reg(fdt, d->device.base, d->device.size);
    dt_prop_empty(fdt, "interrupt-controller");
    dt_prop_u32(fdt, "#interrupt-cells", 2);
    dt_prop_u32(fdt, "#address-cells", 0);
    dt_prop_u32(fdt, "riscv,num-sources", APLIC_SOURCES);
    describe_harts(d, fdt);
    if (d->is_root) {
        dt_prop_u32(fdt, "riscv,children", DT_APLIC_S);
        dt_prop_cells(fdt, "riscv,delegation", delegation, 3);
    }
    dt_end_node(fdt);
    return true;
}

/* The child stands higher, so it goes first; the root takes all with it. */
static void domain_remove(void *state)
{
    struct domain *d = state;
    if (!d->is_root)
        return;
    pthread_mutex_destroy(&d->aplic->lock);
    free(d->aplic);
}

static const struct device_ops domain_ops = {
    .name = "aplic",
    .access_min = 4,
    .access_max = 4,
    .read = domain_read,
    .write = domain_write,
    .reset = domain_reset,
    .describe = domain_describe,
    .remove = domain_remove,
};

struct device *aplic_new(const struct aplic_config *config, struct error *err)
{
    struct aplic *a = calloc(1, sizeof(*a));
    if (!a) {
        error_set(err, "aplic: out of memory");
        return NULL;
    }
    a->wires = config->wires;
    a->messages = config->messages;
    pthread_mutex_init(&a->lock, NULL);
    a->root.is_root = true;
    a->root.aplic = a->child.aplic = a;
    a->root.device = (struct device){.ops = &domain_ops, .state = &a->root, .size = APLIC_SIZE};
    a->child.device = (struct device){.ops = &domain_ops, .state = &a->child, .size = APLIC_SIZE};
    return &a->root.device;
}

struct device *aplic_supervisor(struct device *root)
{
    struct domain *d = root->state;
    return &d->aplic->child.device;
}
