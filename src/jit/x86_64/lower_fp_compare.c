/* SPDX-License-Identifier: MPL-2.0 */
/* Comparisons, minimum and maximum, classification. */
#include "jit/x86_64/lower_fp.h"

/* A condition code as 1 or 0. */
static void set_condition(struct lower *l, enum cond cc)
{
    enum reg to = lower_dest(l);
    emit_setcc(&l->e, cc, to);
    emit_rr8(&l->e, OP_MOVZX8, W32, to, to);
    lower_done(l, to);
}

/*
 * a < b and a <= b. Turned round, since "above" is false for NaNs where "below" is true. comis raises
 * invalid for every NaN, ucomis for signalling ones; within a quiet comparison (lower_fp_csr.c) none may.
 */
static void less(struct lower *l, const struct ir_insn *i, bool quiet, enum cond cc)
{
    unsigned b = fp_reg(l, i->b, 1);
    bool wide = fp_is_double(i->of);
    uint32_t op =
        quiet || l->quiet ? (wide ? OP_UCOMISD : OP_UCOMISS) : (wide ? OP_COMISD : OP_COMISS);
    fp_op(l, op, b, fp_operand(l, i->a));
    if (l->quiet)
        fp_quiet_nan(l);
    set_condition(l, cc);
}

/* cmpeq raises invalid for signalling NaNs only, and needs no second look at the parity flag. */
static void equal(struct lower *l, const struct ir_insn *i)
{
    unsigned a = fp_reg(l, i->a, 1);
    fp_op3(l, fp_opcode(OP_CMPSD, i->of), 0, a, fp_operand(l, i->b));
    emit8(&l->e, COMPARE_EQ);
    enum reg to = lower_dest(l);
    emit_rr(&l->e, OP_X_MOVD, W32, 0, to);
    emit_ri(&l->e, ALU_AND, W32, to, 1);
    lower_done(l, to);
}

/* One of the operands is a NaN: the result is the other, or the canonical NaN if that is one, too. */
static void pick_number(struct lower *l, const struct later *later)
{
    struct emit *e = &l->e;
    enum ir_type type = (enum ir_type)later->value;
    uint32_t op = fp_is_double(type) ? OP_UCOMISD : OP_UCOMISS;
    unsigned a = later->reg, b = later->base, to = later->wide;
    emit_rr(e, op, W32, a, a);
    uint8_t *a_is_nan = emit_jcc(e, CC_P);
    emit_movaps(e, to, a);
    emit_jmp_to(e, later->back);
    emit_patch_here(e, a_is_nan);
    emit_movaps(e, to, b);
    emit_rr(e, op, W32, to, to);
    emit_jcc_to(e, CC_NP, later->back);
    fp_load_nan(l, to, type);
    emit_jmp_to(e, later->back);
}

static void pick_nan(struct lower *l, const struct later *later)
{
    fp_load_nan(l, later->wide, (enum ir_type)later->value);
    emit_jmp_to(&l->e, later->back);
}

/*
 * x86's minimum of two zeros, or with a NaN, is the second operand. Made both ways, two zeros give one
 * each, and the bits of both together the wanted one: a sign in either for the minimum, in both for the
 * maximum. NaNs are seen before, by ucomis, since min and max raise invalid for quiet ones as well.
 */
static void extreme(struct lower *l, const struct ir_insn *i)
{
    struct emit *e = &l->e;
    bool min = i->kind == IR_FP_min || i->kind == IR_FP_minm;
    bool number = i->kind == IR_FP_min || i->kind == IR_FP_max;
    uint32_t op = fp_opcode(min ? OP_MINSD : OP_MAXSD, i->type);
    unsigned to = fp_dest(l), a = fp_reg(l, i->a, 1), b = fp_reg(l, i->b, 2);
    struct later *later = lower_later(l, LATER_CALL);
    emit_rr(e, fp_is_double(i->type) ? OP_UCOMISD : OP_UCOMISS, W32, a, b);
    later->from[0] = emit_jcc(e, CC_P);
    later->emit = number ? pick_number : pick_nan;
    later->reg = (uint8_t)a;
    later->base = (uint8_t)b;
    later->wide = (uint8_t)to;
    later->value = i->type;
    emit_movaps(e, 0, a);
    emit_rr(e, op, W32, 0, b);
    if (b != 2)
        emit_movaps(e, 2, b);
    emit_rr(e, op, W32, 2, a);
    emit_rr(e, min ? OP_ORPS : OP_ANDPS, W32, 0, 2);
    emit_movaps(e, to, 0);
    later->back = e->at;
    fp_done(l, to);
}

CODE_ABI static uint64_t class32(uint64_t a, uint64_t b)
{
    (void)b;
    return fp32_class((uint32_t)a);
}

CODE_ABI static uint64_t class64(uint64_t a, uint64_t b)
{
    (void)b;
    return fp64_class(a);
}

bool lower_fp_compare(struct lower *l, const struct ir_insn *i)
{
    if (i->op != IR_fpn1 && i->op != IR_fpn2)
        return false;
    bool wide = fp_is_double(i->of);
    switch (i->kind) {
    case IR_FP_eq:
        equal(l, i);
        return true;
    case IR_FP_lt:
        less(l, i, false, CC_A);
        return true;
    case IR_FP_le:
        less(l, i, false, CC_AE);
        return true;
    case IR_FP_ltq:
        less(l, i, true, CC_A);
        return true;
    case IR_FP_leq:
        less(l, i, true, CC_AE);
        return true;
    case IR_FP_min:
    case IR_FP_max:
    case IR_FP_minm:
    case IR_FP_maxm:
        extreme(l, i);
        return true;
    case IR_FP_class:
        lower_take(l, RAX);
        lower_take(l, RCX);
        lower_take(l, RDX);
        emit_movq_from_x(&l->e, RCX, fp_reg(l, i->a, 1));
        lower_call_pure(l, wide ? class64 : class32);
        return true;
    default:
        return false;
    }
}
