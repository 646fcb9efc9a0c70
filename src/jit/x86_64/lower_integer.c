/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Integer operations. The forms that the processor may lack have a longer one beside them; what has no
 * good form at all is a call of a C function of numbers.
 */
#include "jit/x86_64/lower.h"

#include "cpu/bits.h"

/* A guest register that has no host register, unchanged so far: its number; 0: it is none of these. */
static unsigned register_in_memory(const struct lower *l, ir_ref ref)
{
    const struct ir_insn *i = lower_insn(l, ref);
    return i->op == IR_get_x && lower_x(l, (unsigned)i->imm) == NO_REG ? (unsigned)i->imm : 0;
}

/* An operation on a register that has no host register, and into it: on its place in memory. */
static bool in_place(struct lower *l, const struct ir_insn *i)
{
    static const struct {
        uint8_t alu, to_memory; /* opcode with the memory operand first; 0: no such operation */
        bool commutes;
    } forms[IR_OPS] = {
        [IR_add] = {ALU_ADD, 0x01, true},  [IR_or] = {ALU_OR, 0x09, true},
        [IR_and] = {ALU_AND, 0x21, true},  [IR_xor] = {ALU_XOR, 0x31, true},
        [IR_sub] = {ALU_SUB, 0x29, false},
    };
    const struct ir_insn *write = lower_write_behind(l);
    if (!write || i->type != IR_I64 || l->xw != W64)
        return false;
    unsigned to = (unsigned)write->imm;
    ir_ref other = i->b;
    if (forms[i->op].commutes && register_in_memory(l, i->b) == to)
        other = i->a;
    else if (register_in_memory(l, i->a) != to)
        return false;
    const struct ir_insn *o = lower_insn(l, other);
    bool small = o->op == IR_const && o->imm == (int32_t)o->imm;
    if (i->op == IR_sll || i->op == IR_srl || i->op == IR_sra) {
        if (!small)
            return false;
        unsigned n = i->op == IR_sll ? SHIFT_SHL : i->op == IR_srl ? SHIFT_SHR : SHIFT_SAR;
        emit_rm(&l->e, 0xc1, W64, n, hart_x(to));
        emit8(&l->e, o->imm & 63);
    } else if (!forms[i->op].to_memory) {
        return false;
    } else if (small) {
        emit_mi(&l->e, (enum alu)forms[i->op].alu, W64, hart_x(to), (int32_t)o->imm);
    } else if (o->op == IR_get_x && lower_x(l, (unsigned)o->imm) != NO_REG) {
        emit_rm(&l->e, forms[i->op].to_memory, W64, lower_x(l, (unsigned)o->imm), hart_x(to));
    } else {
        return false;
    }
    lower_wrote(l);
    return true;
}

bool lower_is_scale(const struct lower *l, unsigned ref)
{
    const struct ir_insn *i = lower_insn(l, (ir_ref)ref);
    const struct value *v = &l->values[ref];
    const struct ir_insn *user = lower_insn(l, v->user);
    return i->op == IR_sll && i->type == IR_I64 && v->uses == 1 && user->op == IR_add &&
           user->type == IR_I64 && user->a == ref && lower_insn(l, user->b)->op == IR_get_x &&
           lower_insn(l, i->a)->op == IR_get_x && lower_insn(l, i->b)->op == IR_const &&
           lower_insn(l, i->b)->imm <= 3;
}

/* lea to, [y + x * 2^n] */
static void add_scaled(struct lower *l, const struct ir_insn *i)
{
    const struct ir_insn *scale = lower_insn(l, i->a);
    enum reg x = lower_reg(l, scale->a), y = lower_reg(l, i->b);
    struct operand x_operand = {.kind = OPERAND_REG, .reg = (uint8_t)x};
    struct operand y_operand = {.kind = OPERAND_REG, .reg = (uint8_t)y};
    enum reg to = lower_dest_over(l, x_operand);
    emit_lea(&l->e, W64, to, mem_index(y, x, (unsigned)lower_insn(l, scale->b)->imm, 0));
    lower_finish(l, to, x_operand, y_operand);
}

