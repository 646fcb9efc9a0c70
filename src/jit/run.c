/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What translated code calls, and the loop that enters it. A service gets the state in struct hart,
 * with hart.instret counting all instructions of the running block; it says where to go on.
 *
 * Return addresses of the guest's calls lie on the host's stack, above the service that is
 * running, and so do pointers into descriptions. They hold as long as the address space is the same and
 * no segment of code was emptied: otherwise the stack is unwound.
 */
#include "cpu/exec.h"
#include "cpu/helpers.h"
#include "jit/block.h"
#include "jit/check.h"
#include "jit/direct.h"
#include "jit/hot.h"
#include <stdlib.h>
#include <string.h>

static struct jit_hart *jit_hart_of(const struct hart *h)
{
    return h->engine.ctx;
}

static uint64_t wrap(const struct hart *h, uint64_t pc)
{
    return h->xlen == 32 ? (uint32_t)pc : pc;
}

static struct jit_next leave(const struct hart *h)
{
    return (struct jit_next){jit_hart_of(h)->jit->stub[STUB_LEAVE], true};
}

/* Tells whether descriptions and return addresses may have gone since it was taken. */
struct moment {
    uint64_t emptied;
    uint32_t fences;
};

static struct moment moment_now(const struct hart *h)
{
    return (struct moment){jit_hart_of(h)->emptied, atomic_load(&h->fence_done)};
}

static bool is_past(const struct hart *h, struct moment then)
{
    struct moment now = moment_now(h);
    return now.emptied != then.emptied || now.fences != then.fences;
}

/* The page that a block runs at: one without a machine is found by where it is. */
static uint64_t page_of(const struct hart *h, const struct jit_block *block)
{
    return h->direct ? (uintptr_t)block->code & PAGE_MASK : h->translated.page_va;
}

static void fp_to_c(struct hart *h)
{
    if (h->translated.fp_live)
        backend_fp_to_c(h);
}

struct jit_block *jit_look_up(struct hart *h, enum jit_variant variant, bool *trapped)
{
    bool mixed;
    const uint8_t *code = code_fetch(h, h->pc, 2, &mixed);
    *trapped = !code;
    if (!code) {
        h->fault = 0;
        hart_trap(h, h->fault_cause, h->fault_tval);
        return NULL;
    }
    if (mixed)
        return NULL;
    struct jit_block *block = jit_block_at(jit_hart_of(h), h->pc, code, variant);
    if (block) {
        h->translated.page_va = h->pc & PAGE_MASK;
        if (h->direct)
            direct_enter_jump(h, h->pc, block->entry);
        else if (variant == JIT_NORMAL && !jit_hart_of(h)->check)
            tlb_enter_jump(h, h->pc, block->entry);
    }
    return block;
}

/* Without a machine others do not wait for a hart that waits to translate (jit_direct_begin): old code may
 * have gone under it. */
static bool must_leave(const struct hart *h)
{
    return h->direct && events_pending(h);
}

/* From h->pc, whatever has to be done until there is translated code for it. */
static struct jit_next go_on(struct hart *h, enum jit_variant variant)
{
    struct moment then = moment_now(h);
    struct jit_next next = {NULL, false};
    bool trapped;
    if (jit_hart_of(h)->check) {
        jit_check_stop(jit_hart_of(h), variant == JIT_NORMAL ? JIT_CHECK_NORMAL : JIT_CHECK_SINGLE);
        return leave(h);
    }
    for (;;) {
        if (events_pending(h))
            return leave(h);
        if (h->tlb.data == h->tlb.fetch) { /* not under MPRV */
            const struct tlb_jump *jump = &h->tlb.fetch->jumps[tlb_jump_index(h->pc)];
            if (jump->pc == h->pc && variant == JIT_NORMAL) {
                h->translated.page_va = h->pc & PAGE_MASK;
                next.code = jump->code;
                next.unwind |= is_past(h, then);
                return next;
            }
            struct jit_block *block = jit_look_up(h, variant, &trapped);
            if (block && must_leave(h))
                return leave(h);
            if (block) {
                next.code = block->entry;
                next.unwind |= is_past(h, then);
                return next;
            }
            next.unwind |= !h->direct;
            if (trapped)
                continue;
        }
        jit_hart_of(h)->stats.interpreted++;
        variant = JIT_NORMAL;
        fp_to_c(h);
        if (h->direct)
            code_run_once(h);
        else
            code_step(h);
        next.unwind |= !h->direct;
    }
}

