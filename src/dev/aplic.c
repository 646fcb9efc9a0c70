/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The APLIC (Advanced Interrupt Architecture 1.0, chapter 4; its section numbers below).
 *
 * Both domains have the same sources. One that the root delegates is the child's; in the other
 * domain it is inactive: its registers there are zero. After each change the domain sends the
 * messages that are due, or sets the wires to the harts.
 *
 * Where messages go is built in: mmsiaddrcfgh reads as locked and the addresses as hidden (4.5.3).
 */
#include "dev/aplic.h"

#include "machine/fdt.h"
#include <stdlib.h>
#include <string.h>

#define WORDS (APLIC_SOURCES / 32 + 1)
#define HARTS_MAX 64
#define PRIORITY_MAX 0xff /* IPRIOLEN is 8 */

/* Register map: 4.5, "Memory-mapped control region". Arrays are of words. */
enum {
    DOMAINCFG = 0x0000,
    SOURCECFG = 0x0004, /* 1 to 1023 */
    SOURCECFG_END = 0x1000,
    MMSIADDRCFGH = 0x1bc4,
    SETIP = 0x1c00,
    SETIPNUM = 0x1cdc,
    IN_CLRIP = 0x1d00,
    CLRIPNUM = 0x1ddc,
    SETIE = 0x1e00,
    SETIENUM = 0x1edc,
    CLRIE = 0x1f00,
    CLRIENUM = 0x1fdc,
    SETIPNUM_LE = 0x2000,
    GENMSI = 0x3000,
    TARGET = 0x3004, /* 1 to 1023 */
    IDC = 0x4000,
    IDC_SIZE = 0x20,
    IDC_IDELIVERY = 0x00,
    IDC_IFORCE = 0x04,
    IDC_ITHRESHOLD = 0x08,
    IDC_TOPI = 0x18,
    IDC_CLAIMI = 0x1c,
};
#define ARRAY_SIZE (4 * 32) /* bytes of registers with a bit a source */

#define DOMAINCFG_FIXED 0x80000000u
#define DOMAINCFG_IE (1u << 8)
#define DOMAINCFG_DM (1u << 2)
#define MMSIADDRCFGH_L 0x80000000u
#define SOURCECFG_D (1u << 10)
enum { SM_INACTIVE, SM_DETACHED, SM_EDGE1 = 4, SM_EDGE0, SM_LEVEL1, SM_LEVEL0 };
#define TARGET_HART_SHIFT 18
#define TARGET_EIID 0x7ffu

struct idc {
    bool idelivery, iforce;
    uint8_t ithreshold;
};

struct domain {
    struct device device;
    struct aplic *aplic;
    bool is_root;
    uint32_t domaincfg; /* IE and DM */
    uint32_t genmsi;
    uint16_t sourcecfg[APLIC_SOURCES + 1];
    uint32_t target[APLIC_SOURCES + 1];
    uint32_t pending[WORDS], enabled[WORDS];
    struct idc idc[HARTS_MAX];
};

struct aplic {
    struct hart_wires wires;
    bool messages;
    pthread_mutex_t lock; /* all below */
    uint32_t level[WORDS];
    struct domain root, child;
};

static bool bit_of(const uint32_t *words, unsigned n)
{
    return words[n / 32] >> (n % 32) & 1;
}

static void set_bit(uint32_t *words, unsigned n, bool value)
{
    uint32_t bit = 1u << (n % 32);
    words[n / 32] = value ? words[n / 32] | bit : words[n / 32] & ~bit;
}

static bool is_source(uint32_t n)
{
    return n >= 1 && n <= APLIC_SOURCES;
}

static bool is_delegated(const struct aplic *a, unsigned source)
{
    return a->root.sourcecfg[source] & SOURCECFG_D;
}

/* The source mode, inactive also for a source that is not this domain's. */
static unsigned mode_of(const struct domain *d, unsigned source)
{
    if (d->is_root == is_delegated(d->aplic, source))
        return SM_INACTIVE;
    return d->sourcecfg[source];
}

static bool is_level(unsigned mode)
{
    return mode == SM_LEVEL1 || mode == SM_LEVEL0;
}

/* "Rectified input value", 4.5.2 */
static bool input_of(const struct domain *d, unsigned source)
{
    bool level = bit_of(d->aplic->level, source);
    switch (mode_of(d, source)) {
    case SM_EDGE1:
    case SM_LEVEL1:
        return level;
    case SM_EDGE0:
    case SM_LEVEL0:
        return !level;
    default:
        return false;
    }
}

