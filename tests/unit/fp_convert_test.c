/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Floating-point conversions and rounding to integral values, against the host's hardware and against
 * C's exact trunc and ldexp, each with result and flags.
 */
#include "fp_oracle.h"

static const struct fp_env none; /* for what has no flags */

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

#define EXPECT_INTEGER(call, low, end, small, large) \
    do { \
        struct fp_env env = {0}; \
        uint64_t got = (uint64_t)(call); \
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
        struct fp_env env = {0};

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
        /* From unsigned by way of this: clang makes -0 of 0u when rounding down. */
        volatile long double wide = u;
        volatile int64_t s = (int64_t)(i & 16 ? -u : u);
        volatile float f;
        volatile double d;
        uint64_t got;

        for (unsigned preset = 0; preset < 2; preset++) {
            struct fp_env env = {(uint8_t)preset};
#define CHECK_FROM(target, bits, value, call) \
    env.flags = (uint8_t)preset; \
    host_begin(rm); \
    target = value; \
    flags = host_end() | preset; \
    got = call; \
    expect(#call, rm, u, 0, 0, got, &env, bits(target), flags)

            CHECK_FROM(f, fp32_bits, (float)s, fp32_from_i64(&env, s, rm));
            CHECK_FROM(f, fp32_bits, (float)s, fp32_from_i64_soft(&env, s, rm));
            CHECK_FROM(d, fp64_bits, (double)s, fp64_from_i64(&env, s, rm));
            CHECK_FROM(d, fp64_bits, (double)s, fp64_from_i64_soft(&env, s, rm));
            CHECK_FROM(f, fp32_bits, (float)(int32_t)s, fp32_from_i32(&env, (int32_t)s, rm));
            CHECK_FROM(f, fp32_bits, (float)(uint32_t)u, fp32_from_u32(&env, (uint32_t)u, rm));
            CHECK_FROM(d, fp64_bits, (double)(int32_t)s, fp64_from_i32(&env, (int32_t)s, rm));
            CHECK_FROM(d, fp64_bits, (double)(uint32_t)u, fp64_from_u32(&env, (uint32_t)u, rm));
            CHECK_FROM(f, fp32_bits, (float)wide, fp32_from_u64(&env, u, rm));
            CHECK_FROM(d, fp64_bits, (double)wide, fp64_from_u64(&env, u, rm));
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
        struct fp_env env = {0}, soft = {0};
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
        struct fp_env env = {0};
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
        struct fp_env env = {0};
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

int main(void)
{
    read_environment();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conversions_to_integers_saturate),
        cmocka_unit_test(fround_and_fcvtmod_agree_with_trunc),
        cmocka_unit_test(conversions_from_integers_agree_with_the_host),
        cmocka_unit_test(single_and_double_convert_as_the_host_does),
        cmocka_unit_test(half_round_trips_every_number),
        cmocka_unit_test(narrowing_to_half_rounds_in_every_mode),
        cmocka_unit_test(fli_constants_are_those_of_zfa),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
