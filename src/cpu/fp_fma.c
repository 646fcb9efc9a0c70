/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Fused multiply-add: the host's instruction where there is one, soft-float else.
 *
 * Compilers fuse by default, so this is the commonest operation of FP programs. A library built for
 * the oldest x86-64 may still find FMA3 on the processor it runs on: that is asked at run time.
 */
#include "cpu/fp_soft.h"
#include "cpu/fp_wide.h"

#if FP_USE_HOST && defined(__FP_FAST_FMA) && defined(__FP_FAST_FMAF)
#define HOST_FMA 1
#define HOST_FMA_TARGET
#define host_has_fma() true
#elif FP_USE_HOST && defined(__x86_64__)
#define HOST_FMA 1
#define HOST_FMA_TARGET __attribute__((target("fma")))
#define host_has_fma() __builtin_cpu_supports("fma")
#else
#define HOST_FMA 0
#endif

FP_INLINE uint64_t fma_soft(struct fp_env *env, const struct fp_format *fmt, uint64_t a, uint64_t b,
                            uint64_t c, unsigned rm)
{
    struct fp_num x = fp_unpack(fmt, a), y = fp_unpack(fmt, b), z = fp_unpack(fmt, c);
    bool sign = x.sign != y.sign;

    /* Infinity times zero is invalid even when the addend is a quiet NaN. */
    if ((x.kind == FP_KIND_INF && y.kind == FP_KIND_ZERO) ||
        (x.kind == FP_KIND_ZERO && y.kind == FP_KIND_INF))
        return fp_invalid(env, fmt);
    if (fp_is_nan(&x) || fp_is_nan(&y) || fp_is_nan(&z)) {
        fp_propagate(env, fmt, &x, &y);
        return fp_propagate(env, fmt, &z, &z);
    }
    if (x.kind == FP_KIND_INF || y.kind == FP_KIND_INF) {
        if (z.kind == FP_KIND_INF && z.sign != sign)
            return fp_invalid(env, fmt);
        return fp_inf(fmt, sign);
    }
    if (z.kind == FP_KIND_INF)
        return c;
    if (x.kind == FP_KIND_ZERO || y.kind == FP_KIND_ZERO) {
        if (z.kind == FP_KIND_ZERO)
            return fp_zero(fmt, sign == z.sign ? sign : rm == FP_RDN);
        return c;
    }

    unsigned __int128 product = (unsigned __int128)x.sig * y.sig;
    int carry = (int)(product >> 127);
    struct fp_term p = {sign, x.exp + y.exp + carry, product >> carry};
    if (z.kind == FP_KIND_ZERO) {
        uint64_t sig = (uint64_t)(p.sig >> 63) | ((uint64_t)p.sig << 1 != 0);
        return fp_pack(env, fmt, sign, p.exp, sig, rm);
    }
    struct fp_term t = {z.sign, z.exp, (unsigned __int128)z.sig << 63};
    return fp_pack_sum(env, fmt, p, t, rm);
}

uint32_t fp32_fma_soft(struct fp_env *env, uint32_t a, uint32_t b, uint32_t c, unsigned rm)
{
    return (uint32_t)fma_soft(env, &fp_single, a, b, c, rm);
}

uint64_t fp64_fma_soft(struct fp_env *env, uint64_t a, uint64_t b, uint64_t c, unsigned rm)
{
    return fma_soft(env, &fp_double, a, b, c, rm);
}

#if HOST_FMA
/* The same conditions as fp32_mul and fp64_mul in fp.h. false: the reference must do it. */
HOST_FMA_TARGET static bool host_fma32(uint32_t a, uint32_t b, uint32_t c, uint32_t *result)
{
    *result = fp32_bits(__builtin_fmaf(fp32_host(a), fp32_host(b), fp32_host(c)));
    return fp32_is_plain(*result);
}

HOST_FMA_TARGET static bool host_fma64(uint64_t a, uint64_t b, uint64_t c, uint64_t *result)
{
    *result = fp64_bits(__builtin_fma(fp64_host(a), fp64_host(b), fp64_host(c)));
    return fp64_is_plain(*result);
}
#endif

uint32_t fp32_fma(struct fp_env *env, uint32_t a, uint32_t b, uint32_t c, unsigned rm)
{
#if HOST_FMA
    uint32_t result;
    if (fp_host_ready(env, rm) && host_has_fma() && host_fma32(a, b, c, &result))
        return result;
#endif
    return fp32_fma_soft(env, a, b, c, rm);
}

uint64_t fp64_fma(struct fp_env *env, uint64_t a, uint64_t b, uint64_t c, unsigned rm)
{
#if HOST_FMA
    uint64_t result;
    if (fp_host_ready(env, rm) && host_has_fma() && host_fma64(a, b, c, &result))
        return result;
#endif
    return fp64_fma_soft(env, a, b, c, rm);
}
