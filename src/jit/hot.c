/* SPDX-License-Identifier: MPL-2.0 */
/* Asking harts where they are, and making regions. See hot.h. */
#include "jit/hot.h"

#include "cpu/irq.h"
#include "host/aligned.h"
#include "host/clock.h"
#include "host/thread.h"
#include "jit/direct.h"
#include "jit/region.h"
#include <stdlib.h>
#include <string.h>

#define ASK_NS 1000000     /* between two questions */
#define ASKS_IN_VAIN 20    /* that nobody answers: the harts sleep */
#define BUSY_NS 5000000    /* over which it is measured whether a hart is busy */
#define BUSY_NS_AN_INSN 10 /* it is when an instruction takes less */
#define REQUESTS_MAX 64

/* After so many answers a loop is hot, the one around it, and the one around that. */
#define LEVELS 3
static const uint8_t answers_hot[LEVELS] = {2, 12, 60};

struct request {
    const uint8_t *code;
    unsigned outer;
    uint64_t pc;
};

struct jit_hot {
    struct jit *jit;
    struct jit_stats stats; /* under lock: the worker's, after its last request */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool end;
    struct request requests[REQUESTS_MAX];
    unsigned first, count;
    _Atomic bool asks;
    _Atomic bool answered;
    struct jit_hart worker; /* last: it ends in an array that is not used */
};

/*
 * Making a region
 */

/* What is known of a page's code: that of its blocks, while it has not been written. false: nothing
 * that begins at `place`. */
static bool gather(struct jit *jit, uint64_t page, unsigned place, struct region_source *source,
                   uint32_t *version)
{
    bool found = false;
    /* Where all that ran was interpreted nothing is known yet. */
    if (jit->direct && !jit_direct_mark(jit, page, version))
        return false;
    pthread_mutex_lock(&jit->lock);
    *version = jit_page(jit, page)->version;
    for (const struct jit_page_ref *ref = jit_page(jit, page)->blocks; ref; ref = ref->next) {
        const struct jit_block *block = ref->block;
        if (block->is_region || ref != &block->pages[0] || block->pages[1].bytes)
            continue;
        memcpy(source->bytes + ref->first, block->copy, ref->bytes);
        memset(source->known + ref->first / 2, true, ref->bytes / 2);
        found |= ref->first == place && block->variant == JIT_NORMAL;
    }
    pthread_mutex_unlock(&jit->lock);
    return found;
}

static struct jit_block *translate(struct jit_hart *jh, const uint8_t *code, uint64_t page,
                                   const struct region *region)
{
    struct jit_block *block = jit_meta(jh, sizeof(*block));
    block->code = code;
    block->bytes = (uint16_t)(region->end - region->first);
    block->insns = (uint8_t)region->insns;
    block->variant = JIT_NORMAL;
    block->is_region = true;
    block->pages[0] = (struct jit_page_ref){
        .block = block,
        .page = page,
        .first = region->first,
        .bytes = block->bytes,
    };
    return backend_translate_region(jh, block, region) ? block : NULL;
}

static bool make(struct jit_hart *jh, const uint8_t *code, unsigned outer, uint64_t pc,
                 struct region_source *source, struct region *region)
{
    struct jit *jit = jh->jit;
    uint64_t page = jit_offset(jit, code) >> PAGE_SHIFT;
    unsigned place = (uintptr_t)code & ~PAGE_MASK;
    uint32_t version[2] = {0};
    if (!gather(jit, page, place, source, &version[0]) ||
        !region_form_around(region, source, place, outer, jit, &jh->ir) ||
        !region_build(region, source, jit, &jh->ir))
        return false;
    jit_make_room(jh, JIT_REGION_ROOMS);
    uint8_t *start = jh->code, *cold = jh->cold;
    pc += region->blocks[0].place - (uint64_t)place;
    code += (int)region->blocks[0].place - (int)place;
    struct jit_block *block = translate(jh, code, page, region);
    if (!block || !jit_publish(jh, block, version))
        return false;
    if (jit->dump)
        jit_dump(jh, block, pc);
    jh->stats.regions++;
    jh->stats.region_insns += region->insns;
    jh->stats.host_bytes += (uint64_t)(jh->code - start) + (uint64_t)(jh->cold - cold);
    return true;
}

