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
static void fused_nan(struct lower *l, const struct later *later)
{
    struct emit *e = &l->e;
    enum ir_type type = (enum ir_type)later->value;
    const struct fp_operand x = {later->reg, hart_f((unsigned)later->imm)};
    const struct fp_operand y = {later->base, hart_f(later->wide)};
    fp_load(l, 0, x);
    fp_load(l, 1, y);
    if (!fp_is_double(type)) {
        emit_rr(e, OP_CVTSS2SD, W32, 0, 0);
        emit_rr(e, OP_CVTSS2SD, W32, 1, 1);
    }
    emit_call_to(e, lower_stub(l, STUB_FMA_NAN));
    fp_load_nan(l, (unsigned)later->retired, type);
    emit_jmp_to(e, later->back);
}

static unsigned guest_of(const struct lower *l, ir_ref ref)
{
    const struct ir_insn *i = lower_insn(l, ref);
    return (unsigned)(i->op == IR_unbox ? lower_insn(l, i->a) : i)->imm;
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
    enum width w = fp_is_double(i->type) ? W64 : W32;
    unsigned to = fp_dest(l), guest_x = guest_of(l, i->a), guest_y = guest_of(l, i->b);
    struct fp_operand x = fp_operand(l, i->a), y = fp_operand(l, i->b), z = fp_operand(l, i->c);
    if (x.reg == NO_REG ||
        (y.reg == to && x.reg != to)) { /* x: in a register, or the one replaced */
        struct fp_operand swap = x;
        unsigned swap_guest = guest_x;
        x = y;
        y = swap;
        guest_x = guest_y;
        guest_y = swap_guest;
    }
    struct fp_operand seen_x = x, seen_y = y;
    unsigned form = OP_FMADD231;
    struct fp_operand last;
    if (x.reg == NO_REG) {
        fp_load(l, 1, x);
        x.reg = seen_x.reg = 1;
    }
    if (x.reg == to && z.reg != to) { /* to = y * to + z */
        emit_movaps(e, 1, x.reg);
        seen_x.reg = 1;
        if (y.reg == to) {
            y.reg = seen_y.reg = 1;
        } else if (y.reg == NO_REG) {
            fp_load(l, 2, y);
            y.reg = seen_y.reg = 2;
            seen_y.reg = NO_REG; /* still in memory */
        }
        form = OP_FMADD213;
        x.reg = y.reg;
        last = z;
    } else {                              /* to = x * y + to */
        if (x.reg == to || y.reg == to) { /* all three may be one register */
            emit_movaps(e, 1, to);
            x.reg = seen_x.reg = x.reg == to ? 1 : x.reg;
            y.reg = seen_y.reg = y.reg == to ? 1 : y.reg;
        }
        fp_load(l, to, z);
        last = y;
    }
    uint32_t op = form + variants[i->kind];
    if (last.reg == NO_REG)
        emit_vex_op_rm(e, op, w, to, x.reg, last.mem);
    else
        emit_vex_op_rr(e, op, w, to, x.reg, last.reg);
    struct later *later = lower_later(l, LATER_CALL);
    emit_rr(e, fp_is_double(i->type) ? OP_UCOMISD : OP_UCOMISS, W32, to, to);
    later->from[0] = emit_jcc(e, CC_P);
    later->emit = fused_nan;
    later->reg = seen_x.reg;
    later->imm = (int32_t)guest_x;
    later->base = seen_y.reg;
    later->wide = (uint8_t)guest_y;
    later->retired = to;
    later->value = i->type;
    later->back = e->at;
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
