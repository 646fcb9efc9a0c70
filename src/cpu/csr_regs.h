/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The functions that csr.def names. All values are those of the whole 64-bit register; `csr` is the
 * number that was accessed, for functions that serve a run of registers.
 */
#ifndef RVVM_CPU_CSR_REGS_H
#define RVVM_CPU_CSR_REGS_H

#include "cpu/hart.h"

enum { CSR_HIGH = 1 }; /* csr_desc.flags */

typedef bool csr_check_fn(const struct hart *h, unsigned csr, bool writes);
typedef uint64_t csr_read_fn(struct hart *h, unsigned csr);
typedef enum csr_result csr_write_fn(struct hart *h, unsigned csr, uint64_t value);

/* csr_status.c: mstatus, traps and interrupts, translation */
csr_read_fn csr_read_mstatus, csr_read_sstatus, csr_read_misa, csr_read_mideleg, csr_read_mie,
    csr_read_sie, csr_read_mip, csr_read_sip, csr_read_mtvec, csr_read_stvec, csr_read_mepc,
    csr_read_sepc, csr_read_satp;
csr_write_fn csr_write_mstatus, csr_write_sstatus, csr_write_mideleg, csr_write_mie, csr_write_sie,
    csr_write_mtvec, csr_write_stvec, csr_write_mepc, csr_write_sepc, csr_write_satp;
csr_check_fn csr_check_satp;

/* csr_config.c: the rest */
csr_read_fn csr_read_zero, csr_read_mhartid, csr_read_tinfo, csr_read_fflags, csr_read_frm,
    csr_read_fcsr, csr_read_seed, csr_read_menvcfg, csr_read_senvcfg, csr_read_mseccfg,
    csr_read_pmpcfg, csr_read_pmpaddr;
csr_write_fn csr_write_fflags, csr_write_frm, csr_write_fcsr, csr_write_menvcfg, csr_write_senvcfg,
    csr_write_mseccfg, csr_write_pmpcfg, csr_write_pmpaddr;
csr_check_fn csr_check_fp, csr_check_seed, csr_check_mseccfg, csr_check_pmpcfg;

/* csr_counters.c: counters and the timer */
csr_read_fn csr_read_counter, csr_read_time, csr_read_mcounteren, csr_read_mcountinhibit,
    csr_read_mhpmevent, csr_read_scountovf, csr_read_stimecmp;
csr_write_fn csr_write_counter, csr_write_mcounteren, csr_write_mcountinhibit, csr_write_mhpmevent,
    csr_write_stimecmp;
csr_check_fn csr_check_counter, csr_check_stimecmp;

/* csr_aia.c: what the Advanced Interrupt Architecture adds */
csr_read_fn csr_read_ireg, csr_read_topei, csr_read_topi, csr_read_mvip;
csr_write_fn csr_write_topei;
csr_check_fn csr_check_ireg;
/* mireg and sireg: pending bits among them change in one step too. */
enum csr_result csr_modify_ireg(struct hart *h, unsigned csr, enum csr_op op, uint64_t operand);

/* mip, sip and mvip: the registers among their bits change in one step, as other threads set them too. */
enum csr_result csr_modify_ip(struct hart *h, unsigned csr, enum csr_op op, uint64_t operand);

/* The bits of mip that this hart can have. */
uint64_t csr_interrupts(const struct hart *h);

/* CSR_RESYNC when an interrupt may be taken now, and then the block's poll flag is set too. */
enum csr_result csr_after_enable(struct hart *h);

#endif
