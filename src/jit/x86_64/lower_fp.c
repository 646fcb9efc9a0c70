/* SPDX-License-Identifier: MPL-2.0 */
/* Floating point: switching it on, operands and results, what is left to the interpreter. See lower_fp.h. */
#include "jit/x86_64/lower_fp.h"

/*
 * Operands and results
 */

struct fp_operand fp_operand(const struct lower *l, ir_ref ref)
{
    const struct ir_insn *i = lower_insn(l, ref);
    struct fp_operand o = {NO_REG, {0}};
    if (i->op == IR_unbox) /* which has made sure that it is boxed */
        i = lower_insn(l, i->a);
    o.reg = (uint8_t)pinned_f((unsigned)i->imm);
    if (o.reg == NO_REG)
        o.mem = hart_f((unsigned)i->imm);
    return o;
}

void fp_load(struct lower *l, unsigned to, struct fp_operand o)
{
    if (o.reg == NO_REG)
        emit_rm(&l->e, OP_MOVQ_LOAD, W32, to, o.mem);
    else
        emit_movaps(&l->e, to, o.reg);
}

unsigned fp_reg(struct lower *l, ir_ref ref, unsigned scratch)
{
    struct fp_operand o = fp_operand(l, ref);
    if (o.reg != NO_REG)
        return o.reg;
    fp_load(l, scratch, o);
    return scratch;
}

unsigned fp_dest(const struct lower *l)
{
    const struct ir_insn *next = lower_insn(l, (ir_ref)(l->at + 1));
    if (next->op == IR_box)
        next++;
    unsigned x = next->op == IR_set_f ? pinned_f((unsigned)next->imm) : NO_REG;
    return x == NO_REG ? 0 : x;
}

void fp_done(struct lower *l, unsigned x)
{
    l->values[l->at].reg = (uint8_t)(LOWER_XMM + x);
}

void fp_op(struct lower *l, uint32_t op, unsigned x, struct fp_operand o)
{
    if (o.reg == NO_REG)
        emit_rm(&l->e, op, W32, x, o.mem);
    else
        emit_rr(&l->e, op, W32, x, o.reg);
}

void fp_op3(struct lower *l, uint32_t op, unsigned to, unsigned a, struct fp_operand b)
{
    if (to == a) {
        fp_op(l, op, to, b);
    } else if (l->has->avx) {
        if (b.reg == NO_REG)
            emit_vex_op_rm(&l->e, op, W32, to, a, b.mem);
        else
            emit_vex_op_rr(&l->e, op, W32, to, a, b.reg);
    } else if (to == b.reg) {
        emit_movaps(&l->e, 2, a);
        fp_op(l, op, 2, b);
        emit_movaps(&l->e, to, 2);
    } else {
        emit_movaps(&l->e, to, a);
        fp_op(l, op, to, b);
    }
}

/*
 * NaNs
 */

void fp_load_nan(struct lower *l, unsigned x, enum ir_type type)
{
    emit_rm(&l->e, OP_MOVQ_LOAD, W32, x,
            fp_constant(fp_is_double(type) ? FP_CONST_NAN64 : FP_CONST_NAN32));
}

static void make_canonical(struct lower *l, const struct later *later)
{
    fp_load_nan(l, later->reg, (enum ir_type)later->value);
    emit_jmp_to(&l->e, later->back);
}

void fp_canonical(struct lower *l, unsigned x, enum ir_type type)
{
    struct later *later = lower_later(l, LATER_CALL);
    emit_rr(&l->e, fp_is_double(type) ? OP_UCOMISD : OP_UCOMISS, W32, x, x);
    later->from[0] = emit_jcc(&l->e, CC_P);
    later->emit = make_canonical;
    later->reg = (uint8_t)x;
    later->value = type;
    later->back = l->e.at;
}

/*
 * The interpreter's part. STUB_STEP keeps rdx, so that what is known of the group holds behind it, too.
 */

