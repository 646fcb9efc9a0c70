/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Floating-point arithmetic and comparison: the soft-float against the host's own hardware, the fast
 * level against the soft-float, RMM against exact integers, each with result and flags.
 */
#include "fp_oracle.h"

static const struct fp_env none;

enum op { ADD, SUB, MUL, DIV, SQRT, FMA, OPS };
static const char *const op_names[OPS] = {"add", "sub", "mul", "div", "sqrt", "fma"};

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

/*
 * The processor's, where there is one: not every C library rounds once.
 */
#if defined(__x86_64__)
__attribute__((target("fma"))) static float insn_fmaf(float x, float y, float z)
{
    return __builtin_fmaf(x, y, z);
}

__attribute__((target("fma"))) static double insn_fma(double x, double y, double z)
{
    return __builtin_fma(x, y, z);
}

static float host_fmaf(float x, float y, float z)
{
    return __builtin_cpu_supports("fma") ? insn_fmaf(x, y, z) : fmaf(x, y, z);
}

static double host_fma(double x, double y, double z)
{
    return __builtin_cpu_supports("fma") ? insn_fma(x, y, z) : fma(x, y, z);
}
#else
#define host_fmaf fmaf
#define host_fma fma
#endif

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
        r = host_fmaf(x, y, z);
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
        r = host_fma(x, y, z);
    }
    *flags = host_end();
    if (op == FMA && is_inf_times_zero(fp64_host(a), fp64_host(b)))
        *flags |= FP_NV;
    return canonical64(r);
}

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
            struct fp_env env = {0};
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
        struct fp_env env = {0};
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
            struct fp_env want_env = {before}, env = {before};
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
        struct fp_env rne = {0}, rmm = {0};
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
        struct fp_env rne = {0}, rmm = {0};
        uint64_t a = operand64(), b = operand64();
        uint64_t x = fp64_sqrt_soft(&rne, a, FP_RNE), y = fp64_sqrt_soft(&rmm, a, FP_RMM);
        expect("sqrt", FP_RMM, a, 0, 0, y, &rmm, x, rne.flags);
        x = fp64_div_soft(&rne, a, b, FP_RNE), y = fp64_div_soft(&rmm, a, b, FP_RMM);
        if (isnormal(fp64_host(x)))
            expect("div", FP_RMM, a, b, 0, y, &rmm, x, rne.flags);
    }
    /* Halves of the smallest subnormal, and the tie before overflow. */
    struct fp_env env = {0};
    expect("div", FP_RMM, 1, 2, 0, fp64_div_soft(&env, 1, UINT64_C(0x4000000000000000), FP_RMM),
           &env, 1, FP_UF | FP_NX);
    env.flags = 0;
    uint64_t max = FP64_INF - 1, half_ulp = UINT64_C(0x7c90000000000000);
    expect("add", FP_RMM, max, half_ulp, 0, fp64_add_soft(&env, max, half_ulp, FP_RMM), &env,
           FP64_INF, FP_OF | FP_NX);
}

#define CHECK_RELATION(name, width, a, b, want, loud) \
    do { \
        struct fp_env env = {0}; \
        bool got = fp##width##_##name(&env, a, b); \
        expect(#name, 0, a, b, 0, got, &env, want, (loud) ? FP_NV : 0); \
    } while (0)

#define CHECK_RELATIONS(width, a, b, x, y, nan, snan) \
    do { \
        CHECK_RELATION(eq, width, a, b, x == y, snan); \
        CHECK_RELATION(eq_soft, width, a, b, x == y, snan); \
        CHECK_RELATION(lt, width, a, b, x < y, nan); \
        CHECK_RELATION(lt_soft, width, a, b, x < y, nan); \
        CHECK_RELATION(le, width, a, b, x <= y, nan); \
        CHECK_RELATION(le_soft, width, a, b, x <= y, nan); \
        CHECK_RELATION(ltq, width, a, b, x < y, snan); \
        CHECK_RELATION(leq, width, a, b, x <= y, snan); \
    } while (0)

#define CHECK_EXTREME(name, width, a, b, want, loud) \
    do { \
        struct fp_env env = {0}; \
        uint64_t got = fp##width##_##name(&env, a, b); \
        expect(#name, 0, a, b, 0, got, &env, want, (loud) ? FP_NV : 0); \
    } while (0)

/* A zero's sign decides between zeros: the minimum has either's, the maximum both's. */
#define CHECK_EXTREMES(width, a, b, x, y, nan, snan) \
    do { \
        bool zeros = x == 0 && y == 0; \
        uint64_t canonical = FP##width##_NAN; \
        uint64_t low = zeros ? a | b : x < y ? a : b, high = zeros ? a & b : x > y ? a : b; \
        uint64_t number = isnan(x) && isnan(y) ? canonical : isnan(x) ? b : a; \
        CHECK_EXTREME(min, width, a, b, nan ? number : low, snan); \
        CHECK_EXTREME(max, width, a, b, nan ? number : high, snan); \
        CHECK_EXTREME(min_soft, width, a, b, nan ? number : low, snan); \
        CHECK_EXTREME(max_soft, width, a, b, nan ? number : high, snan); \
        CHECK_EXTREME(minm, width, a, b, nan ? canonical : low, snan); \
        CHECK_EXTREME(maxm, width, a, b, nan ? canonical : high, snan); \
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

static void fma_family_turns_the_right_signs(void **state)
{
    (void)state;
    const uint64_t two = 0x4000000000000000, three = 0x4008000000000000, seven = 0x401c000000000000;
    const uint32_t two_s = 0x40000000, three_s = 0x40400000, seven_s = 0x40e00000;
    struct fp_env env = {0};
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
    read_environment();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(soft_arithmetic_agrees_with_the_host),
        cmocka_unit_test(soft_fma_cancels_as_the_host_does),
        cmocka_unit_test(fast_arithmetic_agrees_with_soft),
        cmocka_unit_test(rmm_breaks_ties_away_from_zero),
        cmocka_unit_test(comparisons_and_extremes_know_zero_and_nan),
        cmocka_unit_test(fclass_agrees_with_fpclassify),
        cmocka_unit_test(fma_family_turns_the_right_signs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