static bool by_messages(const struct domain *d)
{
    return d->domaincfg & DOMAINCFG_DM;
}

static unsigned hart_of(const struct domain *d, unsigned source)
{
    return d->target[source] >> TARGET_HART_SHIFT;
}

/* 4.5.16: zero is no priority. */
static unsigned priority_of(const struct domain *d, unsigned source)
{
    unsigned priority = d->target[source] & PRIORITY_MAX;
    return priority ? priority : 1;
}

/*
 * Delivery
 */

static void send(struct domain *d, uint32_t target)
{
    const struct hart_wires *w = &d->aplic->wires;
    unsigned hart = target >> TARGET_HART_SHIFT;
    if (hart < w->count)
        w->message(w->ctx, hart, d->is_root ? IMSIC_M : IMSIC_S, target & TARGET_EIID);
}

static void send_due(struct domain *d)
{
    for (unsigned w = 0; w < WORDS; w++) {
        uint32_t due = d->pending[w] & d->enabled[w];
        d->pending[w] &= ~due;
        for (; due; due &= due - 1)
            send(d, d->target[32 * w + (unsigned)__builtin_ctz(due)]);
    }
}

/* topi (4.8.1.4): the source that goes first for that hart, 0 for none. */
static uint32_t top_of(const struct domain *d, unsigned hart)
{
    unsigned best = 0, priority = d->idc[hart].ithreshold;
    if (!priority)
        priority = PRIORITY_MAX + 1;
    for (unsigned w = 0; w < WORDS; w++) {
        for (uint32_t bits = d->pending[w] & d->enabled[w]; bits; bits &= bits - 1) {
            unsigned source = 32 * w + (unsigned)__builtin_ctz(bits);
            if (hart_of(d, source) == hart && priority_of(d, source) < priority) {
                best = source;
                priority = priority_of(d, source);
            }
        }
    }
    return best ? best << 16 | priority : 0;
}

static void set_wires(struct domain *d)
{
    const struct hart_wires *w = &d->aplic->wires;
    const uint64_t bit = d->is_root ? 1u << IRQ_MEI : 1u << IRQ_SEI;
    bool enabled = d->domaincfg & DOMAINCFG_IE && !by_messages(d);
    for (unsigned hart = 0; hart < w->count; hart++) {
        const struct idc *idc = &d->idc[hart];
        bool up = enabled && idc->idelivery && (idc->iforce || top_of(d, hart));
        w->set(w->ctx, hart, bit, up);
    }
}

static void update(struct domain *d)
{
    if (!by_messages(d))
        set_wires(d);
    else if (d->domaincfg & DOMAINCFG_IE)
        send_due(d);
}

/*
 * Pending bits: 4.7, "Precise effects on interrupt-pending bits"
 */

static void set_pending(struct domain *d, unsigned source)
{
    unsigned mode = mode_of(d, source);
    if (mode == SM_INACTIVE || (is_level(mode) && (!by_messages(d) || !input_of(d, source))))
        return;
    set_bit(d->pending, source, true);
}

static void clear_pending(struct domain *d, unsigned source)
{
    if (!is_level(mode_of(d, source)) || by_messages(d))
        set_bit(d->pending, source, false);
}

static void input_changed(struct domain *d, unsigned source)
{
    bool input = input_of(d, source);
    if (input)
        set_bit(d->pending, source, true);
    else if (is_level(mode_of(d, source)))
        set_bit(d->pending, source, false);
}

static void set_line(void *ctx, unsigned source, bool level)
{
    struct aplic *a = ctx;
    pthread_mutex_lock(&a->lock);
    if (bit_of(a->level, source) != level) {
        struct domain *d = is_delegated(a, source) ? &a->child : &a->root;
        set_bit(a->level, source, level);
        if (mode_of(d, source) > SM_DETACHED) {
            input_changed(d, source);
            update(d);
        }
    }
    pthread_mutex_unlock(&a->lock);
}

struct irq_line aplic_line(struct device *root, unsigned number)
{
    const struct domain *d = root->state;
    return (struct irq_line){.set = set_line, .ctx = d->aplic, .number = number};
}

/*
 * Registers
 */

static void deactivate(struct domain *d, unsigned source)
{
    d->sourcecfg[source] = SM_INACTIVE;
    d->target[source] = 0;
    set_bit(d->pending, source, false);
    set_bit(d->enabled, source, false);
}