/* add, and, or, xor; sub apart. */
static void commutative(struct lower *l, enum alu op, const struct ir_insn *i)
{
    enum width w = l->halves ? W32 : width_of(i->type);
    struct operand x = lower_operand(l, i->a), y = lower_operand(l, i->b);
    if (x.kind != OPERAND_REG && y.kind == OPERAND_REG) { /* the register first */
        struct operand swap = x;
        x = y;
        y = swap;
    }
    enum reg to = lower_dest_over(l, x);
    if (lower_uses(y, to) && !lower_uses(x, to)) {
        struct operand swap = x;
        x = y;
        y = swap;
    }
    if (lower_uses(x, to)) {
        lower_alu(l, op, w, to, y);
    } else if (op == ALU_ADD && x.kind == OPERAND_REG && y.kind == OPERAND_REG) {
        emit_lea(&l->e, w, to, mem_index(x.reg, y.reg, 0, 0));
    } else if (op == ALU_ADD && x.kind == OPERAND_REG && y.kind == OPERAND_IMM) {
        if (y.imm)
            emit_lea(&l->e, w, to, mem(x.reg, y.imm));
        else
            emit_mov_rr(&l->e, w, to, x.reg);
    } else if (op == ALU_XOR && y.kind == OPERAND_IMM && y.imm == -1) {
        lower_mov(l, w, to, x);
        emit_unary(&l->e, UNARY_NOT, w, to);
    } else {
        lower_mov(l, w, to, x);
        lower_alu(l, op, w, to, y);
    }
    if (l->halves) {
        unsigned guest = (unsigned)lower_write_behind(l)->imm;
        lower_wrote(l);
        l->narrow |= UINT32_C(1) << guest;
    }
    lower_finish(l, to, x, y);
}

static void subtract(struct lower *l, const struct ir_insn *i)
{
    enum width w = width_of(i->type);
    struct operand x = lower_operand(l, i->a), y = lower_operand(l, i->b);
    enum reg to = lower_dest_over(l, x);
    if (x.kind == OPERAND_IMM && x.imm == 0) {
        lower_mov(l, w, to, y);
        emit_unary(&l->e, UNARY_NEG, w, to);
    } else if (lower_uses(x, to)) {
        lower_alu(l, ALU_SUB, w, to, y);
    } else if (lower_uses(y, to)) {
        emit_unary(&l->e, UNARY_NEG, w, to);
        lower_alu(l, ALU_ADD, w, to, x);
    } else {
        lower_mov(l, w, to, x);
        lower_alu(l, ALU_SUB, w, to, y);
    }
    lower_finish(l, to, x, y);
}

/* By a constant. */
static void shift_constant(struct lower *l, enum shift op, const struct ir_insn *i, unsigned n)
{
    enum width w = width_of(i->type);
    struct operand x = lower_operand(l, i->a);
    enum reg to = lower_dest_over(l, x);
    n &= w == W64 ? 63 : 31;
    if (op == SHIFT_ROL) {
        op = SHIFT_ROR;
        n = (w == W64 ? 64 - n : 32 - n) & (w == W64 ? 63 : 31);
    }
    if (op == SHIFT_SHL && n == 1 && x.kind == OPERAND_REG && x.reg != to) {
        emit_lea(&l->e, w, to, mem_index(x.reg, x.reg, 0, 0));
    } else if (op == SHIFT_ROR && l->has->bmi2 && x.kind == OPERAND_REG) {
        emit_rorx(&l->e, w, to, x.reg, n);
    } else {
        lower_mov(l, w, to, x);
        if (n)
            emit_shift_ri(&l->e, op, w, to, n);
    }
    lower_finish(l, to, x, x);
}

