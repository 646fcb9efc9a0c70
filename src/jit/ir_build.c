/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The translator's front end: the instruction table with its vocabulary defined as calls that append
 * operations (isa/insns.def tells what each word means; cpu/exec_rv.h is the other reading of it).
 * A meaning becomes the body of one function, which serves both widths.
 *
 * The words are statement expressions rather than plain calls, so that operands are appended from left
 * to right whatever the compiler.
 *
 * Folded on the way, because nearly every instruction with an immediate has something of it:
 * F1. operations of two constants, extension of a constant;
 * F2. pc + constant is another pc;
 * F3. a + 0 is a; of 32 bits also where a has more (rule 2);
 * F4. extension to 32 bits of what has the type i32 anyway (rv32) is the value itself;
 * F5. a register that was set to a constant or a pc in the block is that;
 * F6. pc AND -2 is pc, and a jump to it is relative;
 * F7. check_target of an address that cannot be misaligned is nothing;
 * F8. an instruction that works on what the one before it has shifted left, and overwrites it, takes
 *     what was shifted: slli and srli are an extension, slli and add one operation for a host that can
 *     scale. Nothing can come between the two, and ir_dead.c takes away what nobody sees any more;
 * F9. the or of a value's two shifts, left by n and right by the width less n, is a rotation: code for
 *     processors without Zbb has three instructions for it. Others may come between them.
 */
#include "jit/ir.h"

#include "cpu/fp.h"
#include <string.h>

/* The instruction under construction. */
struct builder {
    struct ir_block *block;
    const struct decoded *d;
    uint32_t offset; /* of the instruction in the block */
    enum ir_type xlen;
    bool check_targets; /* instructions start at multiples of 4 only */
};

/* Called from every one of the functions below: in them they would be a hundred kilobytes. */
#define SHARED __attribute__((noinline)) static

#define EMIT(b, ...) ir_emit((b)->block, &(struct ir_insn){__VA_ARGS__})

static const struct ir_insn *at(const struct builder *b, ir_ref ref)
{
    static const struct ir_insn nothing = {.op = IR_none};
    return b->block->failed ? &nothing : &b->block->insns[ref];
}

static int64_t cut(enum ir_type type, uint64_t value)
{
    return type == IR_I32 ? (int32_t)value : (int64_t)value;
}

SHARED ir_ref constant(struct builder *b, enum ir_type type, uint64_t value)
{
    return EMIT(b, .op = IR_const, .type = type, .imm = cut(type, value));
}

SHARED ir_ref pc(struct builder *b, int64_t offset)
{
    return EMIT(b, .op = IR_pc, .type = b->xlen, .imm = offset);
}

/* F1. false: an operation that is left alone. */
static bool fold(enum ir_op op, enum ir_type type, int64_t x, int64_t y, uint64_t *result)
{
    unsigned shift = y & (type == IR_I32 ? 31 : 63);
    uint64_t low = type == IR_I32 ? (uint32_t)x : (uint64_t)x;
    switch (op) {
    case IR_add:
        *result = (uint64_t)x + (uint64_t)y;
        return true;
    case IR_sub:
        *result = (uint64_t)x - (uint64_t)y;
        return true;
    case IR_and:
        *result = x & y;
        return true;
    case IR_or:
        *result = x | y;
        return true;
    case IR_xor:
        *result = x ^ y;
        return true;
    case IR_sll:
        *result = (uint64_t)x << shift;
        return true;
    case IR_srl:
        *result = low >> shift;
        return true;
    case IR_sra:
        *result = x >> shift;
        return true;
    case IR_slt:
        *result = x < y;
        return true;
    case IR_sltu:
        *result = (uint64_t)x < (uint64_t)y;
        return true;
    case IR_eq:
        *result = x == y;
        return true;
    case IR_ne:
        *result = x != y;
        return true;
    default:
        return false;
    }
}

SHARED ir_ref extend(struct builder *b, enum ir_op op, unsigned bits, ir_ref x);

/* F8. x is read from a register that the instruction before this one has shifted left, and this one
 * overwrites: the place of the shift; else 0. */
