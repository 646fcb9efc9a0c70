/* SPDX-License-Identifier: MPL-2.0 */
/* Soft-float: addition and multiplication. Subtraction is addition with a sign turned (fp.h). */
#include "cpu/fp_soft.h"
#include "cpu/fp_wide.h"

FP_INLINE uint64_t add(struct fp_env *env, const struct fp_format *fmt, uint64_t a, uint64_t b,
                       unsigned rm)
{
    struct fp_num x = fp_unpack(fmt, a), y = fp_unpack(fmt, b);

    if (fp_is_nan(&x) || fp_is_nan(&y))
        return fp_propagate(env, fmt, &x, &y);
    if (x.kind == FP_KIND_INF || y.kind == FP_KIND_INF) {
        if (x.kind == y.kind && x.sign != y.sign)
            return fp_invalid(env, fmt);
        return x.kind == FP_KIND_INF ? a : b;
    }
    if (x.kind == FP_KIND_ZERO && y.kind == FP_KIND_ZERO)
        return fp_zero(fmt, x.sign == y.sign ? x.sign : rm == FP_RDN);
    if (x.kind == FP_KIND_ZERO)
        return b;
    if (y.kind == FP_KIND_ZERO)
        return a;

    struct fp_term s = {x.sign, x.exp, (unsigned __int128)x.sig << 63};
    struct fp_term t = {y.sign, y.exp, (unsigned __int128)y.sig << 63};
    return fp_pack_sum(env, fmt, s, t, rm);
}

FP_INLINE uint64_t mul(struct fp_env *env, const struct fp_format *fmt, uint64_t a, uint64_t b,
                       unsigned rm)
{
    struct fp_num x = fp_unpack(fmt, a), y = fp_unpack(fmt, b);
    bool sign = x.sign != y.sign;

    if (fp_is_nan(&x) || fp_is_nan(&y))
        return fp_propagate(env, fmt, &x, &y);
    if (x.kind == FP_KIND_INF || y.kind == FP_KIND_INF) {
        if (x.kind == FP_KIND_ZERO || y.kind == FP_KIND_ZERO)
            return fp_invalid(env, fmt);
        return fp_inf(fmt, sign);
    }
    if (x.kind == FP_KIND_ZERO || y.kind == FP_KIND_ZERO)
        return fp_zero(fmt, sign);

    unsigned __int128 product = (unsigned __int128)x.sig * y.sig;
    int carry = (int)(product >> 127);
    product <<= !carry;
    uint64_t sig = (uint64_t)(product >> 64) | ((uint64_t)product != 0);
    return fp_pack(env, fmt, sign, x.exp + y.exp + carry, sig, rm);
}

uint32_t fp32_add_soft(struct fp_env *env, uint32_t a, uint32_t b, unsigned rm)
{
    return (uint32_t)add(env, &fp_single, a, b, rm);
}

uint64_t fp64_add_soft(struct fp_env *env, uint64_t a, uint64_t b, unsigned rm)
{
    return add(env, &fp_double, a, b, rm);
}

uint32_t fp32_mul_soft(struct fp_env *env, uint32_t a, uint32_t b, unsigned rm)
{
    return (uint32_t)mul(env, &fp_single, a, b, rm);
}

uint64_t fp64_mul_soft(struct fp_env *env, uint64_t a, uint64_t b, unsigned rm)
{
    return mul(env, &fp_double, a, b, rm);
}
