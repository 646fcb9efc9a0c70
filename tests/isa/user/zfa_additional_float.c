/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Zfa: fli's 32 constants, fround and froundnx in every mode, fminm and fmaxm (a NaN wins), fleq and
 * fltq (quiet), fcvtmod.w.d (modulo 2^32), and rv32's fmvh.x.d and fmvp.d.x ("Zfa").
 *
 * rerun: tests/isa/isa.test zfa
 * data: fp_vectors.py zfa
 * oracle: none, QEMU 7.2 has no Zfa
 */
#include "fp.h"
#include "zfa_additional_float.h"

/* Encodings, for the assembler does not know them: operands are ft0 (rd), ft1, ft2, or a0. */
#define OP_FP(funct7, rs2, rs1, rm, rd) \
    ".insn r OP_FP, " #rm ", " #funct7 ", " #rd ", " #rs1 ", " #rs2
#define FLI_S(n) FP(OP_FP(0x78, f1, f##n, 0, ft0), RNE, 0, 0, 0, 0).f
#define FLI_D(n) FP(OP_FP(0x79, f1, f##n, 0, ft0), RNE, 0, 0, 0, 0).f

/* The same values as single and double ("Zfa", table of fli's constants). */
static const uint32_t single_constants[32] = {
    0xbf800000, 0x00800000, 0x37800000, 0x38000000, 0x3b800000, 0x3c000000, 0x3d800000, 0x3e000000,
    0x3e800000, 0x3ea00000, 0x3ec00000, 0x3ee00000, 0x3f000000, 0x3f200000, 0x3f400000, 0x3f600000,
    0x3f800000, 0x3fa00000, 0x3fc00000, 0x3fe00000, 0x40000000, 0x40200000, 0x40400000, 0x40800000,
    0x41000000, 0x41800000, 0x43000000, 0x43800000, 0x47000000, 0x47800000, 0x7f800000, 0x7fc00000,
};

static uint64_t widened(uint32_t single)
{
    unsigned exponent = single >> 23 & 0xff;

    if (exponent == 0xff)
        return 0x7ff0000000000000 | (uint64_t)(single & 0x7fffff) << 29;
    return (uint64_t)(single >> 31) << 63 | (uint64_t)(exponent + 1023 - 127) << 52 |
           (uint64_t)(single & 0x7fffff) << 29;
}

static void test_constants(void)
{
#define BOTH(n) \
    CHECK64(FLI_S(n), BOX_S(single_constants[n])); \
    CHECK64(FLI_D(n), n == 1 ? 0x0010000000000000 : widened(single_constants[n]));
    BOTH(0)
    BOTH(1) BOTH(2) BOTH(3) BOTH(4) BOTH(5) BOTH(6) BOTH(7) BOTH(8) BOTH(9) BOTH(10) BOTH(11)
        BOTH(12) BOTH(13) BOTH(14) BOTH(15) BOTH(16) BOTH(17) BOTH(18) BOTH(19) BOTH(20) BOTH(21)
            BOTH(22) BOTH(23) BOTH(24) BOTH(25) BOTH(26) BOTH(27) BOTH(28) BOTH(29) BOTH(30)
                BOTH(31)
#undef BOTH
}

