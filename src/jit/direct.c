/* SPDX-License-Identifier: MPL-2.0 */
/* The translator in the host's memory: what becomes of code when memory changes, faults, fork. See direct.h. */
#include "jit/direct.h"

#include "host/aligned.h"
#include "host/fault_context.h"
#include "jit/block.h"
#include "jit/hot.h"
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#define ADDRESS_BITS 46         /* of programs: user/space.h */
#define MADE_BEFORE_LOOKING 160 /* blocks: a static program that only greets makes 130 */

#define MADE_WHILE_YOUNG 2000
#define SEEN (1u << 15)
#define LEAVES (UINT64_C(1) << (ADDRESS_BITS - PAGE_SHIFT - JIT_LEAF_BITS))
#define LEAF_PAGES (UINT64_C(1) << JIT_LEAF_BITS)

bool jit_direct_new(struct jit *jit)
{
    struct jit_direct *d = calloc(1, sizeof(*d));
    if (!d)
        return false;
    pthread_mutex_init(&d->making, NULL);
    d->room.segment = jit->segment_count;
    d->leaves = calloc(LEAVES, sizeof(*d->leaves)); /* costs what is touched */
    d->seen = calloc(SEEN, sizeof(*d->seen));
    jit->direct = d;
    return d->leaves && d->seen;
}

void jit_direct_free(struct jit *jit)
{
    struct jit_direct *d = jit->direct;
    if (!d)
        return;
    for (uint64_t n = 0; d->leaves && n < LEAVES; n++)
        free(d->leaves[n]);
    free(d->leaves);
    free(d->seen);
    free(d->harts);
    free(d->open);
    pthread_mutex_destroy(&d->making);
    free(d);
    jit->direct = NULL;
}

/*
 * Harts
 */

bool jit_direct_attach(struct jit *jit, struct hart *h)
{
    struct jit_direct *d = jit->direct;
    bool fits = true;
    pthread_mutex_lock(&jit->lock);
    if (d->hart_count == d->hart_room) {
        unsigned room = d->hart_room ? 2 * d->hart_room : 8;
        struct hart **harts = realloc(d->harts, room * sizeof(struct hart *));
        fits = harts;
        if (harts) {
            d->harts = harts;
            d->hart_room = room;
        }
    }
    if (fits)
        d->harts[d->hart_count++] = h;
    pthread_mutex_unlock(&jit->lock);
    return fits;
}

static void take_out(struct jit_direct *d, const struct hart *h)
{
    for (unsigned n = 0; n < d->hart_count; n++)
        if (d->harts[n] == h) {
            d->harts[n] = d->harts[--d->hart_count];
            return;
        }
}

void jit_direct_detach(struct jit *jit, struct hart *h)
{
    pthread_mutex_lock(&jit->lock);
    take_out(jit->direct, h);
    pthread_mutex_unlock(&jit->lock);
}

struct hart *jit_direct_model(const struct jit *jit)
{
    static const struct direct nobody_calls;
    struct hart *h = aligned_new(64, sizeof(*h));
    if (!h)
        return NULL;
    memset(h, 0, sizeof(*h));
    h->isa = jit->isa;
    h->xlen = (uint8_t)jit->isa.xlen;
    h->direct = &nobody_calls;
    return h;
}

void jit_direct_ask(struct jit *jit)
{
    pthread_mutex_lock(&jit->lock);
    for (unsigned n = 0; n < jit->direct->hart_count; n++)
        atomic_fetch_or(&jit->direct->harts[n]->events, HART_EV_SAMPLE);
    pthread_mutex_unlock(&jit->lock);
}

/*
 * Harts that may be in the middle of old code: those that run. One in a system call looks at its events when
 * it comes back, and then leaves what it ran. (jit_service_end)
 */
void jit_direct_wait(struct jit_hart *jh)
{
    struct jit *jit = jh->jit;
    struct jit_direct *d = jit->direct;
    if (!jh->is_thread)
        tlb_forget_code(jh->hart);
    pthread_mutex_lock(&jit->lock);
    for (unsigned n = 0; n < d->hart_count; n++)
        if (jh->is_thread || d->harts[n] != jh->hart)
            hart_fence_ask(d->harts[n], HART_FENCE_JUMPS);
    /* Harts come and go: one that is not here now was not when the segment was emptied, or is gone. */
    for (bool all = false; !all;) {
        all = true;
        for (unsigned n = 0; n < d->hart_count && all; n++) {
            struct hart *h = d->harts[n];
            bool is_self = !jh->is_thread && h == jh->hart;
            all = is_self || atomic_load(&h->outside) || !(atomic_load(&h->events) & HART_EV_FENCE);
        }
        if (!all) {
            pthread_mutex_unlock(&jit->lock);
            sched_yield();
            pthread_mutex_lock(&jit->lock);
        }
    }
    pthread_mutex_unlock(&jit->lock);
}