static ir_ref shifted_before(const struct builder *b, const struct ir_insn *x)
{
    const struct ir_block *block = b->block;
    if (x->op != IR_get_x || x->imm != b->d->rd || block->guest_count < 2)
        return 0;
    const struct ir_known *known = &block->known[x->imm];
    return known->op == IR_sll && block->insns[known->imm].type == IR_I64 &&
                   known->imm >= block->guests[block->guest_count - 2].first
               ? (ir_ref)known->imm
               : 0;
}

/* Nobody reads the register after all. */
static void unread(struct builder *b, ir_ref get)
{
    b->block->insns[get] = (struct ir_insn){.op = IR_none};
}

/* slli and srli or srai */
static ir_ref shift_back(struct builder *b, enum ir_op op, ir_ref x, unsigned n)
{
    ir_ref shift = shifted_before(b, at(b, x));
    if (!shift)
        return 0;
    ir_ref from = at(b, shift)->a;
    unsigned left = (unsigned)at(b, at(b, shift)->b)->imm, bits = 64 - left;
    if ((bits != 8 && bits != 16 && bits != 32) || n > left || (n < left && op == IR_sra))
        return 0;
    unread(b, x);
    ir_ref low = extend(b, op == IR_sra ? IR_sext : IR_zext, bits, from);
    return n == left ? low
                     : EMIT(b, .op = IR_sll, .type = IR_I64, .a = low,
                            .b = constant(b, IR_I64, left - n));
}

/* slli and add */
static ir_ref add_shifted(struct builder *b, ir_ref x, ir_ref y)
{
    ir_ref shift = shifted_before(b, at(b, x));
    const struct ir_insn *other = at(b, y);
    if (!shift || at(b, at(b, shift)->b)->imm > 3 ||
        (other->op == IR_get_x && other->imm == b->d->rd))
        return 0;
    unread(b, x);
    return EMIT(b, .op = IR_add, .type = IR_I64, .a = shift, .b = y);
}

/* F9. The place of the shift whose result register x is read from; else 0. */
static ir_ref shift_read(const struct builder *b, ir_ref x)
{
    const struct ir_insn *i = at(b, x);
    const struct ir_known *known = &b->block->known[i->op == IR_get_x ? i->imm : 0];
    return known->op == IR_sll || known->op == IR_srl ? (ir_ref)known->imm : 0;
}

/*
 * F9. Again the value that operations `early` and `late` read from one register. Where the register has
 * been written since, that write has to be one that ir_dead.c takes away: the instruction that is being
 * built overwrites it, and nobody saw it but operations x and y. 0: it cannot be had.
 */
static ir_ref value_read(struct builder *b, ir_ref early, ir_ref late, ir_ref x, ir_ref y)
{
    const struct ir_insn *insns = b->block->insns;
    int64_t reg = insns[early].imm;
    bool written = false;
    for (unsigned n = early; n < b->block->count; n++) {
        const struct ir_insn *i = &insns[n];
        bool writes = i->op == IR_set_x && i->imm == reg;
        bool reads = i->op == IR_get_x && i->imm == reg && n != x && n != y;
        if (writes && (written || n < late || reg != b->d->rd))
            return 0;
        if (written && (reads || (ir_op_infos[i->op].flags & (IR_TRAP | IR_END))))
            return 0;
        written |= writes;
    }
    return written ? late : EMIT(b, .op = IR_get_x, .type = b->xlen, .imm = reg);
}

/* F9. */
static ir_ref rotated(struct builder *b, ir_ref x, ir_ref y)
{
    ir_ref s = shift_read(b, x), t = shift_read(b, y);
    const struct ir_insn *left = at(b, s), *right = at(b, t);
    if (left->op == right->op || left->type != right->type)
        return 0;
    if (left->op == IR_srl) {
        const struct ir_insn *swap = left;
        left = right;
        right = swap;
    }
    if (left->op != IR_sll || right->op != IR_srl)
        return 0;
    enum ir_type type = (enum ir_type)left->type;
    unsigned width = type == IR_I32 ? 32 : 64;
    unsigned up = at(b, left->b)->imm & (width - 1), down = at(b, right->b)->imm & (width - 1);
    ir_ref first = left->a, second = right->a;
    if (up + down != width || at(b, first)->imm != at(b, second)->imm)
        return 0;
    bool in_order = first < second;
    ir_ref from = value_read(b, in_order ? first : second, in_order ? second : first, x, y);
    if (!from)
        return 0;
    unread(b, x);
    unread(b, y);
    ir_ref by = constant(b, type, down);
    ir_ref turned = EMIT(b, .op = IR_ror, .type = type, .a = from, .b = by);
    return type == IR_I32 ? extend(b, IR_sext, 32, turned) : turned;
}

