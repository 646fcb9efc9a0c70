/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Floating point: every RISC-V scalar operation as a function on raw bit patterns, exact in result
 * and flags ("F", "D", "Zfhmin" and "Zfa" of the unprivileged specification).
 *
 *     uint64_t sum = fp64_add(&h->fp, a, b, FP_RNE);
 *
 * Operands are un-boxed. rm is resolved by the caller: never 7, never reserved. Flags only add up.
 * A result that is a NaN is the canonical one. Tininess is detected after rounding.
 *
 * Two levels. fp*_soft is integer arithmetic, exact in every mode: the reference. The inline
 * functions below use the host's floating point where that must give the same: rounding to nearest,
 * NX already raised (so that nobody can tell an exact operation from an inexact one), and a result
 * that shows that no other flag was due. While NX is clear, fp*_slow has the host compute too, and
 * finds out whether it rounded.
 *
 * The host must be in its default environment (nearest, no flush to zero, no traps), have IEEE 754
 * formats and no excess precision: x87 has that, so there the reference does all the work. Compile
 * with -ffp-contract=off: fused, an error term would not be what it is taken for.
 */
#ifndef RVVM_CPU_FP_H
#define RVVM_CPU_FP_H

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum fp_flag { FP_NX = 1, FP_UF = 2, FP_OF = 4, FP_DZ = 8, FP_NV = 16 };
enum fp_rounding { FP_RNE = 0, FP_RTZ = 1, FP_RDN = 2, FP_RUP = 3, FP_RMM = 4 };

struct fp_env {
    uint8_t flags; /* fflags */
};

#define FP16_NAN UINT16_C(0x7e00)
#define FP32_NAN UINT32_C(0x7fc00000)
#define FP64_NAN UINT64_C(0x7ff8000000000000)
#define FP32_INF UINT32_C(0x7f800000)
#define FP64_INF UINT64_C(0x7ff0000000000000)
#define FP32_SIGN UINT32_C(0x80000000)
#define FP64_SIGN UINT64_C(0x8000000000000000)

#if defined(FLT_EVAL_METHOD) && FLT_EVAL_METHOD == 0
#define FP_USE_HOST 1
_Static_assert(FLT_MANT_DIG == 24 && DBL_MANT_DIG == 53 && sizeof(float) == 4 &&
                   sizeof(double) == 8,
               "the host's float and double are binary32 and binary64");
#else
#define FP_USE_HOST 0
#endif

/* The reference: fp_arith.c, fp_fma.c, fp_divsqrt.c. */
uint32_t fp32_add_soft(struct fp_env *env, uint32_t a, uint32_t b, unsigned rm);
uint64_t fp64_add_soft(struct fp_env *env, uint64_t a, uint64_t b, unsigned rm);
uint32_t fp32_mul_soft(struct fp_env *env, uint32_t a, uint32_t b, unsigned rm);
uint64_t fp64_mul_soft(struct fp_env *env, uint64_t a, uint64_t b, unsigned rm);
uint32_t fp32_div_soft(struct fp_env *env, uint32_t a, uint32_t b, unsigned rm);
uint64_t fp64_div_soft(struct fp_env *env, uint64_t a, uint64_t b, unsigned rm);
uint32_t fp32_sqrt_soft(struct fp_env *env, uint32_t a, unsigned rm);
uint64_t fp64_sqrt_soft(struct fp_env *env, uint64_t a, unsigned rm);
uint32_t fp32_fma_soft(struct fp_env *env, uint32_t a, uint32_t b, uint32_t c, unsigned rm);
uint64_t fp64_fma_soft(struct fp_env *env, uint64_t a, uint64_t b, uint64_t c, unsigned rm);

/* a * b + c, rounded once (fp_fma.c: the host's instruction where the processor has one). */
uint32_t fp32_fma(struct fp_env *env, uint32_t a, uint32_t b, uint32_t c, unsigned rm);
uint64_t fp64_fma(struct fp_env *env, uint64_t a, uint64_t b, uint64_t c, unsigned rm);