static struct jit_next go_on_unwound(struct hart *h)
{
    struct jit_next next = go_on(h, JIT_NORMAL);
    next.unwind = true;
    return next;
}

CODE_ABI struct jit_next jit_service_lookup(struct hart *h, uint64_t pc)
{
    h->pc = wrap(h, pc) & ~UINT64_C(1); /* of a computed jump, bit 0 is not looked at before */
    return go_on(h, JIT_NORMAL);
}

/* Code knows its descriptions where it runs; they are changed where they can be written. */
static void *writable(const struct hart *h, const void *seen)
{
    const struct code_memory *memory = &jit_hart_of(h)->jit->memory;
    jit_see_known(jit_hart_of(h)->jit);
    return memory->write + ((const uint8_t *)seen - memory->exec);
}

CODE_ABI struct jit_next jit_service_link(struct hart *h, const struct jit_link *seen)
{
    struct jit_link *link = writable(h, seen);
    struct moment then = moment_now(h);
    uint64_t page = page_of(h, link->from);
    uint64_t target =
        link->is_far ? (uint64_t)((const struct jit_far *)link)->target : link->target;
    h->pc = wrap(h, page + target);
    bool trapped;
    if (events_pending(h) || jit_hart_of(h)->check)
        return leave(h);
    struct jit_block *block = jit_look_up(h, link->variant, &trapped);
    if (!block)
        return h->direct && !is_past(h, then) ? go_on(h, JIT_NORMAL) : go_on_unwound(h);
    if (must_leave(h))
        return leave(h);
    if (jit_hart_of(h)->jit->tiers == JIT_TIER_EAGER && link->variant == JIT_NORMAL &&
        link->from->code >= block->code && jit_region_make(jit_hart_of(h), block->code, 0, h->pc))
        block = jit_find(jit_hart_of(h)->jit, block->code, JIT_NORMAL);
    if (is_past(h, then))
        return (struct jit_next){block->entry, true};
    /* The page was that of the jump when it was translated; it may have been mapped anew since. */
    if (h->direct || (((uintptr_t)block->code ^ (uintptr_t)link->from->code) & PAGE_MASK) == 0)
        jit_chain(jit_hart_of(h), link, block);
    return (struct jit_next){block->entry, false};
}

/* The block whose entry that is. */
static struct jit_block *block_of(const uint8_t *entry)
{
    struct jit_block *block;
    memcpy(&block, entry - sizeof(block), sizeof(block));
    return block;
}

CODE_ABI struct jit_next jit_service_far(struct hart *h, const struct jit_far *seen)
{
    struct jit_far *far = writable(h, seen);
    uint64_t from_page = h->translated.page_va;
    struct tlb_context *context = h->tlb.fetch;
    uint64_t target = wrap(h, from_page + (uint64_t)far->target);
    h->pc = target;
    struct jit_next next = go_on(h, JIT_NORMAL);
    /* Only if nothing came in between is what runs next what the jump leads to, and the jump still there. */
    if (next.unwind || h->tlb.fetch != context || h->pc != target)
        return next;
    tlb_note_code(h, from_page);
    tlb_note_code(h, target);
    jit_chain_far(jit_hart_of(h), far, block_of(next.code), from_page);
    return next;
}

/* The block that a hart was about to run, which h->pc is put before. */
static struct jit_block *block_entered(struct hart *h, const uint8_t *entry_end)
{
    struct jit_block *block = block_of(entry_end - 5);
    h->pc = wrap(h, page_of(h, block) + ((uintptr_t)block->code & ~PAGE_MASK));
    return block;
}