static void shift(struct lower *l, enum shift op, const struct ir_insn *i)
{
    enum width w = width_of(i->type);
    const struct ir_insn *count = lower_insn(l, i->b);
    if (count->op == IR_const) {
        shift_constant(l, op, i, (unsigned)count->imm);
        return;
    }
    if (l->has->bmi2 && (op == SHIFT_SHL || op == SHIFT_SHR || op == SHIFT_SAR)) {
        enum reg x = lower_reg(l, i->a), n = lower_reg(l, i->b);
        enum reg to = lower_dest(l);
        emit_shift_x(&l->e, op == SHIFT_SHL ? SHLX : op == SHIFT_SHR ? SHRX : SARX, w, to, x, n);
        lower_free(l, x);
        lower_free(l, n);
        lower_done(l, to);
        return;
    }
    lower_take(l, RCX);
    lower_into(l, RCX, i->b, W32);
    enum reg to = lower_temp(l);
    lower_into(l, to, i->a, w);
    emit_shift_cl(&l->e, op, w, to);
    lower_free(l, RCX);
    lower_done(l, to);
}

/* A condition code as 1 or 0. */
static void set_condition(struct lower *l, enum cond cc)
{
    enum reg to = lower_dest(l);
    emit_setcc(&l->e, cc, to);
    emit_rr8(&l->e, OP_MOVZX8, W32, to, to);
    lower_done(l, to);
}

/* The comparison is made here, so it must not be taken for one that waited. */
static void compare(struct lower *l)
{
    set_condition(l, lower_condition(l, (ir_ref)l->at));
}

static void choose(struct lower *l, const struct ir_insn *i)
{
    enum width w = width_of(i->type);
    enum reg to = lower_temp(l);
    struct operand yes = lower_operand(l, i->b);
    if (yes.kind == OPERAND_IMM) { /* cmov takes no constant */
        enum reg r = lower_temp(l);
        lower_mov(l, w, r, yes);
        yes = (struct operand){.kind = OPERAND_REG, .reg = (uint8_t)r};
    }
    lower_into(l, to, i->c, w);
    enum cond cc = lower_condition(l, i->a);
    if (yes.kind == OPERAND_MEM)
        emit_rm(&l->e, OP_CMOV | cc, w, to, yes.mem);
    else
        emit_rr(&l->e, OP_CMOV | cc, w, to, yes.reg);
    lower_release(l, yes);
    lower_done(l, to);
}

/*
 * Multiplication and division
 */

static void multiply(struct lower *l, const struct ir_insn *i)
{
    enum width w = width_of(i->type);
    struct operand x = lower_operand(l, i->a), y = lower_operand(l, i->b);
    enum reg to = lower_dest(l);
    if (lower_uses(y, to)) {
        struct operand swap = x;
        x = y;
        y = swap;
    }
    lower_mov(l, w, to, x);
    if (y.kind == OPERAND_IMM)
        emit_imul_imm(&l->e, w, to, to, y.imm);
    else if (y.kind == OPERAND_MEM)
        emit_rm(&l->e, OP_IMUL, w, to, y.mem);
    else
        emit_rr(&l->e, OP_IMUL, w, to, y.reg);
    lower_release(l, x);
    lower_release(l, y);
    lower_done(l, to);
}

/* The high half: rdx:rax = rax * operand. Operands are guest registers, never rax or rdx. */
static void multiply_high(struct lower *l, unsigned op, const struct ir_insn *i)
{
    enum width w = width_of(i->type);
    lower_take(l, RAX);
    lower_take(l, RDX);
    lower_into(l, RAX, i->a, w);
    struct operand y = lower_operand(l, i->b);
    if (y.kind == OPERAND_IMM) {
        lower_mov(l, w, RDX, y);
        emit_unary(&l->e, op, w, RDX);
    } else if (y.kind == OPERAND_MEM) {
        emit_unary_m(&l->e, op, w, y.mem);
    } else {
        emit_unary(&l->e, op, w, y.reg);
    }
    lower_free(l, RAX);
    lower_done(l, RDX);
}