bool jit_region_make(struct jit_hart *jh, const uint8_t *code, unsigned outer, uint64_t pc)
{
    const struct jit_block *there = jit_find(jh->jit, code, JIT_NORMAL);
    if (there && there->is_region && !outer)
        return true;
    uint64_t start = clock_monotonic_ns();
    struct region_source *source = calloc(1, sizeof(*source));
    struct region *region = malloc(sizeof(*region));
    bool shares = jh->jit->direct && !jh->is_thread;
    if (shares)
        jit_direct_begin(jh);
    bool made = source && region && make(jh, code, outer, pc, source, region);
    if (shares)
        jit_direct_end(jh);
    free(source);
    free(region);
    jh->stats.region_ns += clock_monotonic_ns() - start;
    return made;
}

/*
 * The thread
 */

static void ask(struct jit *jit)
{
    if (jit->direct) {
        jit_direct_ask(jit);
        return;
    }
    for (unsigned n = 0; n < JIT_HARTS_MAX; n++)
        if (jit->harts[n])
            atomic_fetch_or(&jit->harts[n]->events, HART_EV_SAMPLE);
}

/* Under hot->lock: sleeps until it is time to ask, or there is something to do. true: it is time. */
static bool wait(struct jit_hot *hot)
{
    if (!atomic_load(&hot->asks)) {
        pthread_cond_wait(&hot->wake, &hot->lock);
        return false;
    }
    return !thread_cond_wait_until(&hot->wake, &hot->lock, clock_monotonic_ns() + ASK_NS);
}

static void *work(void *arg)
{
    struct jit_hot *hot = arg;
    unsigned vain = 0;
    thread_set_name("regions");
    pthread_mutex_lock(&hot->lock);
    while (!hot->end) {
        if (hot->count) {
            struct request request = hot->requests[hot->first];
            hot->first = (hot->first + 1) % REQUESTS_MAX;
            hot->count--;
            pthread_mutex_unlock(&hot->lock);
            jit_region_make(&hot->worker, request.code, request.outer, request.pc);
            pthread_mutex_lock(&hot->lock);
            hot->stats = hot->worker.stats;
        } else if (wait(hot)) {
            vain = atomic_exchange(&hot->answered, false) ? 0 : vain + 1;
            if (vain == ASKS_IN_VAIN) {
                atomic_store(&hot->asks, false);
                vain = 0;
            } else {
                ask(hot->jit);
            }
        }
    }
    pthread_mutex_unlock(&hot->lock);
    return NULL;
}

static void request(struct jit_hot *hot, struct request what)
{
    pthread_mutex_lock(&hot->lock);
    if (hot->count < REQUESTS_MAX) {
        hot->requests[(hot->first + hot->count++) % REQUESTS_MAX] = what;
        pthread_cond_signal(&hot->wake);
    }
    pthread_mutex_unlock(&hot->lock);
}

/*
 * Harts
 */

void jit_hot_answer(struct jit_hart *jh)
{
    struct hart *h = jh->hart;
    struct jit_hot *hot = jh->jit->hot;
    const struct tlb_entry *e = &h->tlb.fetch->entries[tlb_slot(h->pc)];
    if (!hot)
        return;
    atomic_store_explicit(&hot->answered, true, memory_order_relaxed);
    if (!h->direct && (h->pc ^ e->fetch) >= PAGE_SIZE)
        return;
    const uint8_t *code = (const uint8_t *)(uintptr_t)(h->pc + (h->direct ? 0 : e->addend));
    uint64_t hash = (uint64_t)(uintptr_t)code >> 1;
    struct jit_heat *heat = &jh->heat;
    unsigned n = (unsigned)(hash ^ hash >> 11) % JIT_HEAT;
    if (heat->places[n].code != code) {
        heat->places[n].code = code;
        heat->places[n].times = 0;
    }
    if (heat->places[n].times == UINT8_MAX)
        return;
    heat->places[n].times++;
    for (unsigned outer = 0; outer < LEVELS; outer++)
        if (heat->places[n].times == answers_hot[outer])
            request(hot, (struct request){code, outer, h->pc});
}

