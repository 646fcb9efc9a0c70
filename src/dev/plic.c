/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The platform-level interrupt controller (RISC-V PLIC specification 1.0.0).
 *
 * Gateways are level-triggered: a line that is up makes its source pending, which it stays when the
 * line falls; a claim clears it and closes the gateway until the completion, after which a line
 * still up makes it pending again.
 * Claim and complete are as exact as the specification: a completion by a context that has not
 * enabled the source is ignored.
 */
#include "dev/plic.h"

#include "machine/fdt.h"
#include <stdlib.h>

#define PRIORITY_MAX 7
#define WORDS ((PLIC_SOURCES + 32) / 32)

/* Register map: specification, "Memory Map". */
#define PENDING 0x1000
#define ENABLE 0x2000
#define ENABLE_STRIDE 0x80
#define CONTEXT 0x200000
#define CONTEXT_STRIDE 0x1000
enum { CONTEXT_THRESHOLD = 0, CONTEXT_CLAIM = 4 };

struct plic_context {
    uint32_t enable[WORDS];
    uint32_t threshold;
};

struct plic {
    struct device device;
    struct hart_wires wires;
    pthread_mutex_t lock; /* all below */
    uint8_t priority[PLIC_SOURCES + 1];
    uint32_t level[WORDS]; /* lines */
    uint32_t pending[WORDS];
    uint32_t claimed[WORDS]; /* gateway closed until completion */
    unsigned context_count;
    struct plic_context context[]; /* hart 0 M, hart 0 S, hart 1 M, ... */
};

/* The pending, enabled source of highest priority above the threshold; the lowest number wins a tie. */
static unsigned best_source(const struct plic *p, const struct plic_context *c)
{
    unsigned best = 0, priority = c->threshold;
    for (unsigned w = 0; w < WORDS; w++)
        for (uint32_t bits = p->pending[w] & c->enable[w]; bits; bits &= bits - 1) {
            unsigned source = 32 * w + __builtin_ctz(bits);
            if (p->priority[source] > priority) {
                best = source;
                priority = p->priority[source];
            }
        }
    return best;
}

static void update_context(struct plic *p, unsigned n)
{
    uint64_t bit = n & 1 ? 1u << IRQ_SEI : 1u << IRQ_MEI;
    p->wires.set(p->wires.ctx, n / 2, bit, best_source(p, &p->context[n]) != 0);
}

static void update(struct plic *p)
{
    for (unsigned n = 0; n < p->context_count; n++)
        update_context(p, n);
}

static bool bit_of(const uint32_t *words, unsigned n)
{
    return words[n / 32] >> (n % 32) & 1;
}

static void set_bit(uint32_t *words, unsigned n, bool value)
{
    uint32_t bit = 1u << (n % 32);
    words[n / 32] = value ? words[n / 32] | bit : words[n / 32] & ~bit;
}

static void plic_set_line(void *ctx, unsigned number, bool level)
{
    struct plic *p = ctx;
    pthread_mutex_lock(&p->lock);
    set_bit(p->level, number, level);
    if (level && !bit_of(p->claimed, number) && !bit_of(p->pending, number)) {
        set_bit(p->pending, number, true);
        update(p);
    }
    pthread_mutex_unlock(&p->lock);
}

struct irq_line plic_line(struct device *dev, unsigned number)
{
    return (struct irq_line){.set = plic_set_line, .ctx = dev->state, .number = number};
}

static uint32_t claim(struct plic *p, unsigned n)
{
    unsigned source = best_source(p, &p->context[n]);
    if (source) {
        set_bit(p->pending, source, false);
        set_bit(p->claimed, source, true);
        update(p);
    }
    return source;
}

static void complete(struct plic *p, unsigned n, uint32_t source)
{
    if (source == 0 || source > PLIC_SOURCES || !bit_of(p->context[n].enable, source) ||
        !bit_of(p->claimed, source))
        return;
    set_bit(p->claimed, source, false);
    if (bit_of(p->level, source))
        set_bit(p->pending, source, true);
    update(p);
}

static uint64_t plic_read(void *state, uint64_t offset, unsigned size)
{
    (void)size;
    struct plic *p = state;
    uint32_t value = 0;
    pthread_mutex_lock(&p->lock);
    if (offset < PENDING) {
        if (offset / 4 <= PLIC_SOURCES)
            value = p->priority[offset / 4];
    } else if (offset < ENABLE) {
        if ((offset - PENDING) / 4 < WORDS)
            value = p->pending[(offset - PENDING) / 4];
    } else if (offset < CONTEXT) {
        unsigned n = (offset - ENABLE) / ENABLE_STRIDE, w = (offset - ENABLE) % ENABLE_STRIDE / 4;
        if (n < p->context_count && w < WORDS)
            value = p->context[n].enable[w];
    } else {
        unsigned n = (offset - CONTEXT) / CONTEXT_STRIDE, r = (offset - CONTEXT) % CONTEXT_STRIDE;
        if (n < p->context_count && r == CONTEXT_THRESHOLD)
            value = p->context[n].threshold;
        else if (n < p->context_count && r == CONTEXT_CLAIM)
            value = claim(p, n);
    }
    pthread_mutex_unlock(&p->lock);
    return value;
}