/*
 * Translating
 */

void jit_direct_begin(struct jit_hart *jh)
{
    struct jit_direct *d = jh->jit->direct;
    /* Who waits here runs no code of the translator's, and need not be waited for. */
    atomic_store(&jh->hart->outside, true);
    pthread_mutex_lock(&d->making);
    atomic_store(&jh->hart->outside, false);
    jh->segment = d->room.segment;
    jh->code = d->room.code;
    jh->code_end = d->room.code_end;
    jh->cold = d->room.cold;
    jh->meta = d->room.meta;
}

/* The thread that looks for loops is not worth its start in a program that does next to nothing. */
static void start_looking(struct jit *jit)
{
    if (jit->direct->made++ >= MADE_BEFORE_LOOKING && jit->tiers == JIT_TIERS && !jit->hot &&
        !jit_start(jit, NULL))
        jit->tiers = JIT_TIER_ONE;
}

void jit_direct_end(struct jit_hart *jh)
{
    struct jit_direct *d = jh->jit->direct;
    start_looking(jh->jit);
    d->room = (struct jit_room){jh->segment, jh->code, jh->code_end, jh->cold, jh->meta};
    pthread_mutex_unlock(&d->making);
}

/*
 * Half of what a program runs at its start it runs once, and translating it would cost several times what
 * interpreting it does. While a program is young it is likely to be over soon, so that twice is not enough,
 * either. What is seen is a tag, with how often in its low bits.
 */
bool jit_direct_is_new(struct jit *jit, const uint8_t *code)
{
    uint64_t place = (uint64_t)(uintptr_t)code >> 1;
    _Atomic uint16_t *at = &jit->direct->seen[place % SEEN];
    unsigned enough = jit->direct->made < MADE_WHILE_YOUNG ? 2 : 1;
    uint16_t tag = (uint16_t)((place / SEEN * 40503 << 2) | 4);
    uint16_t seen = atomic_load_explicit(at, memory_order_relaxed);
    if ((seen & ~3u) != tag)
        seen = tag;
    if ((seen & 3u) >= enough)
        return false;
    atomic_store_explicit(at, seen + 1, memory_order_relaxed);
    return true;
}

/* What is known about a page. Under jit.lock; NULL: nothing. */
static struct jit_page *page_at(const struct jit *jit, uint64_t page)
{
    struct jit_page *leaf = jit->direct->leaves[page >> JIT_LEAF_BITS];
    return leaf ? &leaf[page % LEAF_PAGES] : NULL;
}

bool jit_direct_mark(struct jit *jit, uint64_t page, uint32_t *version)
{
    bool known = false;
    if (page >> JIT_LEAF_BITS >= LEAVES)
        return false;
    pthread_mutex_lock(&jit->lock);
    struct jit_page **leaf = &jit->direct->leaves[page >> JIT_LEAF_BITS];
    if (!*leaf)
        *leaf = calloc(LEAF_PAGES, sizeof(**leaf));
    if (*leaf) {
        *version = page_at(jit, page)->version;
        known = true;
    }
    pthread_mutex_unlock(&jit->lock);
    return known;
}

void jit_direct_note_open(struct jit *jit, uint64_t page)
{
    struct jit_direct *d = jit->direct;
    struct jit_page *p = page_at(jit, page);
    if (p->is_open)
        return;
    if (d->open_count == d->open_room) {
        unsigned room = d->open_room ? 2 * d->open_room : 64;
        uint64_t *open = realloc(d->open, room * sizeof(*open));
        if (!open) { /* better slow than wrong */
            jit_drop_in_page(jit, page, 0, PAGE_SIZE);
            return;
        }
        d->open = open;
        d->open_room = room;
    }
    p->is_open = true;
    d->open[d->open_count++] = page;
}

/*
 * Memory changes
 */

void jit_direct_drop(struct jit *jit, uint64_t first, uint64_t end)
{
    uint64_t page = first >> PAGE_SHIFT, behind = (end + PAGE_SIZE - 1) >> PAGE_SHIFT;
    pthread_mutex_lock(&jit->lock);
    while (page < behind && page >> JIT_LEAF_BITS < LEAVES) {
        struct jit_page *p = page_at(jit, page);
        if (!p) { /* on to the next leaf */
            page = (page | (LEAF_PAGES - 1)) + 1;
            continue;
        }
        if (p->blocks)
            jit_drop_in_page(jit, page, 0, PAGE_SIZE);
        else
            p->version++; /* somebody may be translating from it */
        page++;
    }
    pthread_mutex_unlock(&jit->lock);
}

