/* SPDX-License-Identifier: MPL-2.0 */
/* Operand fields of the 16-bit formats: the immediates are scattered as the specification draws them. */
#include "isa/compressed.h"

enum { REG_RA = 1, REG_SP = 2 };

/* bits[hi:lo] moved so that bit lo lands at `to`. */
static uint32_t field(uint32_t bits, unsigned hi, unsigned lo, unsigned to)
{
    return (bits >> lo & ((1u << (hi - lo + 1)) - 1)) << to;
}

static int32_t sign_extend(uint32_t value, unsigned width)
{
    uint32_t sign = 1u << (width - 1);
    return (int32_t)((value ^ sign) - sign);
}

static int32_t imm6(uint32_t bits)
{
    return sign_extend(field(bits, 12, 12, 5) | field(bits, 6, 2, 0), 6);
}

static uint32_t offset_w(uint32_t bits)
{
    return field(bits, 12, 10, 3) | field(bits, 6, 6, 2) | field(bits, 5, 5, 6);
}

static uint32_t offset_d(uint32_t bits)
{
    return field(bits, 12, 10, 3) | field(bits, 6, 5, 6);
}

static uint32_t sp_load_w(uint32_t bits)
{
    return field(bits, 12, 12, 5) | field(bits, 6, 4, 2) | field(bits, 3, 2, 6);
}

static uint32_t sp_load_d(uint32_t bits)
{
    return field(bits, 12, 12, 5) | field(bits, 6, 5, 3) | field(bits, 4, 2, 6);
}

static int32_t jump_offset(uint32_t bits)
{
    return sign_extend(field(bits, 12, 12, 11) | field(bits, 11, 11, 4) | field(bits, 10, 9, 8) |
                           field(bits, 8, 8, 10) | field(bits, 7, 7, 6) | field(bits, 6, 6, 7) |
                           field(bits, 5, 3, 1) | field(bits, 2, 2, 5),
                       12);
}

static int32_t branch_offset(uint32_t bits)
{
    return sign_extend(field(bits, 12, 12, 8) | field(bits, 11, 10, 3) | field(bits, 6, 5, 6) |
                           field(bits, 4, 3, 1) | field(bits, 2, 2, 5),
                       9);
}

