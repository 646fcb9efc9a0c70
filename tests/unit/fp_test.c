/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Floating point: the soft-float against the host's own hardware and against plain arithmetic, and
 * the fast level against the soft-float, result and flags.
 *
 *     RVVM_FP_ROUNDS=100 build/release/tests/unit/fp_test      a hundred times the usual work
 *     RVVM_FP_SEED=N ...                                       other operands
 *
 * Operands lie where mistakes are made: limits, subnormals, neighbours of powers of two, integers.
 */
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

static uint64_t rng(void)
{
    rng_state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = rng_state;
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* An operand of a format with `frac` fraction and `exp` exponent bits. */
static uint64_t operand(unsigned frac, unsigned exp)
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
        return rng() & ((one << (frac + exp + 1)) - 1);
    }
}

static uint32_t operand32(void)
{
    return (uint32_t)operand(23, 8);
}

static uint64_t operand64(void)
{
    return operand(52, 11);
}

static uint32_t canonical32(float f)
{
    return f != f ? FP32_NAN : fp32_bits(f);
}

static uint64_t canonical64(double d)
{
    return d != d ? FP64_NAN : fp64_bits(d);
}

/*
 * The host as oracle. Operands and results go through volatile variables, so that the operation stays
 * between the calls that set the mode and read the flags.
 */
static const int host_modes[4] = { FE_TONEAREST, FE_TOWARDZERO, FE_DOWNWARD, FE_UPWARD };

static void host_begin(unsigned rm)
{
    fesetround(host_modes[rm]);
    feclearexcept(FE_ALL_EXCEPT);
}

static unsigned host_end(void)
{
    int e = fetestexcept(FE_ALL_EXCEPT);
    fesetround(FE_TONEAREST);
    return (e & FE_INEXACT ? FP_NX : 0) | (e & FE_UNDERFLOW ? FP_UF : 0) |
           (e & FE_OVERFLOW ? FP_OF : 0) | (e & FE_DIVBYZERO ? FP_DZ : 0) |
           (e & FE_INVALID ? FP_NV : 0);
}

/* env by reference: it is read after the call that makes `got`, a neighbour in the argument list. */
static void expect(const char *what, unsigned rm, uint64_t a, uint64_t b, uint64_t c, uint64_t got,
                   const struct fp_env *env, uint64_t want, unsigned want_flags)
{
    unsigned got_flags = env->flags;
    if (got != want || got_flags != want_flags)
        fail_msg("%s rm=%u a=%#llx b=%#llx c=%#llx: got %#llx flags %#x, want %#llx flags %#x",
                 what, rm, (unsigned long long)a, (unsigned long long)b, (unsigned long long)c,
                 (unsigned long long)got, got_flags, (unsigned long long)want, want_flags);
}

static const struct fp_env none; /* for what has no flags */

enum op { ADD, SUB, MUL, DIV, SQRT, FMA, OPS };
static const char *const op_names[OPS] = { "add", "sub", "mul", "div", "sqrt", "fma" };

static uint32_t soft32(enum op op, struct fp_env *env, uint32_t a, uint32_t b, uint32_t c,
                       unsigned rm)
{
    switch (op) {
    case ADD:
        return fp32_add_soft(env, a, b, rm);
    case SUB:
        return fp32_add_soft(env, a, b ^ FP32_SIGN, rm);
    case MUL:
        return fp32_mul_soft(env, a, b, rm);
    case DIV:
        return fp32_div_soft(env, a, b, rm);
    case SQRT:
        return fp32_sqrt_soft(env, a, rm);
    default:
        return fp32_fma_soft(env, a, b, c, rm);
    }
}

static uint64_t soft64(enum op op, struct fp_env *env, uint64_t a, uint64_t b, uint64_t c,
                       unsigned rm)
{
    switch (op) {
    case ADD:
        return fp64_add_soft(env, a, b, rm);
    case SUB:
        return fp64_add_soft(env, a, b ^ FP64_SIGN, rm);
    case MUL:
        return fp64_mul_soft(env, a, b, rm);
    case DIV:
        return fp64_div_soft(env, a, b, rm);
    case SQRT:
        return fp64_sqrt_soft(env, a, rm);
    default:
        return fp64_fma_soft(env, a, b, c, rm);
    }
}

static uint32_t fast32(enum op op, struct fp_env *env, uint32_t a, uint32_t b, uint32_t c,
                       unsigned rm)
{
    switch (op) {
    case ADD:
        return fp32_add(env, a, b, rm);
    case SUB:
        return fp32_sub(env, a, b, rm);
    case MUL:
        return fp32_mul(env, a, b, rm);
    case DIV:
        return fp32_div(env, a, b, rm);
    case SQRT:
        return fp32_sqrt(env, a, rm);
    default:
        return fp32_madd(env, a, b, c, rm);
    }
}

