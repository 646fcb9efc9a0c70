/* SPDX-License-Identifier: MPL-2.0 */
/* Conversions between formats, and from and to integers. */
#include "jit/x86_64/lower_fp.h"

/*
 * To integers. Towards zero, which is what C means, and in MXCSR's mode x86 has it done. What does
 * not fit raises invalid, as it shall, but becomes the smallest integer of all, which therefore is
 * looked at again: it is right for what is too small, and the largest one is for all else.
 */

static void saturate(struct lower *l, const struct later *later)
{
    struct emit *e = &l->e;
    bool wide = later->value & 1;
    emit_rr(e, OP_XORPS, W32, 0, 0);
    emit_rr(e, later->value & 2 ? OP_UCOMISD : OP_UCOMISS, W32, 0, later->base);
    emit_jcc_to(e, CC_A, later->back); /* below zero */
    emit_ri(e, ALU_SUB, wide ? W64 : W32, (enum reg)later->reg, 1);
    emit_jmp_to(e, later->back);
}

/*
 * A mode of the instruction's own, which libraries use for floor and ceil: rounded first, with no flag,
 * as the result may still not fit; then converted; then rounded once more for the flag.
 */
static bool has_own_mode(const struct ir_insn *i)
{
    return i->rm != IR_RM_DYNAMIC && i->rm != FP_RTZ;
}

static void round_own(struct lower *l, const struct ir_insn *i, unsigned x, unsigned quiet)
{
    emit_rr(&l->e, fp_is_double(i->of) ? OP_ROUNDSD : OP_ROUNDSS, W32, 0, x);
    emit8(&l->e, fp_host_mode(i->rm) | quiet);
}

static void convert(struct lower *l, const struct ir_insn *i, enum width w, enum reg to, unsigned x)
{
    if (has_own_mode(i)) {
        round_own(l, i, x, ROUND_QUIET);
        x = 0;
    }
    emit_rr(&l->e, fp_opcode(i->rm == IR_RM_DYNAMIC ? OP_CVTSD2SI : OP_CVTTSD2SI, i->of), w, to, x);
}

static void to_signed(struct lower *l, const struct ir_insn *i)
{
    struct emit *e = &l->e;
    enum width w = i->kind == IR_INT_I64 ? W64 : W32;
    unsigned x = fp_reg(l, i->a, 1);
    enum reg to = lower_dest(l);
    convert(l, i, w, to, x);
    emit_ri(e, ALU_CMP, w, to, 1); /* overflows for the smallest integer only */
    if (has_own_mode(i)) {
        fp_step_from(l, emit_jcc(e, CC_O));
        round_own(l, i, x, 0);
    } else {
        struct later *later = lower_later(l, LATER_CALL);
        later->from[0] = emit_jcc(e, CC_O);
        later->emit = saturate;
        later->reg = (uint8_t)to;
        later->base = (uint8_t)x;
        later->value = (w == W64 ? 1 : 0) | (fp_is_double(i->of) ? 2 : 0);
        later->back = e->at;
    }
    lower_done(l, to);
}

/*
 * Unsigned. Of x86's signed conversion the non-negative half is right, up to the largest number of the
 * format that is an integer below the limit, so that no mode rounds it beyond. Bit patterns order as the
 * numbers do, and negative ones and NaNs are above all others.
 */
static void to_unsigned(struct lower *l, const struct ir_insn *i)
{
    struct emit *e = &l->e;
    bool wide = fp_is_double(i->of);
    unsigned x = fp_reg(l, i->a, 1);
    enum reg bits = lower_temp(l);
    emit_rr(e, OP_X_MOVD, wide ? W64 : W32, x, bits);
    if (wide) {
        enum reg limit = lower_temp(l);
        double most = i->kind == IR_INT_U64 ? 0x1.fffffffffffffp62 : 0x1.fffffffep31;
        emit_mov_imm(e, limit, fp64_bits(most));
        emit_rr(e, OP_CMP, W64, bits, limit);
        lower_free(l, limit);
    } else {
        float most = i->kind == IR_INT_U64 ? 0x1.fffffep62f : 0x1.fffffep31f;
        emit_ri(e, ALU_CMP, W32, bits, (int32_t)fp32_bits(most));
    }
    fp_step_from(l, emit_jcc(e, CC_A));
    lower_free(l, bits);
    enum reg to = lower_dest(l);
    convert(l, i, W64, to, x);
    if (has_own_mode(i))
        round_own(l, i, x, 0);
    lower_done(l, to);
}

static void to_integer(struct lower *l, const struct ir_insn *i)
{
    if (has_own_mode(i) && (i->rm == FP_RMM || !l->has->sse41))
        fp_step(l);
    else if (i->kind == IR_INT_I32 || i->kind == IR_INT_I64)
        to_signed(l, i);
    else
        to_unsigned(l, i);
}

/*
 * From integers. x86 has signed ones. An unsigned 64-bit one beyond them is halved and doubled again,
 * its lowest bit kept below the result's last place, where rounding looks for more than one half.
 */

