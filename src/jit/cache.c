/* SPDX-License-Identifier: MPL-2.0 */
/* The cache of translated blocks: finding, publishing, chaining, dropping, evicting. See block.h. */
#include "jit/block.h"

#include "host/chores.h"
#include "host/clock.h"
#include "jit/direct.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define JIT_REGION_SEGMENT_MIN (1u << 20) /* in smaller ones there is no room */
#define STORMS_MAX 64           /* drops of code in a page before blocks made from it are wary */
#define STORM_NS 10000000       /* drops less far apart are one storm */
#define STORM_REST_NS 500000000 /* how long they are, after one */
#define CHANGES_MAX 64          /* of them dropped before the rest of that time is interpreted */
#define DROPS_IN_A_ROW \
    4 /* stores to one page's code before all of it goes: it is being overwritten */

static struct jit_block **bucket_of(const struct jit *jit, const uint8_t *code)
{
    uint64_t n = jit_offset(jit, code) >> 1;
    if (jit->direct) /* a process that is over soon shall not touch many pages of the table */
        n >>= 3;
    return &jit->buckets[(n ^ n >> 19) % JIT_BUCKETS];
}

static uint64_t page_of(const struct jit *jit, const uint8_t *code)
{
    return jit_offset(jit, code) >> PAGE_SHIFT;
}

struct jit_block *jit_find(const struct jit *jit, const uint8_t *code, enum jit_variant variant)
{
    struct jit_block *block = __atomic_load_n(bucket_of(jit, code), __ATOMIC_ACQUIRE);
    while (block && (block->code != code || block->variant != variant))
        block = __atomic_load_n(&block->next, __ATOMIC_ACQUIRE);
    return block;
}

/*
 * Taking blocks away. All under jit.lock.
 */

static void unlink_jump(struct jit_link *link)
{
    if (!link->to)
        return;
    *link->prev = link->next;
    if (link->next)
        link->next->prev = link->prev;
    link->to = NULL;
}

/* The granules of a page that its blocks lie in. */
static uint64_t granules_in_use(const struct jit *jit, uint64_t page)
{
    uint64_t granules = 0;
    for (const struct jit_page_ref *ref = jit_page(jit, page)->blocks; ref; ref = ref->next)
        granules |= granules_of(ref->first, ref->bytes);
    return granules;
}

static void leave_page(struct jit *jit, struct jit_page_ref *ref)
{
    struct jit_page_ref **at = &jit_page(jit, ref->page)->blocks;
    while (*at != ref)
        at = &(*at)->next;
    *at = ref->next;
}

/* What comes to stand at a jump's place has its slot, too, and must not take it for its own. */
static void forget_far(struct jit *jit, const struct jit_far *far)
{
    if (jit->direct) /* it has none */
        return;
    for (unsigned n = 0; n < JIT_HARTS_MAX; n++)
        if (jit->harts[n])
            tlb_forget_far(jit->harts[n], far->slot);
}

/* No lookup finds the block any more, and no jump leads to it but through the stale stub. */
void jit_drop_block(struct jit *jit, struct jit_block *block)
{
    struct jit_block *twin = block->twin;
    if (twin) {
        block->twin = twin->twin = NULL;
        jit_drop_block(jit, twin);
    }
    struct jit_block **at = bucket_of(jit, block->code);
    while (*at != block)
        at = &(*at)->next;
    __atomic_store_n(at, block->next, __ATOMIC_RELEASE);
    for (unsigned i = 0; i < 2; i++)
        if (block->pages[i].bytes)
            leave_page(jit, &block->pages[i]);
    block->valid = false;
    backend_make_stale(jit, block);
    for (const struct jit_link *link = block->links; link; link = link->sibling)
        if (link->is_far)
            forget_far(jit, (const struct jit_far *)link);
    while (block->incoming) {
        struct jit_link *link = block->incoming;
        unlink_jump(link);
        backend_set_link(link, link->unlinked, jit);
    }
}