/* The reference for conversions: fp_convert.c. Out of range and NaN saturate and raise NV. */
int32_t fp32_to_i32_soft(struct fp_env *env, uint32_t a, unsigned rm);
int64_t fp32_to_i64_soft(struct fp_env *env, uint32_t a, unsigned rm);
uint32_t fp32_to_u32(struct fp_env *env, uint32_t a, unsigned rm);
uint64_t fp32_to_u64(struct fp_env *env, uint32_t a, unsigned rm);
int32_t fp64_to_i32_soft(struct fp_env *env, uint64_t a, unsigned rm);
int64_t fp64_to_i64_soft(struct fp_env *env, uint64_t a, unsigned rm);
uint32_t fp64_to_u32(struct fp_env *env, uint64_t a, unsigned rm);
uint64_t fp64_to_u64(struct fp_env *env, uint64_t a, unsigned rm);
uint32_t fp32_from_i64_soft(struct fp_env *env, int64_t a, unsigned rm);
uint64_t fp64_from_i64_soft(struct fp_env *env, int64_t a, unsigned rm);
uint32_t fp32_from_u64(struct fp_env *env, uint64_t a, unsigned rm);
uint64_t fp64_from_u64(struct fp_env *env, uint64_t a, unsigned rm);

/* Between formats. */
uint64_t fp32_to_fp64_soft(struct fp_env *env, uint32_t a);
uint32_t fp64_to_fp32_soft(struct fp_env *env, uint64_t a, unsigned rm);
uint32_t fp16_to_fp32(struct fp_env *env, uint16_t a);
uint64_t fp16_to_fp64(struct fp_env *env, uint16_t a);
uint16_t fp32_to_fp16(struct fp_env *env, uint32_t a, unsigned rm);
uint16_t fp64_to_fp16(struct fp_env *env, uint64_t a, unsigned rm);

/* To an integral value of the same format: FROUND, and FROUNDNX when exact is true (fp_round.c). */
uint32_t fp32_round(struct fp_env *env, uint32_t a, unsigned rm, bool exact);
uint64_t fp64_round(struct fp_env *env, uint64_t a, unsigned rm, bool exact);
/* FCVTMOD.W.D: towards zero, modulo 2^32; flags as FCVT.W.D. */
int32_t fp64_to_i32_mod(struct fp_env *env, uint64_t a);

/* FMIN, FMAX (a number wins over a NaN) and FMINM, FMAXM (a NaN wins). -0 is less than +0. */
uint32_t fp32_min_soft(struct fp_env *env, uint32_t a, uint32_t b);
uint64_t fp64_min_soft(struct fp_env *env, uint64_t a, uint64_t b);
uint32_t fp32_max_soft(struct fp_env *env, uint32_t a, uint32_t b);
uint64_t fp64_max_soft(struct fp_env *env, uint64_t a, uint64_t b);
uint32_t fp32_minm(struct fp_env *env, uint32_t a, uint32_t b);
uint64_t fp64_minm(struct fp_env *env, uint64_t a, uint64_t b);
uint32_t fp32_maxm(struct fp_env *env, uint32_t a, uint32_t b);
uint64_t fp64_maxm(struct fp_env *env, uint64_t a, uint64_t b);

/* FEQ, FLTQ, FLEQ raise NV for a signalling NaN, FLT and FLE for any. */
bool fp32_eq_soft(struct fp_env *env, uint32_t a, uint32_t b);
bool fp64_eq_soft(struct fp_env *env, uint64_t a, uint64_t b);
bool fp32_lt_soft(struct fp_env *env, uint32_t a, uint32_t b);
bool fp64_lt_soft(struct fp_env *env, uint64_t a, uint64_t b);
bool fp32_le_soft(struct fp_env *env, uint32_t a, uint32_t b);
bool fp64_le_soft(struct fp_env *env, uint64_t a, uint64_t b);
bool fp32_ltq(struct fp_env *env, uint32_t a, uint32_t b);
bool fp64_ltq(struct fp_env *env, uint64_t a, uint64_t b);
bool fp32_leq(struct fp_env *env, uint32_t a, uint32_t b);
bool fp64_leq(struct fp_env *env, uint64_t a, uint64_t b);