CODE_ABI struct jit_next jit_service_stale(struct hart *h, const uint8_t *entry_end)
{
    block_entered(h, entry_end);
    h->tlb.fetch->jumps[tlb_jump_index(h->pc)].pc = TLB_NO_JUMP;
    return go_on(h, JIT_NORMAL);
}

CODE_ABI struct jit_next jit_service_wary(struct hart *h, const uint8_t *entry_end)
{
    struct jit *jit = jit_hart_of(h)->jit;
    struct jit_block *block = block_entered(h, entry_end);
    if (h->translated.wary_runs >= 0) {
        jit_wary_changed(jit, block);
    } else {
        h->translated.wary_runs = JIT_WARY_RUNS;
        jit_wary_think(jit, block);
    }
    return go_on(h, JIT_NORMAL);
}

/*
 * Places in the middle of a block
 */

/* h->pc at the site's instruction, all before it retired. */
static void stop_at(struct hart *h, const struct jit_site *site)
{
    h->pc = wrap(h, page_of(h, site->block) + site->place);
    h->instret -= site->rest;
}

static struct jit_next take_fault(struct hart *h, const struct jit_site *site)
{
    stop_at(h, site);
    h->fault = 0;
    hart_trap(h, h->fault_cause, h->fault_tval);
    return go_on_unwound(h);
}

CODE_ABI struct jit_next jit_service_interpret(struct hart *h, const struct jit_site *site)
{
    stop_at(h, site);
    if (jit_hart_of(h)->check) {
        jit_check_stop(jit_hart_of(h), JIT_CHECK_INTERPRET);
        return leave(h);
    }
    jit_hart_of(h)->stats.interpreted++;
    fp_to_c(h);
    code_step(h);
    return go_on_unwound(h);
}

static bool is_signed(enum ir_mem mem)
{
    return mem == IR_MEM_s8 || mem == IR_MEM_s16 || mem == IR_MEM_s32;
}

CODE_ABI struct jit_next jit_service_load(struct hart *h, const struct jit_site *site, uint64_t va)
{
    unsigned size = ir_mem_bytes(site->mem);
    uint64_t value = mem_load_slow(h, va, size);
    if (h->fault)
        return take_fault(h, site);
    unsigned shift = 64 - 8 * size;
    value <<= shift;
    value = is_signed(site->mem) ? (uint64_t)((int64_t)value >> shift) : value >> shift;
    return (struct jit_next){NULL, value};
}

CODE_ABI struct jit_next jit_service_store(struct hart *h, const struct jit_site *site, uint64_t va,
                                           uint64_t value)
{
    mem_store_slow(h, va, ir_mem_bytes(site->mem), value);
    return h->fault ? take_fault(h, site) : (struct jit_next){NULL, 0};
}

CODE_ABI struct jit_next jit_service_group(struct hart *h, const struct jit_site *site, uint64_t va)
{
    enum access access = site->writes ? ACCESS_WRITE : ACCESS_READ;
    uint64_t low = wrap(h, va + (uint64_t)site->low);
    struct mem_target target;
    if (site->atomic && (va & (site->span - 1u)))
        return jit_service_interpret(h, site);
    if (!mmu_target(h, va, 1, access, &target, NULL))
        return take_fault(h, site);
    const struct tlb_entry *e = tlb_entry(h, va);
    uint64_t tag = site->all_writes ? e->write : e->read;
    if ((low ^ tag) <= PAGE_SIZE - site->span)
        return (struct jit_next){site->retry, false};
    if (site->atomic)
        return jit_service_interpret(h, site);
    /* They do not lie on one page of main memory: one by one, in another translation. */
    stop_at(h, site);
    struct jit_next next = go_on(h, JIT_SINGLE);
    return next;
}