static uint64_t fast64(enum op op, struct fp_env *env, uint64_t a, uint64_t b, uint64_t c,
                       unsigned rm)
{
    switch (op) {
    case ADD:
        return fp64_add(env, a, b, rm);
    case SUB:
        return fp64_sub(env, a, b, rm);
    case MUL:
        return fp64_mul(env, a, b, rm);
    case DIV:
        return fp64_div(env, a, b, rm);
    case SQRT:
        return fp64_sqrt(env, a, rm);
    default:
        return fp64_madd(env, a, b, c, rm);
    }
}

/* One where the C library or the processor may differ from RISC-V: inf * 0 + quiet NaN. */
static bool is_inf_times_zero(double a, double b)
{
    return (isinf(a) && b == 0) || (a == 0 && isinf(b));
}

/* sqrt of a signalling NaN or an fma in a library is still one IEEE operation. */
static uint32_t host32(enum op op, unsigned *flags, uint32_t a, uint32_t b, uint32_t c, unsigned rm)
{
    volatile float x = fp32_host(a), y = fp32_host(b), z = fp32_host(c), r;
    host_begin(rm);
    switch (op) {
    case ADD:
        r = x + y;
        break;
    case SUB:
        r = x - y;
        break;
    case MUL:
        r = x * y;
        break;
    case DIV:
        r = x / y;
        break;
    case SQRT:
        r = sqrtf(x);
        break;
    default:
        r = fmaf(x, y, z);
    }
    *flags = host_end();
    if (op == FMA && is_inf_times_zero((double)fp32_host(a), (double)fp32_host(b)))
        *flags |= FP_NV;
    return canonical32(r);
}

static uint64_t host64(enum op op, unsigned *flags, uint64_t a, uint64_t b, uint64_t c, unsigned rm)
{
    volatile double x = fp64_host(a), y = fp64_host(b), z = fp64_host(c), r;
    host_begin(rm);
    switch (op) {
    case ADD:
        r = x + y;
        break;
    case SUB:
        r = x - y;
        break;
    case MUL:
        r = x * y;
        break;
    case DIV:
        r = x / y;
        break;
    case SQRT:
        r = sqrt(x);
        break;
    default:
        r = fma(x, y, z);
    }
    *flags = host_end();
    if (op == FMA && is_inf_times_zero(fp64_host(a), fp64_host(b)))
        *flags |= FP_NV;
    return canonical64(r);
}

/* x86 detects tininess after rounding, as RISC-V does; other hosts may do so before. */
#if defined(__x86_64__)
#define HOST_IS_ORACLE 1
#else
#define HOST_IS_ORACLE 0
#endif

static void soft_arithmetic_agrees_with_the_host(void **state)
{
    (void)state;
    if (!HOST_IS_ORACLE)
        skip();
    for (unsigned long i = 0; i < rounds; i++) {
        unsigned rm = i & 3, want_flags;
        uint32_t a = operand32(), b = operand32(), c = operand32();
        uint64_t p = operand64(), q = operand64(), s = operand64();
        for (enum op op = 0; op < OPS; op++) {
            struct fp_env env = { 0 };
            uint64_t want = host32(op, &want_flags, a, b, c, rm);
            uint64_t got = soft32(op, &env, a, b, c, rm);
            expect(op_names[op], rm, a, b, c, got, &env, want, want_flags);
            env.flags = 0;
            want = host64(op, &want_flags, p, q, s, rm);
            got = soft64(op, &env, p, q, s, rm);
            expect(op_names[op], rm, p, q, s, got, &env, want, want_flags);
        }
    }
}

/* Cancellation in fma: an addend close to minus the product. */
static void soft_fma_cancels_as_the_host_does(void **state)
{
    (void)state;
    if (!HOST_IS_ORACLE)
        skip();
    for (unsigned long i = 0; i < rounds; i++) {
        unsigned rm = i & 3, want_flags;
        uint32_t a = operand32(), b = operand32();
        uint64_t p = operand64(), q = operand64();
        uint32_t c = fp32_bits(-(fp32_host(a) * fp32_host(b))) + (uint32_t)(rng() % 5) - 2;
        uint64_t s = fp64_bits(-(fp64_host(p) * fp64_host(q))) + rng() % 5 - 2;
        struct fp_env env = { 0 };
        uint64_t want = host32(FMA, &want_flags, a, b, c, rm);
        expect("fma", rm, a, b, c, fp32_fma_soft(&env, a, b, c, rm), &env, want, want_flags);
        env.flags = 0;
        want = host64(FMA, &want_flags, p, q, s, rm);
        expect("fma", rm, p, q, s, fp64_fma_soft(&env, p, q, s, rm), &env, want, want_flags);
    }
}