static void plic_write(void *state, uint64_t offset, unsigned size, uint64_t value)
{
    (void)size;
    struct plic *p = state;
    pthread_mutex_lock(&p->lock);
    if (offset < PENDING) {
        unsigned source = offset / 4;
        if (source >= 1 && source <= PLIC_SOURCES) {
            p->priority[source] = value & PRIORITY_MAX;
            update(p);
        }
    } else if (offset >= ENABLE && offset < CONTEXT) {
        unsigned n = (offset - ENABLE) / ENABLE_STRIDE, w = (offset - ENABLE) % ENABLE_STRIDE / 4;
        if (n < p->context_count && w < WORDS) {
            p->context[n].enable[w] = w ? value : value & ~1u; /* there is no source 0 */
            update_context(p, n);
        }
    } else if (offset >= CONTEXT) {
        unsigned n = (offset - CONTEXT) / CONTEXT_STRIDE, r = (offset - CONTEXT) % CONTEXT_STRIDE;
        if (n < p->context_count && r == CONTEXT_THRESHOLD) {
            p->context[n].threshold = value & PRIORITY_MAX;
            update_context(p, n);
        } else if (n < p->context_count && r == CONTEXT_CLAIM) {
            complete(p, n, value);
        }
    }
    pthread_mutex_unlock(&p->lock);
}

/* The lines are their devices' and stay as they are. */
static void plic_reset(void *state)
{
    struct plic *p = state;
    pthread_mutex_lock(&p->lock);
    for (unsigned i = 0; i <= PLIC_SOURCES; i++)
        p->priority[i] = 0;
    for (unsigned w = 0; w < WORDS; w++) {
        p->pending[w] = p->level[w];
        p->claimed[w] = 0;
    }
    for (unsigned n = 0; n < p->context_count; n++)
        p->context[n] = (struct plic_context){0};
    update(p);
    pthread_mutex_unlock(&p->lock);
}

static bool plic_describe(void *state, struct fdt *fdt, struct error *err)
{
    (void)err;
    struct plic *p = state;
    uint32_t cells[4 * HART_WIRES_MAX];
    unsigned n = 0;
    for (unsigned i = 0; i < p->wires.count; i++) {
        cells[n++] = DT_INTC0 + i;
        cells[n++] = IRQ_MEI;
        cells[n++] = DT_INTC0 + i;
        cells[n++] = IRQ_SEI;
    }
    dt_begin_node(fdt, "plic@%llx", (unsigned long long)p->device.base);
    dt_prop_phandle(fdt, DT_PLIC);
    dt_prop_strings(fdt, "compatible", "sifive,plic-1.0.0", "riscv,plic0", NULL);
    dt_prop_reg(fdt, p->device.base, p->device.size);
    dt_prop_empty(fdt, "interrupt-controller");
    dt_prop_u32(fdt, "#interrupt-cells", 1);
    dt_prop_u32(fdt, "#address-cells", 0);
    dt_prop_u32(fdt, "riscv,ndev", PLIC_SOURCES);
    dt_prop_cells(fdt, "interrupts-extended", cells, n);
    dt_end_node(fdt);
    return true;
}

static void plic_remove(void *state)
{
    struct plic *p = state;
    pthread_mutex_destroy(&p->lock);
    free(p);
}

static const struct device_ops plic_ops = {
    .name = "plic",
    .access_min = 4,
    .access_max = 4,
    .read = plic_read,
    .write = plic_write,
    .reset = plic_reset,
    .describe = plic_describe,
    .remove = plic_remove,
};

struct device *plic_new(const struct plic_config *config, struct error *err)
{
    unsigned contexts = 2 * config->wires.count;
    struct plic *p = calloc(1, sizeof(*p) + contexts * sizeof(p->context[0]));
    if (!p) {
        error_set(err, "plic: out of memory");
        return NULL;
    }
    p->wires = config->wires;
    p->context_count = contexts;
    pthread_mutex_init(&p->lock, NULL);
    p->device = (struct device){.ops = &plic_ops, .state = p, .size = PLIC_SIZE};
    return &p->device;
}
