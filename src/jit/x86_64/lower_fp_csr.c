/* SPDX-License-Identifier: MPL-2.0 */
/*
 * fflags, frm and fcsr without a call: compilers put a comparison between a read and a write of
 * fflags, and a mathematical library reads and sets the mode in every function.
 *
 * A write of fflags goes to hart.fp alone while MXCSR has no flag beyond the ones written, which is so
 * when they were read a moment ago: ldmxcsr would wait for all that is being computed. A new rounding
 * mode is for the interpreter.
 */
#include "jit/x86_64/lower_fp.h"

enum { OP_STORE8 = 0x88, OP_MXCSR = 0x0fae, LDMXCSR = 2, STMXCSR = 3 };

/* eax = MXCSR's flags as fflags */
static void read_host_flags(struct lower *l)
{
    struct emit *e = &l->e;
    struct mem table = fp_constant(FP_CONST_FFLAGS);
    emit_rm(e, OP_MXCSR, W32, STMXCSR, HART(translated.mxcsr));
    emit_load(e, W32, RAX, HART(translated.mxcsr));
    emit_ri(e, ALU_AND, W32, RAX, MXCSR_FLAGS);
    emit_rm(e, OP_MOVZX8, W32, RAX, mem_index((enum reg)table.base, RAX, 0, table.disp));
}

static void clear_host_flags(struct lower *l, const struct later *later)
{
    struct emit *e = &l->e;
    emit_mi(e, ALU_AND, W32, HART(translated.mxcsr), ~MXCSR_FLAGS);
    emit_rm(e, OP_MXCSR, W32, LDMXCSR, HART(translated.mxcsr));
    emit_jmp_to(e, later->back);
}

/* edx = the operand of the instruction: rs1 or the number in its place */
static void load_operand(struct lower *l, const struct decoded *d, bool immediate)
{
    enum reg pinned = lower_x(l, d->rs1);
    if (immediate || d->rs1 == 0)
        emit_mov_imm(&l->e, RDX, d->rs1);
    else if (pinned != NO_REG)
        emit_mov_rr(&l->e, W32, RDX, pinned);
    else
        emit_load(&l->e, W32, RDX, hart_x(d->rs1));
}

/* edx becomes what is written, from ecx, the old value; op: that of the register form. */
static void combine(struct lower *l, enum insn_id op)
{
    if (op == INSN_csrrs) {
        emit_rr(&l->e, OP_OR, W32, RDX, RCX);
    } else if (op == INSN_csrrc) {
        emit_unary(&l->e, UNARY_NOT, W32, RDX);
        emit_rr(&l->e, OP_AND, W32, RDX, RCX);
    }
}

/* Leaves if edx would change the mode, whose bits these are. */
static void check_same_mode(struct lower *l, int32_t bits)
{
    emit_rr(&l->e, OP_XOR, W32, RDX, RCX);
    emit_test_ri(&l->e, W32, RDX, bits);
    fp_leave_from(l, emit_jcc(&l->e, CC_NE));
    emit_rr(&l->e, OP_XOR, W32, RDX, RCX);
}

static void write_flags(struct lower *l)
{
    struct emit *e = &l->e;
    struct later *later = lower_later(l, LATER_CALL);
    emit_ri(e, ALU_AND, W32, RDX, 31);
    emit_rm(e, OP_STORE8, W32, RDX, HART(fp.flags));
    emit_unary(e, UNARY_NOT, W32, RDX);
    emit_rr(e, OP_TEST, W32, RAX, RDX);
    later->from[0] = emit_jcc(e, CC_NE);
    later->emit = clear_host_flags;
    later->back = e->at;
}

/* rd = ecx */
static void set_rd(struct lower *l, unsigned rd)
{
    enum reg pinned = lower_x(l, rd);
    lower_base_changed(l, rd, NULL);
    if (pinned != NO_REG)
        emit_mov_rr(&l->e, W32, pinned, RCX);
    else
        emit_store(&l->e, W64, RCX, hart_x(rd));
}

/*
 * C's quiet comparisons (isless and the like) are frflags rd; flt or fle; fsflags rd. Since x86 has
 * quiet ones, too, the flags need not be written back: what the last of the three does is done.
 */