/* mulhsu(a, b) = mulhu(a, b) - (a < 0 ? b : 0) */
static void multiply_high_signed_unsigned(struct lower *l, const struct ir_insn *i)
{
    enum width w = width_of(i->type);
    lower_take(l, RAX);
    lower_take(l, RDX);
    lower_take(l, RCX);
    lower_into(l, RCX, i->b, w);
    lower_into(l, RAX, i->a, w);
    emit_unary(&l->e, UNARY_MUL, w, RCX);
    lower_into(l, RAX, i->a, w);
    emit_shift_ri(&l->e, SHIFT_SAR, w, RAX, w == W64 ? 63 : 31);
    emit_rr(&l->e, OP_AND, w, RAX, RCX);
    emit_rr(&l->e, OP_SUB, w, RDX, RAX);
    lower_free(l, RAX);
    lower_free(l, RCX);
    lower_done(l, RDX);
}

/*
 * Division by 0 and overflow have results in RISC-V and trap on x86. Quotients of numbers that both
 * fit in 32 bits are computed with 32, which takes half the time or less.
 */
/*
 * By a constant it is a multiplication with its reciprocal. 2^64 / d, rounded up, makes exact quotients of
 * all 32-bit numbers: the error is less than 2^32 * d / 2^64 parts of 1 / d. For negative ones the product
 * is rounded down, so that 1 is added. Unsigned 64-bit numbers want a reciprocal of 65 bits, the first
 * of which is 1 (Granlund, Montgomery: Division by Invariant Integers using Multiplication, 1994).
 */
struct reciprocal {
    uint64_t factor;
    unsigned shift; /* 64 bits: of the sum, behind the halving */
};

static bool find_reciprocal(const struct ir_insn *divisor, enum width w, bool is_signed,
                            struct reciprocal *r)
{
    uint64_t d = w == W32 ? (uint32_t)divisor->imm : (uint64_t)divisor->imm;
    if (divisor->op != IR_const || d > INT32_MAX || (is_signed && w == W64) || !(d & (d - 1)))
        return false;
    r->shift = 63 - (unsigned)__builtin_clzll(d);
    if (w == W32)
        r->factor = UINT64_MAX / d + 1;
    else
        r->factor = (uint64_t)(((unsigned __int128)((UINT64_C(2) << r->shift) - d) << 64) / d) + 1;
    return true;
}

static void divide_by_constant(struct lower *l, const struct ir_insn *i, bool is_signed,
                               bool remainder, const struct reciprocal *r)
{
    enum width w = width_of(i->type);
    struct emit *e = &l->e;
    lower_take(l, RAX);
    lower_take(l, RDX);
    lower_take(l, RCX);
    lower_into(l, RAX, i->a, w);
    if (is_signed)
        emit_rr(e, OP_MOVSXD, W64, RAX, RAX);
    emit_mov_rr(e, W64, RCX, RAX);
    emit_mov_imm(e, RDX, r->factor);
    emit_unary(e, is_signed ? UNARY_IMUL : UNARY_MUL, W64, RDX);
    if (is_signed) {
        emit_mov_rr(e, W32, RAX, RCX);
        emit_shift_ri(e, SHIFT_SHR, W32, RAX, 31);
        emit_rr(e, OP_ADD, W32, RDX, RAX);
    } else if (w == W64) {
        emit_mov_rr(e, W64, RAX, RCX);
        emit_rr(e, OP_SUB, W64, RAX, RDX);
        emit_shift_ri(e, SHIFT_SHR, W64, RAX, 1);
        emit_rr(e, OP_ADD, W64, RDX, RAX);
        emit_shift_ri(e, SHIFT_SHR, W64, RDX, r->shift);
    }
    if (remainder) {
        emit_imul_imm(e, w, RAX, RDX, (int32_t)lower_insn(l, i->b)->imm);
        emit_rr(e, OP_SUB, w, RCX, RAX);
    }
    enum reg result = remainder ? RCX : RDX;
    lower_free(l, RAX);
    lower_free(l, remainder ? RDX : RCX);
    lower_done(l, result);
}

