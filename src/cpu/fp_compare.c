/* SPDX-License-Identifier: MPL-2.0 */
/* Soft-float: comparison, minimum and maximum, classification. */
#include "cpu/fp_soft.h"

/*
 * Number order as integer order. Negative numbers are turned round; -0 comes just below +0, which
 * is what FMIN and FMAX want, and comparison sets right.
 */
FP_INLINE int64_t order(const struct fp_format *fmt, uint64_t a)
{
    uint64_t sign = fp_zero(fmt, true);
    return a & sign ? -(int64_t)(a ^ sign) - 1 : (int64_t)a;
}

enum relation { LESS, EQUAL, GREATER, UNORDERED };

FP_INLINE enum relation compare(struct fp_env *env, const struct fp_format *fmt, uint64_t a,
                                uint64_t b, bool signaling)
{
    struct fp_num x = fp_unpack(fmt, a), y = fp_unpack(fmt, b);

    if (fp_is_nan(&x) || fp_is_nan(&y)) {
        fp_propagate(env, fmt, &x, &y);
        if (signaling)
            env->flags |= FP_NV;
        return UNORDERED;
    }
    if (a == b || (x.kind == FP_KIND_ZERO && y.kind == FP_KIND_ZERO))
        return EQUAL;
    return order(fmt, a) < order(fmt, b) ? LESS : GREATER;
}

/* nan_wins: a NaN operand makes the result NaN; else the other operand is the result. */
FP_INLINE uint64_t extreme(struct fp_env *env, const struct fp_format *fmt, uint64_t a, uint64_t b,
                           bool want_max, bool nan_wins)
{
    struct fp_num x = fp_unpack(fmt, a), y = fp_unpack(fmt, b);

    if (fp_is_nan(&x) || fp_is_nan(&y)) {
        uint64_t nan = fp_propagate(env, fmt, &x, &y);
        if (nan_wins || (fp_is_nan(&x) && fp_is_nan(&y)))
            return nan;
        return fp_is_nan(&x) ? b : a;
    }
    bool a_is_less = order(fmt, a) < order(fmt, b);
    return a_is_less == want_max ? b : a;
}

FP_INLINE unsigned classify(const struct fp_format *fmt, uint64_t a)
{
    struct fp_num x = fp_unpack(fmt, a);
    int exp_min = 2 - (1 << (fmt->exp_bits - 1));

    switch (x.kind) {
    case FP_KIND_QNAN:
        return 1 << 9;
    case FP_KIND_SNAN:
        return 1 << 8;
    case FP_KIND_INF:
        return x.sign ? 1 << 0 : 1 << 7;
    case FP_KIND_ZERO:
        return x.sign ? 1 << 3 : 1 << 4;
    default:
        if (x.exp < exp_min)
            return x.sign ? 1 << 2 : 1 << 5;
        return x.sign ? 1 << 1 : 1 << 6;
    }
}

bool fp32_eq_soft(struct fp_env *env, uint32_t a, uint32_t b)
{
    return compare(env, &fp_single, a, b, false) == EQUAL;
}

bool fp64_eq_soft(struct fp_env *env, uint64_t a, uint64_t b)
{
    return compare(env, &fp_double, a, b, false) == EQUAL;
}

bool fp32_lt_soft(struct fp_env *env, uint32_t a, uint32_t b)
{
    return compare(env, &fp_single, a, b, true) == LESS;
}

bool fp64_lt_soft(struct fp_env *env, uint64_t a, uint64_t b)
{
    return compare(env, &fp_double, a, b, true) == LESS;
}

bool fp32_le_soft(struct fp_env *env, uint32_t a, uint32_t b)
{
    return compare(env, &fp_single, a, b, true) <= EQUAL;
}

bool fp64_le_soft(struct fp_env *env, uint64_t a, uint64_t b)
{
    return compare(env, &fp_double, a, b, true) <= EQUAL;
}

bool fp32_ltq(struct fp_env *env, uint32_t a, uint32_t b)
{
    return compare(env, &fp_single, a, b, false) == LESS;
}

bool fp64_ltq(struct fp_env *env, uint64_t a, uint64_t b)
{
    return compare(env, &fp_double, a, b, false) == LESS;
}

bool fp32_leq(struct fp_env *env, uint32_t a, uint32_t b)
{
    return compare(env, &fp_single, a, b, false) <= EQUAL;
}

bool fp64_leq(struct fp_env *env, uint64_t a, uint64_t b)
{
    return compare(env, &fp_double, a, b, false) <= EQUAL;
}

uint32_t fp32_min_soft(struct fp_env *env, uint32_t a, uint32_t b)
{
    return (uint32_t)extreme(env, &fp_single, a, b, false, false);
}

uint64_t fp64_min_soft(struct fp_env *env, uint64_t a, uint64_t b)
{
    return extreme(env, &fp_double, a, b, false, false);
}

uint32_t fp32_max_soft(struct fp_env *env, uint32_t a, uint32_t b)
{
    return (uint32_t)extreme(env, &fp_single, a, b, true, false);
}

uint64_t fp64_max_soft(struct fp_env *env, uint64_t a, uint64_t b)
{
    return extreme(env, &fp_double, a, b, true, false);
}

uint32_t fp32_minm(struct fp_env *env, uint32_t a, uint32_t b)
{
    return (uint32_t)extreme(env, &fp_single, a, b, false, true);
}

uint64_t fp64_minm(struct fp_env *env, uint64_t a, uint64_t b)
{
    return extreme(env, &fp_double, a, b, false, true);
}

uint32_t fp32_maxm(struct fp_env *env, uint32_t a, uint32_t b)
{
    return (uint32_t)extreme(env, &fp_single, a, b, true, true);
}

uint64_t fp64_maxm(struct fp_env *env, uint64_t a, uint64_t b)
{
    return extreme(env, &fp_double, a, b, true, true);
}

unsigned fp32_class(uint32_t a)
{
    return classify(&fp_single, a);
}

unsigned fp64_class(uint64_t a)
{
    return classify(&fp_double, a);
}