void jit_drop_in_page(struct jit *jit, uint64_t page, unsigned first, unsigned size)
{
    struct jit_page *p = jit_page(jit, page);
    struct jit_page_ref *next;
    unsigned dropped = 0;
    for (struct jit_page_ref *ref = p->blocks; ref; ref = next) {
        next = ref->next;
        if (ref->first < first + size && first < ref->first + ref->bytes) {
            bool twins = ref->block->twin;
            jit_drop_block(jit, ref->block);
            dropped++;
            if (twins) /* the next one may have gone, too */
                next = p->blocks;
        }
    }
    if (dropped) {
        uint64_t now = clock_monotonic_ns();
        p->storms = now - p->dropped < STORM_NS ? p->storms + 1 : 0;
        p->dropped = now;
        jit->stats.dropped += dropped;
    }
    if (p->storms >= STORMS_MAX && !jit->direct) /* what is left would have each store looked at */
        while (p->blocks)
            jit_drop_block(jit, p->blocks->block);
    p->version++;
    if (!jit->direct)
        atomic_store(&jit->map.pages[page].granules, granules_in_use(jit, page));
}

static void written(void *ctx, uint64_t offset, uint64_t size)
{
    struct jit *jit = ctx;
    uint64_t page = offset >> PAGE_SHIFT;
    pthread_mutex_lock(&jit->lock);
    jit->last_drops = jit->last_page == page ? jit->last_drops + 1 : 0;
    jit->last_page = page;
    if (jit->last_drops >= DROPS_IN_A_ROW)
        jit_drop_in_page(jit, page, 0, PAGE_SIZE);
    else
        jit_drop_in_page(jit, page, offset % PAGE_SIZE, (unsigned)size);
    pthread_mutex_unlock(&jit->lock);
}

static void give_up(void *ctx, uint64_t offset)
{
    struct jit *jit = ctx;
    uint64_t page = offset >> PAGE_SHIFT;
    pthread_mutex_lock(&jit->lock);
    jit_drop_in_page(jit, page, 0, PAGE_SIZE);
    jit_page(jit, page)->storms = STORMS_MAX;
    jit_page(jit, page)->dropped = clock_monotonic_ns();
    pthread_mutex_unlock(&jit->lock);
}

/* Whether code may be made from the page as from any other: it may again some time after a storm. */
static bool is_suitable(struct jit_page *p)
{
    if (p->storms < STORMS_MAX)
        return true;
    if (clock_monotonic_ns() - p->dropped < STORM_REST_NS)
        return false;
    p->storms = p->changes = 0;
    return true;
}

bool jit_may_be_wary(struct jit *jit, const uint8_t *code)
{
    pthread_mutex_lock(&jit->lock);
    bool may = jit_page(jit, page_of(jit, code))->changes < CHANGES_MAX;
    pthread_mutex_unlock(&jit->lock);
    return may;
}

void jit_wary_changed(struct jit *jit, struct jit_block *block)
{
    pthread_mutex_lock(&jit->lock);
    if (block->valid) {
        struct jit_page *p = jit_page(jit, page_of(jit, block->code));
        jit_drop_block(jit, block);
        jit->stats.dropped++;
        p->changes += p->changes < CHANGES_MAX;
    }
    pthread_mutex_unlock(&jit->lock);
}

void jit_wary_think(struct jit *jit, struct jit_block *block)
{
    pthread_mutex_lock(&jit->lock);
    if (block->valid && is_suitable(jit_page(jit, page_of(jit, block->code))))
        jit_drop_block(jit, block);
    pthread_mutex_unlock(&jit->lock);
}

void jit_ram_written(struct jit *jit, uint64_t offset, uint64_t size)
{
    code_map_stored(&jit->map, jit->bus->ram + offset, size);
}

/*
 * Making blocks known
 */

static void wait_for_harts(struct jit *jit, uint64_t harts, struct hart *self, unsigned kinds)
{
    uint32_t ticket[JIT_HARTS_MAX];
    for (uint64_t rest = harts; rest; rest &= rest - 1) {
        unsigned n = (unsigned)__builtin_ctzll(rest);
        ticket[n] = hart_fence_ask(jit->harts[n], kinds);
    }
    for (uint64_t rest = harts; rest; rest &= rest - 1) {
        unsigned n = (unsigned)__builtin_ctzll(rest);
        hart_fence_wait(jit->harts[n], ticket[n], self);
    }
}