/* FCLASS: one of bits 0 to 9. */
unsigned fp32_class(uint32_t a);
unsigned fp64_class(uint64_t a);

/* FLI.S and FLI.D by the number in the rs1 field. */
extern const uint32_t fp32_fli[32];
extern const uint64_t fp64_fli[32];

/*
 * The fast level.
 */

static inline float fp32_host(uint32_t bits)
{
    float f;
    memcpy(&f, &bits, sizeof f);
    return f;
}

static inline double fp64_host(uint64_t bits)
{
    double d;
    memcpy(&d, &bits, sizeof d);
    return d;
}

static inline uint32_t fp32_bits(float f)
{
    uint32_t bits;
    memcpy(&bits, &f, sizeof bits);
    return bits;
}

static inline uint64_t fp64_bits(double d)
{
    uint64_t bits;
    memcpy(&bits, &d, sizeof bits);
    return bits;
}

/* The host rounds as asked, and whether it rounded at all is already known. */
static inline bool fp_host_ready(const struct fp_env *env, unsigned rm)
{
    return FP_USE_HOST && __builtin_expect(rm == FP_RNE && (env->flags & FP_NX), 1);
}

static inline bool fp32_is_finite(uint32_t bits)
{
    return __builtin_expect((bits << 1 >> 24) != 0xff, 1);
}

static inline bool fp64_is_finite(uint64_t bits)
{
    return __builtin_expect((bits << 1 >> 53) != 0x7ff, 1);
}

/*
 * Finite, and by a factor of two away from where underflow begins. A result like that had finite
 * operands and a divisor that was not zero: no flag but NX.
 */
static inline bool fp32_is_plain(uint32_t bits)
{
    return __builtin_expect((bits << 1 >> 24) - 2 < 0xfd, 1);
}

static inline bool fp64_is_plain(uint64_t bits)
{
    return __builtin_expect((bits << 1 >> 53) - 2 < 0x7fd, 1);
}

/* Where the host may serve though NX is not raised, else the reference (fp_exact.c). */
uint32_t fp32_add_slow(struct fp_env *env, uint32_t a, uint32_t b, unsigned rm);
uint64_t fp64_add_slow(struct fp_env *env, uint64_t a, uint64_t b, unsigned rm);
uint32_t fp32_mul_slow(struct fp_env *env, uint32_t a, uint32_t b, unsigned rm);
uint64_t fp64_mul_slow(struct fp_env *env, uint64_t a, uint64_t b, unsigned rm);
uint32_t fp32_div_slow(struct fp_env *env, uint32_t a, uint32_t b, unsigned rm);
uint64_t fp64_div_slow(struct fp_env *env, uint64_t a, uint64_t b, unsigned rm);
uint32_t fp32_sqrt_slow(struct fp_env *env, uint32_t a, unsigned rm);
uint64_t fp64_sqrt_slow(struct fp_env *env, uint64_t a, unsigned rm);

/* A finite sum had finite operands, and a subnormal one is exact: neither UF nor NV is due. */
static inline uint32_t fp32_add(struct fp_env *env, uint32_t a, uint32_t b, unsigned rm)
{
    if (fp_host_ready(env, rm)) {
        uint32_t r = fp32_bits(fp32_host(a) + fp32_host(b));
        if (fp32_is_finite(r))
            return r;
    }
    return fp32_add_slow(env, a, b, rm);
}

static inline uint64_t fp64_add(struct fp_env *env, uint64_t a, uint64_t b, unsigned rm)
{
    if (fp_host_ready(env, rm)) {
        uint64_t r = fp64_bits(fp64_host(a) + fp64_host(b));
        if (fp64_is_finite(r))
            return r;
    }
    return fp64_add_slow(env, a, b, rm);
}