static void fast_arithmetic_agrees_with_soft(void **state)
{
    (void)state;
    for (unsigned long i = 0; i < rounds * 4; i++) {
        unsigned rm = (i & 3) ? FP_RNE : (unsigned)(i >> 2) % 5;
        uint8_t before = (uint8_t)((i & 4 ? FP_NX : 0) | (i & 0x38 ? 0 : rng() & 31));
        uint32_t a = operand32(), b = operand32(), c = operand32();
        uint64_t p = operand64(), q = operand64(), s = operand64();
        for (enum op op = 0; op < OPS; op++) {
            struct fp_env want_env = { before }, env = { before };
            uint64_t want = soft32(op, &want_env, a, b, c, rm);
            uint64_t got = fast32(op, &env, a, b, c, rm);
            expect(op_names[op], rm, a, b, c, got, &env, want, want_env.flags);
            want_env.flags = env.flags = before;
            want = soft64(op, &want_env, p, q, s, rm);
            got = fast64(op, &env, p, q, s, rm);
            expect(op_names[op], rm, p, q, s, got, &env, want, want_env.flags);
        }
    }
}

/*
 * RMM differs from RNE in ties only, and there it is the neighbour of larger magnitude. Products of
 * doubles and sums of doubles of like exponents fit 128 bits: whether there is a tie is plain to see.
 */
static void expect_rmm(const char *what, uint64_t a, uint64_t b, uint64_t rne, unsigned rne_flags,
                       uint64_t rmm, const struct fp_env *rmm_env, unsigned __int128 magnitude)
{
    unsigned bits = 0;
    while (magnitude >> bits && bits < 127)
        bits++;
    bool tie = bits > 53 && (magnitude << (128 - (bits - 53))) == (unsigned __int128)1 << 127;
    bool was_even = tie && !(magnitude >> (bits - 53) & 1); /* RNE went towards zero */
    expect(what, FP_RMM, a, b, 0, rmm, rmm_env, rne + was_even, rne_flags);
}

static void rmm_breaks_ties_away_from_zero(void **state)
{
    (void)state;
    const uint64_t hidden = UINT64_C(1) << 52, frac = hidden - 1;
    for (unsigned long i = 0; i < rounds; i++) {
        struct fp_env rne = { 0 }, rmm = { 0 };
        /* Exponents near 0, few bits in one significand: ties are common. */
        uint64_t ma = hidden | (rng() & frac),
                 mb = hidden | (rng() & frac << (44 + rng() % 8) & frac);
        uint64_t signs = rng() << 63, gap = rng() % 60;
        uint64_t a = signs | UINT64_C(1023) << 52 | (ma & frac);
        uint64_t b = (rng() << 63) | UINT64_C(1000) << 52 | (mb & frac);
        if (i & 1)
            a &= ~UINT64_C(0) << rng() % 8, ma &= a | hidden;
        ma = hidden | (a & frac);
        uint64_t x = fp64_mul_soft(&rne, a, b, FP_RNE), y = fp64_mul_soft(&rmm, a, b, FP_RMM);
        expect_rmm("mul", a, b, x, rne.flags, y, &rmm, (unsigned __int128)ma * mb);

        b = (signs ^ rng() << 63) | (UINT64_C(1023) - gap) << 52 | (mb & frac);
        __int128 sum = (__int128)ma << gap;
        sum += a >> 63 == b >> 63 ? (__int128)mb : -(__int128)mb;
        rne.flags = rmm.flags = 0;
        x = fp64_add_soft(&rne, a, b, FP_RNE), y = fp64_add_soft(&rmm, a, b, FP_RMM);
        expect_rmm("add", a, b, x, rne.flags, y, &rmm, (unsigned __int128)(sum < 0 ? -sum : sum));
    }
    /* The root is never a tie, nor is a quotient that is normal. */
    for (unsigned long i = 0; i < rounds / 4; i++) {
        struct fp_env rne = { 0 }, rmm = { 0 };
        uint64_t a = operand64(), b = operand64();
        uint64_t x = fp64_sqrt_soft(&rne, a, FP_RNE), y = fp64_sqrt_soft(&rmm, a, FP_RMM);
        expect("sqrt", FP_RMM, a, 0, 0, y, &rmm, x, rne.flags);
        x = fp64_div_soft(&rne, a, b, FP_RNE), y = fp64_div_soft(&rmm, a, b, FP_RMM);
        if (isnormal(fp64_host(x)))
            expect("div", FP_RMM, a, b, 0, y, &rmm, x, rne.flags);
    }
    /* Halves of the smallest subnormal, and the tie before overflow. */
    struct fp_env env = { 0 };
    expect("div", FP_RMM, 1, 2, 0, fp64_div_soft(&env, 1, UINT64_C(0x4000000000000000), FP_RMM),
           &env, 1, FP_UF | FP_NX);
    env.flags = 0;
    uint64_t max = FP64_INF - 1, half_ulp = UINT64_C(0x7c90000000000000);
    expect("add", FP_RMM, max, half_ulp, 0, fp64_add_soft(&env, max, half_ulp, FP_RMM), &env,
           FP64_INF, FP_OF | FP_NX);
}