static struct jit_site *step_site(struct lower *l)
{
    struct jit_helper_site *at = jit_meta(l->jh, sizeof(*at));
    lower_fill_site(l, &at->site);
    at->insn = code_slot(l->jh->hart, &lower_guest(l)->insn);
    return &at->site; /* its first member: for the service the whole */
}

static void call_step(struct lower *l, const struct jit_site *site)
{
    bool mapped = l->mapped;
    lower_leave_map(l);
    emit_lea_rip(&l->e, RAX, site);
    emit_call_to(&l->e, lower_stub(l, STUB_STEP));
    if (mapped)
        lower_enter_map(l);
}

static void step_later(struct lower *l, const struct later *later)
{
    call_step(l, later->site);
    emit_jmp_to(&l->e, later->back);
}

static void add_from(struct lower *l, struct later *later, uint8_t *field)
{
    for (unsigned n = 0; n < 3; n++) {
        if (!later->from[n]) {
            later->from[n] = field;
            return;
        }
    }
    l->failed = true;
}

void fp_step_from(struct lower *l, uint8_t *field)
{
    if (!l->step) {
        l->step = lower_later(l, LATER_CALL);
        l->step->emit = step_later;
        l->step->site = step_site(l);
    }
    add_from(l, l->step, field);
}

void fp_leave_from(struct lower *l, uint8_t *field)
{
    if (!l->leave) {
        l->leave = lower_later(l, LATER_INTERPRET);
        l->leave->site = lower_site(l);
    }
    add_from(l, l->leave, field);
}

void fp_step(struct lower *l)
{
    unsigned end = ir_guest_start(l->ir, l->guest + 1);
    call_step(l, step_site(l));
    for (; l->at + 1 < end; l->at++) {
        const struct ir_insn *i = lower_insn(l, (ir_ref)(l->at + 1));
        if (i->op == IR_set_f)
            lower_fp_note_box(l, i);
        else if (i->op == IR_set_x)
            lower_base_changed(l, (unsigned)i->imm, NULL);
    }
}

void fp_check_mode(struct lower *l, const struct ir_insn *i)
{
    if (i->rm == IR_RM_DYNAMIC)
        return;
    emit_cmp8_mi(&l->e, HART(frm), i->rm);
    fp_step_from(l, emit_jcc(&l->e, CC_NE));
}

/*
 * On and off. Granted once (jit_service_fp_on), it lasts until C looks at the state: so one check
 * does for mstatus.FS, for a valid frm, and for FS becoming Dirty. FS may become Dirty though nothing
 * was changed; the privileged specification allows that ("Extension Context Status").
 */
void fp_check_on(struct lower *l)
{
    if (l->fp_on)
        return;
    struct later *later = lower_later(l, LATER_FP_ON);
    emit_cmp8_mi(&l->e, HART(translated.fp_live), 0);
    later->from[0] = emit_jcc(&l->e, CC_E);
    later->back = l->e.at;
    later->site = lower_site(l);
    l->fp_on = true;
}

void lower_later_fp(struct lower *l, const struct later *later)
{
    lower_leave_map(l);
    emit_lea_rip(&l->e, RAX, later->site);
    emit_call_to(&l->e, lower_stub(l, STUB_FP_ON));
    if (later->mapped)
        lower_enter_map(l);
    emit_jmp_to(&l->e, later->back);
}

bool lower_fp(struct lower *l, const struct ir_insn *i)
{
    switch (i->op) {
    case IR_check_fp:
        fp_check_on(l);
        return true;
    case IR_check_rm: /* FP is not on with a reserved mode */
    case IR_dirty_fp:
        return true;
    case IR_call_csr:
        return lower_fp_csr(l);
    default:
        return lower_fp_move(l, i) || lower_fp_arith(l, i) || lower_fp_compare(l, i) ||
               lower_fp_convert(l, i);
    }
}
