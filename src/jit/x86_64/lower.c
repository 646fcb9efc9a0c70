/* SPDX-License-Identifier: MPL-2.0 */
/* The pass over a block's operations: values, temporaries, and what comes at the end. See lower.h. */
#include "jit/x86_64/lower.h"

#include "jit/x86_64/emit_fp.h"

#include <stdlib.h>

/*
 * Temporaries
 */

enum reg lower_temp(struct lower *l)
{
    static const enum reg scratch[] = {RAX, RCX, RDX};
    for (unsigned i = 0; i < 3; i++) {
        if (l->temps >> scratch[i] & 1)
            continue;
        if (scratch[i] == RDX)
            lower_forget_group(l);
        l->temps |= (uint16_t)(1u << scratch[i]);
        return scratch[i];
    }
    l->failed = true;
    return RAX;
}

void lower_take(struct lower *l, enum reg r)
{
    if (l->temps >> r & 1)
        l->failed = true;
    if (r == RDX)
        lower_forget_group(l);
    l->temps |= (uint16_t)(1u << r);
}

void lower_free(struct lower *l, enum reg r)
{
    if (lower_owns(l, r))
        l->temps &= (uint16_t) ~(1u << r);
}

void lower_release(struct lower *l, struct operand o)
{
    if (o.kind == OPERAND_REG)
        lower_free(l, o.reg);
}

/*
 * Values
 */

static bool is_lazy(const struct ir_insn *i)
{
    return i->op == IR_const || i->op == IR_pc || i->op == IR_get_x || i->op == IR_get_f;
}

static void make_pc(struct lower *l, enum reg r, int64_t offset)
{
    int64_t distance = (int64_t)l->page_offset + offset;
    if (lower_is_direct(l)) {
        emit_mov_imm_quiet(&l->e, r, lower_direct_pc(l, offset));
        return;
    }
    emit_load(&l->e, W64, r, HART(translated.page_va));
    if (distance)
        emit_ri(&l->e, ALU_ADD, l->xw, r, (int32_t)distance);
}

struct operand lower_operand(struct lower *l, ir_ref ref)
{
    const struct ir_insn *i = lower_insn(l, ref);
    struct value *v = &l->values[ref];
    struct operand o = {.kind = OPERAND_REG};
    if (v->reg != NO_REG) {
        o.reg = v->reg;
        return o;
    }
    switch (i->op) {
    case IR_get_x:
        o.reg = (uint8_t)lower_x(l, (unsigned)i->imm);
        if (o.reg == NO_REG) {
            o.kind = OPERAND_MEM;
            o.mem = hart_x((unsigned)i->imm);
        }
        return o;
    case IR_get_f:
        if (pinned_f((unsigned)i->imm) == NO_REG) {
            o.kind = OPERAND_MEM;
            o.mem = hart_f((unsigned)i->imm);
        } else {
            o.reg = (uint8_t)lower_temp(l);
            emit_movq_from_x(&l->e, (enum reg)o.reg, pinned_f((unsigned)i->imm));
        }
        return o;
    case IR_const:
        if (i->imm == (int32_t)i->imm) {
            o.kind = OPERAND_IMM;
            o.imm = (int32_t)i->imm;
            return o;
        }
        o.reg = (uint8_t)lower_temp(l);
        emit_mov_imm_quiet(&l->e, o.reg, (uint64_t)i->imm);
        return o;
    case IR_pc:
        o.reg = (uint8_t)lower_temp(l);
        make_pc(l, o.reg, i->imm);
        return o;
    default:
        l->failed = true; /* a value that was not made: an operation nobody knows */
        return o;
    }
}

void lower_mov(struct lower *l, enum width w, enum reg r, struct operand o)
{
    if (o.kind == OPERAND_MEM)
        emit_load(&l->e, w, r, o.mem);
    else if (o.kind == OPERAND_IMM)
        emit_mov_imm_quiet(&l->e, r, w == W64 ? (uint64_t)(int64_t)o.imm : (uint32_t)o.imm);
    else if (o.reg != r)
        emit_mov_rr(&l->e, w, r, o.reg);
}

enum reg lower_reg(struct lower *l, ir_ref ref)
{
    struct operand o = lower_operand(l, ref);
    if (o.kind == OPERAND_REG)
        return o.reg;
    enum reg r = lower_temp(l);
    lower_mov(l, W64, r, o);
    return r;
}

