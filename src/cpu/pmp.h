/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Physical memory protection with Smepmp (privileged specification, "Physical Memory Protection"):
 * 16 entries, granule 4 bytes. Ranges are decoded when a register is written, so that a check is
 * a walk over the entries in use.
 */
#ifndef RVVM_CPU_PMP_H
#define RVVM_CPU_PMP_H

#include <stdbool.h>
#include <stdint.h>

#define PMP_ENTRIES 16

/* Fields of an entry's pmpcfg byte. */
enum {
    PMP_R = 1 << 0,
    PMP_W = 1 << 1,
    PMP_X = 1 << 2,
    PMP_A = 3 << 3, /* address matching */
    PMP_A_OFF = 0 << 3,
    PMP_A_TOR = 1 << 3,
    PMP_A_NA4 = 2 << 3,
    PMP_A_NAPOT = 3 << 3,
    PMP_L = 1 << 7,
};

/* Beside the bits of enum access: other bytes of the page may have other permissions. */
#define PMP_MIXED 8u

struct pmp {
    uint8_t cfg[PMP_ENTRIES];
    uint64_t addr[PMP_ENTRIES];  /* as the registers hold it: address >> 2 */
    uint64_t first[PMP_ENTRIES]; /* first and last byte that the entry matches */
    uint64_t last[PMP_ENTRIES];
    uint32_t active; /* bit i: entry i matches something */
};

struct hart;

/* May `priv` do `access` (one of enum access) to all of the `size` bytes at paddr? */
bool pmp_check(struct hart *h, uint64_t paddr, unsigned size, unsigned access, unsigned priv);

/*
 * What `priv` may do (bits of enum access) anywhere in the 4 KiB page at page_paddr. PMP_MIXED
 * alone: the page is not uniform, and each access in it needs its own pmp_check.
 */
unsigned pmp_page_access(struct hart *h, uint64_t page_paddr, unsigned priv);

/* All entries off and unlocked. The caller flushes the TLB. */
void pmp_reset(struct hart *h);

/*
 * The registers, entry by entry; entries from PMP_ENTRIES on read 0 and ignore writes. A write
 * obeys locks and legalises the value. true: something changed, and the TLB was flushed.
 */
uint8_t pmp_read_cfg(const struct hart *h, unsigned entry);
bool pmp_write_cfg(struct hart *h, unsigned entry, uint8_t value);
uint64_t pmp_read_addr(const struct hart *h, unsigned entry);
bool pmp_write_addr(struct hart *h, unsigned entry, uint64_t value);

/* Some entry is locked: what keeps mseccfg.RLB from being set. */
bool pmp_any_locked(const struct hart *h);

#endif
