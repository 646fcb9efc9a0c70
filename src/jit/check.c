/* SPDX-License-Identifier: MPL-2.0 */
/* Translated blocks against the interpreter. check.h says how. */
#include "jit/check.h"

#include "cpu/mem.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_SIZE 64
/* A store lies on two lines at most, as an instruction stores once. */
#define LINES_MAX (2 * JIT_INSNS_MAX)

/* What a block can change in a hart. */
struct state {
    uint64_t x[32], f[32];
    uint64_t pc, instret;
    uint64_t reservation, reservation_value;
    unsigned reservation_size;
    uint8_t priv, fflags, frm;
    struct csr_file csr;
};

/* Bytes of main memory around a store. */
struct line {
    uint8_t *host;
    uint8_t before[LINE_SIZE], interpreted[LINE_SIZE], translated[LINE_SIZE];
};

struct jit_check {
    struct watch watch; /* first: the watch is the check */
    enum jit_check_next next;
    struct state before, interpreted, translated;
    struct line lines[LINES_MAX];
    unsigned line_count;
    struct block *part; /* the beginning of a block, for the interpreter */
};

/*
 * State
 */

static void take_state(struct state *s, const struct hart *h)
{
    memcpy(s->x, h->x, sizeof(s->x));
    memcpy(s->f, h->f, sizeof(s->f));
    s->pc = h->pc;
    s->instret = h->instret;
    s->reservation = h->reservation;
    s->reservation_value = h->reservation_value;
    s->reservation_size = h->reservation_size;
    s->priv = h->priv;
    s->fflags = h->fp.flags;
    s->frm = h->frm;
    memcpy(&s->csr, &h->csr, sizeof(s->csr));
}

static void give_state(struct hart *h, const struct state *s)
{
    memcpy(h->x, s->x, sizeof(s->x));
    memcpy(h->f, s->f, sizeof(s->f));
    h->pc = s->pc;
    h->instret = s->instret;
    h->reservation = s->reservation;
    h->reservation_value = s->reservation_value;
    h->reservation_size = s->reservation_size;
    h->fp.flags = s->fflags;
    h->frm = s->frm;
    if (h->priv != s->priv || memcmp(&h->csr, &s->csr, sizeof(s->csr))) {
        h->priv = s->priv;
        memcpy(&h->csr, &s->csr, sizeof(s->csr));
        tlb_context_changed(h);
    }
}

static void keep_line(struct jit_check *c, uint8_t *host)
{
    for (unsigned i = 0; i < c->line_count; i++)
        if (c->lines[i].host == host)
            return;
    if (c->line_count == LINES_MAX) { /* cannot be; if it is, nothing is taken back */
        c->watch.device = true;
        return;
    }
    struct line *line = &c->lines[c->line_count++];
    line->host = host;
    memcpy(line->before, host, LINE_SIZE);
}

static void before_store(struct watch *watch, uint8_t *host, unsigned size)
{
    struct jit_check *c = (struct jit_check *)(void *)watch;
    uint8_t *first = host - ((uintptr_t)host & (LINE_SIZE - 1));
    for (uint8_t *line = first; line < host + size; line += LINE_SIZE)
        keep_line(c, line);
}

static void set_back(struct jit_hart *jh)
{
    struct jit_check *c = jh->check;
    for (unsigned i = 0; i < c->line_count; i++)
        memcpy(c->lines[i].host, c->lines[i].before, LINE_SIZE);
    give_state(jh->hart, &c->before);
}

/*
 * Both ways through a block
 */

static void interpret(struct jit_hart *jh, struct block *block)
{
    struct hart *h = jh->hart;
    h->watch = &jh->check->watch;
    code_run_own(h, block);
    h->watch = NULL;
}

static void take_interpreted(struct jit_hart *jh)
{
    struct jit_check *c = jh->check;
    take_state(&c->interpreted, jh->hart);
    for (unsigned i = 0; i < c->line_count; i++)
        memcpy(c->lines[i].interpreted, c->lines[i].host, LINE_SIZE);
}

