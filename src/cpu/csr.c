/* SPDX-License-Identifier: MPL-2.0 */
/* The CSR instructions' way to the registers: looks up csr.def, checks the access, calls. */
#include "cpu/csr.h"
#include "cpu/csr_regs.h"
#include "cpu/hart.h"
#include <stddef.h>

struct csr_desc {
    csr_check_fn *check;
    csr_read_fn *read;   /* NULL: plain */
    csr_write_fn *write; /* NULL and not plain: ignores writes */
    uint64_t mask;       /* plain: the bits that can be written */
    uint16_t field;      /* plain: offset in struct csr_file */
    int8_t need;         /* enum isa_ext */
    uint8_t flags;
};

enum csr_id {
    ID_NONE,
#define CSR(first, last, name, need, flags, check, read, write) ID_##name,
#define CSR_PLAIN(number, name, need, field, mask) ID_##name,
#include "cpu/csr.def"
#undef CSR
#undef CSR_PLAIN
    ID_COUNT
};
_Static_assert(ID_COUNT <= 256, "csr_index holds bytes");

static const uint8_t csr_index[4096] = {
#define CSR(first, last, name, need, flags, check, read, write) [first... last] = ID_##name,
#define CSR_PLAIN(number, name, need, field, mask) [number] = ID_##name,
#include "cpu/csr.def"
#undef CSR
#undef CSR_PLAIN
};

static const struct csr_desc csr_table[ID_COUNT] = {
#define CSR(first, last, name, need, flags, check, read, write) \
    [ID_##name] = {check, read, write, 0, 0, EXT_##need, flags},
#define CSR_PLAIN(number, name, need, field, mask) \
    [ID_##name] = {NULL, NULL, NULL, mask, offsetof(struct csr_file, field), EXT_##need, 0},
#include "cpu/csr.def"
#undef CSR
#undef CSR_PLAIN
};

static uint64_t *plain_field(struct hart *h, const struct csr_desc *desc)
{
    return (uint64_t *)((char *)&h->csr + desc->field);
}

/* The description of a register that the hart has and may access in its mode, or NULL. */
static const struct csr_desc *find(const struct hart *h, unsigned csr, bool writes)
{
    if (csr > 0xfff || !csr_index[csr])
        return NULL;
    const struct csr_desc *desc = &csr_table[csr_index[csr]];

    if ((csr >> 8 & 3) > h->priv || (writes && csr >> 10 == 3))
        return NULL;
    if (desc->flags & CSR_HIGH && h->xlen != 32)
        return NULL;
    if (desc->need != EXT_NONE && !isa_has(&h->isa, desc->need))
        return NULL;
    if (desc->check && !desc->check(h, csr, writes))
        return NULL;
    return desc;
}

enum csr_result csr_access(struct hart *h, unsigned csr, enum csr_op op, uint64_t operand,
                           bool reads, bool writes, uint64_t *old)
{
    const struct csr_desc *desc = find(h, csr, writes);
    bool rv32 = h->xlen == 32;
    bool high;

    if (!desc)
        return CSR_ILLEGAL;
    high = desc->flags & CSR_HIGH;

    uint64_t whole = desc->read ? desc->read(h, csr) : *plain_field(h, desc);
    uint64_t value = high ? whole >> 32 : whole;
    if (reads)
        *old = rv32 ? (uint64_t)(int64_t)(int32_t)value : value;
    if (!writes)
        return CSR_OK;

    if (rv32) {
        value = (uint32_t)value;
        operand = (uint32_t)operand;
    }
    if (csr == CSR_MIP || csr == CSR_SIP || csr == CSR_MVIP)
        return csr_modify_ip(h, csr, op, operand);
    if (csr == CSR_MIREG || csr == CSR_SIREG)
        return csr_modify_ireg(h, csr, op, operand);
    switch (op) {
    case CSR_WRITE:
        value = operand;
        break;
    case CSR_SET:
        value |= operand;
        break;
    case CSR_CLEAR:
        value &= ~operand;
        break;
    }
    if (high)
        value = (uint32_t)whole | value << 32;
    else if (rv32)
        value |= whole >> 32 << 32;

    if (desc->write)
        return desc->write(h, csr, value);
    if (!desc->read)
        *plain_field(h, desc) = value & desc->mask;
    return CSR_OK;
}

void csr_reset(struct hart *h)
{
    struct csr_file *c = &h->csr;

    c->mstatus = 0;
    c->mie = c->medeleg = c->mideleg = 0;
    c->mtvec = c->mscratch = c->mepc = c->mcause = c->mtval = 0;
    c->stvec = c->sscratch = c->sepc = c->scause = c->stval = 0;
    c->satp = c->senvcfg = c->mseccfg = 0;
    c->mcounteren = c->scounteren = 0;
    /* With Svade the hart begins without hardware updates of A and D, else with them. */
    c->menvcfg = isa_has(&h->isa, EXT_SVADU) && !isa_has(&h->isa, EXT_SVADE) ? MENVCFG_ADUE : 0;
    c->miselect = c->siselect = 0;
    for (unsigned i = 0; i < IMSIC_FILES; i++)
        imsic_reset(&h->imsic[i]);
    pmp_reset(h);
    counters_reset(h);
    h->frm = 0;
    h->fp.flags = 0;
    atomic_store(&h->mip_soft, 0);
    csr_set_stimecmp(h, UINT64_MAX);
}
