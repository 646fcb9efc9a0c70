/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * FCVT between F or D and integers: every mode, saturation with NV and no NX, NaN to the largest, the
 * 32-bit results sign-extended, also the unsigned ones ("Single-Precision Floating-Point Conversion
 * and Move Instructions").
 *
 * rerun: tests/isa/isa.test float_and_integer
 * data: fp_vectors.py integers
 */
#include "fp.h"
#include "float_and_integer_conversions.h"

#define TO_INTEGER(text, table, box, result) \
    do { \
        for (unsigned n_ = 0; n_ < sizeof(table) / sizeof(*(table)); n_++) { \
            const struct vector *v_ = &(table)[n_]; \
            struct fp_result r_ = FP(text, v_->rm, box(v_->a), 0, 0, 0); \
            fp_check(text, __LINE__, r_.x, r_.flags, (ulong)(result)v_->want, v_); \
            r_ = FP_STATIC(text, v_->rm, box(v_->a), 0, 0, 0); \
            fp_check(text, __LINE__, r_.x, r_.flags, (ulong)(result)v_->want, v_); \
        } \
    } while (0)
#define FROM_INTEGER(text, table, box) \
    do { \
        for (unsigned n_ = 0; n_ < sizeof(table) / sizeof(*(table)); n_++) { \
            const struct vector *v_ = &(table)[n_]; \
            struct fp_result r_ = FP(text, v_->rm, 0, 0, 0, v_->a); \
            fp_check(text, __LINE__, r_.f, r_.flags, box(v_->want), v_); \
        } \
    } while (0)

void test_main(void)
{
    TO_INTEGER("fcvt.w.s a0, ft1", fcvt_w_s, BOX_S, int32_t);
    TO_INTEGER("fcvt.wu.s a0, ft1", fcvt_wu_s, BOX_S, int32_t);
    TO_INTEGER("fcvt.w.d a0, ft1", fcvt_w_d, BOX_D, int32_t);
    TO_INTEGER("fcvt.wu.d a0, ft1", fcvt_wu_d, BOX_D, int32_t);
    FROM_INTEGER("fcvt.s.w ft0, a0", fcvt_s_w, BOX_S);
    FROM_INTEGER("fcvt.s.wu ft0, a0", fcvt_s_wu, BOX_S);
    FROM_INTEGER("fcvt.d.w ft0, a0", fcvt_d_w, BOX_D);
    FROM_INTEGER("fcvt.d.wu ft0, a0", fcvt_d_wu, BOX_D);
#if RV64
    TO_INTEGER("fcvt.l.s a0, ft1", fcvt_l_s, BOX_S, int64_t);
    TO_INTEGER("fcvt.lu.s a0, ft1", fcvt_lu_s, BOX_S, int64_t);
    TO_INTEGER("fcvt.l.d a0, ft1", fcvt_l_d, BOX_D, int64_t);
    TO_INTEGER("fcvt.lu.d a0, ft1", fcvt_lu_d, BOX_D, int64_t);
    FROM_INTEGER("fcvt.s.l ft0, a0", fcvt_s_l, BOX_S);
    FROM_INTEGER("fcvt.s.lu ft0, a0", fcvt_s_lu, BOX_S);
    FROM_INTEGER("fcvt.d.l ft0, a0", fcvt_d_l, BOX_D);
    FROM_INTEGER("fcvt.d.lu ft0, a0", fcvt_d_lu, BOX_D);
#endif
}