/* Rounds x, |x| < 2^64 or integral, to an integral value by C's exact trunc. */
static double integral(double x, unsigned rm)
{
    double t = trunc(x), rest = fabs(x - t), away = t + copysign(1, x);
    switch (rm) {
    case FP_RNE:
        return rest > 0.5 || (rest == 0.5 && fmod(t, 2) != 0) ? away : t;
    case FP_RDN:
        return rest != 0 && x < 0 ? away : t;
    case FP_RUP:
        return rest != 0 && x > 0 ? away : t;
    case FP_RMM:
        return rest >= 0.5 ? away : t;
    default:
        return t;
    }
}

/* An operand whose integral part is of interest: near the ends of integers, with halves. */
static uint64_t integer_operand64(void)
{
    double d;
    switch (rng() & 7) {
    case 0:
        return operand64();
    case 1:
        d = ldexp(1, (int)(rng() % 66)) + (double)(int)(rng() % 9 - 4) * 0.25;
        break;
    case 2:
        d = 4294967296.0 + (double)(int)(rng() % 17 - 8) * 0.25;
        break;
    case 3:
        d = 2147483648.0 + (double)(int)(rng() % 17 - 8) * 0.25;
        break;
    case 4:
        d = (double)(int)(rng() % 65 - 32) * 0.125;
        break;
    case 5:
        return fp64_bits(ldexp(1, (int)(rng() % 70) - 3)) + rng() % 5 - 2;
    default:
        d = ldexp((double)(rng() >> 11), (int)(rng() % 70) - 56);
    }
    return fp64_bits(rng() & 1 ? -d : d);
}

/* low <= value < end in the double that is given; saturated: what stands for too small, too large. */
static void expect_integer(const char *what, uint64_t a, double x, unsigned rm, double low,
                           double end, uint64_t too_small, uint64_t too_large, uint64_t got,
                           const struct fp_env *env)
{
    double r = x;
    uint64_t want;
    unsigned want_flags = 0;
    if (isnan(x)) {
        want = too_large;
        want_flags = FP_NV;
    } else {
        r = isinf(x) ? x : integral(x, rm);
        if (r < low || r >= end) {
            want = r < low ? too_small : too_large;
            want_flags = FP_NV;
        } else {
            want = r < 0 ? -(uint64_t)-r : (uint64_t)r;
            want_flags = r != x ? FP_NX : 0;
        }
    }
    expect(what, rm, a, 0, 0, got, env, want, want_flags);
}

