/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Control and status registers (privileged specification 1.13; Sstc, Sscofpmf, Smepmp, Zkr, Smaia,
 * Ssaia).
 *
 * csr.def lists them; csr_access is the one way in for the CSR instructions. The parts of the hart
 * that act on a register's value read it from struct csr_file.
 */
#ifndef RVVM_CPU_CSR_H
#define RVVM_CPU_CSR_H

#include "cpu/counters.h"
#include "cpu/pmp.h"
#include <stdbool.h>
#include <stdint.h>

struct hart;

/* CSR_MSTATUS = 0x300 and so on; of a run of registers, the number of the first. */
enum csr_number {
#define CSR(first, last, name, need, flags, check, read, write) CSR_##name = first,
#define CSR_PLAIN(number, name, need, field, mask) CSR_##name = number,
#include "cpu/csr.def"
#undef CSR
#undef CSR_PLAIN
};

/* mstatus, sstatus */
#define MSTATUS_SIE (1ull << 1)
#define MSTATUS_MIE (1ull << 3)
#define MSTATUS_SPIE (1ull << 5)
#define MSTATUS_MPIE (1ull << 7)
#define MSTATUS_SPP (1ull << 8)
#define MSTATUS_MPP_SHIFT 11
#define MSTATUS_MPP (3ull << MSTATUS_MPP_SHIFT)
#define MSTATUS_FS (3ull << 13) /* all ones: Dirty; 0: Off */
#define MSTATUS_MPRV (1ull << 17)
#define MSTATUS_SUM (1ull << 18)
#define MSTATUS_MXR (1ull << 19)
#define MSTATUS_TVM (1ull << 20)
#define MSTATUS_TW (1ull << 21)
#define MSTATUS_TSR (1ull << 22)

/* menvcfg, senvcfg */
#define ENVCFG_FIOM (1ull << 0)
#define ENVCFG_CBIE (3ull << 4) /* 0: cbo.inval traps, 1: acts as flush, 3: invalidates */
#define ENVCFG_CBCFE (1ull << 6)
#define ENVCFG_CBZE (1ull << 7)
#define MENVCFG_ADUE (1ull << 61)
#define MENVCFG_PBMTE (1ull << 62)
#define MENVCFG_STCE (1ull << 63)

/* mseccfg */
#define MSECCFG_MML (1ull << 0)
#define MSECCFG_MMWP (1ull << 1)
#define MSECCFG_RLB (1ull << 2)
#define MSECCFG_USEED (1ull << 8)
#define MSECCFG_SSEED (1ull << 9)

/* mcounteren, scounteren: a bit a counter */
#define COUNTEREN_CY (1ull << 0)
#define COUNTEREN_TM (1ull << 1)
#define COUNTEREN_IR (1ull << 2)

/* satp.MODE of Sv39 and up; rv32 has one bit, 31, for Sv32. */
#define SATP64_MODE_SHIFT 60
#define SATP64_ASID_SHIFT 44
#define SATP64_ASID_MASK 0xffffull
#define SATP64_PPN_MASK 0xfffffffffffull
#define SATP32_MODE (1ull << 31)
#define SATP32_ASID_SHIFT 22
#define SATP32_ASID_MASK 0x1ffull
#define SATP32_PPN_MASK 0x3fffffull
enum { SATP_BARE = 0, SATP_SV39 = 8, SATP_SV48 = 9, SATP_SV57 = 10 };

/* The registers of a hart. On rv32 all are zero-extended. */
struct csr_file {
    uint64_t
        mstatus;  /* without SD, UXL and SXL: a read adds them. S-mode's sstatus is a part of it */
    uint64_t mie; /* sie is a part of it */
    uint64_t medeleg, mideleg;
    uint64_t mtvec, mscratch, mepc, mcause, mtval;
    uint64_t stvec, sscratch, sepc, scause, stval;
    uint64_t satp;
    uint64_t menvcfg, senvcfg;
    uint64_t mseccfg;
    uint64_t mcounteren, scounteren;
    uint64_t miselect, siselect;
    _Atomic uint64_t stimecmp; /* written under hart.lock, together with the STI wire */
    struct pmp pmp;
    struct counters counters;
};

enum csr_result {
    CSR_OK,
    CSR_ILLEGAL, /* an illegal instruction exception; nothing was done */
    CSR_RESYNC,  /* done; interrupts or translation may have changed: leave the block */
};

enum csr_op { CSR_WRITE, CSR_SET, CSR_CLEAR };

/*
 * A CSR instruction. reads is false for csrrw with rd = x0; writes is false for csrrs and csrrc
 * with rs1 = x0 or a zero immediate. *old: the value for rd, on rv32 sign-extended from bit 31.
 * hart.instret must count all earlier instructions and not yet this one, which is added afterwards.
 */
enum csr_result csr_access(struct hart *h, unsigned csr, enum csr_op op, uint64_t operand,
                           bool reads, bool writes, uint64_t *old);

/* What csrrw with rd = x0 does, for who prepares a hart. */
static inline enum csr_result csr_write(struct hart *h, unsigned csr, uint64_t value)
{
    uint64_t old;
    return csr_access(h, csr, CSR_WRITE, value, false, true, &old);
}

/* Power-on values. hart.isa and hart.bus are set, hart.instret is at its value after reset. */
void csr_reset(struct hart *h);

/* Sets stimecmp, its interrupt wire and the machine's timer: the CSR's write, or SBI set_timer. */
void csr_set_stimecmp(struct hart *h, uint64_t when);

#endif
