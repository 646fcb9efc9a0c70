/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Add, subtract, multiply, divide, square root and the fused operations of F and D give the exact
 * result rounded once, in every static and dynamic mode, with exactly the flags that belong to it
 * (unprivileged specification, "F Standard Extension", "D Standard Extension").
 *
 * rerun: tests/isa/isa.test float_arithmetic
 * data: fp_vectors.py arithmetic
 */
#include "fp.h"
#include "float_arithmetic.h"

void test_main(void)
{
    FP_TABLE("fadd.s ft0, ft1, ft2", fadd_s, BOX_S, BOX_S);
    FP_TABLE("fsub.s ft0, ft1, ft2", fsub_s, BOX_S, BOX_S);
    FP_TABLE("fmul.s ft0, ft1, ft2", fmul_s, BOX_S, BOX_S);
    FP_TABLE("fdiv.s ft0, ft1, ft2", fdiv_s, BOX_S, BOX_S);
    FP_TABLE("fsqrt.s ft0, ft1", fsqrt_s, BOX_S, BOX_S);
    FP_TABLE("fmadd.s ft0, ft1, ft2, ft3", fmadd_s, BOX_S, BOX_S);
    FP_TABLE("fmsub.s ft0, ft1, ft2, ft3", fmsub_s, BOX_S, BOX_S);
    FP_TABLE("fnmsub.s ft0, ft1, ft2, ft3", fnmsub_s, BOX_S, BOX_S);
    FP_TABLE("fnmadd.s ft0, ft1, ft2, ft3", fnmadd_s, BOX_S, BOX_S);
    FP_TABLE("fadd.d ft0, ft1, ft2", fadd_d, BOX_D, BOX_D);
    FP_TABLE("fsub.d ft0, ft1, ft2", fsub_d, BOX_D, BOX_D);
    FP_TABLE("fmul.d ft0, ft1, ft2", fmul_d, BOX_D, BOX_D);
    FP_TABLE("fdiv.d ft0, ft1, ft2", fdiv_d, BOX_D, BOX_D);
    FP_TABLE("fsqrt.d ft0, ft1", fsqrt_d, BOX_D, BOX_D);
    FP_TABLE("fmadd.d ft0, ft1, ft2, ft3", fmadd_d, BOX_D, BOX_D);
    FP_TABLE("fmsub.d ft0, ft1, ft2, ft3", fmsub_d, BOX_D, BOX_D);
    FP_TABLE("fnmsub.d ft0, ft1, ft2, ft3", fnmsub_d, BOX_D, BOX_D);
    FP_TABLE("fnmadd.d ft0, ft1, ft2, ft3", fnmadd_d, BOX_D, BOX_D);
}