void lower_into(struct lower *l, enum reg to, ir_ref ref, enum width w)
{
    const struct ir_insn *i = lower_insn(l, ref);
    if (l->values[ref].reg == NO_REG && i->op == IR_pc) {
        make_pc(l, to, i->imm);
        return;
    }
    if (l->values[ref].reg == NO_REG && i->op == IR_const) {
        emit_mov_imm_quiet(&l->e, to, w == W64 ? (uint64_t)i->imm : (uint32_t)i->imm);
        return;
    }
    struct operand o = lower_operand(l, ref);
    lower_mov(l, w, to, o);
    if (o.kind == OPERAND_REG && o.reg != to)
        lower_free(l, o.reg);
}

void lower_alu(struct lower *l, enum alu op, enum width w, enum reg r, struct operand o)
{
    static const uint8_t opcodes[] = {
        [ALU_ADD] = OP_ADD, [ALU_OR] = OP_OR,   [ALU_AND] = OP_AND,
        [ALU_SUB] = OP_SUB, [ALU_XOR] = OP_XOR, [ALU_CMP] = OP_CMP,
    };
    if (o.kind == OPERAND_IMM)
        emit_ri(&l->e, op, w, r, o.imm);
    else if (o.kind == OPERAND_MEM)
        emit_rm(&l->e, opcodes[op], w, r, o.mem);
    else
        emit_rr(&l->e, opcodes[op], w, r, o.reg);
}

bool lower_uses(struct operand o, enum reg r)
{
    return o.kind == OPERAND_REG && o.reg == r;
}

const struct ir_insn *lower_write_behind(const struct lower *l)
{
    const struct value *v = &l->values[l->at];
    if (v->uses != 1 || v->user != l->at + 1)
        return NULL;
    const struct ir_insn *next = lower_insn(l, (ir_ref)(l->at + 1));
    /* On rv32 a write extends the sign, from a temporary as from anything else. */
    return next->op == IR_set_x && l->xw == W64 ? next : NULL;
}

/* The register write of the sign-extension behind operation l->at, if the two are all that becomes of
 * its value; NULL. */
static const struct ir_insn *extended_write_behind(const struct lower *l)
{
    const struct value *v = &l->values[l->at];
    if (v->uses != 1 || v->user != l->at + 1 || l->xw != W64)
        return NULL;
    const struct ir_insn *next = lower_insn(l, (ir_ref)(l->at + 1));
    const struct value *w = &l->values[l->at + 1];
    if (next->op != IR_sext || next->imm != 32 || w->uses != 1 || w->user != l->at + 2)
        return NULL;
    const struct ir_insn *write = lower_insn(l, (ir_ref)(l->at + 2));
    return write->op == IR_set_x ? write : NULL;
}

enum reg lower_dest_over(struct lower *l, struct operand x)
{
    const struct ir_insn *write = lower_write_behind(l);
    if (!write)
        write = extended_write_behind(l);
    enum reg r = write ? lower_x(l, (unsigned)write->imm) : NO_REG;
    if (r != NO_REG)
        return r;
    return x.kind == OPERAND_REG && lower_owns(l, x.reg) ? (enum reg)x.reg : lower_temp(l);
}

enum reg lower_dest(struct lower *l)
{
    return lower_dest_over(l, (struct operand){.kind = OPERAND_IMM});
}

void lower_wrote(struct lower *l)
{
    l->written = l->at + 1;
    const struct ir_insn *write = lower_insn(l, (ir_ref)l->written);
    lower_base_changed(l, (unsigned)write->imm, lower_insn(l, (ir_ref)l->at));
}

void lower_done(struct lower *l, enum reg r)
{
    struct value *v = &l->values[l->at];
    v->reg = (uint8_t)r;
    if (v->uses > 1 && lower_owns(l, r))
        l->kept |= (uint16_t)(1u << r);
}

void lower_finish(struct lower *l, enum reg r, struct operand x, struct operand y)
{
    if (!lower_uses(x, r))
        lower_release(l, x);
    if (!lower_uses(y, r))
        lower_release(l, y);
    lower_done(l, r);
}

/*
 * Conditions
 */

static bool is_comparison(const struct ir_insn *i)
{
    return i->op == IR_eq || i->op == IR_ne || i->op == IR_slt || i->op == IR_sltu;
}

