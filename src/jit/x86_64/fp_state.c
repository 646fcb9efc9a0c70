/* SPDX-License-Identifier: MPL-2.0 */
/* Where the guest's rounding mode and flags are: in MXCSR while translated code computes, else in struct hart. */
#include "jit/x86_64/lower_fp.h"

#include <xmmintrin.h>

/* MXCSR's flags: invalid, denormal (which RISC-V has not), divide by zero, overflow, underflow, precision. */
static uint8_t fflags_of(unsigned mxcsr)
{
    return (uint8_t)((mxcsr & 1 ? FP_NV : 0) | (mxcsr & 4 ? FP_DZ : 0) | (mxcsr & 8 ? FP_OF : 0) |
                     (mxcsr & 16 ? FP_UF : 0) | (mxcsr & 32 ? FP_NX : 0));
}

void backend_fp_to_c(struct hart *h)
{
    h->fp.flags |= fflags_of(_mm_getcsr());
    _mm_setcsr(MXCSR_DEFAULT);
    h->translated.fp_live = 0;
}

void backend_fp_from_c(struct hart *h)
{
    _mm_setcsr(MXCSR_DEFAULT | fp_host_mode(h->frm) << MXCSR_RC_SHIFT);
    h->translated.fp_live = 1;
}

void backend_attach(struct hart *h)
{
    static const uint64_t constants[FP_CONST_FFLAGS] = {
        [FP_CONST_BOX] = UINT64_C(0xffffffff00000000),
        [FP_CONST_NAN64] = FP64_NAN,
        [FP_CONST_NAN32] = UINT64_C(0xffffffff00000000) | FP32_NAN,
        [FP_CONST_SIGN64] = FP64_SIGN,
        [FP_CONST_SIGN32] = FP32_SIGN,
        [FP_CONST_NOT_SIGN64] = ~FP64_SIGN,
        [FP_CONST_NOT_SIGN32] = ~(uint64_t)FP32_SIGN,
    };
    for (unsigned n = 0; n < TRANSLATED_COUNTS; n++)
        h->translated.count[n][0] = n;
    for (unsigned n = 0; n < FP_CONST_FFLAGS; n++)
        h->translated.constants[n][0] = constants[n];
    uint8_t *fflags = (uint8_t *)h->translated.constants[FP_CONST_FFLAGS];
    for (unsigned n = 0; n <= MXCSR_FLAGS; n++)
        fflags[n] = fflags_of(n);
}