SHARED ir_ref binary(struct builder *b, enum ir_op op, enum ir_type type, ir_ref x, ir_ref y)
{
    const struct ir_insn *i = at(b, x), *j = at(b, y);
    uint64_t value;
    if (j->op == IR_const) {
        int64_t n = cut(type, j->imm);
        if (i->op == IR_const && fold(op, type, cut(type, i->imm), n, &value))
            return constant(b, type, value);
        if (op == IR_add && n == 0 && (i->type == type || type == IR_I32))
            return x; /* F3 */
        if (op == IR_add && i->op == IR_pc && type == b->xlen)
            return pc(b, i->imm + n); /* F2 */
        if (op == IR_and && i->op == IR_pc && n == -2 && type == b->xlen)
            return pc(b, i->imm & -2); /* F6: blocks start at even addresses */
    }
    if (op == IR_add && i->op == IR_const && cut(type, i->imm) == 0 &&
        (j->type == type || type == IR_I32))
        return y; /* F3: mv */
    ir_ref folded = 0;
    if (type == IR_I64 && j->op == IR_const && (op == IR_srl || op == IR_sra))
        folded = shift_back(b, op, x, j->imm & 63);
    else if (type == IR_I64 && op == IR_add && i->op == IR_get_x && j->op == IR_get_x)
        folded = shifted_before(b, i) ? add_shifted(b, x, y) : add_shifted(b, y, x);
    else if (op == IR_or && i->op == IR_get_x && j->op == IR_get_x)
        folded = rotated(b, x, y);
    return folded ? folded : EMIT(b, .op = op, .type = type, .a = x, .b = y);
}

SHARED ir_ref unary(struct builder *b, enum ir_op op, enum ir_type type, ir_ref x)
{
    return EMIT(b, .op = op, .type = type, .a = x);
}

SHARED ir_ref extend(struct builder *b, enum ir_op op, unsigned bits, ir_ref x)
{
    const struct ir_insn *i = at(b, x);
    if (i->op == IR_const) {
        uint64_t high = (uint64_t)i->imm << (64 - bits);
        return constant(b, b->xlen,
                        op == IR_sext ? (uint64_t)((int64_t)high >> (64 - bits))
                                      : high >> (64 - bits));
    }
    if (bits == 32 && b->xlen == IR_I32)
        return x; /* F4 */
    return EMIT(b, .op = op, .type = b->xlen, .a = x, .imm = bits);
}

SHARED ir_ref select_of(struct builder *b, ir_ref condition, ir_ref x, ir_ref y)
{
    return EMIT(b, .op = IR_select, .type = b->xlen, .a = condition, .b = x, .c = y);
}

SHARED ir_ref get_x(struct builder *b, unsigned reg)
{
    const struct ir_known *known = &b->block->known[reg];
    if (!reg || known->op == IR_const)
        return constant(b, b->xlen, reg ? (uint64_t)known->imm : 0);
    if (known->op == IR_pc)
        return pc(b, known->imm);
    return EMIT(b, .op = IR_get_x, .type = b->xlen, .imm = reg);
}

SHARED void set_x(struct builder *b, unsigned reg, ir_ref value)
{
    if (!reg)
        return;
    const struct ir_insn *i = at(b, value);
    struct ir_known *known = &b->block->known[reg];
    ir_ref shift = value;
    *known = (struct ir_known){i->op == IR_const || i->op == IR_pc ? i->op : IR_none, i->imm};
    if (i->op == IR_sext && i->imm == 32 && at(b, i->a)->type == IR_I32) {
        shift = i->a;
        i = at(b, i->a);
    }
    if ((i->op == IR_sll || i->op == IR_srl) && at(b, i->a)->op == IR_get_x &&
        at(b, i->b)->op == IR_const)
        *known = (struct ir_known){i->op, shift};
    EMIT(b, .op = IR_set_x, .a = value, .imm = reg);
}