/* A comparison that only a branch or a choice looks at waits for it. */
static bool waits(const struct lower *l, unsigned ref)
{
    const struct ir_insn *i = lower_insn(l, (ir_ref)ref);
    const struct value *v = &l->values[ref];
    if (!is_comparison(i) || v->uses != 1)
        return false;
    const struct ir_insn *user = lower_insn(l, v->user);
    if (user->op == IR_branch_if)
        return true;
    if (user->op == IR_select)
        return user->a == ref;
    /* bge and bgeu: eq(slt(a, b), 0) before the branch */
    return user->op == IR_eq && user->a == ref && lower_insn(l, user->b)->op == IR_const &&
           lower_insn(l, user->b)->imm == 0 && waits(l, v->user);
}

enum cond lower_condition(struct lower *l, ir_ref ref)
{
    const struct ir_insn *i = lower_insn(l, ref);
    if (l->values[ref].reg != NO_REG || !is_comparison(i)) {
        struct operand o = lower_operand(l, ref);
        enum width w = width_of(i->type);
        if (o.kind == OPERAND_MEM) {
            emit_mi(&l->e, ALU_CMP, w, o.mem, 0);
        } else {
            enum reg r = o.kind == OPERAND_REG ? o.reg : lower_temp(l);
            if (o.kind == OPERAND_IMM)
                lower_mov(l, w, r, o);
            emit_rr(&l->e, OP_TEST, w, r, r);
            lower_free(l, r);
        }
        return CC_NE;
    }
    const struct ir_insn *a = lower_insn(l, i->a), *b = lower_insn(l, i->b);
    bool b_zero = b->op == IR_const && b->imm == 0;
    if (i->op == IR_eq && b_zero && is_comparison(a) && l->values[i->a].reg == NO_REG)
        return cond_not(lower_condition(l, i->a));
    enum width w = width_of(i->type);
    struct operand x = lower_operand(l, i->a), y = lower_operand(l, i->b);
    if (x.kind == OPERAND_IMM && !(b_zero && y.kind == OPERAND_IMM) && y.kind != OPERAND_IMM &&
        (i->op == IR_eq || i->op == IR_ne)) {
        struct operand swap = x;
        x = y;
        y = swap;
    }
    if (x.kind == OPERAND_IMM && x.imm == 0 && y.kind == OPERAND_REG) { /* 0 < y */
        emit_rr(&l->e, OP_TEST, w, y.reg, y.reg);
        lower_release(l, y);
        return i->op == IR_slt ? CC_G : CC_NE;
    }
    if (x.kind == OPERAND_REG && y.kind == OPERAND_IMM && y.imm == 0) {
        emit_rr(&l->e, OP_TEST, w, x.reg, x.reg);
    } else if (x.kind == OPERAND_REG) {
        lower_alu(l, ALU_CMP, w, x.reg, y);
    } else if (x.kind == OPERAND_MEM && y.kind == OPERAND_IMM) {
        emit_mi(&l->e, ALU_CMP, w, x.mem, y.imm);
    } else if (x.kind == OPERAND_MEM && y.kind == OPERAND_REG) {
        emit_rm(&l->e, OP_CMP_WITH, w, y.reg, x.mem);
    } else {
        enum reg r = lower_temp(l);
        lower_mov(l, w, r, x);
        lower_alu(l, ALU_CMP, w, r, y);
        lower_free(l, r);
    }
    lower_release(l, x);
    lower_release(l, y);
    switch (i->op) {
    case IR_eq:
        return CC_E;
    case IR_ne:
        return CC_NE;
    case IR_slt:
        return CC_L;
    default:
        return CC_B;
    }
}

/*
 * Registers
 */

void lower_widen(struct lower *l, uint32_t guests)
{
    for (; guests; guests &= guests - 1) {
        enum reg r = lower_x(l, (unsigned)__builtin_ctz(guests));
        emit_rr(&l->e, OP_MOVSXD, W64, r, r);
    }
}

static bool is_sexted(const struct lower *l, ir_ref ref)
{
    const struct ir_insn *i = lower_insn(l, ref);
    switch (i->op) {
    case IR_get_x:
        return l->sexted >> i->imm & 1;
    case IR_const:
        return i->imm == (int32_t)i->imm;
    case IR_sext:
        return i->imm <= 32;
    case IR_zext:
        return i->imm < 32;
    case IR_load:
        return i->mem != IR_MEM_u32 && i->mem != IR_MEM_u64;
    case IR_slt:
    case IR_sltu:
    case IR_eq:
    case IR_ne:
        return true;
    case IR_and:
    case IR_or:
    case IR_xor:
        return is_sexted(l, i->a) && is_sexted(l, i->b);
    default:
        return false;
    }
}

