/* SPDX-License-Identifier: MPL-2.0 */
/* Building, finding and linking blocks. code.h says what they are. */
#include "cpu/code.h"

#include "cpu/mem.h"
#include <stdlib.h>
#include <string.h>

/* Each instruction takes at most two slots, and the end takes two. */
#define SLOTS_MAX (2 * BLOCK_INSNS_MAX + 2)
#define BLOCK_SIZE_MAX (sizeof(struct block) + SLOTS_MAX * sizeof(struct insn) + BLOCK_BYTES_MAX)

static unsigned bucket_of(const uint8_t *code)
{
    uintptr_t n = (uintptr_t)code >> 1;
    return (n ^ n >> 14) % CODE_BUCKETS;
}

bool code_new(struct hart *h, struct error *err)
{
    struct code_cache *cache = calloc(1, sizeof(*cache));
    if (cache) {
        h->code = cache;
        cache->decoder = decoder_new(&h->isa);
        cache->arena = malloc(CODE_ARENA); /* touched as it fills */
        cache->lone = calloc(1, BLOCK_SIZE_MAX);
    }
    if (!cache || !cache->decoder || !cache->arena || !cache->lone)
        return error_set(err, "hart %u: out of memory for its code cache", h->id);
    return true;
}

void code_free(struct hart *h)
{
    if (!h->code)
        return;
    decoder_free(h->code->decoder);
    free(h->code->arena);
    free(h->code->lone);
    free(h->code);
    h->code = NULL;
}

void code_fence(struct hart *h)
{
    if (++h->code_generation == 0) /* never used: links start with it */
        code_flush(h);
    tlb_fetch_changed(h);
}

void code_flush(struct hart *h)
{
    memset(h->code->buckets, 0, sizeof(h->code->buckets));
    h->code->used = 0;
    h->code_generation++;
    if (h->code_generation == 0)
        h->code_generation = 1;
    tlb_fetch_changed(h);
}

/* Guest code may be written by another hart meanwhile: read as such. */
static uint16_t fetch16(const uint8_t *p)
{
    return __atomic_load_n((const uint16_t *)p, __ATOMIC_RELAXED);
}

static uint32_t bits_at(const uint8_t *code, unsigned length)
{
    uint32_t bits = 0;
    memcpy(&bits, code, length);
    return bits;
}

uint32_t insn_bits(const struct block *block, const struct insn *i)
{
    const uint8_t *p = block->copy + 2 * i->at;
    return bits_at(p, insn_length(*p));
}

unsigned insn_index(const struct block *block, const struct insn *i)
{
    unsigned n = 0;
    for (unsigned at = 0; at < 2u * i->at; n++)
        at += insn_length(block->copy[at]);
    return n;
}

static bool writes_integer(enum insn_format format)
{
    switch (format) {
    case FORMAT_R:
    case FORMAT_R2:
    case FORMAT_I:
    case FORMAT_L:
    case FORMAT_U:
    case FORMAT_J:
    case FORMAT_JR:
    case FORMAT_SH:
    case FORMAT_SHW:
    case FORMAT_CSR:
    case FORMAT_CSRI:
    case FORMAT_A:
    case FORMAT_AP:
    case FORMAT_LR:
    case FORMAT_FXM:
    case FORMAT_FX1:
    case FORMAT_FX2:
        return true;
    default:
        return false;
    }
}

/* Instructions after which nothing in the block can run. */
static bool ends_block(enum insn_id id)
{
    switch (id) {
    case INSN_jal:
    case INSN_jalr:
    case INSN_fence_i:
    case INSN_ecall:
    case INSN_ebreak:
    case INSN_sret:
    case INSN_mret:
    case INSN_wfi:
    case INSN_sfence_vma:
    case INSN_sinval_vma:
    case INSN_wrs_nto:
    case INSN_wrs_sto:
        return true;
    default:
        return false;
    }
}