SHARED ir_ref get_f(struct builder *b, unsigned reg)
{
    return EMIT(b, .op = IR_get_f, .type = IR_F64, .imm = reg);
}

SHARED ir_ref unboxed(struct builder *b, enum ir_type format, unsigned reg)
{
    ir_ref bits = get_f(b, reg);
    return format == IR_F64 ? bits : unary(b, IR_unbox, format, bits);
}

SHARED void set_f(struct builder *b, enum ir_type format, unsigned reg, ir_ref value)
{
    if (format != IR_F64)
        value = EMIT(b, .op = IR_box, .type = IR_F64, .a = value, .of = format);
    EMIT(b, .op = IR_set_f, .a = value, .imm = reg);
    EMIT(b, .op = IR_dirty_fp);
}

static enum ir_type mem_type(const struct builder *b, enum ir_mem mem)
{
    return mem == IR_MEM_u64 ? IR_I64 : b->xlen;
}

/* F7: a block starts where an instruction may start, so only bit 1 of the distance matters. */
SHARED void check_target(struct builder *b, ir_ref target)
{
    const struct ir_insn *i = at(b, target);
    if (i->op != IR_pc || (i->imm & 2))
        EMIT(b, .op = IR_check_target, .a = target);
}

SHARED void branch_if(struct builder *b, ir_ref condition)
{
    int64_t target = (int64_t)b->offset + b->d->imm;
    if (b->check_targets && (target & 2)) {
        ir_ref taken = pc(b, target), not_taken = constant(b, b->xlen, 0);
        EMIT(b, .op = IR_check_target, .a = select_of(b, condition, taken, not_taken));
    }
    EMIT(b, .op = IR_branch_if, .a = condition, .imm = target);
}

SHARED void jump(struct builder *b, ir_ref target)
{
    const struct ir_insn *i = at(b, target);
    if (i->op == IR_pc) /* F6 */
        EMIT(b, .op = IR_jump_rel, .imm = i->imm);
    else
        EMIT(b, .op = IR_jump, .a = target);
}

SHARED ir_ref fp(struct builder *b, enum ir_op op, enum ir_fp kind, enum ir_type type,
                 enum ir_type of, ir_ref x, ir_ref y, ir_ref z)
{
    return EMIT(b, .op = op, .type = type, .a = x, .b = y, .c = z, .kind = kind, .of = of,
                .rm = b->d->rm);
}

/* By enum ir_fp: the result's type for a format and a register width. */
static enum ir_type fp_result(const struct builder *b, enum ir_fp kind, enum ir_type format)
{
    enum { SAME, XLEN, I32 };
    static const uint8_t results[IR_FPS] = {
#define IR_FP(name, operands, result) result,
#include "jit/ir_ops.def"
    };
    return results[kind] == SAME ? format : results[kind] == XLEN ? b->xlen : IR_I32;
}

/*
 * The vocabulary. `b` is the builder.
 */
#define VAL ir_ref
#define RX(r) get_x(b, b->d->r)
#define RX_OLD get_x(b, b->d->rd)
#define WX(r, v) \
    do { \
        ir_ref v_ = (v); \
        set_x(b, b->d->r, v_); \
    } while (0)
#define C(n) constant(b, b->xlen, (uint64_t)(int64_t)(n))
#define IMM constant(b, b->xlen, (uint64_t)(int64_t)b->d->imm)
#define PC pc(b, b->offset)
#define NEXT_PC pc(b, (int64_t)b->offset + b->d->length)
#define NOP (void)b

