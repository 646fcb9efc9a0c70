/* SPDX-License-Identifier: MPL-2.0 */
/*
 * From guest code to a block: which instructions, what they do (ir_build.c), what the host does
 * instead (the backend). A block goes on behind branches that are not taken and ends with a jump, a
 * helper that may change what follows, the page, or JIT_INSNS_MAX instructions.
 *
 * An instruction on two pages is a block by itself, which begins with a check that the second page
 * is still the one that it was made from.
 */
#include "jit/block.h"
#include "jit/check.h"
#include "jit/direct.h"

#include "cpu/mem.h"
#include "host/clock.h"
#include <string.h>

/* Guest code that is being translated: a copy, since the guest may write it meanwhile. */
struct source {
    uint8_t bytes[JIT_BLOCK_BYTES_MAX];
    unsigned size;
    const uint8_t *code;   /* where they are in main memory */
    const uint8_t *second; /* where bytes 2 and 3 are from, when on another page */
};

static void copy_code(uint8_t *to, const uint8_t *from, unsigned size)
{
    for (unsigned i = 0; i < size; i += 2) {
        uint16_t half = __atomic_load_n((const uint16_t *)(from + i), __ATOMIC_RELAXED);
        memcpy(to + i, &half, 2);
    }
}

static bool ends_block(const struct ir_block *ir, const struct decoded *d)
{
    const struct ir_insn *last = &ir->insns[ir->count - 1];
    return last->op == IR_jump || last->op == IR_jump_rel || last->op == IR_call_end ||
           d->id == INSN_ebreak;
}

static bool is_branch(const struct ir_block *ir)
{
    return ir->insns[ir->count - 1].op == IR_branch_if;
}

/* A branch back: what stands behind a loop is run much more seldom than the loop. */
static bool is_loop_end(const struct ir_block *ir)
{
    const struct ir_insn *last = &ir->insns[ir->count - 1];
    return is_branch(ir) && last->imm <= (int64_t)ir->guests[ir->guest_count - 1].offset;
}

/* Behind a branch, whether there is a block already: it need not be made a second time. */
static bool is_known(const struct jit_hart *jh, const struct source *source, unsigned at,
                     enum jit_variant variant)
{
    return is_branch(&jh->ir) && at < source->size && jit_find(jh->jit, source->code + at, variant);
}

/* Fills jh->ir. Returns how many bytes of guest code it stands for; 0: not even one instruction. */
static unsigned build(struct jit_hart *jh, const struct source *source, enum jit_variant variant,
                      unsigned insns_max)
{
    struct jit *jit = jh->jit;
    struct ir_block *ir = &jh->ir;
    unsigned at = 0;
    ir_block_clear(ir);
    while (ir->guest_count < insns_max && at + 2 <= source->size) {
        uint32_t bits = 0;
        unsigned length = insn_length(source->bytes[at]);
        struct decoded d;
        if (at + length > source->size)
            break;
        memcpy(&bits, source->bytes + at, length);
        if (!isa_decode(jit->decoder, bits, &d) || !ir_build_insn(ir, &jit->isa, &d, at))
            break;
        enum jit_check_cut cut = jit->check ? jit_check_cut(ir) : JIT_CUT_NOT;
        if (cut == JIT_CUT_BEFORE)
            break;
        at += length;
        if (ends_block(ir, &d) || cut == JIT_CUT_AFTER || is_loop_end(ir) ||
            is_known(jh, source, at, variant))
            break;
    }
    return ir_remove_dead(ir, 1, ir->count) ? at : 0;
}

static struct jit_block *new_block(struct jit_hart *jh, const struct source *source, unsigned size,
                                   const uint8_t *code, enum jit_variant variant)
{
    struct jit *jit = jh->jit;
    uint8_t *copy = jit_meta(jh, size);
    memcpy(copy, source->bytes, size);
    struct jit_block *block = jit_meta(jh, sizeof(*block));
    block->code = code;
    block->bytes = (uint16_t)size;
    block->insns = (uint8_t)jh->ir.guest_count;
    block->variant = (uint8_t)variant;
    block->copy = copy;
    block->is_open = jit->direct && jh->hart->code_is_writable;
    if (jit->check)
        jit_check_prepare(jh, block, copy);
    uint64_t offset = jit_offset(jit, code);
    unsigned here = source->second ? 2 : size;
    block->pages[0] = (struct jit_page_ref){
        .block = block,
        .page = offset >> PAGE_SHIFT,
        .first = (uint16_t)(offset % PAGE_SIZE),
        .bytes = (uint16_t)here,
    };
    if (source->second)
        block->pages[1] = (struct jit_page_ref){
            .block = block,
            .page = jit_offset(jit, source->second) >> PAGE_SHIFT,
            .bytes = (uint16_t)(size - here),
        };
    return block;
}