/* a - b is a + -b to the last bit: a NaN's sign does not reach the result. */
static inline uint32_t fp32_sub(struct fp_env *env, uint32_t a, uint32_t b, unsigned rm)
{
    return fp32_add(env, a, b ^ FP32_SIGN, rm);
}

static inline uint64_t fp64_sub(struct fp_env *env, uint64_t a, uint64_t b, unsigned rm)
{
    return fp64_add(env, a, b ^ FP64_SIGN, rm);
}

static inline uint32_t fp32_mul(struct fp_env *env, uint32_t a, uint32_t b, unsigned rm)
{
    if (fp_host_ready(env, rm)) {
        uint32_t r = fp32_bits(fp32_host(a) * fp32_host(b));
        if (fp32_is_plain(r))
            return r;
    }
    return fp32_mul_slow(env, a, b, rm);
}

static inline uint64_t fp64_mul(struct fp_env *env, uint64_t a, uint64_t b, unsigned rm)
{
    if (fp_host_ready(env, rm)) {
        uint64_t r = fp64_bits(fp64_host(a) * fp64_host(b));
        if (fp64_is_plain(r))
            return r;
    }
    return fp64_mul_slow(env, a, b, rm);
}

static inline uint32_t fp32_div(struct fp_env *env, uint32_t a, uint32_t b, unsigned rm)
{
    /* Not by zero even where the result would not be used: a sanitizer counts it as a fault. */
    if (fp_host_ready(env, rm) && b << 1 != 0) {
        uint32_t r = fp32_bits(fp32_host(a) / fp32_host(b));
        if (fp32_is_plain(r))
            return r;
    }
    return fp32_div_slow(env, a, b, rm);
}

static inline uint64_t fp64_div(struct fp_env *env, uint64_t a, uint64_t b, unsigned rm)
{
    if (fp_host_ready(env, rm) && b << 1 != 0) {
        uint64_t r = fp64_bits(fp64_host(a) / fp64_host(b));
        if (fp64_is_plain(r))
            return r;
    }
    return fp64_div_slow(env, a, b, rm);
}

/* The root of a positive finite number is far from both ends of the range. */
static inline uint32_t fp32_sqrt(struct fp_env *env, uint32_t a, unsigned rm)
{
    if (fp_host_ready(env, rm) && __builtin_expect(a - 1 < FP32_INF - 1, 1))
        return fp32_bits(sqrtf(fp32_host(a)));
    return fp32_sqrt_slow(env, a, rm);
}

static inline uint64_t fp64_sqrt(struct fp_env *env, uint64_t a, unsigned rm)
{
    if (fp_host_ready(env, rm) && __builtin_expect(a - 1 < FP64_INF - 1, 1))
        return fp64_bits(sqrt(fp64_host(a)));
    return fp64_sqrt_slow(env, a, rm);
}

/* FMADD, FMSUB, FNMSUB, FNMADD: the product's and the addend's signs are turned before. */
static inline uint32_t fp32_madd(struct fp_env *env, uint32_t a, uint32_t b, uint32_t c,
                                 unsigned rm)
{
    return fp32_fma(env, a, b, c, rm);
}

static inline uint64_t fp64_madd(struct fp_env *env, uint64_t a, uint64_t b, uint64_t c,
                                 unsigned rm)
{
    return fp64_fma(env, a, b, c, rm);
}

static inline uint32_t fp32_msub(struct fp_env *env, uint32_t a, uint32_t b, uint32_t c,
                                 unsigned rm)
{
    return fp32_fma(env, a, b, c ^ FP32_SIGN, rm);
}

static inline uint64_t fp64_msub(struct fp_env *env, uint64_t a, uint64_t b, uint64_t c,
                                 unsigned rm)
{
    return fp64_fma(env, a, b, c ^ FP64_SIGN, rm);
}

static inline uint32_t fp32_nmsub(struct fp_env *env, uint32_t a, uint32_t b, uint32_t c,
                                  unsigned rm)
{
    return fp32_fma(env, a ^ FP32_SIGN, b, c, rm);
}

