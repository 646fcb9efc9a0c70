/* SPDX-License-Identifier: MPL-2.0 */
/* Soft-float: conversions between formats and from and to integers. */
#include "cpu/fp_soft.h"

FP_INLINE uint64_t convert(struct fp_env *env, const struct fp_format *from,
                           const struct fp_format *to, uint64_t a, unsigned rm)
{
    struct fp_num x = fp_unpack(from, a);

    if (fp_is_nan(&x))
        return fp_propagate(env, to, &x, &x);
    if (x.kind == FP_KIND_INF)
        return fp_inf(to, x.sign);
    if (x.kind == FP_KIND_ZERO)
        return fp_zero(to, x.sign);
    return fp_pack(env, to, x.sign, x.exp, x.sig, rm);
}

/*
 * To an integer whose largest magnitudes are `max` and, below zero, `min`; what is out of range, and
 * NaN, which counts as positive, becomes the nearest end. Returns two's complement of 64 bits.
 */
FP_INLINE uint64_t to_integer(struct fp_env *env, const struct fp_format *fmt, uint64_t a,
                              unsigned rm, uint64_t min, uint64_t max)
{
    struct fp_num x = fp_unpack(fmt, a);
    uint64_t whole = 0, rest = 0;

    if (x.kind == FP_KIND_ZERO)
        return 0;
    if (fp_is_nan(&x) || x.kind == FP_KIND_INF || x.exp > 63) {
        env->flags |= FP_NV;
        return x.sign && !fp_is_nan(&x) ? -min : max;
    }
    if (x.exp >= 0) {
        whole = x.sig >> (63 - x.exp);
        rest = x.exp == 63 ? 0 : x.sig << (x.exp + 1);
    } else {
        rest = x.exp == -1 ? x.sig : 1; /* at least a half, or less than that */
    }

    whole += fp_rounds_up(rm, x.sign, whole & 1, rest);
    if (whole > (x.sign ? min : max)) {
        env->flags |= FP_NV;
        return x.sign ? -min : max;
    }
    if (rest)
        env->flags |= FP_NX;
    return x.sign ? -whole : whole;
}

FP_INLINE uint64_t from_integer(struct fp_env *env, const struct fp_format *fmt, bool sign,
                                uint64_t magnitude, unsigned rm)
{
    if (magnitude == 0)
        return 0;
    int lead = __builtin_clzll(magnitude);
    return fp_pack(env, fmt, sign, 63 - lead, magnitude << lead, rm);
}

#define I32_MIN (UINT64_C(1) << 31)
#define I64_MIN (UINT64_C(1) << 63)

int32_t fp32_to_i32_soft(struct fp_env *env, uint32_t a, unsigned rm)
{
    return (int32_t)to_integer(env, &fp_single, a, rm, I32_MIN, INT32_MAX);
}

int64_t fp32_to_i64_soft(struct fp_env *env, uint32_t a, unsigned rm)
{
    return (int64_t)to_integer(env, &fp_single, a, rm, I64_MIN, INT64_MAX);
}

uint32_t fp32_to_u32(struct fp_env *env, uint32_t a, unsigned rm)
{
    return (uint32_t)to_integer(env, &fp_single, a, rm, 0, UINT32_MAX);
}

uint64_t fp32_to_u64(struct fp_env *env, uint32_t a, unsigned rm)
{
    return to_integer(env, &fp_single, a, rm, 0, UINT64_MAX);
}

int32_t fp64_to_i32_soft(struct fp_env *env, uint64_t a, unsigned rm)
{
    return (int32_t)to_integer(env, &fp_double, a, rm, I32_MIN, INT32_MAX);
}

int64_t fp64_to_i64_soft(struct fp_env *env, uint64_t a, unsigned rm)
{
    return (int64_t)to_integer(env, &fp_double, a, rm, I64_MIN, INT64_MAX);
}

uint32_t fp64_to_u32(struct fp_env *env, uint64_t a, unsigned rm)
{
    return (uint32_t)to_integer(env, &fp_double, a, rm, 0, UINT32_MAX);
}

uint64_t fp64_to_u64(struct fp_env *env, uint64_t a, unsigned rm)
{
    return to_integer(env, &fp_double, a, rm, 0, UINT64_MAX);
}

uint32_t fp32_from_i64_soft(struct fp_env *env, int64_t a, unsigned rm)
{
    uint64_t magnitude = a < 0 ? -(uint64_t)a : (uint64_t)a;
    return (uint32_t)from_integer(env, &fp_single, a < 0, magnitude, rm);
}

uint64_t fp64_from_i64_soft(struct fp_env *env, int64_t a, unsigned rm)
{
    uint64_t magnitude = a < 0 ? -(uint64_t)a : (uint64_t)a;
    return from_integer(env, &fp_double, a < 0, magnitude, rm);
}

uint32_t fp32_from_u64(struct fp_env *env, uint64_t a, unsigned rm)
{
    return (uint32_t)from_integer(env, &fp_single, false, a, rm);
}

uint64_t fp64_from_u64(struct fp_env *env, uint64_t a, unsigned rm)
{
    return from_integer(env, &fp_double, false, a, rm);
}

uint64_t fp32_to_fp64_soft(struct fp_env *env, uint32_t a)
{
    return convert(env, &fp_single, &fp_double, a, FP_RNE);
}

uint32_t fp64_to_fp32_soft(struct fp_env *env, uint64_t a, unsigned rm)
{
    return (uint32_t)convert(env, &fp_double, &fp_single, a, rm);
}

uint32_t fp16_to_fp32(struct fp_env *env, uint16_t a)
{
    return (uint32_t)convert(env, &fp_half, &fp_single, a, FP_RNE);
}

uint64_t fp16_to_fp64(struct fp_env *env, uint16_t a)
{
    return convert(env, &fp_half, &fp_double, a, FP_RNE);
}

uint16_t fp32_to_fp16(struct fp_env *env, uint32_t a, unsigned rm)
{
    return (uint16_t)convert(env, &fp_single, &fp_half, a, rm);
}

uint16_t fp64_to_fp16(struct fp_env *env, uint64_t a, unsigned rm)
{
    return (uint16_t)convert(env, &fp_double, &fp_half, a, rm);
}
