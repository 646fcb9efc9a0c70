/* SPDX-License-Identifier: MPL-2.0 */
/* Operand fields of the 16-bit formats (ISA manual, "C" Standard Extension, and Zcb). */
#ifndef RVVM_ISA_COMPRESSED_H
#define RVVM_ISA_COMPRESSED_H

#include "isa/decode.h"

enum compressed_format {
    CFORMAT_CN,     /* no operands */
    CFORMAT_CIW,    /* rd' = sp + zero-extended immediate, not zero */
    CFORMAT_CL_W,   /* rd' = [rs1' + imm * 4] */
    CFORMAT_CL_D,   /* rd' = [rs1' + imm * 8] */
    CFORMAT_CS_W,   /* [rs1' + imm * 4] = rs2' */
    CFORMAT_CS_D,   /* [rs1' + imm * 8] = rs2' */
    CFORMAT_CLB,    /* Zcb byte load, 2-bit offset */
    CFORMAT_CLH,    /* Zcb halfword load, 1-bit offset */
    CFORMAT_CSB,    /* Zcb byte store */
    CFORMAT_CSH,    /* Zcb halfword store */
    CFORMAT_CI,     /* rd = rd op imm6 */
    CFORMAT_CI_NZ,  /* the same, rd not x0 */
    CFORMAT_CLI,    /* rd = x0 op imm6 */
    CFORMAT_CI_SP,  /* sp = sp + imm * 16, not zero */
    CFORMAT_CI_LUI, /* rd = imm6 << 12, not zero */
    CFORMAT_CI_SH,  /* rd = rd shifted */
    CFORMAT_CI_LW,  /* rd = [sp + imm * 4], rd not x0 */
    CFORMAT_CI_LD,  /* rd = [sp + imm * 8], rd not x0 */
    CFORMAT_CI_FLW, /* FP rd = [sp + imm * 4] */
    CFORMAT_CI_FLD, /* FP rd = [sp + imm * 8] */
    CFORMAT_CSS_W,  /* [sp + imm * 4] = rs2 */
    CFORMAT_CSS_D,  /* [sp + imm * 8] = rs2 */
    CFORMAT_CB,     /* branch on rs1' against x0 */
    CFORMAT_CB_SH,  /* rd' = rd' shifted */
    CFORMAT_CB_I,   /* rd' = rd' op imm6 */
    CFORMAT_CA,     /* rd' = rd' op rs2' */
    CFORMAT_CU,     /* rd' = op rd' (Zcb) */
    CFORMAT_CU_0,   /* the same, second operand x0 */
    CFORMAT_CU_FF,  /* the same, immediate 255 */
    CFORMAT_CU_M1,  /* the same, immediate -1 */
    CFORMAT_CJ,     /* jump, no link */
    CFORMAT_CJL,    /* jump, link in ra */
    CFORMAT_CR_J,   /* jump to rs1, not x0 */
    CFORMAT_CR_JL,  /* the same, link in ra */
    CFORMAT_CR_MV,  /* rd = x0 op rs2 */
    CFORMAT_CR,     /* rd = rd op rs2 */
};

/* Fills the operands of out as the expansion wants them. false: reserved. */
bool compressed_fields(enum compressed_format format, bool rv64, uint16_t bits,
                       struct decoded *out);

#endif
