/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The TLB, looked up inline by the interpreter (and by translated code), filled by mmu.c.
 *
 * Direct-mapped by virtual page. A tag is the virtual page number in its place, with an 8-bit key in
 * bits 4 to 11 that stands for the translation context; bits 0 to 3 are zero. A lookup compares
 *
 *     (va & (PAGE_MASK | (size - 1))) | key  ==  tag
 *
 * so that one comparison checks page, context, permission and alignment. Misaligned accesses, pages
 * of devices and pages with finer PMP regions miss and take the slow path.
 *
 * A key is handed out for each (satp, mode, MXR) in use. Dropping an address space is forgetting its
 * keys: its entries can never match again. When all 255 have been handed out, the table is wiped.
 *
 * SUM is not part of the context: kernels flip it around every copy from user space, and the
 * kernel's own pages must stay. The few user pages that S-mode reaches under SUM are
 * remembered and dropped when SUM falls.
 */
#ifndef RVVM_CPU_TLB_H
#define RVVM_CPU_TLB_H

#include <stdbool.h>
#include <stdint.h>

#define PAGE_SHIFT 12
#define PAGE_SIZE 4096u
#define PAGE_MASK (~(uint64_t)(PAGE_SIZE - 1))

#define TLB_BITS 12
#define TLB_SIZE (1u << TLB_BITS)
#define TLB_INVALID UINT64_MAX /* low bits set: matches no lookup */

#define TLB_KEY_SHIFT 4
#define TLB_KEYS 256

#define TLB_SPACES 64     /* address spaces whose keys are remembered */
#define TLB_SUM_PAGES 8   /* user pages reached under SUM before all are dropped at once */
#define TLB_WALKS 64      /* page-walk cache */
#define TLB_HUGE 8        /* ranges of virtual addresses that superpages were seen in */

enum tlb_mode { TLB_U, TLB_S, TLB_M, TLB_MODES, TLB_MXR = 4 }; /* mode, plus MXR */

struct tlb_entry {
    uint64_t read, write, fetch; /* tags */
    uint64_t addend;             /* host address = virtual address + addend */
};

/* An address space (a value of satp) and the keys its contexts were given; 0: none yet. */
struct tlb_space {
    uint64_t satp;
    uint8_t key[8]; /* by enum tlb_mode | TLB_MXR */
};

/* The last-level table that a virtual 2 MiB (Sv32: 4 MiB) region goes through. */
struct tlb_walk {
    uint64_t region; /* va >> 21 or 22, UINT64_MAX: free */
    uint64_t satp;
    uint64_t table; /* physical address */
    uint32_t generation; /* of tlb.walk_generation; others are stale */
};

struct tlb_range {
    uint64_t first, last; /* page addresses, both inside */
};

struct tlb {
    uint64_t data_key;  /* of loads and stores, shifted into place */
    uint64_t fetch_key; /* of instruction fetch */
    uint64_t fetch_stamp; /* fetch_key and an epoch that changes when any fetch translation may have */
    uint64_t fetch_epoch;
    uint32_t walk_generation;
    struct tlb_space *space; /* of the current satp */
    struct tlb_space machine; /* M-mode, whatever satp says */
    struct tlb_space spaces[TLB_SPACES];
    unsigned next_key;
    unsigned sum_count;                /* user pages that S-mode has entries for */
    uint64_t sum_page[TLB_SUM_PAGES];
    /* An address fence inside a superpage concerns all of it: where superpages were seen. Sorted;
     * neighbours are merged when there are more than fit, so that a range may cover too much. */
    unsigned huge_count;
    struct tlb_range huge[TLB_HUGE];
    struct tlb_walk walks[TLB_WALKS];
    struct tlb_entry entries[TLB_SIZE];
};

enum access { ACCESS_READ = 1, ACCESS_WRITE = 2, ACCESS_FETCH = 4 };

struct hart;

/* Empty, and the keys follow the hart's mode. */
void tlb_reset(struct hart *h);

/* privilege, mstatus (MPRV, MPP, SUM, MXR) or satp changed: chooses the keys. */
void tlb_context_changed(struct hart *h);

/* mstatus.SUM fell: drops what S-mode reached through it. */
void tlb_sum_cleared(struct hart *h);

/* SFENCE.VMA. has_va / has_asid: rs1 / rs2 was not x0. */
void tlb_fence(struct hart *h, bool has_va, uint64_t va, bool has_asid, uint64_t asid);

/* Everything, whatever space (PMP changed, reset). */
void tlb_flush(struct hart *h);

/* What the jump cache knows about fetch addresses is no longer true. */
void tlb_fetch_changed(struct hart *h);

/* For mmu.c: an entry for a page, with the accesses it permits; and a superpage was seen. */
void tlb_enter(struct hart *h, uint64_t va, uint8_t *host, unsigned permitted, unsigned wanted,
               bool through_sum);
void tlb_saw_huge(struct hart *h, uint64_t first, uint64_t size);

#endif