static void divide(struct lower *l, const struct ir_insn *i, bool is_signed, bool remainder)
{
    enum width w = width_of(i->type);
    struct reciprocal r;
    if (find_reciprocal(lower_insn(l, i->b), w, is_signed, &r)) {
        divide_by_constant(l, i, is_signed, remainder, &r);
        return;
    }
    struct emit *e = &l->e;
    enum reg result = remainder ? RDX : RAX;
    lower_take(l, RAX);
    lower_take(l, RDX);
    lower_take(l, RCX);
    lower_into(l, RAX, i->a, w);
    lower_into(l, RCX, i->b, w);
    emit_rr(e, OP_TEST, w, RCX, RCX);
    uint8_t *not_zero = emit_jcc_short(e, CC_NE);
    /* by 0: all ones, or the dividend */
    if (remainder)
        emit_mov_rr(e, w, RDX, RAX);
    else
        emit_mov_imm(e, RAX, UINT64_MAX);
    uint8_t *done_zero = emit_jmp_short(e);
    emit_patch_short(e, not_zero);
    uint8_t *done_minus = NULL, *done_narrow = NULL;
    if (is_signed) {
        /* by -1: the negative, or 0; no overflow that way */
        emit_ri(e, ALU_CMP, w, RCX, -1);
        uint8_t *other = emit_jcc_short(e, CC_NE);
        if (remainder)
            emit_mov_imm(e, RDX, 0);
        else
            emit_unary(e, UNARY_NEG, w, RAX);
        done_minus = emit_jmp_short(e);
        emit_patch_short(e, other);
    }
    if (w == W64) {
        emit_mov_rr(e, W64, RDX, RAX);
        emit_rr(e, OP_OR, W64, RDX, RCX);
        emit_shift_ri(e, SHIFT_SHR, W64, RDX, is_signed ? 31 : 32);
        uint8_t *wide = emit_jcc_short(e, CC_NE);
        emit_rr(e, OP_XOR, W32, RDX, RDX);
        emit_unary(e, UNARY_DIV, W32, RCX);
        done_narrow = emit_jmp_short(e);
        emit_patch_short(e, wide);
    }
    if (is_signed)
        emit_cqo(e, w);
    else
        emit_rr(e, OP_XOR, W32, RDX, RDX);
    emit_unary(e, is_signed ? UNARY_IDIV : UNARY_DIV, w, RCX);
    emit_patch_short(e, done_zero);
    if (done_minus)
        emit_patch_short(e, done_minus);
    if (done_narrow)
        emit_patch_short(e, done_narrow);
    lower_free(l, RAX);
    lower_free(l, RDX);
    lower_free(l, RCX);
    l->temps |= (uint16_t)(1u << result);
    lower_done(l, result);
}

/*
 * Bits
 */

/* Whether a 32-bit value has its upper bit clear: extended by zeroes, as the host leaves it, it is extended
 * by its sign. */
static bool is_positive(const struct lower *l, const struct ir_insn *i)
{
    return i->op == IR_srl && i->type == IR_I32 && lower_insn(l, i->b)->op == IR_const &&
           lower_insn(l, i->b)->imm & 31;
}