static void translated(struct jit_hart *jh, const struct jit_block *block)
{
    struct jit_check *c = jh->check;
    c->next = JIT_CHECK_NORMAL;
    jit_enter(jh->hart, block->entry);
    take_state(&c->translated, jh->hart);
    for (unsigned i = 0; i < c->line_count; i++)
        memcpy(c->lines[i].translated, c->lines[i].host, LINE_SIZE);
}

/* The translation left after that many instructions, so the interpreter shall. */
static void interpret_part(struct jit_hart *jh, const struct jit_block *block, unsigned insns)
{
    struct jit_check *c = jh->check;
    set_back(jh);
    if (insns) {
        code_make_own(jh->hart, c->part, block->copy, block->bytes, insns);
        interpret(jh, c->part);
    }
    take_interpreted(jh);
    give_state(jh->hart, &c->translated);
}

/*
 * Comparing
 */

/* FS may become Dirty earlier in translated code (docs/quirks.md). */
static bool csrs_differ(const struct csr_file *interpreted, const struct csr_file *translated)
{
    struct csr_file same;
    memcpy(&same, translated, sizeof(same));
    if ((same.mstatus & MSTATUS_FS) == MSTATUS_FS)
        same.mstatus = (same.mstatus & ~MSTATUS_FS) | (interpreted->mstatus & MSTATUS_FS);
    return memcmp(interpreted, &same, sizeof(same)) != 0;
}

static bool states_differ(const struct state *a, const struct state *b)
{
    return memcmp(a->x, b->x, sizeof(a->x)) || memcmp(a->f, b->f, sizeof(a->f)) || a->pc != b->pc ||
           a->instret != b->instret || a->reservation != b->reservation ||
           a->reservation_value != b->reservation_value ||
           a->reservation_size != b->reservation_size || a->priv != b->priv ||
           a->fflags != b->fflags || a->frm != b->frm || csrs_differ(&a->csr, &b->csr);
}

static bool lines_differ(const struct jit_check *c)
{
    for (unsigned i = 0; i < c->line_count; i++)
        if (memcmp(c->lines[i].interpreted, c->lines[i].translated, LINE_SIZE))
            return true;
    return false;
}

/*
 * The report
 */

static void say_value(struct log *log, const char *name, uint64_t before, uint64_t interpreted,
                      uint64_t translated)
{
    if (interpreted != translated)
        log_line(log, LOG_ERROR, "  %-14s %016" PRIx64 "  %016" PRIx64 "  %016" PRIx64, name,
                 before, interpreted, translated);
}

static void say_registers(struct log *log, const struct jit_check *c)
{
    const struct state *b = &c->before, *i = &c->interpreted, *t = &c->translated;
    char name[8];
    for (unsigned n = 0; n < 32; n++) {
        snprintf(name, sizeof(name), "x%u", n);
        say_value(log, name, b->x[n], i->x[n], t->x[n]);
    }
    for (unsigned n = 0; n < 32; n++) {
        snprintf(name, sizeof(name), "f%u", n);
        say_value(log, name, b->f[n], i->f[n], t->f[n]);
    }
    say_value(log, "pc", b->pc, i->pc, t->pc);
    say_value(log, "instret", b->instret, i->instret, t->instret);
    say_value(log, "privilege", b->priv, i->priv, t->priv);
    say_value(log, "fflags", b->fflags, i->fflags, t->fflags);
    say_value(log, "frm", b->frm, i->frm, t->frm);
    say_value(log, "reservation", b->reservation, i->reservation, t->reservation);
    say_value(log, "  its value", b->reservation_value, i->reservation_value, t->reservation_value);
    say_value(log, "  its size", b->reservation_size, i->reservation_size, t->reservation_size);
#define SAY_CSR(name) say_value(log, #name, b->csr.name, i->csr.name, t->csr.name)
    SAY_CSR(mstatus);
    SAY_CSR(mepc);
    SAY_CSR(mcause);
    SAY_CSR(mtval);
    SAY_CSR(sepc);
    SAY_CSR(scause);
    SAY_CSR(stval);
#undef SAY_CSR
    if (memcmp(&i->csr.counters, &t->csr.counters, sizeof(i->csr.counters)))
        log_line(log, LOG_ERROR, "  counters differ");
}