static bool has_link(enum insn_format format)
{
    return format == FORMAT_B || format == FORMAT_J || format == FORMAT_JR;
}

static exec_fn *const *functions(const struct hart *h)
{
    if (h->direct)
        return h->xlen == 64 ? exec_direct_table_rv64 : exec_direct_table_rv32;
    return h->xlen == 64 ? exec_table_rv64 : exec_table_rv32;
}

struct insn code_slot(const struct hart *h, const struct decoded *d)
{
    enum insn_format format = insn_info(d->id)->format;
    struct insn slot = {
        .run = functions(h)[d->id], .imm = d->imm, .rd = d->rd, .rs1 = d->rs1, .rs2 = d->rs2};
    if (writes_integer(format) && d->rd == 0)
        slot.rd = REG_SINK;
    if (format == FORMAT_F4 || format == FORMAT_FRM || format == FORMAT_FR1M ||
        format == FORMAT_FXM || format == FORMAT_XFM)
        slot.imm = d->rm | d->rs3 << 3;
    return slot;
}

/* Where code_perform comes back. */
static const struct insn *performed(struct hart *h, const struct insn *i)
{
    (void)h, (void)i;
    return NULL;
}

void code_perform(struct hart *h, const struct insn *slot)
{
    const struct insn slots[2] = {*slot, {.run = performed}};
    slots[0].run(h, slots);
}

/* Appends one instruction's slots. Returns the slot after them. */
static struct insn *emit(struct hart *h, struct insn *to, const struct decoded *d, unsigned at,
                         unsigned index, exec_fn *const *table)
{
    enum insn_format format = insn_info(d->id)->format;
    *to = code_slot(h, d);
    to->run = table[d->id];
    to->at = at / 2;
    if (format == FORMAT_CSR || format == FORMAT_CSRI)
        to->rs2 = index;
    to++;
    if (has_link(format)) {
        struct insn_link link = {.count = index + 1, .length = d->length};
        memcpy(to++, &link, sizeof(link));
    }
    return to;
}

static struct insn *emit_illegal(struct insn *to, unsigned at)
{
    *to++ = (struct insn){.run = exec_illegal, .at = at / 2};
    return to;
}

static struct insn *emit_end(struct insn *to, unsigned at, unsigned count)
{
    *to++ = (struct insn){.run = exec_end, .at = at / 2};
    struct insn_link link = {.count = count};
    memcpy(to++, &link, sizeof(link));
    return to;
}

/*
 * Fills a block from `room` bytes of code (at least one instruction of it). The copy of the code
 * goes behind the slots. Returns the block's size in the arena.
 */
static size_t build(struct hart *h, struct block *block, const uint8_t *code, unsigned room,
                    unsigned most, exec_fn *const *table)
{
    uint8_t copy[BLOCK_BYTES_MAX];
    struct insn *to = block->insns;
    unsigned at = 0, count = 0;
    bool ended = false;
    while (!ended && count < most && at + 2 <= room) {
        uint32_t bits = fetch16(code + at);
        unsigned length = insn_length(bits);
        if (at + length > room)
            break;
        if (length == 4)
            bits |= (uint32_t)fetch16(code + at + 2) << 16;
        memcpy(copy + at, &bits, length);
        struct decoded d;
        if (isa_decode(h->code->decoder, bits, &d)) {
            to = emit(h, to, &d, at, count, table);
            ended = ends_block(d.id);
        } else {
            to = emit_illegal(to, at);
            ended = true;
        }
        at += length;
        count++;
    }
    /* System instructions return to the run loop; jumps have links of their own. */
    if (!ended)
        to = emit_end(to, at, count);
    memcpy(to, copy, at);
    block->copy = (const uint8_t *)to;
    block->bytes = at;
    size_t size = (const uint8_t *)to + at - (const uint8_t *)block;
    return (size + 15) & ~(size_t)15;
}