static void from_large(struct lower *l, const struct later *later)
{
    struct emit *e = &l->e;
    enum ir_type type = (enum ir_type)later->value;
    unsigned x = later->base;
    emit_rr(e, fp_is_double(type) ? OP_XORPS : OP_PCMPEQD, W32, x, x);
    emit_mov_rr(e, W64, RAX, (enum reg)later->reg);
    emit_mov_rr(e, W32, RCX, RAX);
    emit_shift_ri(e, SHIFT_SHR, W64, RAX, 1);
    emit_ri(e, ALU_AND, W32, RCX, 1);
    emit_rr(e, OP_OR, W64, RAX, RCX);
    emit_rr(e, fp_opcode(OP_CVTSI2SD, type), W64, x, RAX);
    emit_rr(e, fp_opcode(OP_ADDSD, type), W32, x, x);
    emit_jmp_to(e, later->back);
}

/* A mode of the instruction's own does not matter for an integer that has no more bits than the format. Changes rcx. */
static void check_exact(struct lower *l, const struct ir_insn *i, enum reg r)
{
    bool narrow = i->kind == IR_INT_I32 || i->kind == IR_INT_U32, wide = fp_is_double(i->type);
    struct emit *e = &l->e;
    if (i->rm == IR_RM_DYNAMIC || (narrow && wide))
        return;
    emit_mov_rr(e, W64, RCX, r);
    if (i->kind == IR_INT_I32)
        emit_rr(e, OP_MOVSXD, W64, RCX, RCX);
    emit_shift_ri(e, i->kind == IR_INT_U64 ? SHIFT_SHR : SHIFT_SAR, W64, RCX, wide ? 53 : 24);
    if (i->kind != IR_INT_U64) { /* 0 or -1 */
        emit_ri(e, ALU_ADD, W64, RCX, 1);
        emit_ri(e, ALU_CMP, W64, RCX, 1);
    }
    fp_step_from(l, emit_jcc(e, i->kind == IR_INT_U64 ? CC_NE : CC_A));
}

/* The integer in a register of its own kind's 64 or 32 bits; rcx is taken, and rax if need be. */
static enum reg integer(struct lower *l, const struct ir_insn *i)
{
    lower_take(l, RCX);
    if (i->kind != IR_INT_U32)
        return lower_reg(l, i->a);
    lower_take(l, RAX);
    struct operand o = lower_operand(l, i->a);
    if (o.kind == OPERAND_REG)
        emit_rr(&l->e, OP_MOV_LOAD, W32, RAX, o.reg);
    else
        lower_mov(l, W32, RAX, o);
    return RAX;
}

static void from_integer(struct lower *l, const struct ir_insn *i)
{
    struct emit *e = &l->e;
    unsigned x = fp_dest(l);
    enum reg r = integer(l, i);
    uint8_t *large = NULL;
    check_exact(l, i, r);
    if (i->kind == IR_INT_U64) {
        emit_rr(e, OP_TEST, W64, r, r);
        large = emit_jcc(e, CC_S);
    }
    /* The old value is not waited for; what a float does not replace is its box. */
    emit_rr(e, fp_is_double(i->type) ? OP_XORPS : OP_PCMPEQD, W32, x, x);
    emit_rr(e, fp_opcode(OP_CVTSI2SD, i->type), i->kind == IR_INT_I32 ? W32 : W64, x, r);
    if (large) {
        struct later *later = lower_later(l, LATER_CALL);
        later->from[0] = large;
        later->emit = from_large;
        later->reg = (uint8_t)r;
        later->base = (uint8_t)x;
        later->value = i->type;
        later->back = e->at;
    }
    lower_free(l, r);
    lower_free(l, RCX);
    fp_done(l, x);
}

/* Between double and float. With half precision: the interpreter. */
static void between(struct lower *l, const struct ir_insn *i)
{
    if (i->type == IR_F16 || i->of == IR_F16) {
        fp_step(l);
        return;
    }
    unsigned to = fp_dest(l);
    if (fp_is_double(i->type)) { /* exact */
        fp_load(l, to, fp_operand(l, i->a));
        emit_rr(&l->e, OP_CVTSS2SD, W32, to, to);
    } else {
        fp_check_mode(l, i);
        struct fp_operand o = fp_operand(l, i->a);
        unsigned x = o.reg == to ? 2 : to;
        emit_rr(&l->e, OP_PCMPEQD, W32, x, x);
        fp_op(l, OP_CVTSD2SS, x, o);
        emit_movaps(&l->e, to, x);
    }
    fp_canonical(l, to, i->type);
    fp_done(l, to);
}

bool lower_fp_convert(struct lower *l, const struct ir_insn *i)
{
    switch (i->op) {
    case IR_f2x:
        to_integer(l, i);
        return true;
    case IR_x2f:
        from_integer(l, i);
        return true;
    case IR_fcvt:
        between(l, i);
        return true;
    case IR_fpn1: /* fcvtmod; the others are in lower_fp_compare.c */
        fp_step(l);
        return true;
    default:
        return false;
    }
}
