/* SPDX-License-Identifier: MPL-2.0 */
/* What the ext column of the instruction table means: bits of isa.ext. */
#ifndef RVVM_ISA_NEEDS_H
#define RVVM_ISA_NEEDS_H

#include "isa/isa.h"

#define NEED_BIT(ext) (UINT64_C(1) << EXT_##ext)

/* Enumerators are 64 bits wide here: GNU C. */
enum insn_need {
#define EXT(symbol, name, on, needs) NEED_##symbol = NEED_BIT(symbol),
#include "isa/ext.def"
#undef EXT
    NEED_ZABHA_ZACAS = NEED_BIT(ZABHA) | NEED_BIT(ZACAS),
    NEED_ZFHMIN_D = NEED_BIT(ZFHMIN) | NEED_BIT(D),
    NEED_ZFA_D = NEED_BIT(ZFA) | NEED_BIT(D),
    NEED_ZCB_M = NEED_BIT(ZCB) | NEED_BIT(M),
    NEED_ZCB_ZBB = NEED_BIT(ZCB) | NEED_BIT(ZBB),
    NEED_ZCB_ZBA = NEED_BIT(ZCB) | NEED_BIT(ZBA),
};

#endif