#define BINARY(op, type, x, y) \
    ({ \
        ir_ref x_ = (x); \
        ir_ref y_ = (y); \
        binary(b, IR_##op, type, x_, y_); \
    })
#define ADD(x, y) BINARY(add, b->xlen, x, y)
#define SUB(x, y) BINARY(sub, b->xlen, x, y)
#define AND(x, y) BINARY(and, b->xlen, x, y)
#define OR(x, y) BINARY(or, b->xlen, x, y)
#define XOR(x, y) BINARY(xor, b->xlen, x, y)
#define NOT(x) XOR(x, C(-1))
#define NEG(x) SUB(C(0), x)
#define SLL(x, y) BINARY(sll, b->xlen, x, y)
#define SRL(x, y) BINARY(srl, b->xlen, x, y)
#define SRA(x, y) BINARY(sra, b->xlen, x, y)
#define ROL(x, y) BINARY(rol, b->xlen, x, y)
#define ROR(x, y) BINARY(ror, b->xlen, x, y)
#define SLT(x, y) BINARY(slt, b->xlen, x, y)
#define SLTU(x, y) BINARY(sltu, b->xlen, x, y)
#define EQ(x, y) BINARY(eq, b->xlen, x, y)
#define NE(x, y) BINARY(ne, b->xlen, x, y)
#define MUL(x, y) BINARY(mul, b->xlen, x, y)
#define MULH(x, y) BINARY(mulh, b->xlen, x, y)
#define MULHU(x, y) BINARY(mulhu, b->xlen, x, y)
#define MULHSU(x, y) BINARY(mulhsu, b->xlen, x, y)
#define DIV(x, y) BINARY(div, b->xlen, x, y)
#define DIVU(x, y) BINARY(divu, b->xlen, x, y)
#define REM(x, y) BINARY(rem, b->xlen, x, y)
#define REMU(x, y) BINARY(remu, b->xlen, x, y)
#define CLMUL(x, y) BINARY(clmul, b->xlen, x, y)
#define CLMULH(x, y) BINARY(clmulh, b->xlen, x, y)
#define CLMULR(x, y) BINARY(clmulr, b->xlen, x, y)
#define CLZ(x) unary(b, IR_clz, b->xlen, x)
#define CTZ(x) unary(b, IR_ctz, b->xlen, x)
#define CPOP(x) unary(b, IR_cpop, b->xlen, x)
#define ORCB(x) unary(b, IR_orcb, b->xlen, x)
#define REV8(x) unary(b, IR_rev8, b->xlen, x)
#define SEXT8(x) extend(b, IR_sext, 8, x)
#define SEXT16(x) extend(b, IR_sext, 16, x)
#define SEXT32(x) extend(b, IR_sext, 32, x)
#define ZEXT8(x) extend(b, IR_zext, 8, x)
#define ZEXT16(x) extend(b, IR_zext, 16, x)
#define ZEXT32(x) extend(b, IR_zext, 32, x)
#define SELECT(c, x, y) \
    ({ \
        ir_ref c_ = (c); \
        ir_ref x_ = (x); \
        ir_ref y_ = (y); \
        select_of(b, c_, x_, y_); \
    })

/* W forms compute with type i32 and extend. */
#define ADDW(x, y) SEXT32(BINARY(add, IR_I32, x, y))
#define SUBW(x, y) SEXT32(BINARY(sub, IR_I32, x, y))
#define MULW(x, y) SEXT32(BINARY(mul, IR_I32, x, y))
#define SLLW(x, y) SEXT32(BINARY(sll, IR_I32, x, y))
#define SRLW(x, y) SEXT32(BINARY(srl, IR_I32, x, y))
#define SRAW(x, y) SEXT32(BINARY(sra, IR_I32, x, y))
#define ROLW(x, y) SEXT32(BINARY(rol, IR_I32, x, y))
#define RORW(x, y) SEXT32(BINARY(ror, IR_I32, x, y))
#define DIVW(x, y) SEXT32(BINARY(div, IR_I32, x, y))
#define DIVUW(x, y) SEXT32(BINARY(divu, IR_I32, x, y))
#define REMW(x, y) SEXT32(BINARY(rem, IR_I32, x, y))
#define REMUW(x, y) SEXT32(BINARY(remu, IR_I32, x, y))
#define CLZW(x) ZEXT32(unary(b, IR_clz, IR_I32, x))
#define CTZW(x) ZEXT32(unary(b, IR_ctz, IR_I32, x))

/* Memory */
#define MEM_S8 IR_MEM_s8
#define MEM_U8 IR_MEM_u8
#define MEM_S16 IR_MEM_s16
#define MEM_U16 IR_MEM_u16
#define MEM_S32 IR_MEM_s32
#define MEM_U32 IR_MEM_u32
#define MEM_U64 IR_MEM_u64
#define LOAD(t, address) \
    ({ \
        ir_ref a_ = (address); \
        EMIT(b, .op = IR_load, .type = mem_type(b, MEM_##t), .a = a_, .mem = MEM_##t); \
    })
#define STORE(t, address, v) \
    do { \
        ir_ref a_ = (address); \
        ir_ref v_ = (v); \
        EMIT(b, .op = IR_store, .a = a_, .b = v_, .mem = MEM_##t); \
    } while (0)

/* Atomics. Values are sign-extended from the width of the access. */
#define ATOMIC_B IR_MEM_s8
#define ATOMIC_H IR_MEM_s16
#define ATOMIC_W IR_MEM_s32
#define ATOMIC_D IR_MEM_u64
#define AMO(t, what, address, v) \
    ({ \
        ir_ref a_ = (address); \
        ir_ref v_ = (v); \
        EMIT(b, .op = IR_amo, .type = mem_type(b, ATOMIC_##t), .a = a_, .b = v_, \
             .kind = IR_AMO_##what, .mem = ATOMIC_##t); \
    })
#define AMOCAS(t, address, expected, v) \
    ({ \
        ir_ref a_ = (address); \
        ir_ref x_ = (expected); \
        ir_ref v_ = (v); \
        EMIT(b, .op = IR_amocas, .type = mem_type(b, ATOMIC_##t), .a = a_, .b = x_, .c = v_, \
             .mem = ATOMIC_##t); \
    })
#define LR(t, address) \
    ({ \
        ir_ref a_ = (address); \
        EMIT(b, .op = IR_lr, .type = mem_type(b, ATOMIC_##t), .a = a_, .mem = ATOMIC_##t); \
    })
#define SC(t, address, v) \
    ({ \
        ir_ref a_ = (address); \
        ir_ref v_ = (v); \
        EMIT(b, .op = IR_sc, .type = b->xlen, .a = a_, .b = v_, .mem = ATOMIC_##t); \
    })

/* Floating point */
#define FT_H IR_F16
#define FT_S IR_F32
#define FT_D IR_F64
#define RFX(w, r) get_f(b, b->d->r)
#define RF(w, r) unboxed(b, FT_##w, b->d->r)
#define WF(w, r, v) \
    do { \
        ir_ref v_ = (v); \
        set_f(b, FT_##w, b->d->r, v_); \
    } while (0)
#define FP_OP(ir, w, op, x, y, z) \
    fp(b, ir, IR_FP_##op, fp_result(b, IR_FP_##op, FT_##w), FT_##w, x, y, z)
#define FP1(w, op, x) FP_OP(IR_fp1, w, op, x, 0, 0)
#define FPN1(w, op, x) FP_OP(IR_fpn1, w, op, x, 0, 0)
#define FP_BINARY(ir, w, op, x, y) \
    ({ \
        ir_ref x_ = (x); \
        ir_ref y_ = (y); \
        FP_OP(ir, w, op, x_, y_, 0); \
    })
#define FP2(w, op, x, y) FP_BINARY(IR_fp2, w, op, x, y)
#define FPN2(w, op, x, y) FP_BINARY(IR_fpn2, w, op, x, y)
#define FP3(w, op, x, y, z) \
    ({ \
        ir_ref x_ = (x); \
        ir_ref y_ = (y); \
        ir_ref z_ = (z); \
        FP_OP(IR_fp3, w, op, x_, y_, z_); \
    })
#define INT_TYPE_I32 IR_I32
#define INT_TYPE_U32 IR_I32
#define INT_TYPE_I64 IR_I64
#define INT_TYPE_U64 IR_I64
#define F2X(w, t, x) \
    ({ \
        ir_ref x_ = (x); \
        EMIT(b, .op = IR_f2x, .type = INT_TYPE_##t, .a = x_, .kind = IR_INT_##t, .of = FT_##w, \
             .rm = b->d->rm); \
    })
#define X2F(w, t, x) \
    ({ \
        ir_ref x_ = (x); \
        EMIT(b, .op = IR_x2f, .type = FT_##w, .a = x_, .kind = IR_INT_##t, .rm = b->d->rm); \
    })
#define FCVT(from, to, x) \
    ({ \
        ir_ref x_ = (x); \
        EMIT(b, .op = IR_fcvt, .type = FT_##to, .a = x_, .of = FT_##from, .rm = b->d->rm); \
    })
#define FLI(w) constant(b, IR_I64, FLI_##w)
#define FLI_S fp32_fli[b->d->rs1]
#define FLI_D fp64_fli[b->d->rs1]
#define FHIGH(v) BINARY(srl, IR_I64, v, constant(b, IR_I64, 32))
#define FPAIR(low, high) \
    ({ \
        ir_ref low_ = EMIT(b, .op = IR_zext, .type = IR_I64, .a = (low), .imm = 32); \
        ir_ref high_ = EMIT(b, .op = IR_zext, .type = IR_I64, .a = (high), .imm = 32); \
        BINARY(or, IR_I64, low_, BINARY(sll, IR_I64, high_, constant(b, IR_I64, 32))); \
    })

/* Control */
#define CHECK_TARGET(a) \
    do { \
        if (b->check_targets) \
            check_target(b, a); \
    } while (0)
#define BRANCH_IF(c) branch_if(b, c)
#define JUMP_REL EMIT(b, .op = IR_jump_rel, .imm = (int64_t)b->offset + b->d->imm)
#define JUMP(target) jump(b, target)
#define HELPER_CALL(ir, f, field) \
    do { \
        static const struct ir_helper helper_of = {.name = #f, .field = helper_##f}; \
        memset(b->block->known, 0, sizeof(b->block->known)); /* it may write any register */ \
        EMIT(b, .op = ir, .helper = &helper_of); \
    } while (0)
#define HELPER(f) HELPER_CALL(IR_call, f, call)
#define HELPER_CSR(f) HELPER_CALL(IR_call_csr, f, csr)
#define HELPER_END(f) HELPER_CALL(IR_call_end, f, call)

/* What stands before a meaning, by format, as in the interpreter. */
static void build_before(struct builder *b, enum insn_format format)
{
    switch (format) {
    case FORMAT_F4:
    case FORMAT_FRM:
    case FORMAT_FR1M:
    case FORMAT_FXM:
    case FORMAT_XFM:
        EMIT(b, .op = IR_check_fp);
        if (b->d->rm == IR_RM_DYNAMIC)
            EMIT(b, .op = IR_check_rm);
        if (format == FORMAT_FXM)
            EMIT(b, .op = IR_dirty_fp); /* flags may rise */
        break;
    case FORMAT_FX1:
    case FORMAT_FX2:
        EMIT(b, .op = IR_check_fp);
        EMIT(b, .op = IR_dirty_fp);
        break;
    case FORMAT_FL:
    case FORMAT_FS:
    case FORMAT_FR:
    case FORMAT_XF1:
    case FORMAT_FLI:
    case FORMAT_FPX:
        EMIT(b, .op = IR_check_fp);
        break;
    default:
        break;
    }
}

#define CINSN(...)
#define INSN(name, base, ext, format, match, mask, ...) \
    static void build_##name(struct builder *b) \
    { \
        __VA_ARGS__; \
    }
#include "isa/insns.def"
#undef INSN

static void (*const build[INSN_COUNT])(struct builder *b) = {
#define INSN(name, base, ext, format, match, mask, ...) [INSN_##name] = build_##name,
#include "isa/insns.def"
#undef INSN
};

bool ir_build_insn(struct ir_block *block, const struct isa *isa, const struct decoded *d,
                   uint32_t pc_offset)
{
    struct builder b = {block, d, pc_offset, block->xlen, !isa_has(isa, EXT_ZCA)};

    if (!ir_begin_guest(block, pc_offset, d))
        return false;
    build_before(&b, insn_info(d->id)->format);
    build[d->id](&b);
    return ir_end_guest(block);
}