static void begin_to_ask(struct jit_hot *hot)
{
    pthread_mutex_lock(&hot->lock);
    atomic_store(&hot->asks, true);
    pthread_cond_signal(&hot->wake);
    pthread_mutex_unlock(&hot->lock);
}

void jit_hot_back(struct jit_hart *jh)
{
    struct jit_hot *hot = jh->jit->hot;
    if (hot && !atomic_load_explicit(&hot->asks, memory_order_relaxed))
        begin_to_ask(hot);
}

void jit_hot_enter(struct jit_hart *jh)
{
    struct jit_hot *hot = jh->jit->hot;
    if (!hot || jh->hart->direct || atomic_load_explicit(&hot->asks, memory_order_relaxed))
        return;
    uint64_t time = clock_monotonic_ns() - jh->heat.when;
    uint64_t insns = jh->hart->instret - jh->heat.instret;
    if (time < BUSY_NS)
        return;
    jh->heat.when += time;
    jh->heat.instret += insns;
    if (insns * BUSY_NS_AN_INSN >= time)
        begin_to_ask(hot);
}

/*
 * The whole
 */

struct jit_hot *jit_hot_new(struct jit *jit, struct error *err)
{
    struct jit_hot *hot = calloc(1, sizeof(*hot));
    if (!hot) {
        error_set(err, "out of memory for the translator");
        return NULL;
    }
    hot->jit = jit;
    hot->worker.jit = jit;
    hot->worker.is_thread = true;
    hot->worker.segment = jit->segment_count;
    hot->worker.map = jit->dump ? calloc(1, sizeof(*hot->worker.map)) : NULL;
    ir_block_init(&hot->worker.ir, &jit->isa);
    atomic_store(&hot->asks, true);
    pthread_mutex_init(&hot->lock, NULL);
    thread_cond_init(&hot->wake);
    for (unsigned n = 0; n < JIT_HARTS_MAX && !hot->worker.hart; n++)
        hot->worker.hart = jit->harts[n];
    if (jit->direct)
        hot->worker.hart = jit_direct_model(jit);
    if (!hot->worker.hart || (jit->dump && !hot->worker.map) ||
        !thread_start(&hot->thread, THREAD_WORK, NULL, work, hot, err)) {
        hot->end = true;
        jit_hot_free(hot);
        return NULL;
    }
    return hot;
}

void jit_hot_free(struct jit_hot *hot)
{
    if (!hot)
        return;
    if (!hot->end) {
        pthread_mutex_lock(&hot->lock);
        hot->end = true;
        pthread_cond_signal(&hot->wake);
        pthread_mutex_unlock(&hot->lock);
        pthread_join(hot->thread, NULL);
    }
    pthread_cond_destroy(&hot->wake);
    pthread_mutex_destroy(&hot->lock);
    ir_block_free(&hot->worker.ir);
    free(hot->worker.map);
    if (hot->jit->direct)
        aligned_free(hot->worker.hart);
    free(hot);
}

void jit_hot_forget(struct jit *jit)
{
    struct jit_hot *hot = jit->hot;
    jit->hot = NULL;
    if (!hot)
        return;
    /* Its lock may be held, by nobody; its segment is nobody's. */
    if (hot->worker.segment != jit->segment_count)
        jit->segments[hot->worker.segment].busy = false;
    ir_block_free(&hot->worker.ir);
    free(hot->worker.map);
    if (hot->jit->direct)
        aligned_free(hot->worker.hart);
    free(hot);
}

struct jit_stats jit_hot_stats(struct jit_hot *hot)
{
    pthread_mutex_lock(&hot->lock);
    struct jit_stats stats = hot->stats;
    pthread_mutex_unlock(&hot->lock);
    return stats;
}
