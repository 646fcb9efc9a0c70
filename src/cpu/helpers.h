/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Instructions too rare or too large for the table: HELPER(f) there is helper_f here. Both
 * the interpreter and translated code call them.
 *
 * A helper returns true, or false after hart_fault(). For HELPER_END, h->pc is the next instruction's
 * address, which the helper may change.
 */
#ifndef RVVM_CPU_HELPERS_H
#define RVVM_CPU_HELPERS_H

#include "cpu/code.h"

typedef bool helper_fn(struct hart *h, const struct insn *i);

helper_fn helper_pause, helper_fence, helper_ebreak, helper_sfence_w_inval;
helper_fn helper_cbo_inval, helper_cbo_clean, helper_cbo_zero;
helper_fn helper_amocas_d_pair, helper_amocas_q;
/* HELPER_END */
helper_fn helper_fence_i, helper_ecall, helper_sret, helper_mret, helper_wfi, helper_sfence_vma;
helper_fn helper_wrs_nto, helper_wrs_sto;

/* CSR accesses: what csr_access says. */
typedef enum csr_result helper_csr_fn(struct hart *h, const struct insn *i);

helper_csr_fn helper_csrrw, helper_csrrs, helper_csrrc, helper_csrrwi, helper_csrrsi, helper_csrrci;

/* Runs a HELPER_END instruction. Always NULL: what follows is looked up anew. */
const struct insn *exec_system(struct hart *h, const struct insn *i, helper_fn *helper);

/* Runs a CSR instruction. false: leave the block (h->pc is set). */
bool exec_csr(struct hart *h, const struct insn *i, helper_csr_fn *helper);

#endif
