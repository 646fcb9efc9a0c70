/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * What the floating-point tests share: operands, the host as oracle, and the comparison.
 *
 *     RVVM_FP_ROUNDS=100 build/release/tests/unit/fp_test      a hundred times the usual work
 *     RVVM_FP_ROUNDS=0.1 ...                                   a tenth
 *     RVVM_FP_SEED=N ...                                       other operands
 *
 * Operands lie where mistakes are made: limits, subnormals, neighbours of powers of two, integers.
 */
#ifndef FP_ORACLE_H
#define FP_ORACLE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "cpu/fp.h"
#include <fenv.h>
#include <stdio.h>
#include <stdlib.h>

static uint64_t rng_state;
static unsigned long rounds = 200000;

static inline uint64_t rng(void)
{
    rng_state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = rng_state;
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* An operand of a format with `frac` fraction and `exp` exponent bits. */
static inline uint64_t operand(unsigned frac, unsigned exp)
{
    uint64_t one = 1, exp_max = (one << exp) - 1, bias = exp_max >> 1;
    uint64_t frac_mask = (one << frac) - 1, r = rng(), sign = (r >> 8 & 1) << (frac + exp);
    uint64_t field, low = rng() & frac_mask;

    switch (r & 15) {
    case 0: { /* zero, infinity, NaN of both kinds, the ends of the ranges */
        const uint64_t specials[] = {
            0,
            1,
            frac_mask,
            one << frac,
            (one << frac) + 1,
            bias << frac,
            (exp_max << frac) - 1,
            exp_max << frac,
            (exp_max << frac) + 1,
            exp_max << frac | one << (frac - 1),
            exp_max << frac | frac_mask,
        };
        return sign | specials[(r >> 16) % (sizeof specials / sizeof specials[0])];
    }
    case 1: /* subnormal of any size */
        return sign | low >> (r >> 16) % frac;
    case 2: /* near the ends of the exponent range */
        field = (r >> 16 & 1) ? exp_max - 1 - (r >> 20 & 3) : 1 + (r >> 20 & 3);
        return sign | field << frac | low;
    case 3:
    case 4: /* just beside a power of two near 1 */
        field = bias - frac - 2 + (r >> 16) % (2 * frac + 4);
        if (field > exp_max - 1)
            field = bias;
        return sign | ((field << frac) + (r >> 32 & 7) - 3);
    case 5:
    case 6: /* few significant bits: exact results and ties */
        field = bias + (r >> 16) % 32 - 16;
        return sign | (field & exp_max) << frac | (low & (frac_mask << (frac - 1 - (r >> 24) % 8)));
    case 7:
    case 8: /* the upper half of the significand only: products that just fit */
        field = bias + (r >> 16) % 16 - 8;
        return sign | field << frac | (low & frac_mask << (frac / 2 - (r >> 24) % 3) & frac_mask);
    case 9: /* small exponents, whose products are at the edge of underflow */
        field = bias / 2 + (r >> 16) % 8 - 4;
        return sign | field << frac | low;
    case 10: /* and of overflow */
        field = bias + bias / 2 + (r >> 16) % 8 - 4;
        return sign | field << frac | low;
    case 11: /* small or middling exponents, random significand */
    case 12:
        field = bias - 4 + (r >> 16 & 7);
        return sign | field << frac | low;
    default:
        return rng() >> (63 - frac - exp);
    }
}

static inline uint32_t operand32(void)
{
    return (uint32_t)operand(23, 8);
}

static inline uint64_t operand64(void)
{
    return operand(52, 11);
}

static inline uint32_t canonical32(float f)
{
    return f != f ? FP32_NAN : fp32_bits(f);
}

static inline uint64_t canonical64(double d)
{
    return d != d ? FP64_NAN : fp64_bits(d);
}

/*
 * The host as oracle. Operands and results go through volatile variables, so that the operation stays
 * between the calls that set the mode and read the flags.
 */
static const int host_modes[4] = {FE_TONEAREST, FE_TOWARDZERO, FE_DOWNWARD, FE_UPWARD};

static inline void host_begin(unsigned rm)
{
    fesetround(host_modes[rm]);
    feclearexcept(FE_ALL_EXCEPT);
}

static inline unsigned host_end(void)
{
    int e = fetestexcept(FE_ALL_EXCEPT);
    fesetround(FE_TONEAREST);
    return (e & FE_INEXACT ? FP_NX : 0) | (e & FE_UNDERFLOW ? FP_UF : 0) |
           (e & FE_OVERFLOW ? FP_OF : 0) | (e & FE_DIVBYZERO ? FP_DZ : 0) |
           (e & FE_INVALID ? FP_NV : 0);
}

/* env by reference: it is read after the call that makes `got`, a neighbour in the argument list. */
static inline void expect(const char *what, unsigned rm, uint64_t a, uint64_t b, uint64_t c,
                          uint64_t got, const struct fp_env *env, uint64_t want,
                          unsigned want_flags)
{
    unsigned got_flags = env->flags;
    if (got != want || got_flags != want_flags)
        fail_msg("%s rm=%u a=%#llx b=%#llx c=%#llx: got %#llx flags %#x, want %#llx flags %#x",
                 what, rm, (unsigned long long)a, (unsigned long long)b, (unsigned long long)c,
                 (unsigned long long)got, got_flags, (unsigned long long)want, want_flags);
}

/* x86 detects tininess after rounding, as RISC-V does; other hosts may do so before. */
#if defined(__x86_64__)
#define HOST_IS_ORACLE 1
#else
#define HOST_IS_ORACLE 0
#endif

static inline void read_environment(void)
{
    const char *seed = getenv("RVVM_FP_SEED"), *times = getenv("RVVM_FP_ROUNDS");
    rng_state = seed ? strtoull(seed, NULL, 0) : 1;
    if (times)
        rounds = (unsigned long)((double)rounds * strtod(times, NULL));
}

#endif