bool compressed_fields(enum compressed_format format, bool rv64, uint16_t bits, struct decoded *d)
{
    uint8_t rd = bits >> 7 & 31, rs2 = bits >> 2 & 31;
    uint8_t high = 8 + (bits >> 7 & 7), low = 8 + (bits >> 2 & 7); /* rd'/rs1' and rd'/rs2' */
    switch (format) {
    case CFORMAT_CN:
        return true;
    case CFORMAT_CIW:
        d->rd = low, d->rs1 = REG_SP;
        d->imm = field(bits, 12, 11, 4) | field(bits, 10, 7, 6) | field(bits, 6, 6, 2) |
                 field(bits, 5, 5, 3);
        return d->imm != 0;
    case CFORMAT_CL_W:
        d->rd = low, d->rs1 = high, d->imm = offset_w(bits);
        return true;
    case CFORMAT_CL_D:
        d->rd = low, d->rs1 = high, d->imm = offset_d(bits);
        return true;
    case CFORMAT_CS_W:
        d->rs2 = low, d->rs1 = high, d->imm = offset_w(bits);
        return true;
    case CFORMAT_CS_D:
        d->rs2 = low, d->rs1 = high, d->imm = offset_d(bits);
        return true;
    case CFORMAT_CLB:
        d->rd = low, d->rs1 = high, d->imm = field(bits, 6, 6, 0) | field(bits, 5, 5, 1);
        return true;
    case CFORMAT_CLH:
        d->rd = low, d->rs1 = high, d->imm = field(bits, 5, 5, 1);
        return true;
    case CFORMAT_CSB:
        d->rs2 = low, d->rs1 = high, d->imm = field(bits, 6, 6, 0) | field(bits, 5, 5, 1);
        return true;
    case CFORMAT_CSH:
        d->rs2 = low, d->rs1 = high, d->imm = field(bits, 5, 5, 1);
        return true;
    case CFORMAT_CI:
        d->rd = d->rs1 = rd, d->imm = imm6(bits);
        return true;
    case CFORMAT_CI_NZ:
        d->rd = d->rs1 = rd, d->imm = imm6(bits);
        return rd != 0;
    case CFORMAT_CLI:
        d->rd = rd, d->imm = imm6(bits);
        return true;
    case CFORMAT_CI_SP:
        d->rd = d->rs1 = REG_SP;
        d->imm = sign_extend(field(bits, 12, 12, 9) | field(bits, 6, 6, 4) | field(bits, 5, 5, 6) |
                                 field(bits, 4, 3, 7) | field(bits, 2, 2, 5),
                             10);
        return d->imm != 0;
    case CFORMAT_CI_LUI:
        d->rd = rd, d->imm = (int32_t)((uint32_t)imm6(bits) << 12);
        return d->imm != 0;
    case CFORMAT_CI_SH:
        d->rd = d->rs1 = rd, d->imm = field(bits, 12, 12, 5) | field(bits, 6, 2, 0);
        return rv64 || d->imm < 32;
    case CFORMAT_CI_LW:
        d->rd = rd, d->rs1 = REG_SP, d->imm = sp_load_w(bits);
        return rd != 0;
    case CFORMAT_CI_LD:
        d->rd = rd, d->rs1 = REG_SP, d->imm = sp_load_d(bits);
        return rd != 0;
    case CFORMAT_CI_FLW:
        d->rd = rd, d->rs1 = REG_SP, d->imm = sp_load_w(bits);
        return true;
    case CFORMAT_CI_FLD:
        d->rd = rd, d->rs1 = REG_SP, d->imm = sp_load_d(bits);
        return true;
    case CFORMAT_CSS_W:
        d->rs2 = rs2, d->rs1 = REG_SP, d->imm = field(bits, 12, 9, 2) | field(bits, 8, 7, 6);
        return true;
    case CFORMAT_CSS_D:
        d->rs2 = rs2, d->rs1 = REG_SP, d->imm = field(bits, 12, 10, 3) | field(bits, 9, 7, 6);
        return true;
    case CFORMAT_CB:
        d->rs1 = high, d->imm = branch_offset(bits);
        return true;
    case CFORMAT_CB_SH:
        d->rd = d->rs1 = high, d->imm = field(bits, 12, 12, 5) | field(bits, 6, 2, 0);
        return rv64 || d->imm < 32;
    case CFORMAT_CB_I:
        d->rd = d->rs1 = high, d->imm = imm6(bits);
        return true;
    case CFORMAT_CA:
        d->rd = d->rs1 = high, d->rs2 = low;
        return true;
    case CFORMAT_CU:
    case CFORMAT_CU_0:
        d->rd = d->rs1 = high;
        return true;
    case CFORMAT_CU_FF:
        d->rd = d->rs1 = high, d->imm = 255;
        return true;
    case CFORMAT_CU_M1:
        d->rd = d->rs1 = high, d->imm = -1;
        return true;
    case CFORMAT_CJ:
        d->imm = jump_offset(bits);
        return true;
    case CFORMAT_CJL:
        d->rd = REG_RA, d->imm = jump_offset(bits);
        return true;
    case CFORMAT_CR_J:
        d->rs1 = rd;
        return rd != 0;
    case CFORMAT_CR_JL:
        d->rd = REG_RA, d->rs1 = rd;
        return rd != 0;
    case CFORMAT_CR_MV:
        d->rd = rd, d->rs2 = rs2;
        return true;
    case CFORMAT_CR:
        d->rd = d->rs1 = rd, d->rs2 = rs2;
        return true;
    }
    return false;
}
