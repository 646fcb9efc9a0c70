/* SPDX-License-Identifier: MPL-2.0 */
/* Contexts, fences and entries of the TLB. tlb.h says how it works. */
#include "cpu/tlb.h"

#include "cpu/code_map.h"
#include "cpu/hart.h"
#include "cpu/mmu.h"
#include <stdlib.h>
#include <string.h>

/* The address of a page that another slot is for. */
static uint64_t invalid_tag(unsigned slot)
{
    return slot == TLB_SIZE - 1 ? 0 : UINT64_MAX;
}

static bool is_invalid(const struct tlb_entry *e, unsigned slot)
{
    uint64_t tag = invalid_tag(slot);
    return e->read == tag && e->write == tag && e->fetch == tag;
}

static void set_write(struct tlb_entry *e, uint64_t tag)
{
    __atomic_store_n(&e->write, tag, __ATOMIC_RELAXED);
}

static void drop_slot(struct tlb_context *c, unsigned slot)
{
    struct tlb_entry *e = &c->entries[slot];
    e->read = e->fetch = invalid_tag(slot);
    set_write(e, invalid_tag(slot));
}

/*
 * Jump caches
 */

static void restamp(struct tlb *tlb)
{
    tlb->fetch_stamp = tlb->fetch_epoch * TLB_CONTEXTS + (uint64_t)(tlb->fetch - tlb->contexts);
}

static void remember(struct tlb_fills *fills, unsigned slot)
{
    if (fills->count < TLB_FILLS)
        fills->slot[fills->count] = slot;
    if (fills->count <= TLB_FILLS)
        fills->count++;
}

static void empty_jumps(struct tlb_context *c)
{
    bool all = c->jumped.count > TLB_FILLS;
    unsigned count = all ? TLB_JUMPS : c->jumped.count;
    for (unsigned i = 0; i < count; i++)
        c->jumps[all ? i : c->jumped.slot[i]].pc = TLB_NO_JUMP;
    c->jumped.count = 0;
}

static void empty_fars(struct tlb_context *c)
{
    bool all = c->fared.count > TLB_FILLS;
    unsigned count = all ? TLB_FARS : c->fared.count;
    for (unsigned i = 0; i < count; i++)
        __atomic_store_n(&c->fars[all ? i : c->fared.slot[i]], TLB_NO_JUMP, __ATOMIC_RELAXED);
    c->fared.count = 0;
}

static void drop_jumps(struct tlb *tlb, struct tlb_context *c)
{
    tlb->fetch_epoch++;
    if (c->ready && c->code_first > c->code_last) /* nothing is in them */
        return;
    empty_jumps(c);
    empty_fars(c);
    memset(c->code_pages, 0, sizeof(c->code_pages));
    c->code_first = UINT64_MAX;
    c->code_last = 0;
    c->local_code = c->huge_code = false;
}

/* The bits that stand for a page: two, so that hardly ever both are others'. A compiler has 6,000 pages of
 * code and fences 15,000 of data; each that is taken for code costs as many jumps as are in use. */
static void code_bits_of(uint64_t va, unsigned bits[2])
{
    uint64_t hash = (va >> PAGE_SHIFT) * UINT64_C(0x9e3779b97f4a7c15);
    bits[0] = (unsigned)(hash >> (64 - TLB_CODE_BITS));
    bits[1] = (unsigned)(hash >> (64 - 2 * TLB_CODE_BITS)) % TLB_CODE_PAGES;
}

static bool may_hold_code(const struct tlb_context *c, uint64_t va)
{
    unsigned n[2];
    uint64_t page = va & PAGE_MASK;
    code_bits_of(va, n);
    return page >= c->code_first && page <= c->code_last &&
           (c->code_pages[n[0] / 64] >> (n[0] % 64) & 1) &&
           (c->code_pages[n[1] / 64] >> (n[1] % 64) & 1);
}

static bool is_in(const uint64_t *slots, unsigned slot)
{
    return slots[slot / 64] >> (slot % 64) & 1;
}

static void put_in(uint64_t *slots, unsigned slot, bool in)
{
    uint64_t bit = UINT64_C(1) << (slot % 64);
    slots[slot / 64] = (slots[slot / 64] & ~bit) | (in ? bit : 0);
}

/* Has the TLB hold a page of code that is in use, so that it can be looked at. false: it cannot. */
static bool hold_code(struct hart *h, uint64_t page)
{
    struct mem_target target;
    bool mixed;
    const struct tlb_entry *e = &h->tlb.fetch->entries[tlb_slot(page)];
    if (e->fetch == page)
        return true;
    if (!mmu_target(h, page, 2, ACCESS_FETCH, &target, &mixed))
        h->fault = 0;
    return e->fetch == page;
}