/* The rounding field by number: 0 to 4 is static, 7 dynamic. */
#define ROUND(funct7, rs2, table, box) \
    do { \
        for (unsigned n_ = 0; n_ < sizeof(table) / sizeof(*(table)); n_++) { \
            const struct vector *v_ = &(table)[n_]; \
            struct fp_result r_ = \
                FP(OP_FP(funct7, rs2, ft1, 7, ft0), v_->rm, box(v_->a), 0, 0, 0); \
            fp_check(#table, __LINE__, r_.f, r_.flags, box(v_->want), v_); \
            switch (v_->rm) { \
            case RNE: \
                r_ = FP(OP_FP(funct7, rs2, ft1, 0, ft0), RUP, box(v_->a), 0, 0, 0); \
                break; \
            case RTZ: \
                r_ = FP(OP_FP(funct7, rs2, ft1, 1, ft0), RUP, box(v_->a), 0, 0, 0); \
                break; \
            case RDN: \
                r_ = FP(OP_FP(funct7, rs2, ft1, 2, ft0), RUP, box(v_->a), 0, 0, 0); \
                break; \
            case RUP: \
                r_ = FP(OP_FP(funct7, rs2, ft1, 3, ft0), RDN, box(v_->a), 0, 0, 0); \
                break; \
            default: \
                r_ = FP(OP_FP(funct7, rs2, ft1, 4, ft0), RTZ, box(v_->a), 0, 0, 0); \
                break; \
            } \
            fp_check(#table, __LINE__, r_.f, r_.flags, box(v_->want), v_); \
        } \
    } while (0)

static const uint64_t d[] = {
    0xfff0000000000000, 0xc000000000000000, 0x8000000000000000, 0,
    0x3ff0000000000000, 0x7ff0000000000000, 0x7ff0000000000001, 0x7ff8000000000123,
};
static const uint32_t s[] = {
    0xff800000, 0xc0000000, 0x80000000, 0, 0x3f800000, 0x7f800000, 0x7f800001, 0x7fc00123,
};
enum { NUMBERS = 6, SNAN = 6, ALL = 8 };

static void test_minm_and_quiet(void)
{
    for (int i = 0; i < ALL; i++) {
        for (int j = 0; j < ALL; j++) {
            bool nan = i >= NUMBERS || j >= NUMBERS, signaling = i == SNAN || j == SNAN;
            int least = i < j ? i : j, most = i < j ? j : i;
            bool zeros = (i == 2 || i == 3) && (j == 2 || j == 3);
            struct fp_result r;

            r = FP(OP_FP(0x15, ft2, ft1, 2, ft0), RNE, d[i], d[j], 0, 0); /* fminm.d */
            CHECK64(r.f, nan ? NAN_D : d[least]);
            CHECK(r.flags, signaling ? NV : 0);
            r = FP(OP_FP(0x15, ft2, ft1, 3, ft0), RNE, d[i], d[j], 0, 0);
            CHECK64(r.f, nan ? NAN_D : d[most]);
            CHECK(r.flags, signaling ? NV : 0);
            r = FP(OP_FP(0x14, ft2, ft1, 2, ft0), RNE, BOX_S(s[i]), BOX_S(s[j]), 0, 0);
            CHECK64(r.f, BOX_S(nan ? NAN_S : s[least]));
            r = FP(OP_FP(0x14, ft2, ft1, 3, ft0), RNE, BOX_S(s[i]), BOX_S(s[j]), 0, 0);
            CHECK64(r.f, BOX_S(nan ? NAN_S : s[most]));
            CHECK(r.flags, signaling ? NV : 0);

            r = FP(OP_FP(0x51, ft2, ft1, 4, a0), RNE, d[i], d[j], 0, 9); /* fleq.d */
            CHECK(r.x, !nan && (i <= j || zeros));
            CHECK(r.flags, signaling ? NV : 0);
            r = FP(OP_FP(0x51, ft2, ft1, 5, a0), RNE, d[i], d[j], 0, 9); /* fltq.d */
            CHECK(r.x, !nan && i < j && !zeros);
            CHECK(r.flags, signaling ? NV : 0);
            r = FP(OP_FP(0x50, ft2, ft1, 4, a0), RNE, BOX_S(s[i]), BOX_S(s[j]), 0, 9);
            CHECK(r.x, !nan && (i <= j || zeros));
            r = FP(OP_FP(0x50, ft2, ft1, 5, a0), RNE, BOX_S(s[i]), BOX_S(s[j]), 0, 9);
            CHECK(r.x, !nan && i < j && !zeros);
            CHECK(r.flags, signaling ? NV : 0);
        }
    }
}

static void test_modular(void)
{
#define MODULAR(bits, want, want_flags) \
    do { \
        struct fp_result r_ = FP(OP_FP(0x61, f8, ft1, 1, a0), RUP, bits, 0, 0, 0); \
        CHECK(r_.x, (long)(int32_t)(want)); \
        CHECK(r_.flags, want_flags); \
    } while (0)
    MODULAR(0x3ff8000000000000, 1, NX); /* 1.5 */
    MODULAR(0xbff8000000000000, -1, NX);
    MODULAR(0xbfe0000000000000, 0, NX); /* -0.5 */
    MODULAR(0x8000000000000000, 0, 0);
    MODULAR(0x41dfffffffc00000, 0x7fffffff, 0);
    MODULAR(0x41e0000000000000, 0x80000000, NV); /* 2^31 */
    MODULAR(0xc1e0000000000000, 0x80000000, 0);  /* -2^31 */
    MODULAR(0xc1e0000000200000, 0x7fffffff, NV); /* -2^31 - 1 */
    MODULAR(0x41f0000000100000, 1, NV);          /* 2^32 + 1 */
    MODULAR(0x41f0000000180000, 1, NV);          /* 2^32 + 1.5: invalid, so not inexact */
    MODULAR(0x4340000000000001, 2, NV);          /* 2^53 + 2 */
    MODULAR(0x4530000000000001, 0, NV);          /* its last bit is worth 2^32 */
    MODULAR(0x4520000000000001, 0x80000000, NV);
    MODULAR(0x7ff0000000000000, 0, NV);
    MODULAR(0x7ff8000000000000, 0, NV);
#undef MODULAR
}

static void test_pairs(void)
{
#if !RV64
    CHECK(FP(OP_FP(0x71, f1, ft1, 0, a0), RNE, 0x123456789abcdef0, 0, 0, 0).x, 0x12345678);
    CHECK64(
        FP("li a1, 0x44332211\n.insn r OP_FP, 0, 0x59, ft0, a0, a1", RNE, 0, 0, 0, 0x88776655).f,
        0x4433221188776655);
#endif
}

void test_main(void)
{
    test_constants();
    ROUND(0x20, f4, fround_s, BOX_S);
    ROUND(0x20, f5, froundnx_s, BOX_S);
    ROUND(0x21, f4, fround_d, BOX_D);
    ROUND(0x21, f5, froundnx_d, BOX_D);
    test_minm_and_quiet();
    test_modular();
    test_pairs();
}
