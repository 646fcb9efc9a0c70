/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The translator's front end: the instruction table with its vocabulary defined as calls that append
 * operations (isa/insns.def tells what each word means; cpu/exec_rv.h is the other reading of it).
 * A meaning becomes the body of one function, which serves both widths.
 *
 * The words are statement expressions rather than plain calls, so that operands are appended from left
 * to right whatever the compiler.
 *
 * What is appended is folded on the way: ir_fold.c.
 */
#include "jit/ir_fold.h"

#include "cpu/fp.h"
#include <string.h>

/* Called from every one of the functions below: in them they would be a hundred kilobytes. */
#define SHARED __attribute__((noinline)) static

SHARED ir_ref unary(struct ir_builder *b, enum ir_op op, enum ir_type type, ir_ref x)
{
    return EMIT(b, .op = op, .type = type, .a = x);
}

SHARED ir_ref select_of(struct ir_builder *b, ir_ref condition, ir_ref x, ir_ref y)
{
    return EMIT(b, .op = IR_select, .type = b->xlen, .a = condition, .b = x, .c = y);
}

SHARED ir_ref get_f(struct ir_builder *b, unsigned reg)
{
    return EMIT(b, .op = IR_get_f, .type = IR_F64, .imm = reg);
}

SHARED ir_ref unboxed(struct ir_builder *b, enum ir_type format, unsigned reg)
{
    ir_ref bits = get_f(b, reg);
    return format == IR_F64 ? bits : unary(b, IR_unbox, format, bits);
}

SHARED void set_f(struct ir_builder *b, enum ir_type format, unsigned reg, ir_ref value)
{
    if (format != IR_F64)
        value = EMIT(b, .op = IR_box, .type = IR_F64, .a = value, .of = format);
    EMIT(b, .op = IR_set_f, .a = value, .imm = reg);
    EMIT(b, .op = IR_dirty_fp);
}

static enum ir_type mem_type(const struct ir_builder *b, enum ir_mem mem)
{
    return mem == IR_MEM_u64 ? IR_I64 : b->xlen;
}

/* F7: a block starts where an instruction may start, so only bit 1 of the distance matters. */
SHARED void check_target(struct ir_builder *b, ir_ref target)
{
    const struct ir_insn *i = ir_at(b, target);
    if (i->op != IR_pc || (i->imm & 2))
        EMIT(b, .op = IR_check_target, .a = target);
}

SHARED void branch_if(struct ir_builder *b, ir_ref condition)
{
    int64_t target = (int64_t)b->offset + b->d->imm;
    if (b->check_targets && (target & 2)) {
        ir_ref taken = ir_pc(b, target), not_taken = ir_constant(b, b->xlen, 0);
        EMIT(b, .op = IR_check_target, .a = select_of(b, condition, taken, not_taken));
    }
    EMIT(b, .op = IR_branch_if, .a = condition, .imm = target);
}

SHARED void jump(struct ir_builder *b, ir_ref target)
{
    const struct ir_insn *i = ir_at(b, target);
    if (i->op == IR_pc) /* F6 */
        EMIT(b, .op = IR_jump_rel, .imm = i->imm);
    else
        EMIT(b, .op = IR_jump, .a = target);
}

SHARED ir_ref fp(struct ir_builder *b, enum ir_op op, enum ir_fp kind, enum ir_type type,
                 enum ir_type of, ir_ref x, ir_ref y, ir_ref z)
{
    return EMIT(b, .op = op, .type = type, .a = x, .b = y, .c = z, .kind = kind, .of = of,
                .rm = b->d->rm);
}

/* By enum ir_fp: the result's type for a format and a register width. */
static enum ir_type fp_result(const struct ir_builder *b, enum ir_fp kind, enum ir_type format)
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
#define RX(r) ir_get_x(b, b->d->r)
#define RX_OLD ir_get_x(b, b->d->rd)
#define WX(r, v) \
    do { \
        ir_ref v_ = (v); \
        ir_set_x(b, b->d->r, v_); \
    } while (0)
#define C(n) ir_constant(b, b->xlen, (uint64_t)(int64_t)(n))
#define IMM ir_constant(b, b->xlen, (uint64_t)(int64_t)b->d->imm)
#define PC ir_pc(b, b->offset)
#define NEXT_PC ir_pc(b, (int64_t)b->offset + b->d->length)
#define NOP (void)b

#define BINARY(op, type, x, y) \
    ({ \
        ir_ref x_ = (x); \
        ir_ref y_ = (y); \
        ir_binary(b, IR_##op, type, x_, y_); \
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
#define SEXT8(x) ir_extend(b, IR_sext, 8, x)
#define SEXT16(x) ir_extend(b, IR_sext, 16, x)
#define SEXT32(x) ir_extend(b, IR_sext, 32, x)
#define ZEXT8(x) ir_extend(b, IR_zext, 8, x)
#define ZEXT16(x) ir_extend(b, IR_zext, 16, x)
#define ZEXT32(x) ir_extend(b, IR_zext, 32, x)
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
#define FLI(w) ir_constant(b, IR_I64, FLI_##w)
#define FLI_S fp32_fli[b->d->rs1]
#define FLI_D fp64_fli[b->d->rs1]
#define FHIGH(v) BINARY(srl, IR_I64, v, ir_constant(b, IR_I64, 32))
#define FPAIR(low, high) \
    ({ \
        ir_ref low_ = EMIT(b, .op = IR_zext, .type = IR_I64, .a = (low), .imm = 32); \
        ir_ref high_ = EMIT(b, .op = IR_zext, .type = IR_I64, .a = (high), .imm = 32); \
        BINARY(or, IR_I64, low_, BINARY(sll, IR_I64, high_, ir_constant(b, IR_I64, 32))); \
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
static void build_before(struct ir_builder *b, enum insn_format format)
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
    static void build_##name(struct ir_builder *b) \
    { \
        __VA_ARGS__; \
    }
#include "isa/insns.def"
#undef INSN

static void (*const build[INSN_COUNT])(struct ir_builder *b) = {
#define INSN(name, base, ext, format, match, mask, ...) [INSN_##name] = build_##name,
#include "isa/insns.def"
#undef INSN
};

bool ir_build_insn(struct ir_block *block, const struct isa *isa, const struct decoded *d,
                   uint32_t pc_offset)
{
    struct ir_builder b = {block, d, pc_offset, block->xlen, !isa_has(isa, EXT_ZCA)};

    if (!ir_begin_guest(block, pc_offset, d))
        return false;
    build_before(&b, insn_info(d->id)->format);
    build[d->id](&b);
    return ir_end_guest(block);
}