static inline uint64_t fp64_nmsub(struct fp_env *env, uint64_t a, uint64_t b, uint64_t c,
                                  unsigned rm)
{
    return fp64_fma(env, a ^ FP64_SIGN, b, c, rm);
}

static inline uint32_t fp32_nmadd(struct fp_env *env, uint32_t a, uint32_t b, uint32_t c,
                                  unsigned rm)
{
    return fp32_fma(env, a ^ FP32_SIGN, b, c ^ FP32_SIGN, rm);
}

static inline uint64_t fp64_nmadd(struct fp_env *env, uint64_t a, uint64_t b, uint64_t c,
                                  unsigned rm)
{
    return fp64_fma(env, a ^ FP64_SIGN, b, c ^ FP64_SIGN, rm);
}

/* Comparisons never round: the host serves whenever no NaN is there. */
static inline bool fp32_unordered(uint32_t a, uint32_t b)
{
    return __builtin_expect((a << 1) > FP32_INF << 1 || (b << 1) > FP32_INF << 1, 0);
}

static inline bool fp64_unordered(uint64_t a, uint64_t b)
{
    return __builtin_expect((a << 1) > FP64_INF << 1 || (b << 1) > FP64_INF << 1, 0);
}

static inline bool fp32_eq(struct fp_env *env, uint32_t a, uint32_t b)
{
    return fp32_unordered(a, b) ? fp32_eq_soft(env, a, b) : fp32_host(a) == fp32_host(b);
}

static inline bool fp64_eq(struct fp_env *env, uint64_t a, uint64_t b)
{
    return fp64_unordered(a, b) ? fp64_eq_soft(env, a, b) : fp64_host(a) == fp64_host(b);
}

static inline bool fp32_lt(struct fp_env *env, uint32_t a, uint32_t b)
{
    return fp32_unordered(a, b) ? fp32_lt_soft(env, a, b) : fp32_host(a) < fp32_host(b);
}

static inline bool fp64_lt(struct fp_env *env, uint64_t a, uint64_t b)
{
    return fp64_unordered(a, b) ? fp64_lt_soft(env, a, b) : fp64_host(a) < fp64_host(b);
}

static inline bool fp32_le(struct fp_env *env, uint32_t a, uint32_t b)
{
    return fp32_unordered(a, b) ? fp32_le_soft(env, a, b) : fp32_host(a) <= fp32_host(b);
}

static inline bool fp64_le(struct fp_env *env, uint64_t a, uint64_t b)
{
    return fp64_unordered(a, b) ? fp64_le_soft(env, a, b) : fp64_host(a) <= fp64_host(b);
}

/* Equal operands (two zeros among them) and NaN are neither less nor greater. */
static inline uint32_t fp32_min(struct fp_env *env, uint32_t a, uint32_t b)
{
    if (fp32_host(a) < fp32_host(b))
        return a;
    return fp32_host(b) < fp32_host(a) ? b : fp32_min_soft(env, a, b);
}

static inline uint64_t fp64_min(struct fp_env *env, uint64_t a, uint64_t b)
{
    if (fp64_host(a) < fp64_host(b))
        return a;
    return fp64_host(b) < fp64_host(a) ? b : fp64_min_soft(env, a, b);
}

static inline uint32_t fp32_max(struct fp_env *env, uint32_t a, uint32_t b)
{
    if (fp32_host(a) > fp32_host(b))
        return a;
    return fp32_host(b) > fp32_host(a) ? b : fp32_max_soft(env, a, b);
}

static inline uint64_t fp64_max(struct fp_env *env, uint64_t a, uint64_t b)
{
    if (fp64_host(a) > fp64_host(b))
        return a;
    return fp64_host(b) > fp64_host(a) ? b : fp64_max_soft(env, a, b);
}

/*
 * To an integer: C truncates, and what is lost shows in the way back. Only a value that fits is
 * given to the host (NaN fails the comparison).
 */
