/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Comparisons (feq quiet, flt and fle signaling), fmin and fmax with zeros and NaNs, fclass, sign
 * injection, moves, loads and stores, and NaN boxing (unprivileged specification, "F" and "D").
 *
 * rerun: tests/isa/isa.test float_compare
 */
#include "fp.h"

static const uint32_t singles[] = {
    /* in the order of fclass's bits, both signs where there are */
    0xff800000, 0xc0490fdb, 0x80000001, 0x80000000, 0,
    0x007fffff, 0x3f800000, 0x7f800000, 0x7f800001, 0x7fc00000,
};
static const uint64_t doubles[] = {
    0xfff0000000000000,
    0xc00921fb54442d18,
    0x8000000000000001,
    0x8000000000000000,
    0,
    0x000fffffffffffff,
    0x3ff0000000000000,
    0x7ff0000000000000,
    0x7ff0000000000001,
    0x7ff8000000000000,
};
enum { NUMBERS = 8, SNAN = 8, QNAN = 9, ALL = 10 };

/* -0 and +0 are equal: their places are 3 and 4. */
static int place(int i)
{
    return i == 3 ? 4 : i;
}

#define COMPARE(text, box, values, i, j, relation, quiet) \
    do { \
        struct fp_result r_ = FP(text, RNE, box((values)[i]), box((values)[j]), 0, 99); \
        bool nan_ = (i) >= NUMBERS || (j) >= NUMBERS; \
        bool signaling_ = (i) == SNAN || (j) == SNAN; \
        check(text, __LINE__, r_.x, !nan_ && (place(i) relation place(j))); \
        check(text, __LINE__, r_.flags, nan_ && (signaling_ || !(quiet)) ? NV : 0); \
    } while (0)

/* The smaller (largest: larger) of two, in which -0 < +0; one NaN is passed over. */
static int choose(int i, int j, bool largest)
{
    if (i >= NUMBERS && j >= NUMBERS)
        return QNAN;
    if (i >= NUMBERS)
        return j;
    if (j >= NUMBERS)
        return i;
    return (i < j) != largest ? i : j;
}

#define CHOOSE(text, box, values, i, j, largest) \
    do { \
        struct fp_result r_ = FP(text, RNE, box((values)[i]), box((values)[j]), 0, 0); \
        check64(text, __LINE__, r_.f, box((values)[choose(i, j, largest)])); \
        check(text, __LINE__, r_.flags, (i) == SNAN || (j) == SNAN ? NV : 0); \
    } while (0)

static void test_pairs(void)
{
    for (int i = 0; i < ALL; i++) {
        for (int j = 0; j < ALL; j++) {
            COMPARE("feq.s a0, ft1, ft2", BOX_S, singles, i, j, ==, true);
            COMPARE("flt.s a0, ft1, ft2", BOX_S, singles, i, j, <, false);
            COMPARE("fle.s a0, ft1, ft2", BOX_S, singles, i, j, <=, false);
            COMPARE("feq.d a0, ft1, ft2", BOX_D, doubles, i, j, ==, true);
            COMPARE("flt.d a0, ft1, ft2", BOX_D, doubles, i, j, <, false);
            COMPARE("fle.d a0, ft1, ft2", BOX_D, doubles, i, j, <=, false);
            CHOOSE("fmin.s ft0, ft1, ft2", BOX_S, singles, i, j, false);
            CHOOSE("fmax.s ft0, ft1, ft2", BOX_S, singles, i, j, true);
            CHOOSE("fmin.d ft0, ft1, ft2", BOX_D, doubles, i, j, false);
            CHOOSE("fmax.d ft0, ft1, ft2", BOX_D, doubles, i, j, true);
        }
    }
}

static void test_classes_and_signs(void)
{
    const uint32_t sign = 0x80000000;
    const uint64_t wide_sign = 1ull << 63;

    for (int i = 0; i < ALL; i++) {
        uint64_t s = singles[i], d = doubles[i];

        CHECK(FP("fclass.s a0, ft1", RNE, BOX_S(s), 0, 0, 0).x, 1 << i);
        CHECK(FP("fclass.d a0, ft1", RNE, d, 0, 0, 0).x, 1 << i);
        for (int j = 0; j < ALL; j++) {
            uint64_t s2 = singles[j], d2 = doubles[j];

            CHECK64(FP("fsgnj.s ft0, ft1, ft2", RNE, BOX_S(s), BOX_S(s2), 0, 0).f,
                    BOX_S((s & ~sign) | (s2 & sign)));
            CHECK64(FP("fsgnjn.s ft0, ft1, ft2", RNE, BOX_S(s), BOX_S(s2), 0, 0).f,
                    BOX_S((s & ~sign) | (~s2 & sign)));
            CHECK64(FP("fsgnjx.s ft0, ft1, ft2", RNE, BOX_S(s), BOX_S(s2), 0, 0).f,
                    BOX_S(s ^ (s2 & sign)));
            CHECK64(FP("fsgnj.d ft0, ft1, ft2", RNE, d, d2, 0, 0).f,
                    (d & ~wide_sign) | (d2 & wide_sign));
            CHECK64(FP("fsgnjn.d ft0, ft1, ft2", RNE, d, d2, 0, 0).f,
                    (d & ~wide_sign) | (~d2 & wide_sign));
            CHECK64(FP("fsgnjx.d ft0, ft1, ft2", RNE, d, d2, 0, 0).f, d ^ (d2 & wide_sign));
            CHECK(FP("fsgnjx.d ft0, ft1, ft2", RNE, d, d2, 0, 0).flags, 0);
        }
    }
}