static bool unchanged(const struct block *block)
{
    for (unsigned at = 0; at < block->bytes; at += 2) {
        uint16_t was;
        memcpy(&was, block->copy + at, 2);
        if (was != fetch16(block->code + at))
            return false;
    }
    return true;
}

/* The block for code in memory, made if need be. */
static struct block *block_at(struct hart *h, const uint8_t *code, unsigned room)
{
    struct code_cache *cache = h->code;
    struct block **link = &cache->buckets[bucket_of(code)];
    for (struct block *block; (block = *link); link = &block->next) {
        if (block->code != code)
            continue;
        if (block->generation == h->code_generation)
            return block;
        if (unchanged(block)) {
            block->generation = h->code_generation;
            return block;
        }
        *link = block->next;
        break;
    }
    if (CODE_ARENA - cache->used < BLOCK_SIZE_MAX) {
        code_flush(h);
        cache->resets++;
    }
    struct block *block = (struct block *)(cache->arena + cache->used);
    struct block **bucket = &cache->buckets[bucket_of(code)];
    *block = (struct block){.code = code, .next = *bucket, .generation = h->code_generation};
    cache->used += build(h, block, code, room, BLOCK_INSNS_MAX, functions(h));
    *bucket = block;
    cache->blocks++;
    return block;
}

const uint8_t *code_fetch(struct hart *h, uint64_t va, unsigned size, bool *mixed)
{
    *mixed = false;
    if (h->direct)
        return direct_fetch(h, va, size, mixed);
    const struct tlb_entry *e = &h->tlb.fetch->entries[tlb_slot(va)];
    if (likely(tlb_hits(e->fetch, va, 1)))
        return (const uint8_t *)(uintptr_t)(va + e->addend);
    struct mem_target target;
    if (!mmu_target(h, va, size, ACCESS_FETCH, &target, mixed))
        return NULL;
    if (!target.host)
        hart_fault(h, CAUSE_FETCH_ACCESS, va);
    return target.host;
}

static const struct insn *fetch_trap(struct hart *h)
{
    h->fault = 0;
    hart_trap(h, h->fault_cause, h->fault_tval);
    return NULL;
}

static const struct insn *run_block(struct hart *h, struct block *block)
{
    h->block = block;
    h->block_pc = h->pc;
    return block->insns;
}

/* An instruction that lies on two pages, or on a page with finer PMP regions: fetched by itself. */
static const struct insn *enter_lone(struct hart *h, const uint8_t *first, bool mixed)
{
    uint64_t pc = h->pc, next = pc + 2;
    if (h->xlen == 32)
        next = (uint32_t)next;
    _Alignas(4) uint8_t code[4] = {0};
    unsigned length = insn_length(first[0]);
    memcpy(code, &(uint16_t){fetch16(first)}, 2);
    if (length == 4) {
        const uint8_t *second = first + 2;
        if (mixed || !(next & ~PAGE_MASK))
            second = code_fetch(h, next, 2, &mixed);
        if (!second)
            return fetch_trap(h);
        memcpy(code + 2, &(uint16_t){fetch16(second)}, 2);
    }
    if (unlikely(h->points) && h->direct && direct_watches(h, bits_at(code, length)))
        return NULL;
    struct block *block = h->code->lone;
    build(h, block, code, length, 1, functions(h));
    return run_block(h, block);
}

const struct insn *code_enter(struct hart *h)
{
    uint64_t pc = h->pc;
    if (h->direct)
        direct_see_code(h);
    struct jump *jump = &h->code->jumps[jump_index(pc)];
    if (jump->pc == pc && jump->stamp == h->tlb.fetch_stamp)
        return run_block(h, jump->block);
    bool mixed;
    const uint8_t *code = code_fetch(h, pc, 2, &mixed);
    if (!code)
        return fetch_trap(h);
    if (unlikely(h->points) && debug_breaks(h))
        return NULL;
    unsigned room = PAGE_SIZE - (pc & ~PAGE_MASK);
    if (mixed || (room == 2 && insn_length(code[0]) == 4))
        return enter_lone(h, code, mixed);
    if (room > BLOCK_BYTES_MAX)
        room = BLOCK_BYTES_MAX;
    struct block *block = block_at(h, code, room);
    /* Read again: making the block may have started a new generation and with it a new stamp. */
    if (!h->direct)
        tlb_note_code(h, pc);
    *jump = (struct jump){pc, h->tlb.fetch_stamp, block};
    return run_block(h, block);
}

