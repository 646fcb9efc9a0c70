/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Page tables: Sv32, Sv39, Sv48, Sv57 with Svadu/Svade, Svnapot and Svpbmt (privileged
 * specification, "Virtual Address Translation Process"), and PMP on top.
 */
#include "cpu/mmu.h"

#include "cpu/code_map.h"
#include "cpu/mem.h"
#include "cpu/pmp.h"
#include "cpu/word_expected.h"

enum {
    PTE_V = 1 << 0,
    PTE_R = 1 << 1,
    PTE_W = 1 << 2,
    PTE_X = 1 << 3,
    PTE_U = 1 << 4,
    PTE_G = 1 << 5,
    PTE_A = 1 << 6,
    PTE_D = 1 << 7,
};
#define PTE_PPN_SHIFT 10
#define PTE64_PPN_MASK 0xfffffffffffull
#define PTE64_RESERVED (0x7full << 54)
#define PTE64_PBMT (3ull << 61)
#define PTE64_N (1ull << 63)
#define NAPOT_64K 8 /* low PPN bits of a 64 KiB NAPOT page: 1000 */

enum walk_result { WALK_OK, WALK_PAGE_FAULT, WALK_ACCESS_FAULT };

struct page {
    uint64_t paddr;     /* of the 4 KiB page */
    unsigned permitted; /* enum access bits that need no further walk */
    uint64_t span;      /* bytes that the leaf maps: more than PAGE_SIZE for superpages, NAPOT */
    bool global;        /* the same in every address space */
};

struct walk {
    enum priv priv; /* U or S */
    enum access access;
    bool sum, mxr;
    bool any;    /* rights do not matter (a debugger's look) */
    bool update; /* may set A and D (false for a look) */
};

static unsigned fault_cause(enum walk_result result, enum access access)
{
    if (result == WALK_PAGE_FAULT)
        return access == ACCESS_READ    ? CAUSE_LOAD_PAGE
               : access == ACCESS_WRITE ? CAUSE_STORE_PAGE
                                        : CAUSE_FETCH_PAGE;
    return access == ACCESS_READ    ? CAUSE_LOAD_ACCESS
           : access == ACCESS_WRITE ? CAUSE_STORE_ACCESS
                                    : CAUSE_FETCH_ACCESS;
}

/* Page-table levels of satp's mode; 0: no translation. */
static unsigned satp_levels(const struct hart *h)
{
    uint64_t satp = h->csr.satp;
    if (h->xlen == 32)
        return satp & SATP32_MODE ? 2 : 0;
    unsigned mode = satp >> SATP64_MODE_SHIFT;
    return mode == SATP_BARE ? 0 : mode - SATP_SV39 + 3;
}

static void *ram_pointer(const struct hart *h, uint64_t paddr)
{
    return h->bus->ram + (paddr - h->bus->ram_base);
}

/* A page-table entry's place in memory. NULL: an access fault. */
static void *pte_pointer(struct hart *h, uint64_t paddr, unsigned size, enum access access)
{
    if (!bus_is_ram(h->bus, paddr, size) || !pmp_check(h, paddr, size, access, PRIV_S))
        return NULL;
    return ram_pointer(h, paddr);
}

static uint64_t pte_load(const struct hart *h, const void *p)
{
    if (h->xlen == 32)
        return __atomic_load_n((const uint32_t *)p, __ATOMIC_ACQUIRE);
    return __atomic_load_n((const uint64_t *)p, __ATOMIC_ACQUIRE);
}