/* sext and zext from `bits` */
static void extend(struct lower *l, const struct ir_insn *i, bool is_signed)
{
    enum width w = width_of(i->type);
    struct operand x = lower_operand(l, i->a);
    enum reg to = lower_dest_over(l, x);
    unsigned bits = (unsigned)i->imm;
    const struct ir_insn *write = lower_write_behind(l);
    bool from_word = bits == 32 && is_signed && w == W64 && lower_uses(x, to);
    bool positive = is_positive(l, lower_insn(l, i->a));
    if (from_word && write && lower_x(l, (unsigned)write->imm) == to) {
        unsigned guest = (unsigned)write->imm;
        lower_wrote(l);
        if (!positive)
            l->narrow |= UINT32_C(1) << guest;
        lower_finish(l, to, x, x);
        return;
    }
    if (from_word && positive) {
        lower_finish(l, to, x, x);
        return;
    }
    if (x.kind == OPERAND_IMM) {
        lower_mov(l, w, to, x);
        x = (struct operand){.kind = OPERAND_REG, .reg = (uint8_t)to};
    }
    if (bits == 32 && !is_signed) {
        if (x.kind == OPERAND_MEM)
            emit_load(&l->e, W32, to, x.mem);
        else
            emit_rr(&l->e, OP_MOV_LOAD, W32, to, x.reg);
    } else {
        uint32_t op = bits == 32   ? OP_MOVSXD
                      : bits == 16 ? (is_signed ? OP_MOVSX16 : OP_MOVZX16)
                                   : (is_signed ? OP_MOVSX8 : OP_MOVZX8);
        enum width ow = is_signed ? w : W32;
        if (x.kind == OPERAND_MEM)
            emit_rm(&l->e, op, ow, to, x.mem);
        else if (bits == 8)
            emit_rr8(&l->e, op, ow, to, x.reg);
        else
            emit_rr(&l->e, op, ow, to, x.reg);
    }
    lower_finish(l, to, x, x);
}

void lower_call_pure(struct lower *l, uint64_t(CODE_ABI *function)(uint64_t, uint64_t))
{
    emit_mov_imm(&l->e, RAX, (uint64_t)(uintptr_t)function);
    emit_call_to(&l->e, lower_stub(l, STUB_PURE));
    lower_free(l, RCX);
    lower_free(l, RDX);
    lower_done(l, RAX);
}

/* A C function of two numbers. */
static void call_pure(struct lower *l, const struct ir_insn *i,
                      uint64_t(CODE_ABI *function)(uint64_t, uint64_t))
{
    enum width w = width_of(i->type);
    lower_take(l, RAX);
    lower_take(l, RCX);
    lower_take(l, RDX);
    lower_into(l, RCX, i->a, w);
    if (ir_op_infos[i->op].operands > 1)
        lower_into(l, RDX, i->b, w);
    lower_call_pure(l, function);
}

CODE_ABI static uint64_t clz64(uint64_t a, uint64_t b)
{
    (void)b;
    return bits_clz64(a);
}
CODE_ABI static uint64_t clz32(uint64_t a, uint64_t b)
{
    (void)b;
    return bits_clz32((uint32_t)a);
}
CODE_ABI static uint64_t ctz64(uint64_t a, uint64_t b)
{
    (void)b;
    return bits_ctz64(a);
}
CODE_ABI static uint64_t ctz32(uint64_t a, uint64_t b)
{
    (void)b;
    return bits_ctz32((uint32_t)a);
}
CODE_ABI static uint64_t cpop64(uint64_t a, uint64_t b)
{
    (void)b;
    return bits_cpop(a);
}
CODE_ABI static uint64_t cpop32(uint64_t a, uint64_t b)
{
    (void)b;
    return bits_cpop((uint32_t)a);
}
CODE_ABI static uint64_t orcb(uint64_t a, uint64_t b)
{
    (void)b;
    return bits_orcb(a);
}
CODE_ABI static uint64_t clmul(uint64_t a, uint64_t b)
{
    return bits_clmul(a, b);
}
CODE_ABI static uint64_t clmulh64(uint64_t a, uint64_t b)
{
    return bits_clmulh64(a, b);
}
CODE_ABI static uint64_t clmulh32(uint64_t a, uint64_t b)
{
    return bits_clmulh32((uint32_t)a, (uint32_t)b);
}
CODE_ABI static uint64_t clmulr64(uint64_t a, uint64_t b)
{
    return bits_clmulr64(a, b);
}
CODE_ABI static uint64_t clmulr32(uint64_t a, uint64_t b)
{
    return bits_clmulr32((uint32_t)a, (uint32_t)b);
}

