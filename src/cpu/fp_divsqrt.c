/* SPDX-License-Identifier: MPL-2.0 */
/* Soft-float: division and square root. */
#include "cpu/fp_soft.h"

FP_INLINE uint64_t divide(struct fp_env *env, const struct fp_format *fmt, uint64_t a, uint64_t b,
                          unsigned rm)
{
    struct fp_num x = fp_unpack(fmt, a), y = fp_unpack(fmt, b);
    bool sign = x.sign != y.sign;

    if (fp_is_nan(&x) || fp_is_nan(&y))
        return fp_propagate(env, fmt, &x, &y);
    if (x.kind == y.kind && x.kind != FP_KIND_FINITE)
        return fp_invalid(env, fmt);
    if (x.kind == FP_KIND_ZERO || y.kind == FP_KIND_INF)
        return fp_zero(fmt, sign);
    if (y.kind == FP_KIND_ZERO && x.kind == FP_KIND_FINITE)
        env->flags |= FP_DZ;
    if (y.kind == FP_KIND_ZERO || x.kind == FP_KIND_INF)
        return fp_inf(fmt, sign);

    /* Scaled so that the quotient has exactly 64 bits. */
    bool less = x.sig < y.sig;
    unsigned __int128 dividend = (unsigned __int128)x.sig << (less ? 64 : 63);
    uint64_t quotient = (uint64_t)(dividend / y.sig);
    if ((unsigned __int128)quotient * y.sig != dividend)
        quotient |= 1;
    return fp_pack(env, fmt, sign, x.exp - y.exp - less, quotient, rm);
}

/*
 * The integer square root of n >= 2^126, exact in its upper `bits` bits, the rest sticky. Digit by
 * digit: n becomes what is left of it, root holds the digits so far times the weight of the next.
 */
FP_INLINE uint64_t root_jam(unsigned __int128 n, unsigned bits)
{
    unsigned __int128 root = 0;
    for (unsigned i = 0; i < bits; i++) {
        unsigned __int128 bit = (unsigned __int128)1 << (126 - 2 * i);
        unsigned __int128 trial = root + bit;
        root >>= 1;
        if (n >= trial) {
            n -= trial;
            root += bit;
        }
    }
    /* Each step that was not made would have halved the weight. */
    return (uint64_t)(root >> (64 - bits)) | (n != 0);
}

FP_INLINE uint64_t square_root(struct fp_env *env, const struct fp_format *fmt, uint64_t a,
                               unsigned rm)
{
    struct fp_num x = fp_unpack(fmt, a);

    if (fp_is_nan(&x))
        return fp_propagate(env, fmt, &x, &x);
    if (x.kind == FP_KIND_ZERO)
        return a;
    if (x.sign)
        return fp_invalid(env, fmt);
    if (x.kind == FP_KIND_INF)
        return a;

    /* An even exponent halves; either way the root of the 128-bit number has its bit 63 set. */
    int odd = x.exp & 1;
    unsigned __int128 n = (unsigned __int128)x.sig << (63 + odd);
    return fp_pack(env, fmt, false, (x.exp - odd) / 2, root_jam(n, fmt->frac_bits + 3), rm);
}

uint32_t fp32_div_soft(struct fp_env *env, uint32_t a, uint32_t b, unsigned rm)
{
    return (uint32_t)divide(env, &fp_single, a, b, rm);
}

uint64_t fp64_div_soft(struct fp_env *env, uint64_t a, uint64_t b, unsigned rm)
{
    return divide(env, &fp_double, a, b, rm);
}

uint32_t fp32_sqrt_soft(struct fp_env *env, uint32_t a, unsigned rm)
{
    return (uint32_t)square_root(env, &fp_single, a, rm);
}

uint64_t fp64_sqrt_soft(struct fp_env *env, uint64_t a, unsigned rm)
{
    return square_root(env, &fp_double, a, rm);
}
