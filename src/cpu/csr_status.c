/* SPDX-License-Identifier: MPL-2.0 */
/* CSRs of status, traps, interrupts and translation. */
#include "cpu/csr_regs.h"
#include "cpu/irq.h"

#define MSTATUS_WRITABLE \
    (MSTATUS_SIE | MSTATUS_MIE | MSTATUS_SPIE | MSTATUS_MPIE | MSTATUS_SPP | MSTATUS_MPP | \
     MSTATUS_FS | MSTATUS_MPRV | MSTATUS_SUM | MSTATUS_MXR | MSTATUS_TVM | MSTATUS_TW | \
     MSTATUS_TSR)
#define SSTATUS_WRITABLE \
    (MSTATUS_SIE | MSTATUS_SPIE | MSTATUS_SPP | MSTATUS_FS | MSTATUS_SUM | MSTATUS_MXR)

#define UXL_64 (2ull << 32)
#define SXL_64 (2ull << 34)

/* Adds what is not stored: SD, and on rv64 the widths (UXL and SXL as `widths` gives them). */
static uint64_t status_with_fixed(const struct hart *h, uint64_t status, uint64_t widths)
{
    bool dirty = (status & MSTATUS_FS) == MSTATUS_FS;

    if (h->xlen == 32)
        return status | (uint64_t)dirty << 31;
    return status | widths | (uint64_t)dirty << 63;
}

uint64_t csr_read_mstatus(struct hart *h, unsigned csr)
{
    (void)csr;
    return status_with_fixed(h, h->csr.mstatus, UXL_64 | SXL_64);
}

uint64_t csr_read_sstatus(struct hart *h, unsigned csr)
{
    (void)csr;
    return status_with_fixed(h, h->csr.mstatus & SSTATUS_WRITABLE, UXL_64);
}

enum csr_result csr_after_enable(struct hart *h)
{
    return irq_recheck(h) ? CSR_RESYNC : CSR_OK;
}

/* Writes the bits in mask and does what follows from their change. */
static enum csr_result write_status(struct hart *h, uint64_t value, uint64_t mask)
{
    uint64_t old = h->csr.mstatus;
    enum csr_result result = CSR_OK;

    if ((value & MSTATUS_MPP) >> MSTATUS_MPP_SHIFT == 2) /* no such mode: MPP stays */
        mask &= ~MSTATUS_MPP;
    if (!isa_has(&h->isa, EXT_F))
        mask &= ~MSTATUS_FS;
    h->csr.mstatus = (old & ~mask) | (value & mask);

    uint64_t changed = old ^ h->csr.mstatus;
    uint64_t translation = MSTATUS_MPRV | MSTATUS_SUM | MSTATUS_MXR;
    if (old & MSTATUS_MPRV) /* only then loads and stores are those of MPP */
        translation |= MSTATUS_MPP;
    if (changed & translation) {
        if (changed & MSTATUS_MXR) /* not part of a context: it hardly ever changes */
            tlb_flush(h);
        tlb_context_changed(h);
        result = CSR_RESYNC;
    }
    if (!(old & MSTATUS_FS) != !(h->csr.mstatus & MSTATUS_FS))
        result = CSR_RESYNC;
    if (h->csr.mstatus & changed & (MSTATUS_MIE | MSTATUS_SIE) && irq_recheck(h))
        result = CSR_RESYNC;
    return result;
}

enum csr_result csr_write_mstatus(struct hart *h, unsigned csr, uint64_t value)
{
    (void)csr;
    return write_status(h, value, MSTATUS_WRITABLE);
}

enum csr_result csr_write_sstatus(struct hart *h, unsigned csr, uint64_t value)
{
    (void)csr;
    return write_status(h, value, SSTATUS_WRITABLE);
}

uint64_t csr_read_misa(struct hart *h, unsigned csr)
{
    static const struct {
        enum isa_ext ext;
        char letter;
    } letters[] = {
        {EXT_I, 'i'}, {EXT_M, 'm'}, {EXT_A, 'a'}, {EXT_F, 'f'}, {EXT_D, 'd'}, {EXT_C, 'c'},
    };
    uint64_t misa = h->xlen == 32 ? 1ull << 30 : 2ull << 62;

    (void)csr;
    for (size_t i = 0; i < sizeof letters / sizeof *letters; i++)
        if (isa_has(&h->isa, letters[i].ext))
            misa |= 1ull << (letters[i].letter - 'a');
    if (isa_has(&h->isa, EXT_ZBA) && isa_has(&h->isa, EXT_ZBB) && isa_has(&h->isa, EXT_ZBS))
        misa |= 1ull << ('b' - 'a');
    return misa | 1ull << ('s' - 'a') | 1ull << ('u' - 'a');
}

/*
 * Interrupts
 */

uint64_t csr_interrupts(const struct hart *h)
{
    uint64_t bits = 1ull << IRQ_SSI | 1ull << IRQ_MSI | 1ull << IRQ_STI | 1ull << IRQ_MTI |
                    1ull << IRQ_SEI | 1ull << IRQ_MEI;

    return isa_has(&h->isa, EXT_SSCOFPMF) ? bits | 1ull << IRQ_LCOFI : bits;
}

uint64_t csr_read_mideleg(struct hart *h, unsigned csr)
{
    (void)csr;
    return h->csr.mideleg;
}