/* Without a machine: an access of the running code, to what the host does not let it. */
CODE_ABI struct jit_next jit_service_fault(struct hart *h)
{
    fp_to_c(h);
    jit_direct_take_fault(h);
    return go_on_unwound(h);
}

/*
 * Helpers
 */

/* What cpu/helpers.c wants to know about the running instruction. */
static void set_block(struct hart *h, const struct jit_site *site)
{
    fp_to_c(h);
    struct jit_hart *jh = jit_hart_of(h);
    jit_see_known(jh->jit);
    struct jit_block *block = site->block;
    jh->running.code = block->code;
    jh->running.copy = block->copy;
    h->block = &jh->running;
    h->block_pc = page_of(h, block) + ((uintptr_t)block->code & ~PAGE_MASK);
}

CODE_ABI struct jit_next jit_service_helper(struct hart *h, const struct jit_helper_site *at)
{
    const struct jit_site *site = &at->site;
    set_block(h, site);
    h->slot = &at->insn; /* for a fault, if there is no machine */
    bool done = at->helper->call(h, &at->insn);
    h->slot = NULL;
    return done ? (struct jit_next){NULL, 0} : take_fault(h, site);
}

CODE_ABI struct jit_next jit_service_csr(struct hart *h, const struct jit_helper_site *at)
{
    const struct jit_site *site = &at->site;
    struct jit_next next = {NULL, 0};
    unsigned rest = site->rest;
    set_block(h, site);
    h->instret -= rest;
    enum csr_result result = at->helper->csr(h, &at->insn);
    h->instret += rest;
    if (result == CSR_OK)
        return next;
    if (result == CSR_ILLEGAL) {
        hart_fault(h, CAUSE_ILLEGAL, insn_bits(h->block, &at->insn));
        return take_fault(h, site);
    }
    stop_at(h, site);
    h->instret++;
    h->pc = wrap(h, h->pc + site->length);
    return go_on_unwound(h);
}

CODE_ABI struct jit_next jit_service_end(struct hart *h, const struct jit_helper_site *at)
{
    const struct jit_site *site = &at->site;
    set_block(h, site);
    stop_at(h, site);
    uint64_t pc = h->pc;
    h->pc = wrap(h, pc + site->length);
    struct moment then = moment_now(h);
    bool done = at->helper->call(h, &at->insn);
    if (h->direct)
        jit_hot_back(jit_hart_of(h));
    if (done && h->direct && !is_past(h, then)) {
        h->instret++;
        return go_on(h, JIT_NORMAL);
    }
    if (done) {
        h->instret++;
    } else {
        h->pc = pc;
        h->fault = 0;
        hart_trap(h, h->fault_cause, h->fault_tval);
    }
    return go_on_unwound(h);
}

CODE_ABI struct jit_next jit_service_fp_on(struct hart *h, const struct jit_site *site)
{
    if (!(h->csr.mstatus & MSTATUS_FS) || h->frm > FP_RUP)
        return jit_service_interpret(h, site);
    h->csr.mstatus |= MSTATUS_FS;
    backend_fp_from_c(h);
    return (struct jit_next){NULL, 0};
}

/* FP being on, with a mode that is not reserved, it cannot trap. */
CODE_ABI struct jit_next jit_service_step(struct hart *h, const struct jit_helper_site *at)
{
    fp_to_c(h);
    code_perform(h, &at->insn);
    backend_fp_from_c(h);
    return (struct jit_next){NULL, 0};
}

/*
 * Running
 */

/*
 * By itself and no more than that: gcc 12 fails where a call by another convention than its function's stands
 * amid other code.
 */
__attribute__((noinline)) static void call_code(void(CODE_ABI *enter)(struct hart *, const void *),
                                                struct hart *h, const void *code)
{
    enter(h, code);
}

void jit_enter(struct hart *h, const void *code)
{
    void(CODE_ABI * enter)(struct hart *, const void *);
    const void *stub = jit_hart_of(h)->jit->stub[STUB_ENTER];
    memcpy(&enter, &stub, sizeof(enter));
    call_code(enter, h, code);
    fp_to_c(h);
}