/*
 * Nobody writes the page unnoticed from here on. Other harts may be in the middle of a store: those
 * are returned, and what fence they need.
 */
static uint64_t revoke_writers(struct jit_hart *jh, uint64_t page, unsigned *kinds)
{
    struct jit *jit = jh->jit;
    struct code_page *shared = &jit->map.pages[page];
    const uint8_t *host = jit->bus->ram + (page << PAGE_SHIFT);
    uint64_t writers = atomic_exchange(&shared->writers, 0);
    uint64_t slots = atomic_exchange(&shared->slots, 0);
    uint64_t self = UINT64_C(1) << jh->hart->id;
    *kinds = 0;
    if (slots == ANY_SLOT) {
        *kinds = HART_FENCE_TLB;
        if (writers & self)
            tlb_flush(jh->hart);
    } else {
        for (uint64_t rest = writers; rest; rest &= rest - 1)
            for (uint64_t slot = slots; slot; slot >>= 16)
                if (slot & 0xffff)
                    tlb_revoke_write(jit->harts[__builtin_ctzll(rest)], host,
                                     (unsigned)(slot & 0xffff) - 1);
    }
    return writers & ~self;
}

bool jit_mark(struct jit_hart *jh, const uint8_t *code, unsigned size, uint32_t *version)
{
    struct jit *jit = jh->jit;
    uint64_t page = page_of(jit, code), writers = 0;
    unsigned kinds;
    if (jit->direct)
        return jit_direct_mark(jit, page, version);
    pthread_mutex_lock(&jit->lock);
    bool suitable = is_suitable(jit_page(jit, page));
    if (suitable) {
        *version = jit_page(jit, page)->version;
        atomic_fetch_or(&jit->map.pages[page].granules,
                        granules_of((uintptr_t)code & ~PAGE_MASK, size));
        writers = revoke_writers(jh, page, &kinds);
    }
    pthread_mutex_unlock(&jit->lock);
    if (writers)
        wait_for_harts(jit, writers, jh->hart, kinds);
    return suitable;
}

/* Under jit.lock. A region takes its block's place; false: that has gone. */
static bool take_place(struct jit *jit, struct jit_block *region)
{
    struct jit_block *head = jit_find(jit, region->code, JIT_NORMAL);
    if (!head || head->is_region)
        return false;
    head->twin = region;
    region->twin = head;
    backend_make_jump(jit, head, region);
    return true;
}

static void enter_page(struct jit *jit, struct jit_page_ref *ref)
{
    ref->next = jit_page(jit, ref->page)->blocks;
    jit_page(jit, ref->page)->blocks = ref;
    if (!jit->direct)
        atomic_fetch_or(&jit->map.pages[ref->page].granules, granules_of(ref->first, ref->bytes));
    if (jit->last_page == ref->page)
        jit->last_drops = 0;
}

bool jit_publish(struct jit_hart *jh, struct jit_block *block, const uint32_t version[2])
{
    struct jit *jit = jh->jit;
    bool current = true;
    pthread_mutex_lock(&jit->lock);
    for (unsigned i = 0; i < 2; i++)
        if (block->pages[i].bytes && jit_page(jit, block->pages[i].page)->version != version[i])
            current = false;
    atomic_fetch_add_explicit(&jit->known, 1, memory_order_release);
    if (current && block->is_region)
        current = take_place(jit, block);
    if (current) {
        for (unsigned i = 0; i < 2; i++)
            if (block->pages[i].bytes)
                enter_page(jit, &block->pages[i]);
        for (unsigned i = 0; i < 2 && block->is_open; i++)
            if (block->pages[i].bytes)
                jit_direct_note_open(jit, block->pages[i].page);
        block->segment_next = jit->segments[jh->segment].blocks;
        jit->segments[jh->segment].blocks = block;
        block->valid = true;
        struct jit_block **bucket = bucket_of(jit, block->code);
        block->next = *bucket;
        __atomic_store_n(bucket, block, __ATOMIC_RELEASE);
    }
    pthread_mutex_unlock(&jit->lock);
    return current;
}

