/* SPDX-License-Identifier: MPL-2.0 */
/* The pages of the harts' interrupt files: see imsic.h. There is no state here. */
#include "dev/imsic.h"

#include "machine/fdt.h"
#include <stdlib.h>

#define SETEIPNUM_LE 0x000

struct pages {
    struct device device;
    struct hart_wires wires;
    enum imsic_level level;
};

struct imsic {
    struct pages pages[IMSIC_FILES]; /* M-mode's first: its state is the whole */
};

/* All else in a page is read-only zeros; harts are little-endian, so seteipnum_be is ignored. */
static uint64_t imsic_read(void *state, uint64_t offset, unsigned size)
{
    (void)state, (void)offset, (void)size;
    return 0;
}

static void imsic_write(void *state, uint64_t offset, unsigned size, uint64_t value)
{
    (void)size;
    struct pages *s = state;
    if (offset % IMSIC_PAGE == SETEIPNUM_LE)
        s->wires.message(s->wires.ctx, (unsigned)(offset / IMSIC_PAGE), s->level, (uint32_t)value);
}

static bool send_to(struct pages *p, uint64_t address, uint32_t data)
{
    if (address < p->device.base || address - p->device.base >= p->device.size)
        return false;
    imsic_write(p, address - p->device.base, 4, data);
    return true;
}

bool imsic_send(void *machine_level, uint64_t address, uint32_t data)
{
    struct imsic *s = ((struct device *)machine_level)->state;
    return send_to(&s->pages[IMSIC_S], address, data) || send_to(&s->pages[IMSIC_M], address, data);
}

static bool imsic_describe(void *state, struct fdt *fdt, struct error *err)
{
    (void)err;
    const struct pages *s = state;
    const bool machine = s->level == IMSIC_M;
    uint32_t cells[2 * HART_WIRES_MAX];
    unsigned n = 0;
    if (machine && dt_is_for_supervisor(fdt))
        return true;
    for (unsigned i = 0; i < s->wires.count; i++) {
        cells[n++] = DT_INTC0 + i;
        cells[n++] = machine ? IRQ_MEI : IRQ_SEI;
    }
    dt_begin_node(fdt, "interrupt-controller@%llx", (unsigned long long)s->device.base);
    dt_prop_phandle(fdt, machine ? DT_IMSIC_M : DT_IMSIC_S);
    dt_prop_string(fdt, "compatible", "riscv,imsics");
    dt_prop_reg(fdt, s->device.base, s->device.size);
    dt_prop_empty(fdt, "interrupt-controller");
    dt_prop_u32(fdt, "#interrupt-cells", 0);
    dt_prop_u32(fdt, "#address-cells", 0);
    dt_prop_empty(fdt, "msi-controller");
    dt_prop_u32(fdt, "#msi-cells", 0);
    dt_prop_u32(fdt, "riscv,num-ids", IMSIC_IDENTITIES);
    dt_prop_cells(fdt, "interrupts-extended", cells, n);
    dt_end_node(fdt);
    return true;
}

/* S-mode's pages stand higher, so they go first. */
static void imsic_remove(void *state)
{
    struct pages *p = state;
    if (p->level == IMSIC_M)
        free(p);
}

static const struct device_ops imsic_ops = {
    .name = "imsic",
    .access_min = 4,
    .access_max = 4,
    .read = imsic_read,
    .write = imsic_write,
    .describe = imsic_describe,
    .remove = imsic_remove,
};

struct device *imsic_new(const struct hart_wires *wires, struct error *err)
{
    struct imsic *s = calloc(1, sizeof(*s));
    if (!s) {
        error_set(err, "imsic: out of memory");
        return NULL;
    }
    for (unsigned level = 0; level < IMSIC_FILES; level++) {
        struct pages *p = &s->pages[level];
        p->wires = *wires;
        p->level = (enum imsic_level)level;
        p->device = (struct device){
            .ops = &imsic_ops, .state = p, .size = (uint64_t)IMSIC_PAGE * wires->count};
    }
    return &s->pages[IMSIC_M].device;
}

struct device *imsic_supervisor(struct device *machine_level)
{
    struct imsic *s = machine_level->state;
    return &s->pages[IMSIC_S].device;
}