void tlb_note_code(struct hart *h, uint64_t pc)
{
    struct tlb_context *c = h->tlb.fetch;
    uint64_t page = pc & PAGE_MASK;
    unsigned n[2];
    code_bits_of(pc, n);
    for (unsigned i = 0; i < 2; i++)
        c->code_pages[n[i] / 64] |= UINT64_C(1) << (n[i] % 64);
    c->code_first = page < c->code_first ? page : c->code_first;
    c->code_last = page > c->code_last ? page : c->code_last;
    bool held = hold_code(h, page);
    c->local_code |= !held || is_in(c->local_slots, tlb_slot(pc));
    c->huge_code |= !held || is_in(c->huge_slots, tlb_slot(pc));
}

void tlb_enter_jump(struct hart *h, uint64_t pc, const void *code)
{
    struct tlb_context *c = h->tlb.fetch;
    unsigned n = tlb_jump_index(pc);
    if (c->jumps[n].pc == TLB_NO_JUMP)
        remember(&c->jumped, n);
    c->jumps[n] = (struct tlb_jump){pc, code};
    tlb_note_code(h, pc);
}

void tlb_fetch_changed(struct hart *h)
{
    h->tlb.fetch_epoch++;
    restamp(&h->tlb);
}

void tlb_enter_far(struct hart *h, unsigned slot, uint64_t from_page)
{
    struct tlb_context *c = h->tlb.fetch;
    if (__atomic_load_n(&c->fars[slot], __ATOMIC_RELAXED) == TLB_NO_JUMP)
        remember(&c->fared, slot);
    __atomic_store_n(&c->fars[slot], from_page, __ATOMIC_RELAXED);
}

void tlb_forget_far(struct hart *h, unsigned slot)
{
    for (unsigned i = 0; i < TLB_CONTEXTS; i++)
        if (__atomic_load_n(&h->tlb.contexts[i].ready, __ATOMIC_RELAXED))
            __atomic_store_n(&h->tlb.contexts[i].fars[slot], TLB_NO_JUMP, __ATOMIC_RELAXED);
}

void tlb_forget_code(struct hart *h)
{
    if (h->direct) {
        direct_forget_jumps(h);
        return;
    }
    for (unsigned i = 0; i < TLB_CONTEXTS; i++)
        if (h->tlb.contexts[i].ready)
            drop_jumps(&h->tlb, &h->tlb.contexts[i]);
    restamp(&h->tlb);
}

/*
 * Contexts
 */

static void wipe(struct tlb *tlb, struct tlb_context *c)
{
    for (unsigned slot = 0; slot < TLB_SIZE; slot++)
        drop_slot(c, slot);
    c->global.count = c->local.count = 0;
    drop_jumps(tlb, c);
}

static void make_ready(struct tlb *tlb, struct tlb_context *c)
{
    c->jumped.count = c->fared.count = TLB_FILLS + 1; /* all of them are to be set */
    wipe(tlb, c);
    __atomic_store_n(&c->ready, true, __ATOMIC_RELEASE);
}

static void drop_local(struct tlb *tlb, struct tlb_context *c)
{
    if (c->local.count > TLB_FILLS) {
        wipe(tlb, c);
        return;
    }
    for (unsigned i = 0; i < c->local.count; i++)
        if (is_in(c->local_slots, c->local.slot[i]))
            drop_slot(c, c->local.slot[i]);
    c->local.count = 0;
    if (c->local_code)
        drop_jumps(tlb, c);
}

static void flush(struct tlb *tlb, struct tlb_context *c)
{
    if (!c->ready)
        return;
    if (c->global.count > TLB_FILLS) {
        wipe(tlb, c);
        return;
    }
    for (unsigned i = 0; i < c->global.count; i++)
        drop_slot(c, c->global.slot[i]);
    c->global.count = 0;
    drop_local(tlb, c);
    drop_jumps(tlb, c);
}

/* The U-mode context of an address space; the one that was not used for longest gives way. */
static struct tlb_context *user_context(struct tlb *tlb, uint64_t satp)
{
    struct tlb_context *oldest = NULL;
    for (unsigned i = TLB_U; i < TLB_CONTEXTS; i++) {
        struct tlb_context *c = &tlb->contexts[i];
        if (c->ready && c->satp == satp)
            return c;
        if (!oldest || c->used < oldest->used)
            oldest = c;
    }
    flush(tlb, oldest);
    oldest->satp = satp;
    return oldest;
}