static void say_memory(const struct jit_hart *jh, const struct line *line)
{
    const struct bus *bus = jh->jit->bus;
    for (unsigned at = 0; at < LINE_SIZE; at += 8) {
        uint64_t before, interpreted, translated;
        char name[24];
        memcpy(&before, line->before + at, 8);
        memcpy(&interpreted, line->interpreted + at, 8);
        memcpy(&translated, line->translated + at, 8);
        snprintf(name, sizeof(name), "at %" PRIx64,
                 (uint64_t)(line->host - bus->ram) + bus->ram_base + at);
        say_value(jh->jit->log, name, before, interpreted, translated);
    }
}

static void say_code(const struct jit_hart *jh, const struct jit_block *block)
{
    const struct jit *jit = jh->jit;
    uint64_t pc = jh->check->before.pc;
    for (unsigned at = 0, length; at < block->bytes; at += length) {
        uint32_t bits = 0;
        struct decoded d;
        char text[64] = "?";
        length = insn_length(block->copy[at]);
        memcpy(&bits, block->copy + at, length);
        if (isa_decode(jit->decoder, bits, &d))
            isa_disassemble(&d, pc + at, text, sizeof(text));
        log_line(jit->log, LOG_ERROR, "  %" PRIx64 "  %s", pc + at, text);
    }
}

static void report(const struct jit_hart *jh, const struct jit_block *block)
{
    const struct jit_check *c = jh->check;
    struct log *log = jh->jit->log;
    log_line(log, LOG_ERROR,
             "hart %u: translated code differs from the interpreter, block at %" PRIx64 "%s:",
             jh->hart->id, c->before.pc,
             block->variant == JIT_SINGLE ? " (accesses one by one)" : "");
    say_code(jh, block);
    if (c->next != JIT_CHECK_NORMAL)
        log_line(log, LOG_ERROR, "  left after %" PRIu64 " of its instructions",
                 c->translated.instret - c->before.instret);
    log_line(log, LOG_ERROR, "  %-14s %-16s  %-16s  %s", "", "before", "interpreted", "translated");
    say_registers(log, c);
    for (unsigned i = 0; i < c->line_count; i++)
        say_memory(jh, &c->lines[i]);
}

/*
 * Running
 */

/* A block of one instruction on two pages was made for this second page. */
static bool is_current(struct jit_hart *jh, const struct jit_block *block)
{
    struct hart *h = jh->hart;
    bool mixed;
    if (!block->pages[1].bytes)
        return true;
    uint64_t next = h->pc + 2;
    const uint8_t *second = code_fetch(h, h->xlen == 32 ? (uint32_t)next : next, 2, &mixed);
    if (!second)
        h->fault = 0; /* the interpreter finds it again and takes the trap */
    return second == jh->jit->bus->ram + ((uint64_t)block->pages[1].page << PAGE_SHIFT);
}

/* Under jit.check_lock. */
static void check_block(struct jit_hart *jh, const struct jit_block *block)
{
    struct jit_check *c = jh->check;
    take_state(&c->before, jh->hart);
    c->line_count = 0;
    c->watch.device = false;
    interpret(jh, block->reference);
    if (c->watch.device || !__atomic_load_n(&block->valid, __ATOMIC_RELAXED))
        return;
    take_interpreted(jh);
    set_back(jh);
    translated(jh, block);
    uint64_t done = c->translated.instret - c->before.instret;
    if (c->next != JIT_CHECK_NORMAL || (!done && c->interpreted.instret != c->before.instret))
        interpret_part(jh, block, done < block->insns ? (unsigned)done : block->insns);
    jh->stats.checked++;
    if (!jh->jit->differed && (states_differ(&c->interpreted, &c->translated) || lines_differ(c))) {
        jh->jit->differed = true;
        report(jh, block);
        jh->jit->differs(jh->jit->differs_ctx);
    }
}