static void test_boxes(void)
{
    uint64_t loose = 0xfffffffe3f800000; /* 1.0f, but a bit of the box is missing */

    CHECK(FP("fclass.s a0, ft1", RNE, loose, 0, 0, 0).x, 1 << QNAN);
    CHECK64(FP("fadd.s ft0, ft1, ft2", RNE, loose, BOX_S(0x3f800000), 0, 0).f, BOX_S(NAN_S));
    CHECK(FP("fadd.s ft0, ft1, ft2", RNE, loose, BOX_S(0x3f800000), 0, 0).flags, 0);
    CHECK64(FP("fsgnj.s ft0, ft1, ft2", RNE, loose, loose, 0, 0).f, BOX_S(NAN_S));
    CHECK64(FP("fmin.s ft0, ft1, ft2", RNE, loose, BOX_S(0x40000000), 0, 0).f, BOX_S(0x40000000));
    CHECK(FP("feq.s a0, ft1, ft1", RNE, loose, 0, 0, 0).x, 0);
    /* Moves and stores take the low bits as they are. */
    CHECK(FP("fmv.x.w a0, ft1", RNE, 0x12345678bf800000, 0, 0, 0).x, (long)(int32_t)0xbf800000);
    CHECK64(FP("fmv.w.x ft0, a0", RNE, 0, 0, 0, 0xbf800000).f, BOX_S(0xbf800000));
#if RV64
    CHECK(FP("fmv.x.d a0, ft1", RNE, 0x12345678bf800000, 0, 0, 0).x, 0x12345678bf800000);
    CHECK64(FP("fmv.d.x ft0, a0", RNE, 0, 0, 0, 0x8123456789abcdef).f, 0x8123456789abcdef);
#endif
}

static void test_memory(void)
{
    static uint32_t words[8] __attribute__((aligned(16))) = {1, 0x7f800001, 3, 4, 5, 6, 7, 8};

    CHECK64(FP("flw ft0, 4(a0)", RNE, 0, 0, 0, words).f,
            BOX_S(0x7f800001)); /* signaling: not touched */
    CHECK64(FP("fld ft0, 8(a0)", RNE, 0, 0, 0, words).f, 0x0000000400000003);
    CHECK64(FP("fld ft0, 4(a0)", RNE, 0, 0, 0, words).f, 0x000000037f800001); /* misaligned */
    FP("fsw ft1, 16(a0)", RNE, 0x1234567887654321, 0, 0, words);
    CHECK64((uint64_t)words[5] << 32 | words[4], 0x0000000687654321);
    FP("fsd ft1, 20(a0)", RNE, 0x1234567887654321, 0, 0, words);
    CHECK64((uint64_t)words[6] << 32 | words[5], 0x1234567887654321);
    CHECK(words[7], 8);
}

/* Flags pile up; a reserved mode makes what rounds illegal, and only that. */
static void test_flags_and_modes(void)
{
    CHECK(FP("fdiv.s ft0, ft1, ft2\nfadd.s ft0, ft1, ft3", RNE, BOX_S(0x3f800000), BOX_S(0),
             BOX_S(0x33000000), 0)
              .flags,
          DZ | NX);
    for (unsigned rm = 5; rm < 8; rm++) {
        csr_write(frm, rm);
        CHECK(csr_read(frm), rm);
        RUN_ILLEGAL(MODE_U, "fadd.s ft0, ft1, ft2");
        RUN_ILLEGAL(MODE_U, "fcvt.w.d a0, ft1");
        RUN_OK(MODE_U, 0, 0,
               "fadd.s ft0, ft1, ft2, rtz\nfmin.d ft0, ft1, ft2\nfsgnj.s ft0, ft1, ft2");
    }
    csr_write(fcsr, 0);
    RUN_ILLEGAL(MODE_U, ".4byte 0x0020d053"); /* fadd.s with the reserved static modes 5 and 6 */
    RUN_ILLEGAL(MODE_U, ".4byte 0x0020e053");
    csr_write(fcsr, -1);
    CHECK(csr_read(fcsr), 0xff);
    CHECK(csr_read(fflags), 0x1f);
    CHECK(csr_read(frm), 7);
    csr_write(fflags, 5);
    CHECK(csr_read(fcsr), 0xe5);
    csr_write(frm, 2);
    CHECK(csr_read(fcsr), 0x45);
}

void test_main(void)
{
    test_pairs();
    test_classes_and_signs();
    test_boxes();
    test_memory();
    test_flags_and_modes();
}