const struct insn *code_enter_from(struct hart *h, const struct insn *i)
{
    struct block *from = h->block;
    uint64_t from_pc = h->block_pc;
    uint32_t generation = h->code_generation;
    const struct insn *first = code_enter(h);
    if (!first || generation != h->code_generation)
        return first; /* `from` may be gone */
    struct block *to = h->block;
    if (!from->code || !to->code || from->generation != generation)
        return first;
    /* On one page in memory, and as far apart there as in the address space: so they stand wherever
     * the page is mapped. */
    if ((((uintptr_t)from->code ^ (uintptr_t)to->code) & PAGE_MASK) != 0 ||
        h->block_pc - from_pc != (uint64_t)(to->code - from->code))
        return first;
    struct insn_link *link = (struct insn_link *)(uintptr_t)insn_link(i);
    link->block = to;
    link->delta = (int16_t)(to->code - from->code);
    link->generation = generation;
    return first;
}

static void run_from(struct hart *h, const struct insn *i)
{
    while (i)
        i = i->run(h, i);
}

void code_run(struct hart *h)
{
    run_from(h, code_enter(h));
    h->slot = NULL;
}

void code_step(struct hart *h)
{
    atomic_fetch_or(&h->events, HART_EV_STEP);
    code_run(h);
    atomic_fetch_and(&h->events, ~(uint32_t)HART_EV_STEP);
}

void code_step_one(struct hart *h)
{
    bool mixed;
    const uint8_t *code = code_fetch(h, h->pc, 2, &mixed);
    atomic_fetch_or(&h->events, HART_EV_STEP);
    run_from(h, code ? enter_lone(h, code, mixed) : fetch_trap(h));
    atomic_fetch_and(&h->events, ~(uint32_t)HART_EV_STEP);
}

void code_run_once(struct hart *h)
{
    bool mixed;
    const uint8_t *code = code_fetch(h, h->pc, 2, &mixed);
    unsigned room = PAGE_SIZE - (unsigned)(h->pc & ~PAGE_MASK);
    atomic_fetch_or(&h->events, HART_EV_STEP);
    if (!code) {
        fetch_trap(h);
    } else if (unlikely(h->points) && debug_breaks(h)) {
        /* It stops here. */
    } else if (mixed || (room == 2 && insn_length(code[0]) == 4)) {
        run_from(h, enter_lone(h, code, mixed));
    } else {
        struct block *block = h->code->lone;
        build(h, block, code, room < BLOCK_BYTES_MAX ? room : BLOCK_BYTES_MAX, BLOCK_INSNS_MAX,
              functions(h));
        run_from(h, run_block(h, block));
    }
    atomic_fetch_and(&h->events, ~(uint32_t)HART_EV_STEP);
    h->slot = NULL;
}

size_t code_own_size(unsigned insns, unsigned size)
{
    return sizeof(struct block) + (2 * insns + 2) * sizeof(struct insn) + size;
}

void code_make_own(struct hart *h, struct block *block, const uint8_t *bytes, unsigned size,
                   unsigned insns)
{
    *block = (struct block){.code = NULL};
    build(h, block, bytes, size, insns,
          h->xlen == 64 ? exec_slow_table_rv64 : exec_slow_table_rv32);
}

void code_run_own(struct hart *h, struct block *block)
{
    atomic_fetch_or(&h->events, HART_EV_STEP);
    run_from(h, run_block(h, block));
    atomic_fetch_and(&h->events, ~(uint32_t)HART_EV_STEP);
}
