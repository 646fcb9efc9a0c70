/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The registers of a domain: see aplic_domain.h.
 *
 * Where messages go is built in: mmsiaddrcfgh reads as locked and the addresses as hidden (4.5.3).
 */
#include "dev/aplic_domain.h"

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
#define MMSIADDRCFGH_L 0x80000000u

/* 4.5.2. The root has one child, of index 0; a leaf that is told to delegate becomes inactive. */
void domain_write_sourcecfg(struct domain *d, unsigned source, uint32_t value)
{
    struct aplic *a = d->aplic;
    if (d == &a->child && !is_delegated(a, source))
        return;
    if (value & SOURCECFG_D) {
        if (d->is_root && is_delegated(a, source))
            return;
        domain_deactivate(d, source);
        if (d->is_root)
            d->sourcecfg[source] = SOURCECFG_D;
        return;
    }
    if (d->is_root && is_delegated(a, source))
        domain_deactivate(&a->child, source);
    unsigned mode = value & 7;
    if (mode == SM_INACTIVE || mode == 2 || mode == 3) {
        domain_deactivate(d, source);
        return;
    }
    d->sourcecfg[source] = (uint16_t)mode;
    if (is_level(mode))
        domain_input_changed(d, source);
}

/* Level sources: when messages are off, pending is the input, and nothing else. */
static void write_domaincfg(struct domain *d, uint32_t value)
{
    d->domaincfg = value & (DOMAINCFG_IE | (d->aplic->messages ? DOMAINCFG_DM : 0));
    for (unsigned source = 1; source <= APLIC_SOURCES && !by_messages(d); source++)
        if (is_level(mode_of(d, source)))
            set_bit(d->pending, source, input_of(d, source));
    if (by_messages(d))
        domain_set_wires(d); /* which lets go of them */
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
        domain_set_pending(d, source);
        break;
    case IN_CLRIP:
        domain_clear_pending(d, source);
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
    uint32_t top = domain_top(d, hart);
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
            domain_clear_pending(d, top >> 16);
        else
            idc->iforce = false;
        domain_update(d);
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
    return offset >= first && offset < first + 4 * APLIC_WORDS;
}

uint32_t domain_read_register(struct domain *d, uint64_t offset)
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
    domain_send(d, d->genmsi); /* at once, so it is never busy */
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

void domain_write_register(struct domain *d, uint64_t offset, uint32_t value)
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
        domain_write_sourcecfg(d, (unsigned)offset / 4, value);
    else if (offset == GENMSI)
        write_genmsi(d, value);
    else if (offset >= TARGET && offset < IDC)
        write_target(d, (unsigned)(offset - GENMSI) / 4, value);
    else if (offset >= IDC && (offset - IDC) / IDC_SIZE < d->aplic->wires.count)
        write_idc(d, (unsigned)(offset - IDC) / IDC_SIZE, offset % IDC_SIZE, value);
}