/* 4.5.2. The root has one child, of index 0; a leaf that is told to delegate becomes inactive. */
static void write_sourcecfg(struct domain *d, unsigned source, uint32_t value)
{
    struct aplic *a = d->aplic;
    if (d == &a->child && !is_delegated(a, source))
        return;
    if (value & SOURCECFG_D) {
        if (d->is_root && is_delegated(a, source))
            return;
        deactivate(d, source);
        if (d->is_root)
            d->sourcecfg[source] = SOURCECFG_D;
        return;
    }
    if (d->is_root && is_delegated(a, source))
        deactivate(&a->child, source);
    unsigned mode = value & 7;
    if (mode == SM_INACTIVE || mode == 2 || mode == 3) {
        deactivate(d, source);
        return;
    }
    d->sourcecfg[source] = (uint16_t)mode;
    if (is_level(mode))
        input_changed(d, source);
}

/* Level sources: when messages are off, pending is the input, and nothing else. */
static void write_domaincfg(struct domain *d, uint32_t value)
{
    d->domaincfg = value & (DOMAINCFG_IE | (d->aplic->messages ? DOMAINCFG_DM : 0));
    for (unsigned source = 1; source <= APLIC_SOURCES && !by_messages(d); source++)
        if (is_level(mode_of(d, source)))
            set_bit(d->pending, source, input_of(d, source));
    if (by_messages(d))
        set_wires(d); /* which lets go of them */
}

static uint32_t target_of(const struct domain *d, unsigned source)
{
    if (mode_of(d, source) == SM_INACTIVE)
        return 0;
    uint32_t hart = hart_of(d, source) << TARGET_HART_SHIFT;
    return hart | (by_messages(d) ? d->target[source] & TARGET_EIID : priority_of(d, source));
}

static uint32_t inputs_of(const struct domain *d, unsigned word)
{
    uint32_t bits = 0;
    for (unsigned n = 0; n < 32; n++)
        if (is_source(32 * word + n))
            bits |= (uint32_t)input_of(d, 32 * word + n) << n;
    return bits;
}

static void set_enabled(struct domain *d, unsigned source, bool enable)
{
    if (mode_of(d, source) != SM_INACTIVE)
        set_bit(d->enabled, source, enable);
}

/* One of the four things that can be done to a source, by number or by bits. */
static void act(struct domain *d, uint64_t reg, uint32_t source)
{
    if (!is_source(source))
        return;
    switch (reg) {
    case SETIP:
        set_pending(d, source);
        break;
    case IN_CLRIP:
        clear_pending(d, source);
        break;
    default:
        set_enabled(d, source, reg == SETIE);
    }
}

static void act_on_bits(struct domain *d, uint64_t reg, unsigned word, uint32_t bits)
{
    for (; bits; bits &= bits - 1)
        act(d, reg, 32 * word + (unsigned)__builtin_ctz(bits));
}

/* Interrupt delivery control, 4.8.1 */

static uint32_t read_idc(struct domain *d, unsigned hart, unsigned reg)
{
    struct idc *idc = &d->idc[hart];
    uint32_t top = top_of(d, hart);
    switch (reg) {
    case IDC_IDELIVERY:
        return idc->idelivery;
    case IDC_IFORCE:
        return idc->iforce;
    case IDC_ITHRESHOLD:
        return idc->ithreshold;
    case IDC_TOPI:
        return top;
    case IDC_CLAIMI:
        if (top)
            clear_pending(d, top >> 16);
        else
            idc->iforce = false;
        update(d);
        return top;
    default:
        return 0;
    }
}

static void write_idc(struct domain *d, unsigned hart, unsigned reg, uint32_t value)
{
    struct idc *idc = &d->idc[hart];
    if (reg == IDC_IDELIVERY)
        idc->idelivery = value & 1;
    else if (reg == IDC_IFORCE)
        idc->iforce = value & 1;
    else if (reg == IDC_ITHRESHOLD)
        idc->ithreshold = (uint8_t)value;
}

static bool in_array(uint64_t offset, uint64_t first)
{
    return offset >= first && offset < first + 4 * WORDS;
}