#define EXPECT_INTEGER(call, low, end, small, large)                        \
    do {                                                                    \
        struct fp_env env = { 0 };                                          \
        uint64_t got = (uint64_t)(call);                                    \
        expect_integer(#call, a, x, rm, low, end, small, large, got, &env); \
    } while (0)

static void conversions_to_integers_saturate(void **state)
{
    (void)state;
    const uint64_t i32_min = -(UINT64_C(1) << 31), i64_min = UINT64_C(1) << 63;
    for (unsigned long i = 0; i < rounds; i++) {
        for (unsigned rm = 0; rm < 5; rm++) {
            uint64_t a = integer_operand64();
            double x = fp64_host(a);
            EXPECT_INTEGER(fp64_to_i32(&env, a, rm), -0x1p31, 0x1p31, i32_min, INT32_MAX);
            EXPECT_INTEGER(fp64_to_i32_soft(&env, a, rm), -0x1p31, 0x1p31, i32_min, INT32_MAX);
            EXPECT_INTEGER(fp64_to_u32(&env, a, rm), 0, 0x1p32, 0, UINT32_MAX);
            EXPECT_INTEGER(fp64_to_i64(&env, a, rm), -0x1p63, 0x1p63, i64_min, INT64_MAX);
            EXPECT_INTEGER(fp64_to_i64_soft(&env, a, rm), -0x1p63, 0x1p63, i64_min, INT64_MAX);
            EXPECT_INTEGER(fp64_to_u64(&env, a, rm), 0, 0x1p64, 0, UINT64_MAX);
        }
        for (unsigned rm = 0; rm < 5; rm++) {
            uint32_t a = rng() & 3 ? fp32_bits((float)fp64_host(integer_operand64())) : operand32();
            double x = (double)fp32_host(a);
            EXPECT_INTEGER(fp32_to_i32(&env, a, rm), -0x1p31, 0x1p31, i32_min, INT32_MAX);
            EXPECT_INTEGER(fp32_to_i32_soft(&env, a, rm), -0x1p31, 0x1p31, i32_min, INT32_MAX);
            EXPECT_INTEGER(fp32_to_u32(&env, a, rm), 0, 0x1p32, 0, UINT32_MAX);
            EXPECT_INTEGER(fp32_to_i64(&env, a, rm), -0x1p63, 0x1p63, i64_min, INT64_MAX);
            EXPECT_INTEGER(fp32_to_i64_soft(&env, a, rm), -0x1p63, 0x1p63, i64_min, INT64_MAX);
            EXPECT_INTEGER(fp32_to_u64(&env, a, rm), 0, 0x1p64, 0, UINT64_MAX);
        }
    }
}

static void fround_and_fcvtmod_agree_with_trunc(void **state)
{
    (void)state;
    for (unsigned long i = 0; i < rounds; i++) {
        unsigned rm = (unsigned)i % 5;
        bool exact = i & 8;
        uint64_t a = integer_operand64();
        uint32_t b = rng() & 3 ? fp32_bits((float)fp64_host(integer_operand64())) : operand32();
        double x = fp64_host(a), y = (double)fp32_host(b);
        struct fp_env env = { 0 };

        if (isfinite(x)) {
            double r = copysign(integral(x, rm), x);
            uint64_t got = fp64_round(&env, a, rm, exact);
            expect("round", rm, a, 0, 0, got, &env, fp64_bits(r), exact && r != x);

            double whole = trunc(x), low = fmod(whole, 0x1p32);
            unsigned flags = whole < -0x1p31 || whole >= 0x1p31 ? FP_NV : whole != x;
            env.flags = 0;
            uint32_t mod = (uint32_t)fp64_to_i32_mod(&env, a);
            expect("fcvtmod", 1, a, 0, 0, mod, &env, (uint32_t)(int64_t)low, flags);
        } else {
            expect("fcvtmod", 1, a, 0, 0, (uint32_t)fp64_to_i32_mod(&env, a), &env, 0, FP_NV);
            env.flags = 0;
            bool signaling = isnan(x) && !(a >> 51 & 1);
            expect("round", rm, a, 0, 0, fp64_round(&env, a, rm, exact), &env,
                   isnan(x) ? FP64_NAN : a, signaling ? FP_NV : 0);
        }
        env.flags = 0;
        if (isfinite(y)) {
            double r = copysign(integral(y, rm), y);
            uint64_t got = fp32_round(&env, b, rm, exact);
            expect("round", rm, b, 0, 0, got, &env, fp32_bits((float)r), exact && r != y);
        }
    }
}

static void conversions_from_integers_agree_with_the_host(void **state)
{
    (void)state;
    if (!HOST_IS_ORACLE)
        skip();
    for (unsigned long i = 0; i < rounds; i++) {
        unsigned rm = i & 3, flags;
        volatile uint64_t u = rng() >> rng() % 64;
        if (i & 4)
            u = (UINT64_C(1) << rng() % 64) + rng() % 5 - 2;
        if (i & 8)
            u &= ~UINT64_C(0) << rng() % 64;
        volatile int64_t s = (int64_t)(i & 16 ? -u : u);
        volatile float f;
        volatile double d;
        uint64_t got;

        for (unsigned preset = 0; preset < 2; preset++) {
            struct fp_env env = { (uint8_t)preset };
#define CHECK_FROM(target, bits, value, call) \
    env.flags = (uint8_t)preset;              \
    host_begin(rm);                           \
    target = value;                           \
    flags = host_end() | preset;              \
    got = call;                               \
    expect(#call, rm, u, 0, 0, got, &env, bits(target), flags)

            CHECK_FROM(f, fp32_bits, (float)s, fp32_from_i64(&env, s, rm));
            CHECK_FROM(f, fp32_bits, (float)s, fp32_from_i64_soft(&env, s, rm));
            CHECK_FROM(d, fp64_bits, (double)s, fp64_from_i64(&env, s, rm));
            CHECK_FROM(d, fp64_bits, (double)s, fp64_from_i64_soft(&env, s, rm));
            CHECK_FROM(f, fp32_bits, (float)(int32_t)s, fp32_from_i32(&env, (int32_t)s, rm));
            CHECK_FROM(f, fp32_bits, (float)(uint32_t)u, fp32_from_u32(&env, (uint32_t)u, rm));
            CHECK_FROM(d, fp64_bits, (double)(int32_t)s, fp64_from_i32(&env, (int32_t)s, rm));
            CHECK_FROM(d, fp64_bits, (double)(uint32_t)u, fp64_from_u32(&env, (uint32_t)u, rm));
            CHECK_FROM(f, fp32_bits, (float)u, fp32_from_u64(&env, u, rm));
            CHECK_FROM(d, fp64_bits, (double)u, fp64_from_u64(&env, u, rm));
        }
    }
}

static void single_and_double_convert_as_the_host_does(void **state)
{
    (void)state;
    if (!HOST_IS_ORACLE)
        skip();
    for (unsigned long i = 0; i < rounds; i++) {
        unsigned rm = i & 3, flags;
        uint64_t a = operand64();
        uint32_t b = operand32();
        if (i & 4) /* within the range of single, and just beside one of its numbers */
            a = fp64_bits((double)fp32_host(operand32())) ^ (rng() & (i & 8 ? 0x3fffffff : 0));
        volatile double d = fp64_host(a);
        volatile float f;
        struct fp_env env = { 0 }, soft = { 0 };
        host_begin(rm);
        f = (float)d;
        flags = host_end();
        expect("narrow", rm, a, 0, 0, fp64_to_fp32(&env, a, rm), &env, canonical32(f), flags);
        expect("narrow", rm, a, 0, 0, fp64_to_fp32_soft(&soft, a, rm), &soft, canonical32(f),
               flags);
        f = fp32_host(b);
        env.flags = soft.flags = 0;
        host_begin(rm);
        d = (double)f;
        flags = host_end();
        expect("widen", rm, b, 0, 0, fp32_to_fp64(&env, b), &env, canonical64(d), flags);
        expect("widen", rm, b, 0, 0, fp32_to_fp64_soft(&soft, b), &soft, canonical64(d), flags);
    }
}

/* The value of a finite half, by its definition. */
static double half_value(uint16_t h)
{
    int field = h >> 10 & 31, frac = h & 1023;
    double v = field ? ldexp(1024 + frac, field - 25) : ldexp(frac, -24);
    return h >> 15 ? -v : v;
}

static void half_round_trips_every_number(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 0x10000; i++) {
        uint16_t h = (uint16_t)i;
        struct fp_env env = { 0 };
        uint32_t s = fp16_to_fp32(&env, h);
        uint64_t d = fp16_to_fp64(&env, h);
        if ((h & 0x7fff) > 0x7c00) {
            unsigned flags = h & 0x200 ? 0 : FP_NV;
            expect("half", 0, h, 0, 0, s, &env, FP32_NAN, flags);
            expect("half", 0, h, 0, 0, d, &env, FP64_NAN, flags);
            h = FP16_NAN;
        } else if ((h & 0x7fff) == 0x7c00) {
            expect("half", 0, h, 0, 0, s, &env, FP32_INF | (uint32_t)(h >> 15) << 31, 0);
            expect("half", 0, h, 0, 0, d, &env, FP64_INF | (uint64_t)(h >> 15) << 63, 0);
        } else {
            expect("half", 0, h, 0, 0, s, &env, fp32_bits((float)half_value(h)), 0);
            expect("half", 0, h, 0, 0, d, &env, fp64_bits(half_value(h)), 0);
        }
        for (unsigned rm = 0; rm < 5; rm++) {
            env.flags = 0;
            expect("to half", rm, s, 0, 0, fp32_to_fp16(&env, s, rm), &env, h, 0);
            expect("to half", rm, d, 0, 0, fp64_to_fp16(&env, d, rm), &env, h, 0);
        }
    }
}

/* Narrowing to half by scaling to the grid of halves, where integral() rounds. */
static uint16_t half_from(double x, unsigned rm, unsigned *flags)
{
    uint16_t sign = signbit(x) ? 0x8000 : 0;
    *flags = 0;
    if (x == 0 || isinf(x))
        return sign | (x == 0 ? 0 : 0x7c00);
    int e = ilogb(x), quantum = (e < -14 ? -14 : e) - 10;
    double r = fabs(integral(ldexp(x, -quantum), rm)); /* in units of the quantum */
    bool inexact = r != fabs(ldexp(x, -quantum));
    double unbounded = fabs(ldexp(integral(ldexp(x, 10 - e), rm), e - 10));
    if (ldexp(r, quantum) > 65504) {
        bool inwards = rm == FP_RTZ || rm == (sign ? FP_RUP : FP_RDN);
        *flags = FP_OF | FP_NX;
        return sign | (inwards ? 0x7bff : 0x7c00);
    }
    if (inexact)
        *flags = unbounded < 0x1p-14 ? FP_UF | FP_NX : FP_NX;
    /* A carry out of the fraction makes the next exponent. */
    return sign | (uint16_t)((quantum + 24) * 1024 + (int)r);
}

static void narrowing_to_half_rounds_in_every_mode(void **state)
{
    (void)state;
    for (unsigned long i = 0; i < rounds * 2; i++) {
        unsigned rm = (unsigned)i % 5, flags;
        uint16_t h = (uint16_t)rng() % 0x7c00;
        double near = half_value(h), next = h == 0x7bff ? 65536 : half_value(h + 1);
        double x = near; /* a half, the middle of two, or a little off either */
        if (rng() & 1)
            x = (near + next) / 2;
        uint64_t a = fp64_bits(x) ^ (rng() & 1) << 63;
        if (rng() & 1)
            a += rng() % 3 - 1 ? UINT64_C(1) << rng() % 40 : -UINT64_C(1);
        if (!(rng() & 7))
            a = operand64();
        x = fp64_host(a);
        struct fp_env env = { 0 };
        if (!isnan(x)) {
            uint16_t want = half_from(x, rm, &flags);
            expect("to half", rm, a, 0, 0, fp64_to_fp16(&env, a, rm), &env, want, flags);
        }
        uint32_t b = fp32_bits((float)x);
        if (!isnan(x)) {
            uint16_t want = half_from((double)fp32_host(b), rm, &flags);
            env.flags = 0;
            expect("to half", rm, b, 0, 0, fp32_to_fp16(&env, b, rm), &env, want, flags);
        }
    }
}

#define CHECK_RELATION(name, width, a, b, want, loud)                   \
    do {                                                                \
        struct fp_env env = { 0 };                                      \
        bool got = fp##width##_##name(&env, a, b);                      \
        expect(#name, 0, a, b, 0, got, &env, want, (loud) ? FP_NV : 0); \
    } while (0)

#define CHECK_RELATIONS(width, a, b, x, y, nan, snan)       \
    do {                                                    \
        CHECK_RELATION(eq, width, a, b, x == y, snan);      \
        CHECK_RELATION(eq_soft, width, a, b, x == y, snan); \
        CHECK_RELATION(lt, width, a, b, x < y, nan);        \
        CHECK_RELATION(lt_soft, width, a, b, x < y, nan);   \
        CHECK_RELATION(le, width, a, b, x <= y, nan);       \
        CHECK_RELATION(le_soft, width, a, b, x <= y, nan);  \
        CHECK_RELATION(ltq, width, a, b, x < y, snan);      \
        CHECK_RELATION(leq, width, a, b, x <= y, snan);     \
    } while (0)

#define CHECK_EXTREME(name, width, a, b, want, loud)                    \
    do {                                                                \
        struct fp_env env = { 0 };                                      \
        uint64_t got = fp##width##_##name(&env, a, b);                  \
        expect(#name, 0, a, b, 0, got, &env, want, (loud) ? FP_NV : 0); \
    } while (0)

/* A zero's sign decides between zeros: the minimum has either's, the maximum both's. */
#define CHECK_EXTREMES(width, a, b, x, y, nan, snan)                                        \
    do {                                                                                    \
        bool zeros = x == 0 && y == 0;                                                      \
        uint64_t canonical = FP##width##_NAN;                                               \
        uint64_t low = zeros ? a | b : x < y ? a : b, high = zeros ? a & b : x > y ? a : b; \
        uint64_t number = isnan(x) && isnan(y) ? canonical : isnan(x) ? b : a;              \
        CHECK_EXTREME(min, width, a, b, nan ? number : low, snan);                          \
        CHECK_EXTREME(max, width, a, b, nan ? number : high, snan);                         \
        CHECK_EXTREME(min_soft, width, a, b, nan ? number : low, snan);                     \
        CHECK_EXTREME(max_soft, width, a, b, nan ? number : high, snan);                    \
        CHECK_EXTREME(minm, width, a, b, nan ? canonical : low, snan);                      \
        CHECK_EXTREME(maxm, width, a, b, nan ? canonical : high, snan);                     \
    } while (0)

static void comparisons_and_extremes_know_zero_and_nan(void **state)
{
    (void)state;
    for (unsigned long i = 0; i < rounds; i++) {
        uint32_t a = operand32(), b = i & 3 ? operand32() : a + (uint32_t)(rng() % 3) - 1;
        uint64_t p = operand64(), q = i & 3 ? operand64() : p + rng() % 3 - 1;
        float x = fp32_host(a), y = fp32_host(b);
        double s = fp64_host(p), t = fp64_host(q);
        bool nan = isnan(x) || isnan(y), wide_nan = isnan(s) || isnan(t);
        bool snan = (isnan(x) && !(a >> 22 & 1)) || (isnan(y) && !(b >> 22 & 1));
        bool wide_snan = (isnan(s) && !(p >> 51 & 1)) || (isnan(t) && !(q >> 51 & 1));
        CHECK_RELATIONS(32, a, b, x, y, nan, snan);
        CHECK_RELATIONS(64, p, q, s, t, wide_nan, wide_snan);
        CHECK_EXTREMES(32, a, b, x, y, nan, snan);
        CHECK_EXTREMES(64, p, q, s, t, wide_nan, wide_snan);
    }
}

static unsigned class_bit(int class, bool sign, bool quiet)
{
    switch (class) {
    case FP_NAN:
        return quiet ? 9 : 8;
    case FP_INFINITE:
        return sign ? 0 : 7;
    case FP_NORMAL:
        return sign ? 1 : 6;
    case FP_SUBNORMAL:
        return sign ? 2 : 5;
    default:
        return sign ? 3 : 4;
    }
}

static void fclass_agrees_with_fpclassify(void **state)
{
    (void)state;
    for (unsigned long i = 0; i < rounds; i++) {
        uint32_t a = operand32();
        uint64_t p = operand64();
        unsigned want = class_bit(fpclassify(fp32_host(a)), a >> 31, a >> 22 & 1);
        expect("class", 0, a, 0, 0, fp32_class(a), &none, 1u << want, 0);
        want = class_bit(fpclassify(fp64_host(p)), p >> 63, p >> 51 & 1);
        expect("class", 0, p, 0, 0, fp64_class(p), &none, 1u << want, 0);
    }
}

static void fli_constants_are_those_of_zfa(void **state)
{
    (void)state;
    static const double values[30] = {
        -1.0,  0,      0x1p-16, 0x1p-15, 0x1p-8, 0x1p-7, 0.0625, 0.125, 0.25,    0.3125,
        0.375, 0.4375, 0.5,     0.625,   0.75,   0.875,  1.0,    1.25,  1.5,     1.75,
        2.0,   2.5,    3.0,     4.0,     8.0,    16.0,   128.0,  256.0, 32768.0, 65536.0,
    };
    for (unsigned i = 0; i < 30; i++) {
        double single = i == 1 ? 0x1p-126 : values[i], wide = i == 1 ? 0x1p-1022 : values[i];
        expect("fli.s", 0, i, 0, 0, fp32_fli[i], &none, fp32_bits((float)single), 0);
        expect("fli.d", 0, i, 0, 0, fp64_fli[i], &none, fp64_bits(wide), 0);
    }
    assert_int_equal(fp32_fli[30], FP32_INF);
    assert_int_equal(fp32_fli[31], FP32_NAN);
    assert_int_equal(fp64_fli[30], FP64_INF);
    assert_int_equal(fp64_fli[31], FP64_NAN);
}

static void fma_family_turns_the_right_signs(void **state)
{
    (void)state;
    const uint64_t two = 0x4000000000000000, three = 0x4008000000000000, seven = 0x401c000000000000;
    const uint32_t two_s = 0x40000000, three_s = 0x40400000, seven_s = 0x40e00000;
    struct fp_env env = { 0 };
    assert_true(fp64_host(fp64_madd(&env, two, three, seven, 0)) == 13);
    assert_true(fp64_host(fp64_msub(&env, two, three, seven, 0)) == -1);
    assert_true(fp64_host(fp64_nmsub(&env, two, three, seven, 0)) == 1);
    assert_true(fp64_host(fp64_nmadd(&env, two, three, seven, 0)) == -13);
    assert_true(fp32_host(fp32_madd(&env, two_s, three_s, seven_s, 0)) == 13);
    assert_true(fp32_host(fp32_msub(&env, two_s, three_s, seven_s, 0)) == -1);
    assert_true(fp32_host(fp32_nmsub(&env, two_s, three_s, seven_s, 0)) == 1);
    assert_true(fp32_host(fp32_nmadd(&env, two_s, three_s, seven_s, 0)) == -13);
    assert_int_equal(env.flags, 0);
}

int main(void)
{
    const char *seed = getenv("RVVM_FP_SEED"), *times = getenv("RVVM_FP_ROUNDS");
    rng_state = seed ? strtoull(seed, NULL, 0) : 1;
    if (times)
        rounds *= strtoul(times, NULL, 0);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(soft_arithmetic_agrees_with_the_host),
        cmocka_unit_test(soft_fma_cancels_as_the_host_does),
        cmocka_unit_test(fast_arithmetic_agrees_with_soft),
        cmocka_unit_test(rmm_breaks_ties_away_from_zero),
        cmocka_unit_test(conversions_to_integers_saturate),
        cmocka_unit_test(fround_and_fcvtmod_agree_with_trunc),
        cmocka_unit_test(conversions_from_integers_agree_with_the_host),
        cmocka_unit_test(single_and_double_convert_as_the_host_does),
        cmocka_unit_test(half_round_trips_every_number),
        cmocka_unit_test(narrowing_to_half_rounds_in_every_mode),
        cmocka_unit_test(comparisons_and_extremes_know_zero_and_nan),
        cmocka_unit_test(fclass_agrees_with_fpclassify),
        cmocka_unit_test(fli_constants_are_those_of_zfa),
        cmocka_unit_test(fma_family_turns_the_right_signs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
