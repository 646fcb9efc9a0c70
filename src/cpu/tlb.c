/* SPDX-License-Identifier: MPL-2.0 */
/* Keys, fences and entries of the TLB. tlb.h says how it works. */
#include "cpu/tlb.h"

#include "cpu/hart.h"
#include <string.h>

static unsigned index_of(uint64_t va)
{
    return va >> PAGE_SHIFT & (TLB_SIZE - 1);
}

static void forget_keys(struct tlb_space *space)
{
    memset(space->key, 0, sizeof(space->key));
}

void tlb_fetch_changed(struct hart *h)
{
    h->tlb.fetch_epoch++;
    h->tlb.fetch_stamp = h->tlb.fetch_epoch << 12 | h->tlb.fetch_key;
}

/* Nothing matches any more and every key may be handed out again. */
static void wipe(struct hart *h)
{
    struct tlb *tlb = &h->tlb;
    memset(tlb->entries, 0xff, sizeof(tlb->entries));
    for (unsigned i = 0; i < TLB_SPACES; i++)
        forget_keys(&tlb->spaces[i]);
    forget_keys(&tlb->machine);
    tlb->next_key = 1;
    tlb->sum_count = 0;
    tlb->huge_count = 0;
    tlb->walk_generation++;
    tlb_fetch_changed(h);
}

static uint64_t key_of(struct hart *h, enum priv priv, bool mxr)
{
    struct tlb *tlb = &h->tlb;
    struct tlb_space *space = priv == PRIV_M ? &tlb->machine : tlb->space;
    unsigned mode = priv == PRIV_M ? TLB_M : priv == PRIV_S ? TLB_S : TLB_U;
    uint8_t *key = &space->key[mode | (mxr && priv != PRIV_M ? TLB_MXR : 0)];
    if (!*key) {
        if (tlb->next_key == TLB_KEYS)
            wipe(h);
        *key = tlb->next_key++;
    }
    return (uint64_t)*key << TLB_KEY_SHIFT;
}

static struct tlb_space *space_of(struct hart *h, uint64_t satp)
{
    unsigned n = (satp ^ satp >> 7 ^ satp >> (h->xlen == 64 ? SATP64_ASID_SHIFT : SATP32_ASID_SHIFT)) %
                 TLB_SPACES;
    struct tlb_space *space = &h->tlb.spaces[n];
    if (space->satp != satp) {
        forget_keys(space);
        space->satp = satp;
    }
    return space;
}

void tlb_context_changed(struct hart *h)
{
    struct tlb *tlb = &h->tlb;
    uint64_t mstatus = h->csr.mstatus;
    enum priv data = h->priv;
    if (data == PRIV_M && (mstatus & MSTATUS_MPRV))
        data = (mstatus & MSTATUS_MPP) >> MSTATUS_MPP_SHIFT;
    if (tlb->space->satp != h->csr.satp)
        tlb->space = space_of(h, h->csr.satp);
    /* Handing out a key may wipe the table and with it the key handed out before: then again. */
    unsigned before;
    do {
        before = tlb->next_key;
        tlb->fetch_key = key_of(h, h->priv, false);
        tlb->data_key = key_of(h, data, mstatus & MSTATUS_MXR);
    } while (tlb->next_key < before);
    tlb->fetch_stamp = tlb->fetch_epoch << 12 | tlb->fetch_key;
}

static void drop_page(struct tlb *tlb, uint64_t va)
{
    struct tlb_entry *e = &tlb->entries[index_of(va)];
    e->read = e->write = e->fetch = TLB_INVALID;
}

void tlb_sum_cleared(struct hart *h)
{
    struct tlb *tlb = &h->tlb;
    for (unsigned i = 0; i < tlb->sum_count; i++)
        drop_page(tlb, tlb->sum_page[i]);
    tlb->sum_count = 0;
}

static bool in_huge(const struct tlb *tlb, uint64_t va)
{
    for (unsigned i = 0; i < tlb->huge_count; i++)
        if (va >= tlb->huge[i].first && va <= tlb->huge[i].last)
            return true;
    return false;
}

