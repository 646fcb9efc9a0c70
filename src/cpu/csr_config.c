/* SPDX-License-Identifier: MPL-2.0 */
/* CSRs of identity, floating point, entropy, environment configuration and memory protection. */
#include "cpu/csr_regs.h"

uint64_t csr_read_zero(struct hart *h, unsigned csr)
{
    (void)h;
    (void)csr;
    return 0;
}

uint64_t csr_read_mhartid(struct hart *h, unsigned csr)
{
    (void)csr;
    return h->id;
}

/* tinfo: bit 0 says that no trigger is there. */
uint64_t csr_read_tinfo(struct hart *h, unsigned csr)
{
    (void)h;
    (void)csr;
    return 1;
}

/*
 * Floating point
 */

bool csr_check_fp(const struct hart *h, unsigned csr, bool writes)
{
    (void)csr;
    (void)writes;
    return h->csr.mstatus & MSTATUS_FS;
}

static enum csr_result write_fp(struct hart *h, unsigned flags, unsigned frm)
{
    h->fp.flags = (uint8_t)(flags & 31);
    h->frm = (uint8_t)(frm & 7);
    h->csr.mstatus |= MSTATUS_FS;
    return CSR_OK;
}

uint64_t csr_read_fflags(struct hart *h, unsigned csr)
{
    (void)csr;
    return h->fp.flags;
}

enum csr_result csr_write_fflags(struct hart *h, unsigned csr, uint64_t value)
{
    (void)csr;
    return write_fp(h, (unsigned)value, h->frm);
}

uint64_t csr_read_frm(struct hart *h, unsigned csr)
{
    (void)csr;
    return h->frm;
}

enum csr_result csr_write_frm(struct hart *h, unsigned csr, uint64_t value)
{
    (void)csr;
    return write_fp(h, h->fp.flags, (unsigned)value);
}

uint64_t csr_read_fcsr(struct hart *h, unsigned csr)
{
    (void)csr;
    return (uint64_t)h->frm << 5 | h->fp.flags;
}

enum csr_result csr_write_fcsr(struct hart *h, unsigned csr, uint64_t value)
{
    (void)csr;
    return write_fp(h, (unsigned)value, (unsigned)value >> 5);
}

/*
 * Entropy (Zkr): reading without writing is illegal, so that no speculative read uses it up.
 */

bool csr_check_seed(const struct hart *h, unsigned csr, bool writes)
{
    (void)csr;
    if (!writes)
        return false;
    switch (h->priv) {
    case PRIV_M:
        return true;
    case PRIV_S:
        return h->csr.mseccfg & MSECCFG_SSEED;
    default:
        return h->csr.mseccfg & MSECCFG_USEED;
    }
}

uint64_t csr_read_seed(struct hart *h, unsigned csr)
{
    const uint64_t opst_es16 = 2ull << 30; /* status: 16 bits of entropy are there */
    uint16_t bits = 0;

    (void)csr;
    h->bus->entropy(h->bus->ctx, &bits, sizeof bits);
    return opst_es16 | bits;
}

/*
 * Environment configuration
 */

static uint64_t envcfg_mask(const struct hart *h)
{
    uint64_t mask = ENVCFG_FIOM;

    if (isa_has(&h->isa, EXT_ZICBOM))
        mask |= ENVCFG_CBIE | ENVCFG_CBCFE;
    if (isa_has(&h->isa, EXT_ZICBOZ))
        mask |= ENVCFG_CBZE;
    return mask;
}

/* The new value under mask; CBIE = 2 is reserved and leaves the field as it was. */
static uint64_t envcfg_legal(uint64_t old, uint64_t value, uint64_t mask)
{
    if ((value & ENVCFG_CBIE) == 2 << 4)
        value = (value & ~ENVCFG_CBIE) | (old & ENVCFG_CBIE);
    return value & mask;
}

uint64_t csr_read_menvcfg(struct hart *h, unsigned csr)
{
    (void)csr;
    return h->csr.menvcfg;
}

