/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Soft-float: taking a number apart, and rounding and packing one, for any binary format of up to
 * 64 bits. Private to fp_*.c.
 *
 * An operation unpacks its operands, deals with NaN, infinity and zero, computes a significand of
 * 64 bits whose last bit is sticky (set when anything non-zero lies below it), and has it packed:
 *
 *     struct fp_num x = fp_unpack(&fp_double, a), y = fp_unpack(&fp_double, b);
 *     ...
 *     return fp_pack(env, &fp_double, sign, exp, sig, rm);
 *
 * Everything is inline and the format a constant, so that each width gets code of its own.
 */
#ifndef RVVM_CPU_FP_SOFT_H
#define RVVM_CPU_FP_SOFT_H

#include "cpu/fp.h"

#define FP_INLINE static inline __attribute__((always_inline))

struct fp_format {
    unsigned frac_bits; /* stored bits of the significand */
    unsigned exp_bits;
};

static const struct fp_format fp_half = {10, 5};
static const struct fp_format fp_single = {23, 8};
static const struct fp_format fp_double = {52, 11};

enum fp_kind { FP_KIND_ZERO, FP_KIND_FINITE, FP_KIND_INF, FP_KIND_QNAN, FP_KIND_SNAN };

/* FP_KIND_FINITE: the value is sig * 2^(exp - 63), bit 63 of sig is set, subnormals included. */
struct fp_num {
    enum fp_kind kind;
    bool sign;
    int exp;
    uint64_t sig;
};

FP_INLINE uint64_t fp_zero(const struct fp_format *fmt, bool sign)
{
    return (uint64_t)sign << (fmt->frac_bits + fmt->exp_bits);
}

FP_INLINE uint64_t fp_inf(const struct fp_format *fmt, bool sign)
{
    return fp_zero(fmt, sign) | ((UINT64_C(1) << fmt->exp_bits) - 1) << fmt->frac_bits;
}

FP_INLINE uint64_t fp_canonical_nan(const struct fp_format *fmt)
{
    return fp_inf(fmt, false) | UINT64_C(1) << (fmt->frac_bits - 1);
}

FP_INLINE bool fp_is_nan(const struct fp_num *x)
{
    return x->kind >= FP_KIND_QNAN;
}

/* The result of an operation that has no meaningful one. */
FP_INLINE uint64_t fp_invalid(struct fp_env *env, const struct fp_format *fmt)
{
    env->flags |= FP_NV;
    return fp_canonical_nan(fmt);
}

/* The result of an operation on x and y of which at least one is a NaN. */
FP_INLINE uint64_t fp_propagate(struct fp_env *env, const struct fp_format *fmt,
                                const struct fp_num *x, const struct fp_num *y)
{
    if (x->kind == FP_KIND_SNAN || y->kind == FP_KIND_SNAN)
        env->flags |= FP_NV;
    return fp_canonical_nan(fmt);
}

FP_INLINE struct fp_num fp_unpack(const struct fp_format *fmt, uint64_t bits)
{
    int exp_max = (1 << fmt->exp_bits) - 1;
    int bias = exp_max >> 1;
    uint64_t frac = bits & ((UINT64_C(1) << fmt->frac_bits) - 1);
    int field = (int)(bits >> fmt->frac_bits & (unsigned)exp_max);
    struct fp_num x = {.sign = bits >> (fmt->frac_bits + fmt->exp_bits) & 1};

    if (field == exp_max) {
        bool quiet = frac >> (fmt->frac_bits - 1);
        x.kind = !frac ? FP_KIND_INF : quiet ? FP_KIND_QNAN : FP_KIND_SNAN;
    } else if (field) {
        x.kind = FP_KIND_FINITE;
        x.exp = field - bias;
        x.sig = UINT64_C(1) << 63 | frac << (63 - fmt->frac_bits);
    } else if (frac) {
        int shift = __builtin_clzll(frac);
        x.kind = FP_KIND_FINITE;
        x.exp = 1 - bias - (shift - (63 - (int)fmt->frac_bits));
        x.sig = frac << shift;
    } else {
        x.kind = FP_KIND_ZERO;
    }
    return x;
}

/* Shifts right; what falls out is kept as the sticky last bit. */
FP_INLINE uint64_t fp_shift_jam(uint64_t sig, unsigned shift)
{
    if (shift == 0)
        return sig;
    return shift > 63 ? sig != 0 : sig >> shift | (sig << (64 - shift) != 0);
}

/*
 * Whether the magnitude goes up by one unit. rest is what lies below the last kept bit, as a
 * fraction of 2^64; odd is that last bit.
 */
FP_INLINE bool fp_rounds_up(unsigned rm, bool sign, bool odd, uint64_t rest)
{
    const uint64_t half = UINT64_C(1) << 63;
    switch (rm) {
    case FP_RNE:
        return rest > half || (rest == half && odd);
    case FP_RDN:
        return sign && rest;
    case FP_RUP:
        return !sign && rest;
    case FP_RMM:
        return rest >= half;
    default:
        return false;
    }
}

/* What stands for a magnitude too large: infinity, or the largest finite when rounding inwards. */
FP_INLINE uint64_t fp_overflow(struct fp_env *env, const struct fp_format *fmt, bool sign,
                               unsigned rm)
{
    env->flags |= FP_OF | FP_NX;
    bool inwards = rm == FP_RTZ || rm == (sign ? FP_RUP : FP_RDN);
    return fp_inf(fmt, sign) - inwards;
}

/* Rounds and packs sig * 2^(exp - 63). Bit 63 of sig is set, bit 0 is sticky. */
FP_INLINE uint64_t fp_pack(struct fp_env *env, const struct fp_format *fmt, bool sign, int exp,
                           uint64_t sig, unsigned rm)
{
    int exp_max = (1 << fmt->exp_bits) - 1;
    unsigned shift = 63 - fmt->frac_bits;
    int field = exp + (exp_max >> 1);
    bool tiny = false;

    if (field >= exp_max)
        return fp_overflow(env, fmt, sign, rm);
    if (field <= 0) {
        /* Tiny after rounding: not if, with an unbounded exponent, it would round up to normal. */
        bool up = fp_rounds_up(rm, sign, sig >> shift & 1, sig << (64 - shift));
        tiny = field < 0 || ((sig >> shift) + up) >> (fmt->frac_bits + 1) == 0;
        sig = fp_shift_jam(sig, (unsigned)(1 - field));
        field = 1; /* no leading bit is there to be counted */
    }

    uint64_t rest = sig << (64 - shift);
    uint64_t frac = sig >> shift;
    frac += fp_rounds_up(rm, sign, frac & 1, rest);
    if (rest)
        env->flags |= tiny ? FP_UF | FP_NX : FP_NX;

    /* A normal number's leading bit, and a carry out of the fraction, add to the exponent field. */
    uint64_t packed = ((uint64_t)(field - 1) << fmt->frac_bits) + frac;
    if (packed >= fp_inf(fmt, false))
        return fp_overflow(env, fmt, sign, rm);
    return packed | fp_zero(fmt, sign);
}

#endif