static bool is_quiet_comparison(const struct lower *l)
{
    const struct ir_guest *g = lower_guest(l);
    if (l->guest + 2 >= l->count_end || g->insn.id != INSN_csrrs || g->insn.rs1 ||
        g->insn.imm != CSR_FFLAGS)
        return false;
    const struct decoded *compare = &g[1].insn, *back = &g[2].insn;
    bool compares = compare->id == INSN_flt_s || compare->id == INSN_fle_s ||
                    compare->id == INSN_flt_d || compare->id == INSN_fle_d;
    return compares && compare->rd != g->insn.rd && back->id == INSN_csrrw &&
           back->imm == CSR_FFLAGS && back->rd == 0 && back->rs1 == g->insn.rd && g->insn.rd;
}

/* The comparison met a NaN, a signalling one perhaps: the flags are written back after all. */
static void quiet_nan(struct lower *l, const struct later *later)
{
    struct emit *e = &l->e;
    enum reg flags = lower_x(l, later->base);
    if (flags == NO_REG) {
        flags = RAX;
        emit_load(e, W32, RAX, hart_x(later->base));
    } else {
        emit_mov_rr(e, W32, RAX, flags);
    }
    emit_rm(e, OP_STORE8, W32, RAX, HART(fp.flags));
    emit_rm(e, OP_MXCSR, W32, STMXCSR, HART(translated.mxcsr));
    emit_mi(e, ALU_AND, W32, HART(translated.mxcsr), ~MXCSR_FLAGS);
    emit_rm(e, OP_MXCSR, W32, LDMXCSR, HART(translated.mxcsr));
    emit_stc(e); /* neither less nor equal */
    emit_jmp_to(e, later->back);
}

void fp_quiet_nan(struct lower *l)
{
    struct later *later = lower_later(l, LATER_CALL);
    later->from[0] = emit_jcc(&l->e, CC_P);
    later->emit = quiet_nan;
    later->base = l->quiet;
    later->back = l->e.at;
}

bool lower_fp_csr(struct lower *l)
{
    static const struct {
        uint16_t id, op;
        bool immediate;
    } forms[] = {
        {INSN_csrrw, INSN_csrrw, false}, {INSN_csrrs, INSN_csrrs, false},
        {INSN_csrrc, INSN_csrrc, false}, {INSN_csrrwi, INSN_csrrw, true},
        {INSN_csrrsi, INSN_csrrs, true}, {INSN_csrrci, INSN_csrrc, true},
    };
    struct emit *e = &l->e;
    const struct decoded *d = &lower_guest(l)->insn;
    unsigned csr = (unsigned)d->imm, form = 0;
    if (csr < CSR_FFLAGS || csr > CSR_FCSR)
        return false;
    if (l->quiet) { /* the write that ends a quiet comparison */
        l->quiet = 0;
        return true;
    }
    if (is_quiet_comparison(l))
        l->quiet = d->rd;
    while (forms[form].id != d->id)
        form++;
    bool writes = forms[form].op == INSN_csrrw || d->rs1 != 0;
    fp_check_on(l);
    lower_take(l, RAX);
    lower_take(l, RCX);
    lower_take(l, RDX);
    if (csr != CSR_FRM) {
        read_host_flags(l);
        emit_rm(e, OP_MOVZX8, W32, RCX, HART(fp.flags));
        emit_rr(e, OP_OR, W32, RCX, RAX);
    }
    if (csr == CSR_FCSR) {
        emit_rm(e, OP_MOVZX8, W32, RDX, HART(frm));
        emit_shift_ri(e, SHIFT_SHL, W32, RDX, 5);
        emit_rr(e, OP_OR, W32, RCX, RDX);
    } else if (csr == CSR_FRM) {
        emit_rm(e, OP_MOVZX8, W32, RCX, HART(frm));
    }
    if (writes) {
        load_operand(l, d, forms[form].immediate);
        combine(l, (enum insn_id)forms[form].op);
        if (csr != CSR_FFLAGS)
            check_same_mode(l, csr == CSR_FRM ? 7 : 0xe0);
        if (csr != CSR_FRM)
            write_flags(l);
    }
    if (d->rd)
        set_rd(l, d->rd);
    return true;
}