/* A block that is on no page's list: nobody drops it because its code was written. */
static void make_wary(struct jit_block *block)
{
    block->is_wary = true;
    block->pages[0].bytes = 0;
}

/* One try. *again: the guest wrote its code meanwhile. */
static struct jit_block *translate(struct jit_hart *jh, uint64_t pc, const uint8_t *code,
                                   const uint8_t *second, enum jit_variant variant, bool *again)
{
    struct jit *jit = jh->jit;
    struct source source = {.code = code, .second = second};
    uint32_t version[2] = {0};
    unsigned room = PAGE_SIZE - (unsigned)((uintptr_t)code & ~PAGE_MASK);
    *again = false;
    source.size = second ? 4 : room < JIT_BLOCK_BYTES_MAX ? room : JIT_BLOCK_BYTES_MAX;
    unsigned here = second ? 2 : source.size;
    jit_make_room(jh, 1);
    bool wary = !jit_mark(jh, code, here, &version[0]);
    if (wary && (second || jit->check || jit->direct || !jit_may_be_wary(jit, code)))
        return NULL;
    if (second && !jit_mark(jh, second, 2, &version[1]))
        return NULL;
    copy_code(source.bytes, code, here);
    if (second)
        copy_code(source.bytes + 2, second, 2);
    unsigned size = build(jh, &source, variant, wary ? JIT_WARY_INSNS : JIT_INSNS_MAX);
    if (!size)
        return NULL;
    if (second && size != 4) { /* the guest has changed it */
        *again = true;
        return NULL;
    }
    struct jit_block *block = new_block(jh, &source, size, code, variant);
    if (wary)
        make_wary(block);
    uint8_t *start = jh->code, *cold = jh->cold;
    if (!backend_translate(jh, block, jit->direct ? NULL : second)) {
        log_line(jit->log, LOG_DEBUG, "not translated: %s at 0x%llx, of %u instructions",
                 insn_info(jh->ir.guests[0].insn.id)->name, (unsigned long long)pc,
                 jh->ir.guest_count);
        return NULL;
    }
    if (!jit_publish(jh, block, version)) {
        *again = true;
        return NULL;
    }
    if (jit->dump)
        jit_dump(jh, block, pc);
    jh->stats.blocks++;
    jh->stats.guest_insns += block->insns;
    jh->stats.guest_bytes += block->bytes;
    jh->stats.host_bytes += (uint64_t)(jh->code - start) + (uint64_t)(jh->cold - cold);
    return block;
}

/* The second half of an instruction on two pages. false: the interpreter shall see to it. */
static bool find_second(struct jit_hart *jh, uint64_t pc, const uint8_t *code,
                        const uint8_t **second)
{
    struct hart *h = jh->hart;
    bool on_two = ((uintptr_t)code & ~PAGE_MASK) == PAGE_SIZE - 2 && insn_length(code[0]) == 4;
    bool mixed;
    *second = NULL;
    if (!on_two)
        return true;
    uint64_t next = pc + 2;
    *second = code_fetch(h, h->xlen == 32 ? (uint32_t)next : next, 2, &mixed);
    if (!*second)
        h->fault = 0; /* found again by the interpreter, which takes the trap */
    return *second && !mixed;
}

struct jit_block *jit_block_at(struct jit_hart *jh, uint64_t pc, const uint8_t *code,
                               enum jit_variant variant)
{
    struct jit_block *block = jit_find(jh->jit, code, variant);
    const uint8_t *second;
    jh->stats.lookups++;
    if (block && (!block->pages[1].bytes || jh->jit->direct))
        return block;
    if (!find_second(jh, pc, code, &second))
        return NULL;
    if (block) /* it checks by itself whether it is the right one */
        return block;
    if (jh->jit->direct && jh->jit->tiers != JIT_TIER_EAGER && jit_direct_is_new(jh->jit, code))
        return NULL;
    uint64_t start = clock_monotonic_ns();
    bool again;
    if (jh->jit->direct) {
        jit_direct_begin(jh);
        block = jit_find(jh->jit, code, variant); /* by another thread, meanwhile */
    }
    for (unsigned tries = 0; !block && tries < 4; tries++) {
        block = translate(jh, pc, code, second, variant, &again);
        if (block || !again)
            break;
    }
    if (jh->jit->direct)
        jit_direct_end(jh);
    jh->stats.translate_ns += clock_monotonic_ns() - start;
    return block;
}
