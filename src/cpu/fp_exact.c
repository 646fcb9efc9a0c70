/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Host floating point where NX is still to be decided.
 *
 * A program that counts in doubles may never round, so NX stays clear and the inline functions of
 * fp.h never apply. Rounding to nearest, the host gives the result here too, and whether it was exact
 * follows from a second computation. What that cannot settle is left to the soft-float.
 */
#include "cpu/fp.h"

/*
 * The error of a sum to nearest is itself a number of the format, and these steps find it (Knuth,
 * "The Art of Computer Programming", 4.2.2, theorem B). If a step overflows, the error comes out as a
 * NaN, which is not zero either; in an exact sum no step does.
 */
uint32_t fp32_add_slow(struct fp_env *env, uint32_t a, uint32_t b, unsigned rm)
{
    float x = fp32_host(a), y = fp32_host(b), sum = x + y;
    if (FP_USE_HOST && rm == FP_RNE && fp32_is_finite(fp32_bits(sum))) {
        float from_y = sum - x;
        float error = (x - (sum - from_y)) + (y - from_y);
        env->flags |= error != 0;
        return fp32_bits(sum);
    }
    return fp32_add_soft(env, a, b, rm);
}

uint64_t fp64_add_slow(struct fp_env *env, uint64_t a, uint64_t b, unsigned rm)
{
    double x = fp64_host(a), y = fp64_host(b), sum = x + y;
    if (FP_USE_HOST && rm == FP_RNE && fp64_is_finite(fp64_bits(sum))) {
        double from_y = sum - x;
        double error = (x - (sum - from_y)) + (y - from_y);
        env->flags |= error != 0;
        return fp64_bits(sum);
    }
    return fp64_add_soft(env, a, b, rm);
}

/* The product of two singles is a double. */
uint32_t fp32_mul_slow(struct fp_env *env, uint32_t a, uint32_t b, unsigned rm)
{
    double product = (double)fp32_host(a) * (double)fp32_host(b);
    uint32_t r = fp32_bits((float)product);
    if (FP_USE_HOST && rm == FP_RNE && (fp32_is_plain(r) || product == 0)) {
        env->flags |= (double)fp32_host(r) != product;
        return r;
    }
    return fp32_mul_soft(env, a, b, rm);
}

/*
 * Whether the product of two normal doubles has 53 significant bits. It has 105 or 106 bits and as
 * many trailing zeros as both significands together: that settles all but one case in many.
 */
enum exactness { EXACT, INEXACT, UNDECIDED };

static enum exactness product_exactness(uint64_t a, uint64_t b)
{
    const uint64_t hidden = UINT64_C(1) << 52;
    int zeros = __builtin_ctzll(a | hidden) + __builtin_ctzll(b | hidden);
    return zeros >= 53 ? EXACT : zeros < 52 ? INEXACT : UNDECIDED;
}

uint64_t fp64_mul_slow(struct fp_env *env, uint64_t a, uint64_t b, unsigned rm)
{
    uint64_t r = fp64_bits(fp64_host(a) * fp64_host(b));
    if (FP_USE_HOST && rm == FP_RNE) {
        if (r << 1 == 0 && (a << 1 == 0 || b << 1 == 0))
            return r;
        if (fp64_is_plain(r) && fp64_is_plain(a) && fp64_is_plain(b)) {
            enum exactness e = product_exactness(a, b);
            if (e != UNDECIDED) {
                env->flags |= e == INEXACT;
                return r;
            }
        }
    }
    return fp64_mul_soft(env, a, b, rm);
}

/* A quotient is exact when it gives the dividend back, in a product that is exact itself. */
uint32_t fp32_div_slow(struct fp_env *env, uint32_t a, uint32_t b, unsigned rm)
{
    if (FP_USE_HOST && rm == FP_RNE && b << 1 != 0) {
        float quotient = fp32_host(a) / fp32_host(b);
        uint32_t r = fp32_bits(quotient);
        if (fp32_is_plain(r)) {
            env->flags |= (double)quotient * (double)fp32_host(b) != (double)fp32_host(a);
            return r;
        }
    }
    return fp32_div_soft(env, a, b, rm);
}

uint64_t fp64_div_slow(struct fp_env *env, uint64_t a, uint64_t b, unsigned rm)
{
    if (FP_USE_HOST && rm == FP_RNE && fp64_is_plain(a) && fp64_is_plain(b)) {
        double quotient = fp64_host(a) / fp64_host(b);
        uint64_t r = fp64_bits(quotient);
        enum exactness e = product_exactness(r, b);
        if (fp64_is_plain(r) && e != UNDECIDED) {
            env->flags |= e == INEXACT || quotient * fp64_host(b) != fp64_host(a);
            return r;
        }
    }
    return fp64_div_soft(env, a, b, rm);
}

/* A root likewise, squared. */
uint32_t fp32_sqrt_slow(struct fp_env *env, uint32_t a, unsigned rm)
{
    if (FP_USE_HOST && rm == FP_RNE && a - 1 < FP32_INF - 1) {
        float root = sqrtf(fp32_host(a));
        env->flags |= (double)root * (double)root != (double)fp32_host(a);
        return fp32_bits(root);
    }
    return fp32_sqrt_soft(env, a, rm);
}

uint64_t fp64_sqrt_slow(struct fp_env *env, uint64_t a, unsigned rm)
{
    if (FP_USE_HOST && rm == FP_RNE && fp64_is_plain(a) && !(a & FP64_SIGN)) {
        double root = sqrt(fp64_host(a));
        enum exactness e = product_exactness(fp64_bits(root), fp64_bits(root));
        if (e != UNDECIDED) {
            env->flags |= e == INEXACT || root * root != fp64_host(a);
            return fp64_bits(root);
        }
    }
    return fp64_sqrt_soft(env, a, rm);
}
