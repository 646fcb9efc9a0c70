/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * A fused multiply-add of an infinity and a zero is invalid even when the addend is a quiet NaN, and a
 * result that is a NaN is the canonical one (unprivileged specification, "F"), whichever of the
 * operands' registers the result replaces.
 *
 * rerun: tests/isa/isa.test float_fused
 */
#include "fp.h"

enum { ZERO, MINUS_ZERO, ONE, INFINITE, MINUS_INFINITE, QNAN, SNAN, KINDS };

static const uint64_t doubles[] = {0,
                                   0x8000000000000000,
                                   0x3ff0000000000000,
                                   0x7ff0000000000000,
                                   0xfff0000000000000,
                                   0xfff8000000001234,
                                   0x7ff0000000000001};
static const uint32_t singles[] = {0,          0x80000000, 0x3f800000, 0x7f800000,
                                   0xff800000, 0xffc01234, 0x7f800001};

static bool is_zero(int kind)
{
    return kind == ZERO || kind == MINUS_ZERO;
}

static bool is_infinite(int kind)
{
    return kind == INFINITE || kind == MINUS_INFINITE;
}

static bool is_negative(int kind)
{
    return kind == MINUS_ZERO || kind == MINUS_INFINITE;
}

static bool is_nan(int kind)
{
    return kind >= QNAN;
}

/* *nan: the result is one. Returns whether it is invalid. */
static bool invalid(int a, int b, int c, bool minus_product, bool minus_addend, bool *nan)
{
    bool product = (is_infinite(a) && is_zero(b)) || (is_zero(a) && is_infinite(b));
    bool any = is_nan(a) || is_nan(b) || is_nan(c);
    bool sign = is_negative(a) ^ is_negative(b) ^ minus_product;
    bool sum = !any && !product && (is_infinite(a) || is_infinite(b)) && is_infinite(c) &&
               sign != (is_negative(c) ^ minus_addend);
    *nan = any || product || sum;
    return a == SNAN || b == SNAN || c == SNAN || product || sum;
}

/* ft0 = op of ft1 to ft3, by way of the registers that are named. */
#define BY(op, d, x, y, z) \
    "fmv.d " x ", ft1\nfmv.d " y ", ft2\nfmv.d " z ", ft3\n" op " " d ", " x ", " y ", " z \
    "\nfmv.d ft0, " d

#define WITH(op, text, box, values, canonical, a, b, c) \
    do { \
        bool nan_, invalid_ = invalid(a, b, c, op[1] == 'n', op[2] == 's' || op[3] == 'a', &nan_); \
        struct fp_result r_ = \
            FP(text, RNE, box((values)[a]), box((values)[b]), box((values)[c]), 0); \
        check(text, __LINE__, r_.flags, invalid_ ? NV : 0); \
        if (nan_) \
            check64(text, __LINE__, r_.f, box(canonical)); \
    } while (0)

#define ALL_REGISTERS(op, ...) \
    do { \
        WITH(op, BY(op, "fa4", "fa1", "fa2", "fa3"), __VA_ARGS__); \
        WITH(op, BY(op, "fa1", "fa1", "fa2", "fa3"), __VA_ARGS__); \
        WITH(op, BY(op, "fa2", "fa1", "fa2", "fa3"), __VA_ARGS__); \
        WITH(op, BY(op, "fa3", "fa1", "fa2", "fa3"), __VA_ARGS__); \
        WITH(op, BY(op, "fa1", "fa1", "fs2", "fa3"), __VA_ARGS__); \
        WITH(op, BY(op, "fa2", "fs2", "fa2", "fs3"), __VA_ARGS__); \
        WITH(op, BY(op, "fa3", "fs2", "fa2", "fa3"), __VA_ARGS__); \
        WITH(op, BY(op, "fa3", "fs2", "fs3", "fa3"), __VA_ARGS__); \
        WITH(op, BY(op, "fs4", "fs2", "fs3", "fs4"), __VA_ARGS__); \
        WITH(op, BY(op, "fs2", "fs2", "fs3", "fs4"), __VA_ARGS__); \
        WITH(op, BY(op, "fs5", "fa1", "fa2", "fa3"), __VA_ARGS__); \
    } while (0)

/* fmadd, fmsub, fnmsub, fnmadd: the product is negated where the name has an n, and then s and a are
 * the other way round for the addend. */
void test_main(void)
{
    for (int n = 0; n < KINDS * KINDS * KINDS; n++) {
        int a = n % KINDS, b = n / KINDS % KINDS, c = n / KINDS / KINDS;
        ALL_REGISTERS("fmadd.d", BOX_D, doubles, NAN_D, a, b, c);
        ALL_REGISTERS("fmsub.d", BOX_D, doubles, NAN_D, a, b, c);
        ALL_REGISTERS("fnmsub.d", BOX_D, doubles, NAN_D, a, b, c);
        ALL_REGISTERS("fnmadd.d", BOX_D, doubles, NAN_D, a, b, c);
        ALL_REGISTERS("fmadd.s", BOX_S, singles, NAN_S, a, b, c);
        ALL_REGISTERS("fnmadd.s", BOX_S, singles, NAN_S, a, b, c);
    }
}