void lower_note_sexted(struct lower *l, unsigned guest, const struct ir_insn *value)
{
    uint32_t bit = UINT32_C(1) << guest;
    bool sexted = value && l->xw == W64 && is_sexted(l, (ir_ref)(value - l->ir->insns));
    l->sexted = (l->sexted & ~bit) | (sexted ? bit : 0);
}

/* Whether a logical operation can be done on the low halves of its operands, one of which is narrow. */
static bool does_halves(const struct lower *l, const struct ir_insn *i)
{
    const struct ir_insn *a = lower_insn(l, i->a), *b = lower_insn(l, i->b);
    const struct ir_insn *write = lower_write_behind(l);
    return (i->op == IR_and || i->op == IR_or || i->op == IR_xor) && i->type == IR_I64 && write &&
           lower_x(l, (unsigned)write->imm) != NO_REG && a->op == IR_get_x &&
           (b->op == IR_get_x || b->op == IR_const) && is_sexted(l, i->a) && is_sexted(l, i->b);
}

/* Whether an operation looks at the upper half of operand number n. */
static bool looks_above(const struct lower *l, const struct ir_insn *i, unsigned n)
{
    const struct ir_insn *b = lower_insn(l, i->b);
    switch (i->op) {
    case IR_sext:
    case IR_zext:
        return i->imm > 32;
    case IR_store:
        return n == 0 || ir_mem_bytes(i->mem) == 8;
    case IR_and:
        return i->type != IR_I32 && !(b->op == IR_const && b->imm >= 0 && b->imm <= INT32_MAX);
    case IR_add:
    case IR_sub:
    case IR_or:
    case IR_xor:
    case IR_sll:
    case IR_srl:
    case IR_sra:
    case IR_rol:
    case IR_ror:
    case IR_mul:
    case IR_div:
    case IR_divu:
    case IR_rem:
    case IR_remu:
        return i->type != IR_I32 && !(n == 1 && i->op >= IR_sll && i->op <= IR_ror);
    default:
        return true;
    }
}

/* Extends the registers whose upper halves an operation looks at. */
static void widen_operands(struct lower *l, const struct ir_insn *i)
{
    const ir_ref operands[] = {i->a, i->b, i->c};
    for (unsigned n = 0; n < ir_op_infos[i->op].operands; n++) {
        const struct ir_insn *o = lower_insn(l, operands[n]);
        if (o->op != IR_get_x || !(l->narrow >> o->imm & 1) || !looks_above(l, i, n))
            continue;
        lower_widen(l, UINT32_C(1) << o->imm);
        l->narrow &= ~(UINT32_C(1) << o->imm);
    }
}

/* The registers are all to be whole: somebody else goes on with them. */
static bool needs_all(const struct ir_insn *i)
{
    switch (i->op) {
    case IR_jump_rel:
    case IR_jump:
    case IR_call:
    case IR_call_csr:
    case IR_call_end:
    case IR_check_fp:
        return true;
    default:
        return (ir_op_infos[i->op].flags & IR_FLAGS) != 0;
    }
}

static void set_x(struct lower *l, const struct ir_insn *i)
{
    unsigned guest = (unsigned)i->imm;
    enum reg r = lower_x(l, guest);
    const struct ir_insn *from = lower_insn(l, i->a);
    if (from->op == IR_get_f && r != NO_REG && l->xw == W64 &&
        pinned_f((unsigned)from->imm) != NO_REG) {
        lower_base_changed(l, guest, NULL);
        emit_movq_from_x(&l->e, r, pinned_f((unsigned)from->imm));
        return;
    }
    if (from->op == IR_pc && r != NO_REG && l->xw == W64 && l->values[i->a].reg == NO_REG) {
        lower_base_changed(l, guest, from);
        make_pc(l, r, from->imm);
        return;
    }
    struct operand o = lower_operand(l, i->a);
    lower_base_changed(l, guest, from);
    if (l->xw == W32) { /* kept sign-extended */
        if (o.kind == OPERAND_IMM) {
            if (r != NO_REG)
                lower_mov(l, W64, r, o);
            else
                emit_store_imm(&l->e, W64, hart_x(guest), o.imm);
            return;
        }
        enum reg to = r != NO_REG                                     ? r
                      : o.kind == OPERAND_REG && lower_owns(l, o.reg) ? o.reg
                                                                      : lower_temp(l);
        if (o.kind == OPERAND_MEM)
            emit_rm(&l->e, OP_MOVSXD, W64, to, o.mem);
        else
            emit_rr(&l->e, OP_MOVSXD, W64, to, o.reg);
        if (r == NO_REG)
            emit_store(&l->e, W64, to, hart_x(guest));
        lower_release(l, o);
        lower_free(l, to);
        return;
    }
    if (r != NO_REG) {
        lower_mov(l, W64, r, o);
    } else if (o.kind == OPERAND_IMM) {
        emit_store_imm(&l->e, W64, hart_x(guest), o.imm);
    } else {
        enum reg from = o.kind == OPERAND_REG ? o.reg : lower_temp(l);
        if (o.kind == OPERAND_MEM)
            emit_load(&l->e, W64, from, o.mem);
        emit_store(&l->e, W64, from, hart_x(guest));
        lower_free(l, from);
    }
    lower_release(l, o);
}