/* Under jit.lock. */
static void chain(struct jit_hart *jh, struct jit_link *link, struct jit_block *to)
{
    if (link->to)
        return;
    link->to = to;
    link->next = to->incoming;
    link->prev = &to->incoming;
    if (to->incoming)
        to->incoming->prev = &link->next;
    to->incoming = link;
    backend_set_link(link, to->entry, jh->jit);
    jh->stats.chains++;
}

void jit_chain(struct jit_hart *jh, struct jit_link *link, struct jit_block *to)
{
    struct jit *jit = jh->jit;
    pthread_mutex_lock(&jit->lock);
    if (to->valid && link->from->valid)
        chain(jh, link, to);
    pthread_mutex_unlock(&jit->lock);
}

void jit_chain_far(struct jit_hart *jh, struct jit_far *far, struct jit_block *to,
                   uint64_t from_page)
{
    struct jit *jit = jh->jit;
    pthread_mutex_lock(&jit->lock);
    if (to->valid && far->link.from->valid && (!far->code || far->code == to->code)) {
        far->code = to->code;
        chain(jh, &far->link, to);
        tlb_enter_far(jh->hart, far->slot, from_page);
    }
    pthread_mutex_unlock(&jit->lock);
}

/*
 * Segments
 */

static void empty_segment(struct jit *jit, struct jit_segment *segment)
{
    for (struct jit_block *block = segment->blocks; block; block = block->segment_next) {
        if (block->valid) {
            jit_drop_block(jit, block);
            jit->stats.evicted++;
        }
        for (struct jit_link *link = block->links; link; link = link->sibling)
            unlink_jump(link);
    }
    segment->blocks = NULL;
}

/* A full segment becomes large pages; once, since it stays that. */
static void make_large(void *what, size_t size)
{
    struct jit_segment *segment = what;
    const struct jit *jit = segment->jit;
    size_t n = (size_t)(segment - jit->segments) + 1;
    code_memory_make_large(&jit->memory, n * size, size);
}

static void take_segment(struct jit_hart *jh)
{
    struct jit *jit = jh->jit;
    if (jh->segment != jit->segment_count && jit->chores && !jit->segments[jh->segment].large) {
        jit->segments[jh->segment].large = true;
        chores_post(jit->chores,
                    (struct chore){make_large, &jit->segments[jh->segment], jit->segment_size});
    }
    pthread_mutex_lock(&jit->lock);
    if (jh->segment != jit->segment_count)
        jit->segments[jh->segment].busy = false;
    struct jit_segment *best = NULL;
    for (unsigned i = 0; i < jit->segment_count; i++) {
        struct jit_segment *s = &jit->segments[i];
        if (!s->busy && (!best || s->age < best->age))
            best = s;
    }
    bool used = best->age != 0;
    best->busy = true;
    best->age = ++jit->clock;
    empty_segment(jit, best);
    pthread_mutex_unlock(&jit->lock);
    if (used && jit->direct) {
        jit_direct_wait(jh);
    } else if (used) {
        uint64_t all = 0;
        for (unsigned i = 0; i < JIT_HARTS_MAX; i++)
            if (jit->harts[i] && (jh->is_thread || i != jh->hart->id))
                all |= UINT64_C(1) << i;
        wait_for_harts(jit, all, jh->is_thread ? NULL : jh->hart, HART_FENCE_JUMPS);
        if (!jh->is_thread)
            tlb_forget_code(jh->hart);
    }
    jh->emptied += used;
    jh->segment = (unsigned)(best - jit->segments);
    jh->code = jit->memory.write + (size_t)(jh->segment + 1) * jit->segment_size;
    jh->code_end = jh->cold = jh->code + jit->segment_size / 16 * 7;
    jh->meta = jh->code + jit->segment_size;
}

void jit_make_room(struct jit_hart *jh, unsigned blocks)
{
    if (jh->segment == jh->jit->segment_count || jh->code_end - jh->code < blocks * JIT_CODE_ROOM ||
        jh->meta - jh->cold < blocks * (JIT_COLD_ROOM + JIT_META_ROOM))
        take_segment(jh);
}