static void sample(void *ctx, struct hart *h)
{
    (void)h;
    jit_hot_answer(ctx);
}

static void run(void *ctx, struct hart *h)
{
    struct jit_hart *jh = ctx;
    jit_hot_enter(jh);
    struct jit_next next = go_on(h, JIT_NORMAL);
    if (next.code != jh->jit->stub[STUB_LEAVE])
        jit_enter(h, next.code);
}

bool jit_attach(struct jit *jit, struct hart *h, struct error *err)
{
    struct jit_hart *jh = calloc(1, sizeof(*jh));
    if (!jh)
        return error_set(err, "hart %u: out of memory for the translator", h->id);
    jh->jit = jit;
    jh->hart = h;
    jh->segment = jit->segment_count;
    ir_block_init(&jh->ir, &jit->isa);
    backend_attach(h);
    if (jit->dump && !(jh->map = calloc(1, sizeof(*jh->map)))) {
        free(jh);
        return error_set(err, "hart %u: out of memory for the translator", h->id);
    }
    if (jit->check && !(jh->check = jit_check_new(jh, err))) {
        free(jh->map);
        free(jh);
        return false;
    }
    if (!jit->direct) {
        jit->harts[h->id] = h;
    } else if (!jit_direct_attach(jit, h)) {
        ir_block_free(&jh->ir);
        free(jh->map);
        free(jh);
        return error_set(err, "out of memory for the translator");
    }
    h->engine = (struct engine){jit->check ? jit_check_run : run, sample, jh};
    return true;
}

static void add_stats(struct jit_stats *to, const struct jit_stats *from)
{
    to->blocks += from->blocks;
    to->guest_insns += from->guest_insns;
    to->guest_bytes += from->guest_bytes;
    to->host_bytes += from->host_bytes;
    to->dropped += from->dropped;
    to->evicted += from->evicted;
    to->chains += from->chains;
    to->lookups += from->lookups;
    to->interpreted += from->interpreted;
    to->checked += from->checked;
    to->translate_ns += from->translate_ns;
    to->regions += from->regions;
    to->region_insns += from->region_insns;
    to->region_ns += from->region_ns;
}

bool jit_start(struct jit *jit, struct error *err)
{
    if (jit->tiers == JIT_TIERS)
        jit->hot = jit_hot_new(jit, err);
    return jit->tiers != JIT_TIERS || jit->hot;
}

/* The thread looks at harts, so it goes before the first of them does. */
static void stop_thread(struct jit *jit)
{
    if (!jit->hot)
        return;
    struct jit_stats stats = jit_hot_stats(jit->hot);
    add_stats(&jit->stats, &stats);
    jit_hot_free(jit->hot);
    jit->hot = NULL;
}

void jit_detach(struct jit *jit, struct hart *h)
{
    if (!jit->direct)
        stop_thread(jit);
    struct jit_hart *jh = h->engine.run ? jit_hart_of(h) : NULL;
    if (!jh)
        return;
    if (jit->direct)
        jit_direct_detach(jit, h);
    add_stats(&jit->stats, &jh->stats);
    ir_block_free(&jh->ir);
    free(jh->map);
    jit_check_free(jh->check);
    free(jh);
    h->engine = (struct engine){NULL, NULL, NULL};
    if (!jit->direct)
        jit->harts[h->id] = NULL;
}

void jit_stats(const struct jit *jit, struct jit_stats *stats)
{
    *stats = jit->stats;
    if (jit->hot) {
        struct jit_stats regions = jit_hot_stats(jit->hot);
        add_stats(stats, &regions);
    }
    for (unsigned i = 0; i < JIT_HARTS_MAX; i++)
        if (jit->harts[i])
            add_stats(stats, &jit_hart_of(jit->harts[i])->stats);
}

bool jit_available(void)
{
    return backend_available();
}