/* An instruction with one operand and one result. */
static void one_operand(struct lower *l, const struct ir_insn *i, uint32_t op)
{
    enum width w = width_of(i->type);
    enum reg x = lower_reg(l, i->a);
    enum reg to = lower_dest(l);
    emit_rr(&l->e, op, w, to, x);
    lower_free(l, x);
    lower_done(l, to);
}

static void reverse_bytes(struct lower *l, const struct ir_insn *i)
{
    enum width w = width_of(i->type);
    enum reg to = lower_dest(l);
    lower_into(l, to, i->a, w);
    emit_opcode(&l->e, OP_BSWAP | (to & 7), w, 0, 0, to, false);
    lower_done(l, to);
}

bool lower_integer(struct lower *l, const struct ir_insn *i)
{
    bool wide = width_of(i->type) == W64;
    if (in_place(l, i))
        return true;
    switch (i->op) {
    case IR_add:
        if (lower_is_scale(l, i->a))
            add_scaled(l, i);
        else
            commutative(l, ALU_ADD, i);
        return true;
    case IR_and:
        commutative(l, ALU_AND, i);
        return true;
    case IR_or:
        commutative(l, ALU_OR, i);
        return true;
    case IR_xor:
        commutative(l, ALU_XOR, i);
        return true;
    case IR_sub:
        subtract(l, i);
        return true;
    case IR_sll:
        shift(l, SHIFT_SHL, i);
        return true;
    case IR_srl:
        shift(l, SHIFT_SHR, i);
        return true;
    case IR_sra:
        shift(l, SHIFT_SAR, i);
        return true;
    case IR_rol:
        shift(l, SHIFT_ROL, i);
        return true;
    case IR_ror:
        shift(l, SHIFT_ROR, i);
        return true;
    case IR_slt:
    case IR_sltu:
    case IR_eq:
    case IR_ne:
        compare(l);
        return true;
    case IR_select:
        choose(l, i);
        return true;
    case IR_mul:
        multiply(l, i);
        return true;
    case IR_mulh:
        multiply_high(l, UNARY_IMUL, i);
        return true;
    case IR_mulhu:
        multiply_high(l, UNARY_MUL, i);
        return true;
    case IR_mulhsu:
        multiply_high_signed_unsigned(l, i);
        return true;
    case IR_div:
    case IR_rem:
        divide(l, i, true, i->op == IR_rem);
        return true;
    case IR_divu:
    case IR_remu:
        divide(l, i, false, i->op == IR_remu);
        return true;
    case IR_clz:
        if (l->has->lzcnt)
            one_operand(l, i, OP_LZCNT);
        else
            call_pure(l, i, wide ? clz64 : clz32);
        return true;
    case IR_ctz:
        if (l->has->bmi1)
            one_operand(l, i, OP_TZCNT);
        else
            call_pure(l, i, wide ? ctz64 : ctz32);
        return true;
    case IR_cpop:
        if (l->has->popcnt)
            one_operand(l, i, OP_POPCNT);
        else
            call_pure(l, i, wide ? cpop64 : cpop32);
        return true;
    case IR_orcb:
        call_pure(l, i, orcb);
        return true;
    case IR_rev8:
        reverse_bytes(l, i);
        return true;
    case IR_clmul:
        call_pure(l, i, clmul);
        return true;
    case IR_clmulh:
        call_pure(l, i, wide ? clmulh64 : clmulh32);
        return true;
    case IR_clmulr:
        call_pure(l, i, wide ? clmulr64 : clmulr32);
        return true;
    case IR_sext:
        extend(l, i, true);
        return true;
    case IR_zext:
        extend(l, i, false);
        return true;
    default:
        return false;
    }
}