static inline int32_t fp32_to_i32(struct fp_env *env, uint32_t a, unsigned rm)
{
    float f = fp32_host(a);
    if (fabsf(f) < 0x1p31f) {
        int32_t i = (int32_t)f;
        bool lost = (float)i != f;
        if (!lost || rm == FP_RTZ) {
            env->flags |= lost;
            return i;
        }
    }
    return fp32_to_i32_soft(env, a, rm);
}

static inline int64_t fp32_to_i64(struct fp_env *env, uint32_t a, unsigned rm)
{
    float f = fp32_host(a);
    if (fabsf(f) < 0x1p63f) {
        int64_t i = (int64_t)f;
        bool lost = (float)i != f;
        if (!lost || rm == FP_RTZ) {
            env->flags |= lost;
            return i;
        }
    }
    return fp32_to_i64_soft(env, a, rm);
}

static inline int32_t fp64_to_i32(struct fp_env *env, uint64_t a, unsigned rm)
{
    double d = fp64_host(a);
    if (fabs(d) < 0x1p31) {
        int32_t i = (int32_t)d;
        bool lost = (double)i != d;
        if (!lost || rm == FP_RTZ) {
            env->flags |= lost;
            return i;
        }
    }
    return fp64_to_i32_soft(env, a, rm);
}

static inline int64_t fp64_to_i64(struct fp_env *env, uint64_t a, unsigned rm)
{
    double d = fp64_host(a);
    if (fabs(d) < 0x1p63) {
        int64_t i = (int64_t)d;
        bool lost = (double)i != d;
        if (!lost || rm == FP_RTZ) {
            env->flags |= lost;
            return i;
        }
    }
    return fp64_to_i64_soft(env, a, rm);
}

/* From an integer: exact when it has no more bits than the significand. */
static inline uint32_t fp32_from_i64(struct fp_env *env, int64_t a, unsigned rm)
{
    bool small = (uint64_t)a + (1u << 24) <= 2u << 24;
    if (FP_USE_HOST && (small || fp_host_ready(env, rm)))
        return fp32_bits((float)a);
    return fp32_from_i64_soft(env, a, rm);
}

static inline uint64_t fp64_from_i64(struct fp_env *env, int64_t a, unsigned rm)
{
    bool small = (uint64_t)a + (UINT64_C(1) << 53) <= UINT64_C(2) << 53;
    if (FP_USE_HOST && (small || fp_host_ready(env, rm)))
        return fp64_bits((double)a);
    return fp64_from_i64_soft(env, a, rm);
}

static inline uint32_t fp32_from_i32(struct fp_env *env, int32_t a, unsigned rm)
{
    return fp32_from_i64(env, a, rm);
}

static inline uint32_t fp32_from_u32(struct fp_env *env, uint32_t a, unsigned rm)
{
    return fp32_from_i64(env, a, rm);
}

/* Every 32-bit integer is a double: mode and flags do not matter. */
static inline uint64_t fp64_from_i32(struct fp_env *env, int32_t a, unsigned rm)
{
    (void)env, (void)rm;
    return fp64_bits(a);
}

static inline uint64_t fp64_from_u32(struct fp_env *env, uint32_t a, unsigned rm)
{
    (void)env, (void)rm;
    return fp64_bits(a);
}

/* Widening is exact; narrowing is when the way back gives the same, else the result tells. */
static inline uint64_t fp32_to_fp64(struct fp_env *env, uint32_t a)
{
    return fp32_is_finite(a) ? fp64_bits(fp32_host(a)) : fp32_to_fp64_soft(env, a);
}

static inline uint32_t fp64_to_fp32(struct fp_env *env, uint64_t a, unsigned rm)
{
    if (FP_USE_HOST && rm == FP_RNE) {
        double d = fp64_host(a);
        uint32_t r = fp32_bits((float)d);
        if (fp32_is_plain(r)) {
            env->flags |= (double)fp32_host(r) != d;
            return r;
        }
    }
    return fp64_to_fp32_soft(env, a, rm);
}

#endif
