/* SPDX-License-Identifier: MPL-2.0 */
/* Physical memory protection: the rules, and the registers that hold them. See pmp.h. */
#include "cpu/pmp.h"
#include "cpu/hart.h"

#define ACCESS_ALL ((unsigned)(ACCESS_READ | ACCESS_WRITE | ACCESS_FETCH))

/* R, W and X of an entry are used as bits of enum access. */
_Static_assert((int)PMP_R == (int)ACCESS_READ && (int)PMP_W == (int)ACCESS_WRITE &&
                   (int)PMP_X == (int)ACCESS_FETCH,
               "pmpcfg permissions and enum access agree");

/* Smepmp, "mseccfg.MML": what an entry lets M-mode or the lower modes do while MML is set. */
static unsigned mml_access(uint8_t cfg, bool machine)
{
    unsigned rwx = cfg & (PMP_R | PMP_W | PMP_X);
    bool locked = cfg & PMP_L;

    if (rwx == PMP_W) { /* shared: code when locked, else data that only M-mode writes */
        if (locked)
            return ACCESS_FETCH;
        return machine ? ACCESS_READ | ACCESS_WRITE : ACCESS_READ;
    }
    if (rwx == (PMP_W | PMP_X)) { /* shared: code that M-mode reads when locked, else data */
        if (locked)
            return machine ? ACCESS_READ | ACCESS_FETCH : ACCESS_FETCH;
        return ACCESS_READ | ACCESS_WRITE;
    }
    if (locked && rwx == (PMP_R | PMP_W | PMP_X)) /* shared, read-only */
        return ACCESS_READ;
    /* All others are for one side only: M-mode's when locked. */
    return locked == machine ? rwx : 0;
}

/* What entry i lets priv do where it matches. */
static unsigned entry_access(const struct hart *h, unsigned i, unsigned priv)
{
    uint8_t cfg = h->csr.pmp.cfg[i];

    if (h->csr.mseccfg & MSECCFG_MML)
        return mml_access(cfg, priv == PRIV_M);
    if (priv == PRIV_M && !(cfg & PMP_L))
        return ACCESS_ALL;
    return cfg & (PMP_R | PMP_W | PMP_X);
}

/* What priv may do where no entry matches. */
static unsigned unmatched_access(const struct hart *h, unsigned priv)
{
    if (priv != PRIV_M || h->csr.mseccfg & MSECCFG_MMWP)
        return 0;
    return h->csr.mseccfg & MSECCFG_MML ? ACCESS_READ | ACCESS_WRITE : ACCESS_ALL;
}

/*
 * What priv may do with the bytes first to last, PMP_MIXED when the entry of highest priority that
 * matches any of them does not match all.
 */
static unsigned range_access(const struct hart *h, uint64_t first, uint64_t last, unsigned priv)
{
    const struct pmp *pmp = &h->csr.pmp;

    for (uint32_t left = pmp->active; left; left &= left - 1) {
        unsigned i = (unsigned)__builtin_ctz(left);
        if (last < pmp->first[i] || first > pmp->last[i])
            continue;
        if (first < pmp->first[i] || last > pmp->last[i])
            return PMP_MIXED;
        return entry_access(h, i, priv);
    }
    return unmatched_access(h, priv);
}

bool pmp_check(struct hart *h, uint64_t paddr, unsigned size, unsigned access, unsigned priv)
{
    uint64_t last = paddr + (size - 1);

    if (last < paddr)
        return false;
    unsigned allowed = range_access(h, paddr, last, priv);
    return !(allowed & PMP_MIXED) && (allowed & access) == access;
}

unsigned pmp_page_access(struct hart *h, uint64_t page_paddr, unsigned priv)
{
    return range_access(h, page_paddr, page_paddr | (PAGE_SIZE - 1), priv);
}

/* Decodes the range of entry i. */
static void decode_entry(struct pmp *pmp, unsigned i)
{
    uint64_t addr = pmp->addr[i];
    uint64_t first = 0, last = 0;
    bool active = true;

    switch (pmp->cfg[i] & PMP_A) {
    case PMP_A_TOR:
        first = i ? pmp->addr[i - 1] << 2 : 0;
        active = addr << 2 > first;
        last = (addr << 2) - 1;
        break;
    case PMP_A_NA4:
        first = addr << 2;
        last = first | 3;
        break;
    case PMP_A_NAPOT: {
        uint64_t ones = addr ^ (addr + 1); /* the trailing ones and the zero above them */
        first = (addr & ~ones) << 2;
        last = first | (ones << 2 | 3);
        break;
    }
    default:
        active = false;
    }
    pmp->first[i] = first;
    pmp->last[i] = last;
    pmp->active = (pmp->active & ~(1u << i)) | (uint32_t)active << i;
}

/* After a change of entry i: a TOR entry above it begins where its address says. */
static void entry_changed(struct hart *h, unsigned i)
{
    decode_entry(&h->csr.pmp, i);
    if (i + 1 < PMP_ENTRIES)
        decode_entry(&h->csr.pmp, i + 1);
    tlb_flush(h);
}

void pmp_reset(struct hart *h)
{
    h->csr.pmp = (struct pmp){0};
}

static bool entry_locked(const struct hart *h, unsigned i)
{
    return h->csr.pmp.cfg[i] & PMP_L && !(h->csr.mseccfg & MSECCFG_RLB);
}

bool pmp_any_locked(const struct hart *h)
{
    for (unsigned i = 0; i < PMP_ENTRIES; i++)
        if (h->csr.pmp.cfg[i] & PMP_L)
            return true;
    return false;
}

uint8_t pmp_read_cfg(const struct hart *h, unsigned entry)
{
    return entry < PMP_ENTRIES ? h->csr.pmp.cfg[entry] : 0;
}

/* A locked entry that lets M-mode run code: under MML none may be added without RLB. */
static bool adds_machine_code(uint8_t cfg)
{
    return cfg & PMP_L && mml_access(cfg, true) & ACCESS_FETCH;
}

bool pmp_write_cfg(struct hart *h, unsigned entry, uint8_t value)
{
    if (entry >= PMP_ENTRIES || entry_locked(h, entry))
        return false;
    uint8_t *cfg = &h->csr.pmp.cfg[entry];

    value &= PMP_R | PMP_W | PMP_X | PMP_A | PMP_L;
    if (!(h->csr.mseccfg & MSECCFG_MML)) {
        if (!(value & PMP_R)) /* W without R is reserved */
            value &= (uint8_t)~PMP_W;
    } else if (!(h->csr.mseccfg & MSECCFG_RLB) && adds_machine_code(value)) {
        return false;
    }
    if (*cfg == value)
        return false;
    *cfg = value;
    entry_changed(h, entry);
    return true;
}

uint64_t pmp_read_addr(const struct hart *h, unsigned entry)
{
    return entry < PMP_ENTRIES ? h->csr.pmp.addr[entry] : 0;
}

bool pmp_write_addr(struct hart *h, unsigned entry, uint64_t value)
{
    struct pmp *pmp = &h->csr.pmp;

    if (entry >= PMP_ENTRIES || entry_locked(h, entry))
        return false;
    /* The address is also the lower end of a locked TOR entry above. */
    if (entry + 1 < PMP_ENTRIES && entry_locked(h, entry + 1) &&
        (pmp->cfg[entry + 1] & PMP_A) == PMP_A_TOR)
        return false;

    value &= h->xlen == 32 ? 0xffffffffull : (1ull << 54) - 1;
    if (pmp->addr[entry] == value)
        return false;
    pmp->addr[entry] = value;
    entry_changed(h, entry);
    return true;
}