/*
 * Sites and what comes later
 */

const uint8_t *lower_stub(const struct lower *l, enum jit_stub stub)
{
    return l->jit->stub[stub] - l->e.to_exec; /* where it can be written: distances are the same */
}

void lower_fill_site(struct lower *l, struct jit_site *site)
{
    const struct ir_guest *guest = lower_guest(l);
    site->block = l->block;
    site->place = (uint16_t)(l->page_offset + guest->offset);
    site->rest = (uint8_t)(l->count_end - l->guest);
    site->length = guest->insn.length;
}

struct jit_site *lower_site(struct lower *l)
{
    struct jit_site *site = jit_meta(l->jh, sizeof(*site));
    lower_fill_site(l, site);
    return site;
}

struct later *lower_later(struct lower *l, enum later_kind kind)
{
    static struct later nowhere;
    if (l->later_count == l->later_room) {
        l->failed = true;
        return &nowhere;
    }
    struct later *later = &l->laters[l->later_count++];
    memset(later, 0, sizeof(*later));
    later->kind = (uint8_t)kind;
    later->guest = (uint8_t)l->guest;
    later->count_end = (uint8_t)l->count_end;
    later->mapped = l->mapped;
    later->narrow = l->narrow;
    return later;
}

static void emit_laters(struct lower *l)
{
    for (unsigned i = 0; i < l->later_count; i++) {
        const struct later *later = &l->laters[i];
        l->guest = later->guest;
        l->count_end = later->count_end;
        lower_set_map(l, later->mapped);
        l->narrow = 0;
        for (unsigned n = 0; n < 3; n++)
            if (later->from[n])
                emit_patch_here(&l->e, later->from[n]);
        lower_widen(l, later->narrow);
        switch (later->kind) {
        case LATER_LOAD:
        case LATER_STORE:
        case LATER_GROUP:
            lower_later_memory(l, later);
            break;
        case LATER_CALL:
            later->emit(l, later);
            break;
        case LATER_FP_ON:
            lower_later_fp(l, later);
            break;
        default:
            lower_later_control(l, later);
        }
    }
}

/*
 * The pass
 */

static void count_uses(struct lower *l)
{
    const struct ir_block *ir = l->ir;
    for (unsigned n = 0; n < ir->count; n++)
        l->values[n] = (struct value){.reg = NO_REG};
    for (unsigned n = 1; n < ir->count; n++) {
        const ir_ref operands[] = {ir->insns[n].a, ir->insns[n].b, ir->insns[n].c};
        for (unsigned k = 0; k < ir_op_infos[ir->insns[n].op].operands; k++) {
            struct value *v = &l->values[operands[k]];
            v->uses += v->uses < 255;
            v->user = (uint16_t)n;
        }
    }
}

static void lower_one(struct lower *l)
{
    const struct ir_insn *i = lower_insn(l, (ir_ref)l->at);
    l->halves = l->narrow && does_halves(l, i);
    if (l->narrow && !l->halves) {
        widen_operands(l, i);
        if (needs_all(i))
            lower_widen_all(l);
    }
    if (i->op == IR_none || is_lazy(i) || waits(l, l->at) || lower_is_jump_mask(l, l->at) ||
        lower_is_scale(l, l->at))
        return;
    if (i->op == IR_set_x) {
        if (l->written != l->at)
            set_x(l, i);
        return;
    }
    /* Memory first: it takes addresses apart itself. FP before control: it knows some CSRs. */
    if (!lower_memory(l, i) && !lower_integer(l, i) && !lower_atomic(l, i) && !lower_fp(l, i) &&
        !lower_control(l, i))
        l->failed = true;
}

