/* SPDX-License-Identifier: MPL-2.0 */
/*
 * CSRs of the Advanced Interrupt Architecture (1.0, chapters 2, 3 and 5). Priorities of major
 * interrupts cannot be changed and nothing is filtered: the iprio arrays and mvien are zero, which the
 * specification allows (5.2.1, 5.3).
 */
#include "cpu/csr_regs.h"
#include "cpu/irq.h"

/* What miselect and siselect select. On rv64 the odd numbers of the arrays are not there. */
enum {
    SELECT_IPRIO = 0x30,
    SELECT_IPRIO_END = 0x40,
    SELECT_EIDELIVERY = 0x70,
    SELECT_EITHRESHOLD = 0x72,
    SELECT_EIP = 0x80,
    SELECT_EIE = 0xc0,
    SELECT_END = 0x100,
};

static struct imsic_file *file_of(struct hart *h, bool machine)
{
    return &h->imsic[machine ? IMSIC_M : IMSIC_S];
}

static unsigned selected(const struct hart *h, unsigned csr)
{
    return (unsigned)(csr == CSR_MIREG ? h->csr.miselect : h->csr.siselect);
}

bool csr_check_ireg(const struct hart *h, unsigned csr, bool writes)
{
    (void)writes;
    const unsigned select = selected(h, csr);
    const bool odd = h->xlen == 64 && select & 1;
    if (select >= SELECT_IPRIO && select < SELECT_IPRIO_END)
        return !odd;
    if (select >= SELECT_EIP && select < SELECT_END)
        return !odd;
    return select >= SELECT_EIDELIVERY && select < SELECT_EIP;
}

/* A register of an array: bits of a word. mask: those of identities that are there. */
struct place {
    unsigned word, shift;
    uint64_t mask;
};

static struct place place_of(const struct hart *h, unsigned number)
{
    struct place at = {number / 2, h->xlen == 32 && number & 1 ? 32 : 0, 0};
    if (at.word < IMSIC_WORDS)
        at.mask = (h->xlen == 32 ? UINT64_C(0xffffffff) << at.shift : UINT64_MAX);
    if (at.word == 0)
        at.mask &= ~UINT64_C(1); /* there is no identity 0 */
    return at;
}

uint64_t csr_read_ireg(struct hart *h, unsigned csr)
{
    const struct imsic_file *file = file_of(h, csr == CSR_MIREG);
    const unsigned select = selected(h, csr);
    if (select == SELECT_EIDELIVERY)
        return file->delivery;
    if (select == SELECT_EITHRESHOLD)
        return file->threshold;
    if (select < SELECT_EIP)
        return 0;
    const struct place at = place_of(h, select & 0x3f);
    if (!at.mask)
        return 0;
    uint64_t word =
        select < SELECT_EIE ? atomic_load(&file->pending[at.word]) : file->enabled[at.word];
    return (word & at.mask) >> at.shift;
}

static uint64_t changed(uint64_t old, enum csr_op op, uint64_t operand)
{
    switch (op) {
    case CSR_SET:
        return old | operand;
    case CSR_CLEAR:
        return old & ~operand;
    default:
        return operand;
    }
}

/* In one atomic step a bit: a message that comes meanwhile is not lost. */
static void change_pending(_Atomic uint64_t *word, uint64_t mask, enum csr_op op, uint64_t operand)
{
    if (op != CSR_SET)
        atomic_fetch_and(word, ~(op == CSR_WRITE ? mask & ~operand : operand));
    if (op != CSR_CLEAR)
        atomic_fetch_or(word, operand);
}

static void change_array(struct hart *h, struct imsic_file *file, unsigned select, enum csr_op op,
                         uint64_t operand)
{
    const struct place at = place_of(h, select & 0x3f);
    if (!at.mask)
        return;
    operand = operand << at.shift & at.mask;
    if (select < SELECT_EIE) {
        change_pending(&file->pending[at.word], at.mask, op, operand);
        return;
    }
    uint64_t *word = &file->enabled[at.word];
    *word = (*word & ~at.mask) | (changed(*word, op, operand) & at.mask);
}

enum csr_result csr_modify_ireg(struct hart *h, unsigned csr, enum csr_op op, uint64_t operand)
{
    struct imsic_file *file = file_of(h, csr == CSR_MIREG);
    const unsigned select = selected(h, csr);
    if (select == SELECT_EIDELIVERY) {
        uint64_t value = changed(file->delivery, op, operand);
        if (value == IMSIC_DELIVER_NONE || value == IMSIC_DELIVER_FILE ||
            value == IMSIC_DELIVER_WIRE)
            file->delivery = (uint32_t)value;
    } else if (select == SELECT_EITHRESHOLD) {
        file->threshold = changed(file->threshold, op, operand) & IMSIC_IDENTITIES;
    } else if (select >= SELECT_EIP) {
        change_array(h, file, select, op, operand);
    }
    return csr_after_enable(h);
}

/*
 * The interrupt that goes first. A write of xtopei claims what the same instruction has read: a message
 * that came in between waits for its turn.
 */

uint64_t csr_read_topei(struct hart *h, unsigned csr)
{
    struct imsic_file *file = file_of(h, csr == CSR_MTOPEI);
    file->seen = imsic_top(file);
    return file->seen << 16 | file->seen;
}

enum csr_result csr_write_topei(struct hart *h, unsigned csr, uint64_t value)
{
    struct imsic_file *file = file_of(h, csr == CSR_MTOPEI);
    (void)value;
    if (file->seen)
        imsic_claim(file, file->seen);
    return CSR_OK;
}

uint64_t csr_read_topi(struct hart *h, unsigned csr)
{
    const uint64_t mask = csr == CSR_MTOPI ? ~h->csr.mideleg : h->csr.mideleg;
    int cause = irq_highest(hart_mip(h) & h->csr.mie & mask);
    return cause < 0 ? 0 : (uint64_t)cause << 16 | 1; /* IPRIO is 1: nothing has priorities */
}

/* The bits of mip that M-mode sets by itself, without those that others hold up. */
uint64_t csr_read_mvip(struct hart *h, unsigned csr)
{
    uint64_t bits = 1ull << IRQ_SSI | 1ull << IRQ_SEI;
    (void)csr;
    if (!(h->csr.menvcfg & MENVCFG_STCE))
        bits |= 1ull << IRQ_STI;
    return atomic_load(&h->mip_soft) & bits;
}