/* One block of the page whose code has changed; NULL: none has. */
static struct jit_page_ref *find_changed(const struct jit_page *p,
                                         bool (*differs)(const uint8_t *copy, uint64_t code,
                                                         size_t size))
{
    for (struct jit_page_ref *ref = p->blocks; ref; ref = ref->next) {
        const struct jit_block *block = ref->block;
        if (!block->is_region && differs(block->copy, (uintptr_t)block->code, block->bytes))
            return ref;
    }
    return NULL;
}

void jit_direct_flush(struct jit *jit, uint64_t first, uint64_t end,
                      bool (*differs)(const uint8_t *copy, uint64_t code, size_t size))
{
    struct jit_direct *d = jit->direct;
    pthread_mutex_lock(&jit->lock);
    for (unsigned n = 0; n < d->open_count;) {
        uint64_t page = d->open[n];
        struct jit_page *p = page_at(jit, page);
        struct jit_page_ref *changed;
        if (page < first >> PAGE_SHIFT || page > (end - 1) >> PAGE_SHIFT) {
            n++;
            continue;
        }
        p->version++;
        while ((changed = find_changed(p, differs)))
            jit_drop_in_page(jit, page, changed->first, changed->bytes);
        if (p->blocks) {
            n++;
            continue;
        }
        p->is_open = false;
        d->open[n] = d->open[--d->open_count];
    }
    pthread_mutex_unlock(&jit->lock);
}

/*
 * Faults
 */

bool jit_direct_fault(struct hart *h, const struct direct_fault *fault, void *context)
{
    const struct jit_hart *jh = h->engine.ctx;
    uint64_t pc = fault_pc(context);
    if (!jh || pc - (uintptr_t)jh->jit->memory.exec >= jh->jit->memory.size)
        return false;
    h->direct_fault = *fault;
    h->translated.fault_pc = pc;
    fault_set_pc(context, (uintptr_t)jh->jit->stub[STUB_FAULT]);
    return true;
}

/* The block that a host instruction is in. It is being run, so it and its list stay while this looks. */
static const struct jit_block *block_at(struct jit *jit, uint64_t pc)
{
    uint64_t offset = pc - (uintptr_t)jit->memory.exec;
    const struct jit_segment *segment = &jit->segments[offset / jit->segment_size - 1];
    const struct jit_block *found = NULL;
    pthread_mutex_lock(&jit->lock);
    for (const struct jit_block *b = segment->blocks; b; b = b->segment_next)
        if ((uintptr_t)b->entry <= pc && (!found || b->entry > found->entry))
            found = b;
    pthread_mutex_unlock(&jit->lock);
    return found;
}

static const struct jit_access *access_at(const struct jit_block *block, uint64_t pc)
{
    uint64_t at = pc - (uintptr_t)block->entry;
    for (unsigned n = 0; n < block->access_count; n++)
        if (block->accesses[n].at == at)
            return &block->accesses[n];
    return NULL;
}

void jit_direct_take_fault(struct hart *h)
{
    struct jit_hart *jh = h->engine.ctx;
    struct direct_fault fault = h->direct_fault;
    const struct jit_block *block = block_at(jh->jit, h->translated.fault_pc);
    const struct jit_access *access = block ? access_at(block, h->translated.fault_pc) : NULL;
    if (access) {
        backend_take_registers(h, block, access);
        h->pc = ((uintptr_t)block->code & PAGE_MASK) + access->place;
        if (fault.addr == DIRECT_NO_ADDRESS)
            fault.addr = direct_address(h);
    } else { /* a bug of ours; the program gets a fault that it can make nothing of */
        log_line(jh->jit->log, LOG_ERROR, "a fault in translated code at a place that has none");
    }
    h->direct->fault(h, &fault);
}

/*
 * fork
 */

void jit_direct_before_fork(struct jit *jit)
{
    pthread_mutex_lock(&jit->direct->making);
    pthread_mutex_lock(&jit->lock);
}

void jit_direct_after_fork(struct jit *jit)
{
    pthread_mutex_unlock(&jit->lock);
    pthread_mutex_unlock(&jit->direct->making);
}

void jit_direct_forget_hart(struct jit *jit, struct hart *h)
{
    take_out(jit->direct, h);
}

void jit_direct_forked(struct jit *jit)
{
    jit->direct->made = 0;
    jit_hot_forget(jit);
}

void jit_direct_be_alone(struct jit *jit)
{
    pthread_mutex_lock(&jit->direct->making);
    struct jit_hot *hot = jit->hot;
    jit->hot = NULL;
    jit->direct->made = 0;
    pthread_mutex_unlock(&jit->direct->making);
    jit_hot_free(hot);
}
