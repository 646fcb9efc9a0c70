/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Runs a block of the translator's operations, one after another, on a state of its own: what they
 * are said to mean in jit/ir.h, as plainly as possible. What rule 2 there leaves undefined (all
 * above the width of a narrow result) is filled with noise, so that nothing can rely on it.
 */
#ifndef TESTS_UNIT_IR_EVAL_H
#define TESTS_UNIT_IR_EVAL_H

#include "cpu/bits.h"
#include "cpu/fp.h"
#include "jit/ir.h"
#include <string.h>

struct ir_state {
    uint64_t x[32], f[32];
    struct fp_env fp;
    unsigned frm;
    bool fp_dirty;
    uint64_t block_pc;
    bool left; /* by a branch or jump, to pc */
    uint64_t pc;
    uint8_t *ram; /* at ram_base */
    uint64_t ram_base;
    bool reserved; /* SC succeeds */
};

struct ir_eval {
    const struct ir_block *block;
    struct ir_state *state;
    uint64_t noise;
    uint64_t values[256];
};

static uint64_t eval_narrow(uint64_t value, enum ir_type type)
{
    return type == IR_F16                     ? (uint16_t)value
           : type == IR_I32 || type == IR_F32 ? (uint32_t)value
                                              : value;
}

/* The arithmetic, once for each width. */
#define EVAL_INTEGER(w) \
    static uint64_t eval_i##w(enum ir_op op, uint##w##_t a, uint##w##_t b, uint##w##_t c) \
    { \
        int##w##_t s = (int##w##_t)a, t = (int##w##_t)b; \
        unsigned n = b & (w - 1); \
        switch (op) { \
        case IR_add: \
            return a + b; \
        case IR_sub: \
            return a - b; \
        case IR_and: \
            return a & b; \
        case IR_or: \
            return a | b; \
        case IR_xor: \
            return a ^ b; \
        case IR_sll: \
            return a << n; \
        case IR_srl: \
            return a >> n; \
        case IR_sra: \
            return (uint##w##_t)(s >> n); \
        case IR_rol: \
            return a << n | a >> (-n & (w - 1)); \
        case IR_ror: \
            return a >> n | a << (-n & (w - 1)); \
        case IR_slt: \
            return s < t; \
        case IR_sltu: \
            return a < b; \
        case IR_eq: \
            return a == b; \
        case IR_ne: \
            return a != b; \
        case IR_select: \
            return a ? b : c; \
        case IR_mul: \
            return a * b; \
        case IR_mulh: \
            return (uint##w##_t)((__int128)s * t >> w); \
        case IR_mulhu: \
            return (uint##w##_t)((unsigned __int128)a * b >> w); \
        case IR_mulhsu: \
            return (uint##w##_t)((__int128)s * (__int128)b >> w); \
        case IR_div: \
            return (uint##w##_t)bits_div##w(s, t); \
        case IR_divu: \
            return bits_divu##w(a, b); \
        case IR_rem: \
            return (uint##w##_t)bits_rem##w(s, t); \
        case IR_remu: \
            return bits_remu##w(a, b); \
        case IR_clz: \
            return bits_clz##w(a); \
        case IR_ctz: \
            return bits_ctz##w(a); \
        case IR_cpop: \
            return bits_cpop(a); \
        case IR_orcb: \
            return (uint##w##_t)bits_orcb(a); \
        case IR_rev8: \
            return __builtin_bswap##w(a); \
        case IR_clmul: \
            return (uint##w##_t)bits_clmul(a, b); \
        case IR_clmulh: \
            return bits_clmulh##w(a, b); \
        case IR_clmulr: \
            return bits_clmulr##w(a, b); \
        default: \
            fail_msg("no integer operation: %s", ir_op_infos[op].name); \
            return 0; \
        } \
    }
EVAL_INTEGER(32)
EVAL_INTEGER(64)
#undef EVAL_INTEGER

static uint64_t eval_sign(enum ir_type format, uint64_t a, uint64_t sign)
{
    uint64_t bit = format == IR_F64 ? FP64_SIGN : FP32_SIGN;
    return (a & ~bit) | (sign & bit);
}

#define EVAL_FP(name, ...) \
    (format == IR_F64 ? (uint64_t)fp64_##name(env, __VA_ARGS__) \
                      : (uint64_t)fp32_##name(env, __VA_ARGS__))
static uint64_t eval_fp(struct fp_env *env, const struct ir_insn *i, unsigned rm, uint64_t a,
                        uint64_t b, uint64_t c)
{
    enum ir_type format = i->of;
    switch ((enum ir_fp)i->kind) {
    case IR_FP_sqrt:
        return EVAL_FP(sqrt, a, rm);
    case IR_FP_round:
        return EVAL_FP(round, a, rm, false);
    case IR_FP_roundnx:
        return EVAL_FP(round, a, rm, true);
    case IR_FP_add:
        return EVAL_FP(add, a, b, rm);
    case IR_FP_sub:
        return EVAL_FP(sub, a, b, rm);
    case IR_FP_mul:
        return EVAL_FP(mul, a, b, rm);
    case IR_FP_div:
        return EVAL_FP(div, a, b, rm);
    case IR_FP_madd:
        return EVAL_FP(madd, a, b, c, rm);
    case IR_FP_msub:
        return EVAL_FP(msub, a, b, c, rm);
    case IR_FP_nmsub:
        return EVAL_FP(nmsub, a, b, c, rm);
    case IR_FP_nmadd:
        return EVAL_FP(nmadd, a, b, c, rm);
    case IR_FP_min:
        return EVAL_FP(min, a, b);
    case IR_FP_max:
        return EVAL_FP(max, a, b);
    case IR_FP_minm:
        return EVAL_FP(minm, a, b);
    case IR_FP_maxm:
        return EVAL_FP(maxm, a, b);
    case IR_FP_sgnj:
        return eval_sign(format, a, b);
    case IR_FP_sgnjn:
        return eval_sign(format, a, ~b);
    case IR_FP_sgnjx:
        return eval_sign(format, a, a ^ b);
    case IR_FP_eq:
        return EVAL_FP(eq, a, b);
    case IR_FP_lt:
        return EVAL_FP(lt, a, b);
    case IR_FP_le:
        return EVAL_FP(le, a, b);
    case IR_FP_ltq:
        return EVAL_FP(ltq, a, b);
    case IR_FP_leq:
        return EVAL_FP(leq, a, b);
    case IR_FP_class:
        return format == IR_F64 ? fp64_class(a) : fp32_class((uint32_t)a);
    case IR_FP_to_i32_mod:
        return (uint64_t)fp64_to_i32_mod(env, a);
    case IR_FPS:
        break;
    }
    fail_msg("no FP operation: %u", i->kind);
    return 0;
}

static uint64_t eval_convert(struct fp_env *env, const struct ir_insn *i, unsigned rm, uint64_t a)
{
    enum ir_type format = i->op == IR_x2f ? i->type : i->of;
    if (i->op == IR_fcvt && i->of == IR_F16)
        return i->type == IR_F64 ? fp16_to_fp64(env, (uint16_t)a) : fp16_to_fp32(env, (uint16_t)a);
    if (i->op == IR_fcvt && i->type == IR_F16)
        return i->of == IR_F64 ? fp64_to_fp16(env, a, rm) : fp32_to_fp16(env, (uint32_t)a, rm);
    if (i->op == IR_fcvt)
        return i->type == IR_F64 ? fp32_to_fp64(env, (uint32_t)a) : fp64_to_fp32(env, a, rm);
    switch ((enum ir_int)i->kind) {
    case IR_INT_I32:
        return i->op == IR_f2x ? EVAL_FP(to_i32, a, rm) : EVAL_FP(from_i32, (int32_t)a, rm);
    case IR_INT_U32:
        return i->op == IR_f2x ? EVAL_FP(to_u32, a, rm) : EVAL_FP(from_u32, (uint32_t)a, rm);
    case IR_INT_I64:
        return i->op == IR_f2x ? EVAL_FP(to_i64, a, rm) : EVAL_FP(from_i64, (int64_t)a, rm);
    default:
        return i->op == IR_f2x ? EVAL_FP(to_u64, a, rm) : EVAL_FP(from_u64, a, rm);
    }
}
#undef EVAL_FP

static uint64_t eval_unbox(enum ir_type format, uint64_t a)
{
    if (format == IR_F32)
        return a >> 32 == UINT32_MAX ? (uint32_t)a : FP32_NAN;
    return a >> 16 == 0xffffffffffff ? (uint16_t)a : FP16_NAN;
}

static const uint8_t eval_bytes[] = {
#define IR_MEM(name, bytes) bytes,
#include "jit/ir_ops.def"
};

/* As a load extends it. */
static uint64_t eval_extended(enum ir_mem mem, uint64_t value)
{
    unsigned away = 64 - 8 * eval_bytes[mem];
    bool sign = mem == IR_MEM_s8 || mem == IR_MEM_s16 || mem == IR_MEM_s32;
    return sign ? (uint64_t)((int64_t)(value << away) >> away) : value << away >> away;
}

static uint64_t eval_amo(enum ir_amo op, uint64_t old, uint64_t v)
{
    switch (op) {
    case IR_AMO_swap:
        return v;
    case IR_AMO_add:
        return old + v;
    case IR_AMO_xor:
        return old ^ v;
    case IR_AMO_and:
        return old & v;
    case IR_AMO_or:
        return old | v;
    case IR_AMO_min:
        return (int64_t)old < (int64_t)v ? old : v;
    case IR_AMO_max:
        return (int64_t)old > (int64_t)v ? old : v;
    case IR_AMO_minu:
        return old < v ? old : v;
    case IR_AMO_maxu:
        return old > v ? old : v;
    case IR_AMOS:
        break;
    }
    fail_msg("no atomic operation: %u", op);
    return 0;
}

static uint64_t eval_memory(struct ir_eval *e, const struct ir_insn *i, uint64_t a, uint64_t b,
                            uint64_t c)
{
    struct ir_state *s = e->state;
    uint8_t *p = s->ram + (eval_narrow(a, e->block->xlen) - s->ram_base);
    uint64_t old = 0;

    assert_in_range(p - s->ram, 0, 4096 - 8);
    memcpy(&old, p, eval_bytes[i->mem]);
    old = eval_extended(i->mem, old);
    b = i->op == IR_store ? b : eval_extended(i->mem, b);
    switch (i->op) {
    case IR_load:
    case IR_lr:
        return old;
    case IR_amo:
        b = eval_amo(i->kind, old, b);
        break;
    case IR_amocas:
        b = old == b ? c : old;
        break;
    case IR_sc:
        old = !s->reserved;
        if (old)
            return old;
        break;
    default:
        break;
    }
    memcpy(p, &b, eval_bytes[i->mem]);
    return old;
}

static void eval_leave(struct ir_eval *e, uint64_t pc)
{
    e->state->left = true;
    e->state->pc = eval_narrow(pc, e->block->xlen);
}

/* false: an operation that is not modelled (calls). */
static bool eval_insn(struct ir_eval *e, unsigned ref)
{
    const struct ir_insn *i = &e->block->insns[ref];
    struct ir_state *s = e->state;
    uint64_t a = e->values[i->a], b = e->values[i->b], c = e->values[i->c], value = 0;
    unsigned rm = i->rm == IR_RM_DYNAMIC ? s->frm : i->rm;

    assert_true(i->a < ref && i->b < ref && i->c < ref);
    switch ((enum ir_op)i->op) {
    case IR_const:
        value = (uint64_t)i->imm;
        break;
    case IR_pc:
        value = s->block_pc + (uint64_t)i->imm;
        break;
    case IR_get_x:
        assert_in_range(i->imm, 1, 31);
        value = s->x[i->imm];
        break;
    case IR_set_x:
        assert_in_range(i->imm, 1, 31);
        s->x[i->imm] = e->block->xlen == IR_I32 ? (uint64_t)(int32_t)a : a;
        break;
    case IR_get_f:
        value = s->f[i->imm];
        break;
    case IR_set_f:
        s->f[i->imm] = a;
        break;
    case IR_sext:
        value = (uint64_t)((int64_t)(a << (64 - i->imm)) >> (64 - i->imm));
        break;
    case IR_zext:
        value = a << (64 - i->imm) >> (64 - i->imm);
        break;
    case IR_load:
    case IR_store:
    case IR_lr:
    case IR_sc:
    case IR_amo:
    case IR_amocas:
        value = eval_memory(e, i, a, b, c);
        break;
    case IR_branch_if:
        if (eval_narrow(a, e->block->xlen))
            eval_leave(e, s->block_pc + (uint64_t)i->imm);
        break;
    case IR_jump_rel:
        eval_leave(e, s->block_pc + (uint64_t)i->imm);
        break;
    case IR_jump:
        eval_leave(e, a);
        break;
    case IR_check_fp:
    case IR_check_rm:
        break;
    case IR_dirty_fp:
        s->fp_dirty = true;
        break;
    case IR_unbox:
        value = eval_unbox(i->type, a);
        break;
    case IR_box:
        value = i->of == IR_F32 ? a | 0xffffffff00000000 : a | 0xffffffffffff0000;
        break;
    case IR_fp1:
    case IR_fp2:
    case IR_fp3:
    case IR_fpn1:
    case IR_fpn2:
        value = eval_fp(&s->fp, i, rm, a, b, c);
        break;
    case IR_f2x:
    case IR_x2f:
    case IR_fcvt:
        value = eval_convert(&s->fp, i, rm, a);
        break;
    case IR_none:
    case IR_check_target:
    case IR_call:
    case IR_call_csr:
    case IR_call_end:
    case IR_OPS:
        return false;
    default:
        value = i->type == IR_I32 ? eval_i32(i->op, (uint32_t)a, (uint32_t)b, (uint32_t)c)
                                  : eval_i64(i->op, a, b, c);
    }
    uint64_t kept = eval_narrow(UINT64_MAX, i->type);
    e->noise = e->noise * 6364136223846793005u + 1442695040888963407u;
    e->values[ref] = (value & kept) | (e->noise & ~kept);
    return true;
}

/* Runs to the end, or to where the block is left. false: it holds what is not modelled. */
static bool ir_eval(const struct ir_block *block, struct ir_state *state)
{
    struct ir_eval e = {.block = block, .state = state, .noise = state->x[1]};

    assert_in_range(block->count, 1, 256);
    for (unsigned ref = 1; ref < block->count && !state->left; ref++)
        if (!eval_insn(&e, ref))
            return false;
    return true;
}

#endif