static bool pte_exchange(const struct hart *h, void *p, uint64_t old, uint64_t wanted)
{
    if (h->xlen == 32) {
        uint32_t expected = old;
        WORD_EXPECTED(expected);
        return __atomic_compare_exchange_n((uint32_t *)p, &expected, (uint32_t)wanted, false,
                                           __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
    }
    return __atomic_compare_exchange_n((uint64_t *)p, &old, wanted, false, __ATOMIC_ACQ_REL,
                                       __ATOMIC_RELAXED);
}

/* Reserved encodings, and bits whose extension is off. leaf: R or X is set. */
static bool pte_valid(const struct hart *h, uint64_t pte, bool leaf)
{
    if (!(pte & PTE_V) || ((pte & PTE_W) && !(pte & PTE_R)))
        return false;
    if (!leaf && (pte & (PTE_A | PTE_D | PTE_U)))
        return false;
    if (h->xlen == 32)
        return true;
    if (pte & PTE64_RESERVED)
        return false;
    if (!leaf && (pte & (PTE64_PBMT | PTE64_N)))
        return false;
    if ((pte & PTE64_N) && !isa_has(&h->isa, EXT_SVNAPOT))
        return false;
    uint64_t pbmt = pte & PTE64_PBMT;
    return !pbmt || ((h->csr.menvcfg & MENVCFG_PBMTE) && pbmt != PTE64_PBMT);
}

/* The leaf's permissions for this mode, A and D apart. */
static unsigned leaf_access(const struct walk *w, uint64_t pte)
{
    unsigned access = 0;
    if ((pte & PTE_R) || (w->mxr && (pte & PTE_X)))
        access |= ACCESS_READ;
    if (pte & PTE_W)
        access |= ACCESS_WRITE;
    if (pte & PTE_X)
        access |= ACCESS_FETCH;
    if (w->priv == PRIV_U)
        return pte & PTE_U ? access : 0;
    if (pte & PTE_U)
        return w->sum ? access & ~ACCESS_FETCH : 0;
    return access;
}

static bool hardware_updates(const struct hart *h)
{
    if (isa_has(&h->isa, EXT_SVADU))
        return h->csr.menvcfg & MENVCFG_ADUE;
    return !isa_has(&h->isa, EXT_SVADE);
}

static struct tlb_walk *walk_slot(struct hart *h, uint64_t region)
{
    return &h->tlb.walks[(region ^ h->csr.satp) % TLB_WALKS];
}

static enum walk_result walk_tables(struct hart *h, uint64_t va, const struct walk *w,
                                    unsigned levels, struct page *page)
{
    bool rv32 = h->xlen == 32;
    unsigned bits = rv32 ? 10 : 9, size = rv32 ? 4 : 8;
    uint64_t ppn_mask = rv32 ? SATP32_PPN_MASK : PTE64_PPN_MASK;
    unsigned va_bits = PAGE_SHIFT + bits * levels;
    if (rv32)
        va = (uint32_t)va;
    else if ((uint64_t)((int64_t)(va << (64 - va_bits)) >> (64 - va_bits)) != va)
        return WALK_PAGE_FAULT;

    uint64_t table = (h->csr.satp & ppn_mask) << PAGE_SHIFT;
    int level = levels - 1;
    uint64_t region = va >> (PAGE_SHIFT + bits);
    struct tlb_walk *cached = walk_slot(h, region);
    if (cached->region == region && cached->satp == h->csr.satp &&
        cached->generation == h->tlb.walk_generation) {
        table = cached->table;
        level = 0;
    }
    for (;; level--) {
        unsigned shift = PAGE_SHIFT + bits * level;
        uint64_t pte_address = table + (va >> shift & ((1u << bits) - 1)) * size;
        void *pointer = pte_pointer(h, pte_address, size, ACCESS_READ);
        if (!pointer)
            return WALK_ACCESS_FAULT;
        uint64_t pte = pte_load(h, pointer);
        bool leaf = pte & (PTE_R | PTE_X);
        if (!pte_valid(h, pte, leaf))
            return WALK_PAGE_FAULT;
        uint64_t ppn = pte >> PTE_PPN_SHIFT & ppn_mask;
        if (!leaf) {
            if (level == 0)
                return WALK_PAGE_FAULT;
            table = ppn << PAGE_SHIFT;
            if (level == 1)
                *cached = (struct tlb_walk){region, h->csr.satp, table, h->tlb.walk_generation};
            continue;
        }
        unsigned permitted = leaf_access(w, pte);
        if (!(permitted & w->access) && !w->any)
            return WALK_PAGE_FAULT;
        page->span = UINT64_C(1) << shift;
        if (!rv32 && (pte & PTE64_N)) {
            if (level != 0 || (ppn & 15) != NAPOT_64K)
                return WALK_PAGE_FAULT;
            page->span = 16 * PAGE_SIZE;
            ppn &= ~UINT64_C(15);
        }
        uint64_t offset_pages = page->span / PAGE_SIZE - 1;
        if (ppn & offset_pages)
            return WALK_PAGE_FAULT;
        uint64_t wanted = pte | PTE_A | (w->access == ACCESS_WRITE ? PTE_D : 0);
        if (wanted != pte && !w->any) {
            if (!hardware_updates(h))
                return WALK_PAGE_FAULT;
            if (w->update) {
                if (!pte_pointer(h, pte_address, size, ACCESS_WRITE))
                    return WALK_ACCESS_FAULT;
                if (!pte_exchange(h, pointer, pte, wanted)) {
                    level++; /* it changed under us: look at this level again */
                    continue;
                }
                if (h->bus->code_map)
                    code_map_stored(h->bus->code_map, pointer, size);
                pte = wanted;
            }
        }
        if (!(pte & PTE_D))
            permitted &= ~ACCESS_WRITE; /* the first store must come here */
        page->paddr = (ppn | (va >> PAGE_SHIFT & offset_pages)) << PAGE_SHIFT;
        page->permitted = permitted;
        page->global = pte & PTE_G;
        return WALK_OK;
    }
}

static enum walk_result walk(struct hart *h, uint64_t va, const struct walk *w, struct page *page)
{
    unsigned levels = w->priv == PRIV_M ? 0 : satp_levels(h);
    if (levels)
        return walk_tables(h, va, w, levels, page);
    *page = (struct page){va & PAGE_MASK, ACCESS_READ | ACCESS_WRITE | ACCESS_FETCH, PAGE_SIZE,
                          w->priv == PRIV_M};
    return WALK_OK;
}

static struct walk walk_of(const struct hart *h, enum access access)
{
    uint64_t mstatus = h->csr.mstatus;
    struct walk w = {h->priv, access, mstatus & MSTATUS_SUM, mstatus & MSTATUS_MXR, false, true};
    if (access != ACCESS_FETCH && h->priv == PRIV_M && (mstatus & MSTATUS_MPRV))
        w.priv = (mstatus & MSTATUS_MPP) >> MSTATUS_MPP_SHIFT;
    return w;
}

bool mmu_target(struct hart *h, uint64_t va, unsigned size, enum access access,
                struct mem_target *target, bool *mixed)
{
    if (mixed)
        *mixed = false;
    if (h->direct) { /* the host finds out */
        *target = (struct mem_target){.host = (uint8_t *)(uintptr_t)va, .paddr = va};
        return true;
    }
    struct walk w = walk_of(h, access);
    struct page page;
    enum walk_result result = walk(h, va, &w, &page);
    if (result != WALK_OK) {
        hart_fault(h, fault_cause(result, access), va);
        return false;
    }
    target->paddr = page.paddr | (va & ~PAGE_MASK);
    bool ram = bus_is_ram(h->bus, page.paddr, PAGE_SIZE);
    if (ram)
        target->host = ram_pointer(h, target->paddr);
    else
        target->host = access == ACCESS_FETCH ? bus_rom(h->bus, target->paddr) : NULL;

    unsigned allowed = pmp_page_access(h, page.paddr, w.priv);
    bool fine = allowed & PMP_MIXED;
    if (fine ? !pmp_check(h, target->paddr, size, access, w.priv) : !(allowed & access)) {
        hart_fault(h, fault_cause(WALK_ACCESS_FAULT, access), va);
        return false;
    }
    if (page.span > PAGE_SIZE)
        tlb_saw_huge(h, va & ~(page.span - 1), page.span);
    const unsigned withheld = unlikely(h->points) ? debug_withheld(h, va) : 0;
    if (target->host && !fine) {
        unsigned permitted = page.permitted & allowed & ~withheld;
        struct tlb_page entry = {va & PAGE_MASK, (uint8_t *)target->host - (va & ~PAGE_MASK),
                                 ram ? permitted : permitted & ACCESS_FETCH, page.global,
                                 page.span > PAGE_SIZE};
        tlb_enter(h, &entry, access);
        if (ram)
            bus_note_use(h->bus, page.paddr - h->bus->ram_base);
    }
    if (mixed)
        *mixed = fine || withheld & ACCESS_FETCH;
    return true;
}

bool hart_translate(struct hart *h, uint64_t vaddr, uint64_t *paddr)
{
    struct walk w = walk_of(h, ACCESS_FETCH);
    struct page page;
    w.update = false;
    w.any = true;
    if (walk(h, vaddr, &w, &page) != WALK_OK)
        return false;
    *paddr = page.paddr | (vaddr & ~PAGE_MASK);
    return true;
}

bool hart_peek(struct hart *h, uint64_t vaddr, void *data, size_t size)
{
    struct walk w = walk_of(h, ACCESS_READ);
    w.update = false;
    w.sum = true;
    w.mxr = true;
    uint8_t *to = data;
    for (; size; size--, vaddr++, to++) {
        struct page page;
        if (walk(h, vaddr, &w, &page) != WALK_OK)
            return false;
        uint64_t paddr = page.paddr | (vaddr & ~PAGE_MASK);
        if (!bus_is_ram(h->bus, paddr, 1))
            return false;
        *to = __atomic_load_n((uint8_t *)ram_pointer(h, paddr), __ATOMIC_RELAXED);
    }
    return true;
}