void *jit_meta(struct jit_hart *jh, size_t size)
{
    jh->meta -= (size + 15) & ~(size_t)15;
    memset(jh->meta, 0, size);
    return jh->meta;
}

/*
 * The whole
 */

static bool allocate(struct jit *jit, const struct jit_config *config, struct error *err)
{
    uint64_t size = config->cache_size ? config->cache_size : JIT_CACHE_SIZE;
    uint64_t pages = config->direct ? 0 : bus_code_span(config->bus) >> PAGE_SHIFT;
    unsigned least = 2 * config->harts + 4; /* segments */
    if (size > JIT_CACHE_MAX)
        return error_set(err, "%" PRIu64 " MiB for translated code: 1024 MiB is the most",
                         size >> 20);
    jit->segment_size = JIT_SEGMENT_SIZE;
    while (jit->segment_size > JIT_SEGMENT_MIN && size / jit->segment_size < least)
        jit->segment_size /= 2;
    jit->segment_count = (unsigned)(size / jit->segment_size);
    if (jit->segment_count < least)
        jit->segment_count = least;
    jit->decoder = decoder_new(config->isa);
    jit->buckets = calloc(JIT_BUCKETS, sizeof(*jit->buckets));
    if (config->direct && !jit_direct_new(jit))
        return error_set(err, "out of memory for the translator");
    if (!config->direct) {
        jit->pages = calloc(pages, sizeof(*jit->pages));
        jit->map.pages = calloc(pages, sizeof(*jit->map.pages));
    }
    jit->segments = calloc(jit->segment_count, sizeof(*jit->segments));
    if (!jit->decoder || !jit->buckets || !jit->segments ||
        (!jit->direct && (!jit->pages || !jit->map.pages)))
        return error_set(err, "out of memory for the translator");
    /* The first segment's place holds the stubs. */
    size = (uint64_t)(jit->segment_count + 1) * jit->segment_size;
    return config->direct ? code_memory_map_private(&jit->memory, size, err)
                          : code_memory_map(&jit->memory, size, err);
}

struct jit *jit_new(const struct jit_config *config, struct error *err)
{
    if (!backend_available()) {
        error_set(err, "no translator for this host");
        return NULL;
    }
    struct jit *jit = calloc(1, sizeof(*jit));
    if (!jit) {
        error_set(err, "out of memory for the translator");
        return NULL;
    }
    pthread_mutex_init(&jit->lock, NULL);
    pthread_mutex_init(&jit->check_lock, NULL);
    jit->check = config->check;
    jit->tiers = config->check ? JIT_TIER_ONE : config->tiers;
    jit->differs = config->differs;
    jit->differs_ctx = config->differs_ctx;
    jit->isa = *config->isa;
    jit->bus = config->bus;
    jit->log = config->log;
    jit->dump = config->dump_line ? config->dump : 0;
    jit->dump_line = config->dump_line;
    jit->dump_ctx = config->dump_ctx;
    if (!allocate(jit, config, err)) {
        jit_free(jit);
        return NULL;
    }
    jit->chores = config->chores;
    if (jit->segment_size < JIT_REGION_SEGMENT_MIN)
        jit->tiers = JIT_TIER_ONE;
    for (unsigned i = 0; i < jit->segment_count; i++)
        jit->segments[i].jit = jit;
    backend_stubs(jit);
    if (!jit->direct) {
        jit->map.ram = config->bus->ram;
        jit->map.size = bus_code_span(config->bus);
        jit->map.written = written;
        jit->map.give_up = give_up;
        jit->map.ctx = jit;
        config->bus->code_map = &jit->map;
    }
    return jit;
}

void jit_free(struct jit *jit)
{
    if (!jit)
        return;
    if (jit->bus->code_map == &jit->map)
        jit->bus->code_map = NULL;
    code_memory_unmap(&jit->memory);
    decoder_free(jit->decoder);
    free(jit->buckets);
    jit_direct_free(jit);
    free(jit->pages);
    free(jit->map.pages);
    free(jit->segments);
    pthread_mutex_destroy(&jit->lock);
    pthread_mutex_destroy(&jit->check_lock);
    free(jit);
}
