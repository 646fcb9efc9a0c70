/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * FCVT among half, single and double: rounding, overflow, underflow, subnormals, NaNs made canonical
 * and NV for signaling ones; flh, fsh, fmv.x.h and fmv.h.x ("Zfhmin", "D Standard Extension").
 *
 * rerun: tests/isa/isa.test float_format
 * data: fp_vectors.py formats
 */
#include "fp.h"
#include "float_format_conversions.h"

/* Widening is exact: no assembler lets it have a mode, so only the dynamic one is tried. */
#define WIDEN(text, table, box_in, box_out) \
    do { \
        for (unsigned n_ = 0; n_ < sizeof(table) / sizeof(*(table)); n_++) { \
            const struct vector *v_ = &(table)[n_]; \
            struct fp_result r_ = FP(text, v_->rm, box_in(v_->a), 0, 0, 0); \
            fp_check(text, __LINE__, r_.f, r_.flags, box_out(v_->want), v_); \
        } \
    } while (0)

static void test_moves(void)
{
    static uint16_t half[4] = {0x8001, 0x3c00, 0xfe00, 0x1234};

    CHECK(FP("fmv.x.h a0, ft1", RNE, BOX_H(0x8001), 0, 0, 0).x, (long)(int16_t)0x8001);
    CHECK(FP("fmv.x.h a0, ft1", RNE, 0x123456787654, 0, 0, 0).x, 0x7654); /* whatever is above */
    CHECK64(FP("fmv.h.x ft0, a0", RNE, 0, 0, 0, 0x12345678).f, BOX_H(0x5678));
    CHECK64(FP("flh ft0, 6(a0)", RNE, 0, 0, 0, half).f, BOX_H(0x1234));
    FP("fsh ft1, 2(a0)", RNE, 0x99998888abcdef01, 0, 0, half);
    CHECK(half[1], 0xef01);
    CHECK(half[0], 0x8001);
    CHECK(half[2], 0xfe00);
    /* Not boxed: a NaN to what computes. */
    CHECK64(FP("fcvt.s.h ft0, ft1", RNE, 0x3c00, 0, 0, 0).f, BOX_S(NAN_S));
    CHECK64(FP("fcvt.s.h ft0, ft1", RNE, BOX_H(0x3c00), 0, 0, 0).f, BOX_S(0x3f800000));
}

void test_main(void)
{
    FP_TABLE("fcvt.s.d ft0, ft1", fcvt_s_d, BOX_D, BOX_S);
    WIDEN("fcvt.d.s ft0, ft1", fcvt_d_s, BOX_S, BOX_D);
    FP_TABLE("fcvt.h.s ft0, ft1", fcvt_h_s, BOX_S, BOX_H);
    FP_TABLE("fcvt.h.d ft0, ft1", fcvt_h_d, BOX_D, BOX_H);
    WIDEN("fcvt.s.h ft0, ft1", fcvt_s_h, BOX_H, BOX_S);
    WIDEN("fcvt.d.h ft0, ft1", fcvt_d_h, BOX_H, BOX_D);
    test_moves();
}
