/* SPDX-License-Identifier: MPL-2.0 */
/* Soft-float: rounding to integral values, and the constants of FLI ("Zfa"). */
#include "cpu/fp_soft.h"

FP_INLINE uint64_t round_integral(struct fp_env *env, const struct fp_format *fmt, uint64_t a,
                                  unsigned rm, bool exact)
{
    struct fp_num x = fp_unpack(fmt, a);
    int frac_bits = (int)fmt->frac_bits;

    if (fp_is_nan(&x))
        return fp_propagate(env, fmt, &x, &x);
    if (x.kind != FP_KIND_FINITE || x.exp >= frac_bits)
        return a;

    uint64_t rest, rounded;
    if (x.exp < 0) {
        uint64_t one = (uint64_t)((1 << (fmt->exp_bits - 1)) - 1) << frac_bits;
        rest = x.exp == -1 ? x.sig : 1; /* at least a half, or less than that */
        rounded = fp_zero(fmt, x.sign);
        if (fp_rounds_up(rm, x.sign, false, rest))
            rounded |= one;
    } else {
        /* In the packed form: a carry out of the fraction makes the next exponent. */
        unsigned drop = (unsigned)(frac_bits - x.exp);
        uint64_t odd = drop == fmt->frac_bits ? 1 : a >> drop & 1; /* 1.something: the hidden bit */
        rest = a << (64 - drop);
        rounded = a >> drop << drop;
        if (fp_rounds_up(rm, x.sign, odd, rest))
            rounded += UINT64_C(1) << drop;
    }
    if (rest && exact)
        env->flags |= FP_NX;
    return rounded;
}

uint32_t fp32_round(struct fp_env *env, uint32_t a, unsigned rm, bool exact)
{
    return (uint32_t)round_integral(env, &fp_single, a, rm, exact);
}

uint64_t fp64_round(struct fp_env *env, uint64_t a, unsigned rm, bool exact)
{
    return round_integral(env, &fp_double, a, rm, exact);
}

int32_t fp64_to_i32_mod(struct fp_env *env, uint64_t a)
{
    struct fp_num x = fp_unpack(&fp_double, a);
    uint64_t whole = 0;
    bool lost = false;

    if (x.kind == FP_KIND_ZERO)
        return 0;
    if (x.kind != FP_KIND_FINITE) {
        env->flags |= FP_NV;
        return 0;
    }
    if (x.exp < 0) {
        lost = true;
    } else if (x.exp <= 63) {
        whole = x.sig >> (63 - x.exp);
        lost = x.exp < 63 && x.sig << (x.exp + 1) != 0;
    } else if (x.exp < 64 + 32) {
        whole = x.sig << (x.exp - 63); /* the lower bits: that is the modulus */
    }
    bool fits = x.exp <= 31 && whole <= (uint64_t)INT32_MAX + x.sign;
    if (!fits)
        env->flags |= FP_NV;
    else if (lost)
        env->flags |= FP_NX;
    return (int32_t)(uint32_t)(x.sign ? -whole : whole);
}

/* Entry 1 is the smallest normal number of the format. */
const uint32_t fp32_fli[32] = {
    0xbf800000, 0x00800000, 0x37800000, 0x38000000, 0x3b800000, 0x3c000000, 0x3d800000, 0x3e000000,
    0x3e800000, 0x3ea00000, 0x3ec00000, 0x3ee00000, 0x3f000000, 0x3f200000, 0x3f400000, 0x3f600000,
    0x3f800000, 0x3fa00000, 0x3fc00000, 0x3fe00000, 0x40000000, 0x40200000, 0x40400000, 0x40800000,
    0x41000000, 0x41800000, 0x43000000, 0x43800000, 0x47000000, 0x47800000, FP32_INF,   FP32_NAN,
};

/* The upper halves: no constant has more than three significant bits. */
#define D(high) ((uint64_t)(high) << 32)
const uint64_t fp64_fli[32] = {
    D(0xbff00000), D(0x00100000), D(0x3ef00000), D(0x3f000000), D(0x3f700000), D(0x3f800000),
    D(0x3fb00000), D(0x3fc00000), D(0x3fd00000), D(0x3fd40000), D(0x3fd80000), D(0x3fdc0000),
    D(0x3fe00000), D(0x3fe40000), D(0x3fe80000), D(0x3fec0000), D(0x3ff00000), D(0x3ff40000),
    D(0x3ff80000), D(0x3ffc0000), D(0x40000000), D(0x40040000), D(0x40080000), D(0x40100000),
    D(0x40200000), D(0x40300000), D(0x40600000), D(0x40700000), D(0x40e00000), D(0x40f00000),
    FP64_INF,      FP64_NAN,
};