/* System instructions may wait for other harts, and do not store. */
static void interpret_one(struct jit_hart *jh)
{
    enum { OPCODE_MASK = 0x7f, OPCODE_SYSTEM = 0x73 };
    struct hart *h = jh->hart;
    bool mixed;
    const uint8_t *code = code_fetch(h, h->pc, 2, &mixed);
    bool system = code && (code[0] & OPCODE_MASK) == OPCODE_SYSTEM;
    h->fault = 0;
    if (h->points && debug_breaks(h))
        return;
    if (!system)
        pthread_mutex_lock(&jh->jit->check_lock);
    code_step_one(h);
    if (!system)
        pthread_mutex_unlock(&jh->jit->check_lock);
    jh->stats.interpreted++;
}

static void run_one(struct jit_hart *jh)
{
    struct jit_check *c = jh->check;
    struct hart *h = jh->hart;
    struct jit_block *block = NULL;
    bool trapped = false;
    if (c->next != JIT_CHECK_INTERPRET && h->tlb.data == h->tlb.fetch)
        block = jit_look_up(h, c->next == JIT_CHECK_SINGLE ? JIT_SINGLE : JIT_NORMAL, &trapped);
    c->next = JIT_CHECK_NORMAL;
    if (trapped)
        return;
    if (!block || !is_current(jh, block)) {
        interpret_one(jh);
        return;
    }
    pthread_mutex_lock(&jh->jit->check_lock);
    check_block(jh, block);
    pthread_mutex_unlock(&jh->jit->check_lock);
}

void jit_check_run(void *ctx, struct hart *h)
{
    while (!atomic_load_explicit(&h->events, memory_order_relaxed))
        run_one(ctx);
}

void jit_check_stop(struct jit_hart *jh, enum jit_check_next next)
{
    jh->check->next = next;
}

struct jit_check *jit_check_new(struct jit_hart *jh, struct error *err)
{
    struct jit_check *c = calloc(1, sizeof(*c));
    if (c)
        c->part = malloc(code_own_size(JIT_INSNS_MAX, JIT_BLOCK_BYTES_MAX));
    if (!c || !c->part) {
        jit_check_free(c);
        error_set(err, "hart %u: out of memory for the translator's check", jh->hart->id);
        return NULL;
    }
    c->watch.before_store = before_store;
    return c;
}

void jit_check_free(struct jit_check *c)
{
    if (c)
        free(c->part);
    free(c);
}

/*
 * What blocks are made of
 */

static enum jit_check_cut cut_for(const struct ir_block *ir, const struct decoded *d)
{
    const struct ir_insn *last = &ir->insns[ir->count - 1];
    switch (last->op) {
    case IR_call_csr: /* those of floating point; a write of frm may have the interpreter leave */
        return d->imm >= CSR_FFLAGS && d->imm <= CSR_FCSR ? JIT_CUT_AFTER : JIT_CUT_BEFORE;
    case IR_call:
        return d->id == INSN_fence || d->id == INSN_pause ? JIT_CUT_NOT : JIT_CUT_BEFORE;
    case IR_call_end:
        return JIT_CUT_BEFORE;
    case IR_branch_if: /* taken or not, it comes out at the same place */
        return d->imm == d->length ? JIT_CUT_AFTER : JIT_CUT_NOT;
    default:
        return JIT_CUT_NOT;
    }
}

enum jit_check_cut jit_check_cut(struct ir_block *ir)
{
    struct ir_guest *guest = &ir->guests[ir->guest_count - 1];
    enum jit_check_cut cut = cut_for(ir, &guest->insn);
    if (cut == JIT_CUT_BEFORE) {
        ir->count = guest->first;
        ir->guest_count--;
    }
    return cut;
}

void jit_check_prepare(struct jit_hart *jh, struct jit_block *block, const uint8_t *copy)
{
    block->reference = jit_meta(jh, code_own_size(block->insns, block->bytes));
    code_make_own(jh->hart, block->reference, copy, block->bytes, block->insns);
}
