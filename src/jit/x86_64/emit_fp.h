/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Host instructions of the vector registers, in the two encodings there are: the old one, whose result
 * replaces the first operand, and VEX (AVX, FMA3), which has a register more. Opcodes are written as in
 * emit.h, and name the same operation in both.
 *
 *     emit_rr(e, OP_ADDSD, W32, 0, 1);             addsd xmm0, xmm1
 *     emit_vex_op_rr(e, OP_ADDSD, W32, 0, 1, 2);   vaddsd xmm0, xmm1, xmm2
 */
#ifndef RVVM_JIT_X86_64_EMIT_FP_H
#define RVVM_JIT_X86_64_EMIT_FP_H

#include "jit/x86_64/emit.h"

/* For double; | OP_SINGLE for float, where the prefix F2 becomes F3. */
enum {
    OP_SINGLE = 0x01000000,
    OP_SQRTSD = 0xf2000f51,
    OP_ADDSD = 0xf2000f58,
    OP_MULSD = 0xf2000f59,
    OP_SUBSD = 0xf2000f5c,
    OP_MINSD = 0xf2000f5d,
    OP_DIVSD = 0xf2000f5e,
    OP_MAXSD = 0xf2000f5f,
    OP_CVTSI2SD = 0xf2000f2a,
    OP_CVTTSD2SI = 0xf2000f2c,
    OP_CVTSD2SI = 0xf2000f2d,
    OP_CVTSD2SS = 0xf2000f5a,
    OP_CVTSS2SD = 0xf3000f5a,
    OP_CMPSD = 0xf2000fc2, /* a byte follows: enum compare */
    /* Whole registers */
    OP_PCMPEQD = 0x66000f76,
    OP_PSHUFD = 0x66000f70,  /* a byte follows */
    OP_PTEST = 0x660f3817,   /* SSE4.1, as the next two */
    OP_ROUNDSS = 0x660f3a0a, /* a byte follows: enum round_how */
    OP_ROUNDSD = 0x660f3a0b,
    /* VEX only: to = a * to + b; to = a * b + to. With W64 double, with W32 float. */
    OP_FMADD213 = 0x660f38a9,
    OP_FMADD231 = 0x660f38b9,
    OP_FMSUB = 2, /* added to those: minus the last term; the product negated; both */
    OP_FNMADD = 4,
    OP_FNMSUB = 6,
};

enum compare { COMPARE_EQ };

/* In a byte: MXCSR's mode or one of its own, with no inexact flag. */
enum round_how { ROUND_BY_MXCSR = 4, ROUND_QUIET = 8 };

/* MXCSR: exception masks, flags and rounding mode. */
enum { MXCSR_DEFAULT = 0x1f80, MXCSR_FLAGS = 0x3f, MXCSR_RC_SHIFT = 13 };

/* The prefix of an opcode in VEX's numbers, and its map. */
static inline unsigned vex_prefix(uint32_t op)
{
    unsigned prefix = op >> 24;
    return prefix == 0x66 ? 1 : prefix == 0xf3 ? 2 : prefix == 0xf2 ? 3 : 0;
}

static inline unsigned vex_map(uint32_t op)
{
    unsigned escape = op >> 8 & 0xffff;
    return escape == 0x0f38 ? 2 : escape == 0x0f3a ? 3 : 1;
}

static inline void emit_vex_opcode(struct emit *e, uint32_t op, enum width w, unsigned to,
                                   unsigned a, unsigned index, unsigned base)
{
    if (vex_map(op) == 1 && w == W32 && index < 8 && base < 8) { /* the short form */
        e->insns++;
        emit8(e, 0xc5);
        emit8(e, (~to >> 3 & 1) << 7 | (~a & 15) << 3 | vex_prefix(op));
        emit8(e, op);
    } else {
        emit_vex(e, vex_prefix(op), vex_map(op), w == W64, to, a, index, base, op & 0xff);
    }
}

static inline void emit_vex_op_rr(struct emit *e, uint32_t op, enum width w, unsigned to,
                                  unsigned a, unsigned b)
{
    emit_vex_opcode(e, op, w, to, a, 0, b);
    emit8(e, 0xc0 | (to & 7) << 3 | (b & 7));
}

static inline void emit_vex_op_rm(struct emit *e, uint32_t op, enum width w, unsigned to,
                                  unsigned a, struct mem m)
{
    emit_vex_opcode(e, op, w, to, a, m.index == NO_REG ? 0 : m.index, m.base);
    emit_modrm_mem(e, to, m);
}

/* movq r, xmm and back: all 64 bits */
static inline void emit_movq_from_x(struct emit *e, enum reg to, unsigned x)
{
    emit_rr(e, OP_X_MOVD, W64, x, to);
}

static inline void emit_movq_to_x(struct emit *e, unsigned x, enum reg from)
{
    emit_rr(e, OP_MOVD_X, W64, x, from);
}

static inline void emit_movaps(struct emit *e, unsigned to, unsigned from)
{
    if (to != from)
        emit_rr(e, OP_MOVAPS, W32, to, from);
}

/* Sets the carry flag. */
static inline void emit_stc(struct emit *e)
{
    e->insns++;
    emit8(e, 0xf9);
}

#endif
