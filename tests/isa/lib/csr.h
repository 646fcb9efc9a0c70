/* SPDX-License-Identifier: GPL-3.0-only */
/* CSR access and the fields the tests name (privileged specification, "CSR Listing"). */
#ifndef ISA_CSR_H
#define ISA_CSR_H

#define csr_read(csr) \
    ({ \
        unsigned long v_; \
        __asm__ volatile("csrr %0, " #csr : "=r"(v_)::"memory"); \
        v_; \
    })
#define csr_write(csr, v) __asm__ volatile("csrw " #csr ", %0" ::"r"((unsigned long)(v)) : "memory")
#define csr_set(csr, v) __asm__ volatile("csrs " #csr ", %0" ::"r"((unsigned long)(v)) : "memory")
#define csr_clear(csr, v) __asm__ volatile("csrc " #csr ", %0" ::"r"((unsigned long)(v)) : "memory")

#define MSTATUS_SIE (1UL << 1)
#define MSTATUS_MIE (1UL << 3)
#define MSTATUS_SPIE (1UL << 5)
#define MSTATUS_MPIE (1UL << 7)
#define MSTATUS_SPP (1UL << 8)
#define MSTATUS_MPP (3UL << 11)
#define MSTATUS_FS (3UL << 13)
#define MSTATUS_MPRV (1UL << 17)
#define MSTATUS_SUM (1UL << 18)
#define MSTATUS_MXR (1UL << 19)
#define MSTATUS_TVM (1UL << 20)
#define MSTATUS_TW (1UL << 21)
#define MSTATUS_TSR (1UL << 22)

/* menvcfg; above bit 31 rv32 has them in menvcfgh (number 0x31a), 32 lower */
#define MENVCFG_ADUE (1ULL << 61)
#define MENVCFG_PBMTE (1ULL << 62)
#define MENVCFG_STCE (1ULL << 63)
#define ENVCFG_CBIE_FLUSH (1UL << 4)
#define ENVCFG_CBIE_INVAL (3UL << 4)
#define ENVCFG_CBIE (3UL << 4)
#define ENVCFG_CBCFE (1UL << 6)
#define ENVCFG_CBZE (1UL << 7)

/* mseccfg, number 0x747 (the assembler does not know the name) */
#define MSECCFG_MML 1UL
#define MSECCFG_MMWP 2UL
#define MSECCFG_RLB 4UL
#define MSECCFG_USEED 256UL
#define MSECCFG_SSEED 512UL

/* A byte of pmpcfg */
#define PMP_R 1u
#define PMP_W 2u
#define PMP_X 4u
#define PMP_RWX 7u
#define PMP_TOR (1u << 3)
#define PMP_NA4 (2u << 3)
#define PMP_NAPOT (3u << 3)
#define PMP_L (1u << 7)

#define COUNTEREN_CY 1UL
#define COUNTEREN_TM 2UL
#define COUNTEREN_IR 4UL

#endif