enum csr_result csr_write_mideleg(struct hart *h, unsigned csr, uint64_t value)
{
    (void)csr;
    h->csr.mideleg =
        value & csr_interrupts(h) & ~(1ull << IRQ_MSI | 1ull << IRQ_MTI | 1ull << IRQ_MEI);
    return csr_after_enable(h);
}

uint64_t csr_read_mie(struct hart *h, unsigned csr)
{
    (void)csr;
    return h->csr.mie;
}

enum csr_result csr_write_mie(struct hart *h, unsigned csr, uint64_t value)
{
    (void)csr;
    h->csr.mie = value & csr_interrupts(h);
    return csr_after_enable(h);
}

uint64_t csr_read_sie(struct hart *h, unsigned csr)
{
    (void)csr;
    return h->csr.mie & h->csr.mideleg;
}

enum csr_result csr_write_sie(struct hart *h, unsigned csr, uint64_t value)
{
    (void)csr;
    h->csr.mie = (h->csr.mie & ~h->csr.mideleg) | (value & h->csr.mideleg);
    return csr_after_enable(h);
}

uint64_t csr_read_mip(struct hart *h, unsigned csr)
{
    (void)csr;
    return hart_mip(h);
}

uint64_t csr_read_sip(struct hart *h, unsigned csr)
{
    (void)csr;
    return hart_mip(h) & h->csr.mideleg;
}

enum csr_result csr_modify_ip(struct hart *h, unsigned csr, enum csr_op op, uint64_t operand)
{
    uint64_t mask;

    if (csr == CSR_SIP) {
        mask = (1ull << IRQ_SSI | 1ull << IRQ_LCOFI) & h->csr.mideleg;
    } else {
        mask = 1ull << IRQ_SSI | 1ull << IRQ_STI | 1ull << IRQ_SEI;
        if (csr == CSR_MIP)
            mask |= 1ull << IRQ_LCOFI;
        if (h->csr.menvcfg & MENVCFG_STCE) /* then STIP is the comparison with stimecmp */
            mask &= ~(1ull << IRQ_STI);
    }
    mask &= csr_interrupts(h);
    operand &= mask;
    /* Each bit in one atomic step: a bit that another hart sets meanwhile is not lost. */
    if (op != CSR_SET)
        atomic_fetch_and(&h->mip_soft, ~(op == CSR_WRITE ? mask & ~operand : operand));
    if (op != CSR_CLEAR)
        atomic_fetch_or(&h->mip_soft, operand);
    return csr_after_enable(h);
}

/*
 * Trap vectors and return addresses
 */

/* Modes 2 and 3 are reserved: such a write leaves the register as it was. */
static void write_tvec(uint64_t *tvec, uint64_t value)
{
    if ((value & 3) < 2)
        *tvec = value;
}

uint64_t csr_read_mtvec(struct hart *h, unsigned csr)
{
    (void)csr;
    return h->csr.mtvec;
}

enum csr_result csr_write_mtvec(struct hart *h, unsigned csr, uint64_t value)
{
    (void)csr;
    write_tvec(&h->csr.mtvec, value);
    return CSR_OK;
}

uint64_t csr_read_stvec(struct hart *h, unsigned csr)
{
    (void)csr;
    return h->csr.stvec;
}

enum csr_result csr_write_stvec(struct hart *h, unsigned csr, uint64_t value)
{
    (void)csr;
    write_tvec(&h->csr.stvec, value);
    return CSR_OK;
}

static uint64_t instruction_address(const struct hart *h, uint64_t value)
{
    return value & ~(uint64_t)(isa_has(&h->isa, EXT_C) ? 1 : 3);
}

uint64_t csr_read_mepc(struct hart *h, unsigned csr)
{
    (void)csr;
    return h->csr.mepc;
}

enum csr_result csr_write_mepc(struct hart *h, unsigned csr, uint64_t value)
{
    (void)csr;
    h->csr.mepc = instruction_address(h, value);
    return CSR_OK;
}

uint64_t csr_read_sepc(struct hart *h, unsigned csr)
{
    (void)csr;
    return h->csr.sepc;
}

enum csr_result csr_write_sepc(struct hart *h, unsigned csr, uint64_t value)
{
    (void)csr;
    h->csr.sepc = instruction_address(h, value);
    return CSR_OK;
}

/*
 * Translation
 */

bool csr_check_satp(const struct hart *h, unsigned csr, bool writes)
{
    (void)csr;
    (void)writes;
    return h->priv == PRIV_M || !(h->csr.mstatus & MSTATUS_TVM);
}

uint64_t csr_read_satp(struct hart *h, unsigned csr)
{
    (void)csr;
    return h->csr.satp;
}

static bool satp_mode_exists(const struct hart *h, uint64_t satp)
{
    if (h->xlen == 32)
        return !(satp & SATP32_MODE) || h->isa.levels >= 2;
    switch (satp >> SATP64_MODE_SHIFT) {
    case SATP_BARE:
        return true;
    case SATP_SV39:
        return h->isa.levels >= 3;
    case SATP_SV48:
        return h->isa.levels >= 4;
    case SATP_SV57:
        return h->isa.levels >= 5;
    default:
        return false;
    }
}

enum csr_result csr_write_satp(struct hart *h, unsigned csr, uint64_t value)
{
    (void)csr;
    /* An unsupported MODE: the whole write has no effect. */
    if (!satp_mode_exists(h, value) || value == h->csr.satp)
        return CSR_OK;
    h->csr.satp = value;
    tlb_context_changed(h);
    return CSR_RESYNC;
}