/* For dumps: host code made from here on stands for that guest instruction. */
static void note_start(struct lower *l, unsigned guest)
{
    struct jit_map *map = l->jh->map;
    if (!map)
        return;
    map->start[guest] = (uint32_t)(l->e.at + l->e.to_exec - l->block->entry);
    if (guest)
        map->insns[guest - 1] = (uint16_t)(l->e.insns - l->noted_insns);
    l->noted_insns = l->e.insns;
}

static void note_cold(struct lower *l)
{
    struct jit_map *map = l->jh->map;
    if (!map)
        return;
    map->cold = l->jh->cold + l->e.to_exec;
    map->cold_size = (uint32_t)(l->e.at - l->jh->cold);
    map->insns[l->block->insns] = (uint16_t)(l->e.insns - l->noted_insns);
}

void lower_guests(struct lower *l, unsigned first, unsigned behind)
{
    const struct ir_block *ir = l->ir;
    for (l->guest = first; l->guest < behind && !l->failed; l->guest++) {
        note_start(l, l->guest);
        unsigned end = ir_guest_start(ir, l->guest + 1);
        for (l->at = ir->guests[l->guest].first; l->at < end && !l->failed; l->at++)
            lower_one(l);
        l->temps = l->kept = 0;
        if (l->step)
            l->step->back = l->e.at;
        l->step = l->leave = NULL;
    }
    if (l->guest > first)
        l->guest--;
}

void lower_begin(struct lower *l)
{
    count_uses(l);
    while ((uintptr_t)l->e.at & 7)
        emit8(&l->e, 0xcc);
    emit64(&l->e, (uint64_t)(uintptr_t)l->block);
    l->block->entry = l->e.at + l->e.to_exec;
}

bool lower_end(struct lower *l)
{
    note_start(l, l->block->insns);
    uint8_t *end = l->e.at;
    l->e.at = l->jh->cold;
    emit_laters(l);
    note_cold(l);
    if (lower_is_direct(l) && !l->failed)
        lower_keep_accesses(l);
    if (l->failed)
        return false;
    l->jh->code = end;
    l->jh->cold = l->e.at;
    return true;
}

static bool falls_off(const struct ir_block *ir)
{
    const struct ir_insn *last = &ir->insns[ir->count - 1];
    return last->op != IR_jump && last->op != IR_jump_rel && last->op != IR_call_end &&
           ir->guests[ir->guest_count - 1].insn.id != INSN_ebreak;
}

#define LATERS_MAX (4 * JIT_INSNS_MAX)
#define ACCESSES_MAX (2 * JIT_INSNS_MAX)

bool backend_available(void)
{
    return true;
}

/*
 * On the stack, since harts translate side by side: about 40 KiB. A block of JIT_INSNS_MAX instructions
 * has at most some 16 operations for each.
 */
#define VALUES_MAX (JIT_INSNS_MAX * 20)

bool backend_translate(struct jit_hart *jh, struct jit_block *block, const uint8_t *second_page)
{
    struct value values[VALUES_MAX];
    struct later laters[LATERS_MAX];
    struct jit_access accesses[ACCESSES_MAX];
    struct jit *jit = jh->jit;
    struct lower l = {
        .e = {.at = jh->code, .to_exec = jit->memory.exec - jit->memory.write},
        .jh = jh,
        .jit = jit,
        .block = block,
        .ir = &jh->ir,
        .has = host_features(),
        .values = values,
        .page_offset = (uint32_t)((uintptr_t)block->code & ~PAGE_MASK),
        .xw = jh->ir.xlen == IR_I64 ? W64 : W32,
        .x = pinned_x(jit->direct),
        .count_end = jh->ir.guest_count,
        .scan_end = jh->ir.count,
        .laters = laters,
        .later_room = LATERS_MAX,
        .accesses = accesses,
        .access_room = ACCESSES_MAX,
    };
    if (jh->ir.count > VALUES_MAX)
        return false;
    block->links = NULL;
    lower_begin(&l);
    if (lower_is_direct(&l))
        emit_nop(&l.e, 8); /* nobody counts; for backend_make_stale */
    else if (block->is_wary)
        lower_check_source(&l);
    if (!lower_is_direct(&l))
        emit_rm(&l.e, OP_PADDQ, W32, XCOUNT, hart_count(block->insns));
    if (second_page)
        lower_check_second_page(&l, second_page);
    lower_guests(&l, 0, jh->ir.guest_count);
    if (!l.failed && falls_off(l.ir))
        lower_go_to(&l, l.page_offset + block->bytes);
    return lower_end(&l);
}