static struct tlb_context *context_of(struct hart *h, enum priv priv, bool sum)
{
    struct tlb *tlb = &h->tlb;
    struct tlb_context *c;
    if (priv == PRIV_M)
        c = &tlb->contexts[TLB_M];
    else if (priv == PRIV_S)
        c = &tlb->contexts[sum ? TLB_S_SUM : TLB_S];
    else
        c = user_context(tlb, h->csr.satp);
    if (!c->ready)
        make_ready(tlb, c);
    c->used = ++tlb->clock;
    return c;
}

void tlb_context_changed(struct hart *h)
{
    struct tlb *tlb = &h->tlb;
    uint64_t mstatus = h->csr.mstatus;
    enum priv data = h->priv;
    bool sum = mstatus & MSTATUS_SUM;
    if (data == PRIV_M && (mstatus & MSTATUS_MPRV))
        data = (mstatus & MSTATUS_MPP) >> MSTATUS_MPP_SHIFT;
    if (h->csr.satp != tlb->supervisor_satp) {
        tlb->supervisor_satp = h->csr.satp;
        for (unsigned i = TLB_S; i <= TLB_S_SUM; i++)
            if (tlb->contexts[i].ready)
                drop_local(tlb, &tlb->contexts[i]);
    }
    tlb->fetch = context_of(h, h->priv, sum);
    tlb->data = data == h->priv ? tlb->fetch : context_of(h, data, sum);
    restamp(tlb);
}

/*
 * Fences
 */

/* Bytes of the largest superpage that was seen where that page is, or near; 0: none was. */
static uint64_t huge_span(const struct tlb *tlb, uint64_t page)
{
    uint64_t span = 0;
    for (unsigned i = 0; i < tlb->huge_count; i++)
        if (page >= tlb->huge[i].first && page <= tlb->huge[i].last && tlb->huge[i].span > span)
            span = tlb->huge[i].span;
    return span;
}

static uint64_t asid_of(const struct hart *h, uint64_t satp)
{
    return h->xlen == 64 ? satp >> SATP64_ASID_SHIFT & SATP64_ASID_MASK
                         : satp >> SATP32_ASID_SHIFT & SATP32_ASID_MASK;
}

static void fence_page(struct tlb *tlb, struct tlb_context *c, uint64_t va)
{
    drop_slot(c, tlb_slot(va));
    if (may_hold_code(c, va))
        drop_jumps(tlb, c);
}

static bool any_holds_code(const struct tlb_context *c, uint64_t first, uint64_t size)
{
    if (!c->huge_code || first > c->code_last || first + (size - 1) < c->code_first)
        return false;
    if (size > TLB_SIZE * PAGE_SIZE) /* too many to ask */
        return true;
    for (uint64_t page = first; page - first < size; page += PAGE_SIZE)
        if (may_hold_code(c, page))
            return true;
    return false;
}

/* The entries that are parts of a superpage at `first`, of `size` bytes at most. */
static void fence_superpage(struct tlb *tlb, struct tlb_context *c, uint64_t first, uint64_t size)
{
    unsigned count = size / PAGE_SIZE < TLB_SIZE ? (unsigned)(size / PAGE_SIZE) : TLB_SIZE;
    for (unsigned slot = tlb_slot(first), end = slot + count; slot < end; slot++) {
        const struct tlb_entry *e = &c->entries[slot];
        if (slot % 64 == 0 && !c->huge_slots[slot / 64] && end - slot >= 64) {
            slot += 63;
            continue;
        }
        if (is_in(c->huge_slots, slot) &&
            (e->read - first < size || e->fetch - first < size || e->write - first < size))
            drop_slot(c, slot);
    }
    if (any_holds_code(c, first, size))
        drop_jumps(tlb, c);
}

void tlb_fence(struct hart *h, bool has_va, uint64_t va, bool has_asid, uint64_t asid)
{
    struct tlb *tlb = &h->tlb;
    uint64_t span = has_va ? huge_span(tlb, va & PAGE_MASK) : 0;
    asid &= h->xlen == 64 ? SATP64_ASID_MASK : SATP32_ASID_MASK;
    for (unsigned i = TLB_S; i < TLB_CONTEXTS; i++) {
        struct tlb_context *c = &tlb->contexts[i];
        if (!c->ready || (i >= TLB_U && has_asid && asid_of(h, c->satp) != asid))
            continue;
        if (has_va)
            fence_page(tlb, c, va);
        if (span)
            fence_superpage(tlb, c, va & ~(span - 1), span);
        if (has_va)
            continue;
        if (has_asid && i < TLB_U)
            drop_local(tlb, c);
        else
            flush(tlb, c);
    }
    /* With an address only leaf entries are fenced: the page-walk cache, which holds none, stays. */
    if (!has_va || span)
        tlb->walk_generation++;
    restamp(tlb);
}

