/* SPDX-License-Identifier: MPL-2.0 */
/*
 * FP registers as they are: moves from and to integers and memory, NaN-boxing, signs.
 *
 * The upper half of a boxed register survives what x86 does to the lower half, if the result is made
 * where such an operand was: so a box is only made for what comes from an integer or from memory.
 */
#include "jit/x86_64/lower_fp.h"

void lower_fp_note_box(struct lower *l, const struct ir_insn *set)
{
    const struct ir_insn *from = lower_insn(l, set->a);
    uint32_t bit = UINT32_C(1) << set->imm;
    if (from->op == IR_box && from->of == IR_F32)
        l->boxed |= bit;
    else
        l->boxed &= ~bit;
}

unsigned lower_fp_loaded(const struct lower *l, const struct ir_insn *load)
{
    const struct ir_insn *next = lower_insn(l, (ir_ref)(l->at + 1));
    if (load->mem == IR_MEM_u64 ? next->op == IR_set_f
                                : load->mem == IR_MEM_u32 && next->op == IR_box)
        return fp_dest(l);
    return NO_REG;
}

/* The upper half is all ones from here on, or was already. */
static void unbox(struct lower *l, const struct ir_insn *i)
{
    struct emit *e = &l->e;
    unsigned guest = (unsigned)lower_insn(l, i->a)->imm;
    struct fp_operand o = fp_operand(l, i->a);
    if (i->type != IR_F32 || l->boxed >> guest & 1) /* half precision is never lowered */
        return;
    l->boxed |= UINT32_C(1) << guest;
    if (o.reg == NO_REG) {
        o.mem.disp += 4;
        emit_mi(e, ALU_CMP, W32, o.mem, -1);
        fp_leave_from(l, emit_jcc(e, CC_NE));
    } else if (l->has->sse41) {
        emit_rm(e, OP_PTEST, W32, o.reg, fp_constant(FP_CONST_BOX));
        fp_leave_from(l, emit_jcc(e, CC_AE)); /* a bit of the box is missing */
    } else {
        emit_rr(e, OP_PSHUFD, W32, 1, o.reg);
        emit8(e, 1);
        emit_rr(e, OP_X_MOVD, W32, 1, RAX);
        emit_ri(e, ALU_CMP, W32, RAX, -1);
        fp_leave_from(l, emit_jcc(e, CC_NE));
    }
}

/* An integer, or a constant, in that register. */
static void from_integer(struct lower *l, unsigned x, ir_ref ref, enum width w)
{
    struct emit *e = &l->e;
    struct operand o = lower_operand(l, ref);
    if (o.kind == OPERAND_IMM && o.imm == 0) {
        emit_rr(e, OP_XORPS, W32, x, x);
        return;
    }
    if (o.kind == OPERAND_MEM) {
        emit_rm(e, w == W64 ? OP_MOVQ_LOAD : OP_MOVD_X, W32, x, o.mem);
        return;
    }
    enum reg r = o.kind == OPERAND_REG ? (enum reg)o.reg : lower_temp(l);
    if (o.kind == OPERAND_IMM)
        lower_mov(l, W64, r, o);
    emit_rr(e, OP_MOVD_X, w, x, r);
    lower_free(l, r);
}

static void box(struct lower *l, const struct ir_insn *i)
{
    struct emit *e = &l->e;
    unsigned x = fp_dest(l);
    uint8_t from = l->values[i->a].reg;
    const struct ir_insn *v = lower_insn(l, i->a);
    if (i->of == IR_F16) {
        enum reg r = lower_temp(l);
        lower_into(l, r, i->a, W32);
        emit_ri(e, ALU_OR, W64, r, -(1 << 16));
        emit_movq_to_x(e, x, r);
        lower_free(l, r);
    } else if (v->op == IR_const) {
        enum reg r = lower_temp(l);
        emit_mov_imm(e, r, UINT64_C(0xffffffff) << 32 | (uint32_t)v->imm);
        emit_movq_to_x(e, x, r);
        lower_free(l, r);
    } else if (from != NO_REG && from >= LOWER_XMM && v->op != IR_load) {
        x = from - LOWER_XMM; /* boxed by whoever made it */
    } else {
        if (from == NO_REG || from < LOWER_XMM)
            from_integer(l, x, i->a, W32);
        emit_rm(e, OP_ORPS, W32, x, fp_constant(FP_CONST_BOX));
    }
    fp_done(l, x);
}

static void set_f(struct lower *l, const struct ir_insn *i)
{
    unsigned to = pinned_f((unsigned)i->imm);
    uint8_t from = l->values[i->a].reg;
    if (from == NO_REG || from < LOWER_XMM) {
        from = LOWER_XMM + (to == NO_REG ? 0 : (uint8_t)to);
        from_integer(l, from - LOWER_XMM, i->a, W64);
    }
    if (to == NO_REG)
        emit_rm(&l->e, OP_MOVQ_STORE, W32, from - LOWER_XMM, hart_f((unsigned)i->imm));
    else
        emit_movaps(&l->e, to, from - LOWER_XMM);
    lower_fp_note_box(l, i);
}

/* A constant, as an operand. */
static struct fp_operand constant(enum fp_constant n)
{
    return (struct fp_operand){NO_REG, fp_constant(n)};
}

/*
 * a's number with a sign made from b's. Of two times the same register, which is how compilers write
 * moves, negation and absolute value, only one bit is changed, or none.
 */
static void sign(struct lower *l, const struct ir_insn *i)
{
    struct emit *e = &l->e;
    bool wide = fp_is_double(i->type);
    enum fp_constant only = wide ? FP_CONST_SIGN64 : FP_CONST_SIGN32;
    enum fp_constant rest = wide ? FP_CONST_NOT_SIGN64 : FP_CONST_NOT_SIGN32;
    unsigned to = fp_dest(l);
    struct fp_operand a = fp_operand(l, i->a);
    bool same = i->a == i->b || lower_guest(l)->insn.rs1 == lower_guest(l)->insn.rs2;
    if (same && a.reg == NO_REG) {
        fp_load(l, to, a);
        a.reg = (uint8_t)to;
    }
    if (same && i->kind == IR_FP_sgnj) {
        emit_movaps(e, to, a.reg);
    } else if (same && i->kind == IR_FP_sgnjn) {
        fp_op3(l, OP_XORPS, to, a.reg, constant(only));
    } else if (same) {
        fp_op3(l, OP_ANDPS, to, a.reg, constant(rest));
    } else {
        fp_load(l, 2, fp_operand(l, i->b));
        if (i->kind == IR_FP_sgnjn)
            emit_rm(e, OP_XORPS, W32, 2, fp_constant(only));
        emit_rm(e, OP_ANDPS, W32, 2, fp_constant(only));
        fp_load(l, to, a);
        if (i->kind != IR_FP_sgnjx)
            emit_rm(e, OP_ANDPS, W32, to, fp_constant(rest));
        emit_rr(e, i->kind == IR_FP_sgnjx ? OP_XORPS : OP_ORPS, W32, to, 2);
    }
    fp_done(l, to);
}

bool lower_fp_move(struct lower *l, const struct ir_insn *i)
{
    switch (i->op) {
    case IR_unbox:
        unbox(l, i);
        return true;
    case IR_box:
        box(l, i);
        return true;
    case IR_set_f:
        set_f(l, i);
        return true;
    case IR_fpn2:
        if (i->kind != IR_FP_sgnj && i->kind != IR_FP_sgnjn && i->kind != IR_FP_sgnjx)
            return false;
        sign(l, i);
        return true;
    default:
        return false;
    }
}