static uint64_t asid_of(const struct hart *h, uint64_t satp)
{
    return h->xlen == 64 ? satp >> SATP64_ASID_SHIFT & SATP64_ASID_MASK
                         : satp >> SATP32_ASID_SHIFT & SATP32_ASID_MASK;
}

void tlb_fence(struct hart *h, bool has_va, uint64_t va, bool has_asid, uint64_t asid)
{
    struct tlb *tlb = &h->tlb;
    va &= PAGE_MASK;
    if (has_va && !in_huge(tlb, va)) {
        /* Only leaf entries: the page-walk cache, which holds none, stays. */
        drop_page(tlb, va);
        tlb_fetch_changed(h);
        return;
    }
    asid &= h->xlen == 64 ? SATP64_ASID_MASK : SATP32_ASID_MASK;
    for (unsigned i = 0; i < TLB_SPACES; i++)
        if (!has_asid || asid_of(h, tlb->spaces[i].satp) == asid)
            forget_keys(&tlb->spaces[i]);
    tlb->walk_generation++;
    tlb_fetch_changed(h);
    tlb_context_changed(h);
}

void tlb_flush(struct hart *h)
{
    wipe(h);
    tlb_context_changed(h);
}

void tlb_reset(struct hart *h)
{
    for (unsigned i = 0; i < TLB_SPACES; i++)
        h->tlb.spaces[i].satp = 0;
    h->tlb.space = &h->tlb.spaces[0];
    tlb_flush(h);
}

/* S-mode got an entry for a user page. */
static void remember_sum(struct tlb *tlb, uint64_t page)
{
    for (unsigned i = 0; i < tlb->sum_count; i++)
        if (tlb->sum_page[i] == page)
            return;
    if (tlb->sum_count == TLB_SUM_PAGES)
        drop_page(tlb, tlb->sum_page[--tlb->sum_count]);
    tlb->sum_page[tlb->sum_count++] = page;
}

void tlb_enter(struct hart *h, uint64_t va, uint8_t *host, unsigned permitted, unsigned wanted,
               bool through_sum)
{
    struct tlb *tlb = &h->tlb;
    uint64_t page = va & PAGE_MASK;
    struct tlb_entry *e = &tlb->entries[index_of(va)];
    bool data = wanted != ACCESS_FETCH, fetch = wanted == ACCESS_FETCH;
    if (tlb->data_key == tlb->fetch_key)
        data = fetch = true;
    if (through_sum)
        remember_sum(tlb, page);
    e->read = data && (permitted & ACCESS_READ) ? page | tlb->data_key : TLB_INVALID;
    e->write = data && (permitted & ACCESS_WRITE) ? page | tlb->data_key : TLB_INVALID;
    e->fetch = fetch && (permitted & ACCESS_FETCH) ? page | tlb->fetch_key : TLB_INVALID;
    e->addend = (uint64_t)(uintptr_t)host - page;
}

static void merge_nearest(struct tlb *tlb)
{
    unsigned best = 0;
    uint64_t gap = UINT64_MAX;
    for (unsigned i = 0; i + 1 < tlb->huge_count; i++)
        if (tlb->huge[i + 1].first - tlb->huge[i].last < gap) {
            gap = tlb->huge[i + 1].first - tlb->huge[i].last;
            best = i;
        }
    tlb->huge[best].last = tlb->huge[best + 1].last;
    tlb->huge_count--;
    memmove(&tlb->huge[best + 1], &tlb->huge[best + 2],
            (tlb->huge_count - best - 1) * sizeof(tlb->huge[0]));
}

void tlb_saw_huge(struct hart *h, uint64_t first, uint64_t size)
{
    struct tlb *tlb = &h->tlb;
    if (in_huge(tlb, first))
        return;
    if (tlb->huge_count == TLB_HUGE)
        merge_nearest(tlb);
    unsigned at = tlb->huge_count++;
    for (; at > 0 && tlb->huge[at - 1].first > first; at--)
        tlb->huge[at] = tlb->huge[at - 1];
    tlb->huge[at] = (struct tlb_range){first, first + (size - PAGE_SIZE)};
}