void tlb_flush(struct hart *h)
{
    struct tlb *tlb = &h->tlb;
    for (unsigned i = 0; i < TLB_CONTEXTS; i++)
        flush(tlb, &tlb->contexts[i]);
    tlb->huge_count = 0;
    tlb->walk_generation++;
    tlb->fetch_epoch++;
    tlb_context_changed(h);
}

bool tlb_new(struct hart *h)
{
    /* calloc of this much costs nothing until a context is used. */
    h->tlb.contexts = calloc(h->direct ? 1 : TLB_CONTEXTS, sizeof(*h->tlb.contexts));
    h->tlb.walk_generation = 1;
    return h->tlb.contexts;
}

void tlb_free(struct hart *h)
{
    free(h->tlb.contexts);
}

/*
 * Entries
 */

/*
 * A write entry for a page that holds translated code would let stores go unseen. Whoever
 * translates marks the page and then takes away the entries that there are; whoever makes an entry
 * says so in the page's record, makes it, and looks once more: one of the two sees the other.
 */
static void enter_write(struct hart *h, struct tlb_entry *e, const struct tlb_page *page,
                        unsigned slot)
{
    struct code_map *map = h->bus->code_map;
    if (map && !code_map_note_writer(map, page->host, h->id, slot)) {
        set_write(e, invalid_tag(slot));
        return;
    }
    set_write(e, page->va);
    if (map && code_map_has_code(map, page->host))
        set_write(e, invalid_tag(slot));
}

static void enter(struct hart *h, struct tlb_context *c, const struct tlb_page *page,
                  unsigned accesses)
{
    unsigned slot = tlb_slot(page->va);
    struct tlb_entry *e = &c->entries[slot];
    unsigned permitted = page->permitted & accesses;
    if (is_invalid(e, slot) || is_in(c->local_slots, slot) == page->global)
        remember(page->global ? &c->global : &c->local, slot);
    put_in(c->local_slots, slot, !page->global);
    put_in(c->huge_slots, slot, page->huge);
    set_write(e, invalid_tag(slot));
    __atomic_store_n(&e->addend, (uint64_t)(uintptr_t)page->host - page->va, __ATOMIC_RELAXED);
    e->read = permitted & ACCESS_READ ? page->va : invalid_tag(slot);
    e->fetch = permitted & ACCESS_FETCH ? page->va : invalid_tag(slot);
    /* Translated code takes a page that it may write for one that it may read. */
    if ((permitted & ACCESS_WRITE) && (permitted & ACCESS_READ))
        enter_write(h, e, page, slot);
}

void tlb_enter(struct hart *h, const struct tlb_page *page, enum access wanted)
{
    struct tlb *tlb = &h->tlb;
    if (tlb->data == tlb->fetch)
        enter(h, tlb->data, page, ACCESS_READ | ACCESS_WRITE | ACCESS_FETCH);
    else if (wanted == ACCESS_FETCH)
        enter(h, tlb->fetch, page, ACCESS_FETCH);
    else
        enter(h, tlb->data, page, ACCESS_READ | ACCESS_WRITE);
}

static void revoke(struct tlb_context *c, const uint8_t *host, unsigned slot)
{
    struct tlb_entry *e = &c->entries[slot];
    uint64_t tag = __atomic_load_n(&e->write, __ATOMIC_RELAXED);
    uint64_t addend = __atomic_load_n(&e->addend, __ATOMIC_RELAXED);
    if (tag != invalid_tag(slot) && tag + addend == (uint64_t)(uintptr_t)host)
        set_write(e, invalid_tag(slot));
}

void tlb_revoke_write(struct hart *h, const uint8_t *host, unsigned slot)
{
    for (unsigned i = 0; i < TLB_CONTEXTS; i++)
        if (__atomic_load_n(&h->tlb.contexts[i].ready, __ATOMIC_ACQUIRE))
            revoke(&h->tlb.contexts[i], host, slot);
}

/*
 * Superpages
 */

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
    if (tlb->huge[best].span < tlb->huge[best + 1].span)
        tlb->huge[best].span = tlb->huge[best + 1].span;
    tlb->huge_count--;
    memmove(&tlb->huge[best + 1], &tlb->huge[best + 2],
            (tlb->huge_count - best - 1) * sizeof(tlb->huge[0]));
}

void tlb_saw_huge(struct hart *h, uint64_t first, uint64_t size)
{
    struct tlb *tlb = &h->tlb;
    if (huge_span(tlb, first) >= size)
        return;
    if (tlb->huge_count == TLB_HUGE)
        merge_nearest(tlb);
    unsigned at = tlb->huge_count++;
    for (; at > 0 && tlb->huge[at - 1].first > first; at--)
        tlb->huge[at] = tlb->huge[at - 1];
    tlb->huge[at] = (struct tlb_range){first, first + (size - PAGE_SIZE), size};
}
