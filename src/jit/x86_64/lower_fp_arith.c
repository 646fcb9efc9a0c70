/* SPDX-License-Identifier: MPL-2.0 */
/* Arithmetic that rounds: sum, product, quotient, root, fused multiply-add, rounding to an integral value. */
#include "jit/x86_64/lower_fp.h"

/* One operand after the other, in the order in which the host wants them. */
static void two(struct lower *l, const struct ir_insn *i, uint32_t op, bool commutes)
{
    fp_check_mode(l, i);
    unsigned to = fp_dest(l);
    struct fp_operand a = fp_operand(l, i->a), b = fp_operand(l, i->b);
    if (commutes && (a.reg == NO_REG || b.reg == to)) {
        struct fp_operand swap = a;
        a = b;
        b = swap;
    }
    if (a.reg == NO_REG) {
        unsigned x = b.reg == to ? 1 : to;
        fp_load(l, x, a);
        a.reg = (uint8_t)x;
    }
    fp_op3(l, fp_opcode(op, i->type), to, a.reg, b);
    fp_canonical(l, to, i->type);
    fp_done(l, to);
}

static void square_root(struct lower *l, const struct ir_insn *i)
{
    fp_check_mode(l, i);
    unsigned to = fp_dest(l);
    fp_load(l, to,
            fp_operand(l, i->a)); /* for the upper half, and so that no old value is waited for */
    emit_rr(&l->e, fp_opcode(OP_SQRTSD, i->type), W32, to, to);
    fp_canonical(l, to, i->type);
    fp_done(l, to);
}

/* FROUND, FROUNDNX. x86 has the instruction's own mode in the instruction. */
static void round_integral(struct lower *l, const struct ir_insn *i)
{
    if (!l->has->sse41 || i->rm == FP_RMM) {
        fp_step(l);
        return;
    }
    unsigned to = fp_dest(l);
    fp_load(l, to, fp_operand(l, i->a));
    emit_rr(&l->e, fp_is_double(i->type) ? OP_ROUNDSD : OP_ROUNDSS, W32, to, to);
    emit8(&l->e, (i->rm == IR_RM_DYNAMIC ? (unsigned)ROUND_BY_MXCSR : fp_host_mode(i->rm)) |
                     (i->kind == IR_FP_round ? (unsigned)ROUND_QUIET : 0u));
    fp_canonical(l, to, i->type);
    fp_done(l, to);
}

/*
 * Fused multiply-add. An infinity times zero is invalid in RISC-V even when the addend is a quiet
 * NaN, on x86 it is not: so what is a NaN has its factors looked at again (STUB_FMA_NAN). They must
 * still be there then: a factor that the result replaces is copied to xmm1 before.
 */
struct factor {
    struct fp_operand now;   /* as the instruction reads it */
    struct fp_operand after; /* where it is when the result has been made */
};

static struct factor factor_of(const struct lower *l, ir_ref ref)
{
    struct fp_operand o = fp_operand(l, ref);
    return (struct factor){o, o};
}

static void load_factor(struct lower *l, struct factor *f, unsigned x)
{
    fp_load(l, x, f->now);
    f->now.reg = (uint8_t)x;
}

/* xmm1 is a copy of `to`: if that is the factor's register, it is found there. */
static void find_in_copy(struct factor *f, unsigned to)
{
    if (f->after.reg == to)
        f->after.reg = 1;
}

static void fused_nan(struct lower *l, const struct later *later)
{
    struct emit *e = &l->e;
    bool wide = later->wide;
    const struct fp_operand x = {later->reg, mem(RHART, later->imm)};
    const struct fp_operand y = {later->base, mem(RHART, later->value)};
    fp_load(l, 0, x);
    fp_load(l, 1, y);
    if (!wide) {
        emit_rr(e, OP_CVTSS2SD, W32, 0, 0);
        emit_rr(e, OP_CVTSS2SD, W32, 1, 1);
    }
    emit_call_to(e, lower_stub(l, STUB_FMA_NAN));
    fp_load_nan(l, (unsigned)later->retired, wide ? IR_F64 : IR_F32);
    emit_jmp_to(e, later->back);
}

static void check_fused(struct lower *l, unsigned to, const struct factor *x,
                        const struct factor *y, bool wide)
{
    struct later *later = lower_later(l, LATER_CALL);
    emit_rr(&l->e, wide ? OP_UCOMISD : OP_UCOMISS, W32, to, to);
    later->from[0] = emit_jcc(&l->e, CC_P);
    later->emit = fused_nan;
    later->reg = x->after.reg;
    later->imm = x->after.mem.disp;
    later->base = y->after.reg;
    later->value = y->after.mem.disp;
    later->retired = to;
    later->wide = wide;
    later->back = l->e.at;
}

static void fused(struct lower *l, const struct ir_insn *i)
{
    static const uint8_t variants[] = {[IR_FP_madd] = 0,
                                       [IR_FP_msub] = OP_FMSUB,
                                       [IR_FP_nmsub] = OP_FNMADD,
                                       [IR_FP_nmadd] = OP_FNMSUB};
    struct emit *e = &l->e;
    if (!l->has->fma) {
        fp_step(l);
        return;
    }
    fp_check_mode(l, i);
    bool wide = fp_is_double(i->type);
    unsigned to = fp_dest(l);
    struct factor x = factor_of(l, i->a), y = factor_of(l, i->b);
    struct fp_operand z = fp_operand(l, i->c), last;
    if (x.now.reg == NO_REG || y.now.reg == to) { /* x: the one replaced, or in a register */
        struct factor swap = x;
        x = y;
        y = swap;
    }
    if (x.now.reg == NO_REG)
        load_factor(l, &x, 1);
    if (x.now.reg == to || y.now.reg == to) {
        emit_movaps(e, 1, to);
        find_in_copy(&x, to);
        find_in_copy(&y, to);
    }
    uint32_t op;
    unsigned first;
    if (x.now.reg == to && z.reg != to) { /* to = y * to + z */
        if (y.now.reg == NO_REG)
            load_factor(l, &y, 2);
        op = OP_FMADD213;
        first = y.now.reg;
        last = z;
    } else { /* to = x * y + to */
        fp_load(l, to, z);
        op = OP_FMADD231;
        first = x.now.reg;
        last = y.now;
    }
    op += variants[i->kind];
    if (last.reg == NO_REG)
        emit_vex_op_rm(e, op, wide ? W64 : W32, to, first, last.mem);
    else
        emit_vex_op_rr(e, op, wide ? W64 : W32, to, first, last.reg);
    check_fused(l, to, &x, &y, wide);
    fp_done(l, to);
}

bool lower_fp_arith(struct lower *l, const struct ir_insn *i)
{
    if (i->op != IR_fp1 && i->op != IR_fp2 && i->op != IR_fp3)
        return false;
    switch (i->kind) {
    case IR_FP_add:
        two(l, i, OP_ADDSD, true);
        return true;
    case IR_FP_sub:
        two(l, i, OP_SUBSD, false);
        return true;
    case IR_FP_mul:
        two(l, i, OP_MULSD, true);
        return true;
    case IR_FP_div:
        two(l, i, OP_DIVSD, false);
        return true;
    case IR_FP_sqrt:
        square_root(l, i);
        return true;
    case IR_FP_round:
    case IR_FP_roundnx:
        round_integral(l, i);
        return true;
    default:
        fused(l, i);
        return true;
    }
}