enum csr_result csr_write_menvcfg(struct hart *h, unsigned csr, uint64_t value)
{
    uint64_t mask = envcfg_mask(h);
    uint64_t old = h->csr.menvcfg;

    (void)csr;
    if (isa_has(&h->isa, EXT_SVADU))
        mask |= MENVCFG_ADUE;
    if (isa_has(&h->isa, EXT_SVPBMT) && h->xlen == 64)
        mask |= MENVCFG_PBMTE;
    if (isa_has(&h->isa, EXT_SSTC))
        mask |= MENVCFG_STCE;
    h->csr.menvcfg = envcfg_legal(old, value, mask);

    uint64_t changed = old ^ h->csr.menvcfg;
    if (changed & (MENVCFG_ADUE | MENVCFG_PBMTE))
        tlb_flush(h); /* they change what page-table entries mean */
    if (changed & MENVCFG_STCE)
        csr_after_enable(h);
    return changed ? CSR_RESYNC : CSR_OK;
}

uint64_t csr_read_senvcfg(struct hart *h, unsigned csr)
{
    (void)csr;
    return h->csr.senvcfg;
}

enum csr_result csr_write_senvcfg(struct hart *h, unsigned csr, uint64_t value)
{
    (void)csr;
    h->csr.senvcfg = envcfg_legal(h->csr.senvcfg, value, envcfg_mask(h));
    return CSR_OK;
}

/*
 * Memory protection
 */

bool csr_check_mseccfg(const struct hart *h, unsigned csr, bool writes)
{
    (void)csr;
    (void)writes;
    return isa_has(&h->isa, EXT_SMEPMP) || isa_has(&h->isa, EXT_ZKR);
}

uint64_t csr_read_mseccfg(struct hart *h, unsigned csr)
{
    (void)csr;
    return h->csr.mseccfg;
}

enum csr_result csr_write_mseccfg(struct hart *h, unsigned csr, uint64_t value)
{
    const uint64_t sticky = MSECCFG_MML | MSECCFG_MMWP;
    uint64_t old = h->csr.mseccfg;
    uint64_t mask = 0;

    (void)csr;
    if (isa_has(&h->isa, EXT_ZKR))
        mask |= MSECCFG_USEED | MSECCFG_SSEED;
    if (isa_has(&h->isa, EXT_SMEPMP)) {
        mask |= sticky;
        if (old & MSECCFG_RLB || !pmp_any_locked(h))
            mask |= MSECCFG_RLB;
    }
    h->csr.mseccfg = (value & mask) | (old & sticky);
    if (!((old ^ h->csr.mseccfg) & sticky))
        return CSR_OK;
    tlb_flush(h);
    return CSR_RESYNC;
}

/* rv32: 4 entries a register; rv64: 8, and only the even ones exist. */
bool csr_check_pmpcfg(const struct hart *h, unsigned csr, bool writes)
{
    (void)writes;
    return h->xlen == 32 || !(csr & 1);
}

static unsigned pmpcfg_entries(const struct hart *h)
{
    return h->xlen / 8;
}

uint64_t csr_read_pmpcfg(struct hart *h, unsigned csr)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < pmpcfg_entries(h); i++)
        value |= (uint64_t)pmp_read_cfg(h, (csr - CSR_PMPCFG0) * 4 + i) << 8 * i;
    return value;
}

enum csr_result csr_write_pmpcfg(struct hart *h, unsigned csr, uint64_t value)
{
    bool changed = false;

    for (unsigned i = 0; i < pmpcfg_entries(h); i++)
        changed |= pmp_write_cfg(h, (csr - CSR_PMPCFG0) * 4 + i, (uint8_t)(value >> 8 * i));
    return changed ? CSR_RESYNC : CSR_OK;
}

uint64_t csr_read_pmpaddr(struct hart *h, unsigned csr)
{
    return pmp_read_addr(h, csr - CSR_PMPADDR0);
}

enum csr_result csr_write_pmpaddr(struct hart *h, unsigned csr, uint64_t value)
{
    return pmp_write_addr(h, csr - CSR_PMPADDR0, value) ? CSR_RESYNC : CSR_OK;
}