static uint32_t read_register(struct domain *d, uint64_t offset)
{
    unsigned word = (unsigned)(offset % ARRAY_SIZE / 4);
    if (offset == DOMAINCFG)
        return DOMAINCFG_FIXED | d->domaincfg;
    if (offset >= SOURCECFG && offset < SOURCECFG_END) {
        unsigned source = (unsigned)offset / 4;
        return is_source(source) ? d->sourcecfg[source] : 0;
    }
    if (offset == MMSIADDRCFGH)
        return d->is_root && d->aplic->messages ? MMSIADDRCFGH_L : 0;
    if (in_array(offset, SETIP))
        return d->pending[word];
    if (in_array(offset, IN_CLRIP))
        return inputs_of(d, word);
    if (in_array(offset, SETIE))
        return d->enabled[word];
    if (offset == GENMSI)
        return by_messages(d) ? d->genmsi : 0;
    if (offset >= TARGET && offset < IDC) {
        unsigned source = (unsigned)(offset - GENMSI) / 4;
        return is_source(source) ? target_of(d, source) : 0;
    }
    unsigned hart = (unsigned)(offset - IDC) / IDC_SIZE;
    if (offset >= IDC && hart < d->aplic->wires.count)
        return read_idc(d, hart, offset % IDC_SIZE);
    return 0;
}

static void write_genmsi(struct domain *d, uint32_t value)
{
    if (!by_messages(d))
        return;
    d->genmsi = value & ~(uint32_t)((1u << TARGET_HART_SHIFT) - 1 - TARGET_EIID);
    send(d, d->genmsi); /* at once, so it is never busy */
}

static void write_target(struct domain *d, unsigned source, uint32_t value)
{
    if (is_source(source) && mode_of(d, source) != SM_INACTIVE)
        d->target[source] = value & ~(uint32_t)((1u << TARGET_HART_SHIFT) - 1 - TARGET_EIID);
}

/* Registers that take the number of a source, and the array that does the same. */
static uint64_t array_of(uint64_t offset)
{
    switch (offset) {
    case SETIPNUM:
    case SETIPNUM_LE:
        return SETIP;
    case CLRIPNUM:
        return IN_CLRIP;
    case SETIENUM:
        return SETIE;
    case CLRIENUM:
        return CLRIE;
    default:
        return 0;
    }
}

static void write_register(struct domain *d, uint64_t offset, uint32_t value)
{
    static const uint64_t arrays[] = {SETIP, IN_CLRIP, SETIE, CLRIE};
    for (unsigned i = 0; i < 4; i++)
        if (in_array(offset, arrays[i]))
            act_on_bits(d, arrays[i], (unsigned)(offset - arrays[i]) / 4, value);
    if (array_of(offset))
        act(d, array_of(offset), value);
    else if (offset == DOMAINCFG)
        write_domaincfg(d, value);
    else if (offset < SOURCECFG_END && is_source((uint32_t)offset / 4))
        write_sourcecfg(d, (unsigned)offset / 4, value);
    else if (offset == GENMSI)
        write_genmsi(d, value);
    else if (offset >= TARGET && offset < IDC)
        write_target(d, (unsigned)(offset - GENMSI) / 4, value);
    else if (offset >= IDC && (offset - IDC) / IDC_SIZE < d->aplic->wires.count)
        write_idc(d, (unsigned)(offset - IDC) / IDC_SIZE, offset % IDC_SIZE, value);
}

static uint64_t domain_read(void *state, uint64_t offset, unsigned size)
{
    (void)size;
    struct domain *d = state;
    pthread_mutex_lock(&d->aplic->lock);
    uint32_t value = read_register(d, offset);
    pthread_mutex_unlock(&d->aplic->lock);
    return value;
}

static void domain_write(void *state, uint64_t offset, unsigned size, uint64_t value)
{
    (void)size;
    struct domain *d = state;
    pthread_mutex_lock(&d->aplic->lock);
    write_register(d, offset, (uint32_t)value);
    update(&d->aplic->root);
    update(&d->aplic->child);
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
        deactivate(d, source);
    update(d);
    pthread_mutex_unlock(&d->aplic->lock);
}

void aplic_delegate(struct device *root)
{
    struct domain *d = root->state;
    pthread_mutex_lock(&d->aplic->lock);
    for (unsigned source = 1; source <= APLIC_SOURCES; source++)
        write_sourcecfg(d, source, SOURCECFG_D);
    pthread_mutex_unlock(&d->aplic->lock);
}

/*
 * Device tree
 */

static void describe_harts(const struct domain *d, struct fdt *fdt)
{
    uint32_t cells[2 * HARTS_MAX];
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
