/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The TLB, looked up inline by the interpreter and by translated code, filled by mmu.c.
 *
 * A context is a direct-mapped table for one way of seeing memory: M-mode; S-mode; S-mode with SUM;
 * U-mode, one for each of the last few values of satp. A trap to the kernel and back, a copy
 * from user space and a switch between processes choose another context and flush nothing.
 *
 * A tag is the address of a virtual page. va hits when
 *
 *     (va ^ tag) <= PAGE_SIZE - size
 *
 * so that one comparison checks the page and that the access does not leave it; what is left by the
 * exclusive or is the offset in the page. An invalid tag is a page that belongs to another slot, and so
 * matches nothing that is looked up there.
 *
 * Flushing a context costs what filling it cost, and no more: the slots that were filled are
 * remembered. Entries of global pages (and those of M-mode) outlive a change of satp.
 *
 * Each context has a jump cache beside its entries: where translated code for a virtual address is.
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
#define TLB_FILLS 8192 /* slots remembered; more: the whole context is wiped */

#define TLB_CODE_BITS 19
#define TLB_CODE_PAGES (1u << TLB_CODE_BITS)

#define TLB_USERS 8  /* address spaces whose U-mode contexts are kept */
#define TLB_WALKS 64 /* page-walk cache */
#define TLB_HUGE 8   /* ranges of virtual addresses that superpages were seen in */

#define TLB_JUMP_BITS 14
#define TLB_JUMPS (1u << TLB_JUMP_BITS)
#define TLB_NO_JUMP UINT64_MAX /* an odd address */

/*
 * A direct jump to another page has a slot of its own, which its translation knows: a hash of its
 * physical page, plus its place there. Jumps that share a slot are on different pages, which the
 * entry tells apart by the virtual address of the page that was jumped from.
 */
#define TLB_FARS (1u << 18)

struct tlb_entry {
    uint64_t read, write, fetch; /* tags; write: other harts' threads may make it invalid */
    uint64_t addend;             /* host address = virtual address + addend */
};

/* Translated code for a virtual address. */
struct tlb_jump {
    uint64_t pc; /* TLB_NO_JUMP: none */
    const void *code;
};

/* Slots with something in them. */
struct tlb_fills {
    unsigned count; /* more than TLB_FILLS: not all are listed */
    uint32_t slot[TLB_FILLS];
};

struct tlb_context {
    struct tlb_entry entries[TLB_SIZE]; /* first: translated code is short on offsets */
    struct tlb_jump jumps[TLB_JUMPS];
    uint64_t fars[TLB_FARS]; /* page that is jumped from, TLB_NO_JUMP; other harts may empty one */
    uint64_t satp;           /* of U-mode contexts */
    uint64_t used;           /* tlb.clock when it was last chosen */
    bool ready;              /* its tags are set up; before, nobody looks */
    struct tlb_fills global, local;      /* entries that outlive a change of satp, and the others */
    struct tlb_fills jumped, fared;      /* jumps, fars */
    uint64_t local_slots[TLB_SIZE / 64]; /* slots whose entries are not global */
    uint64_t huge_slots[TLB_SIZE / 64];  /* whose entries are parts of superpages */
    /* Pages that jumps, or the interpreter's, lead to: none but these are in them. By two hashes. */
    uint64_t code_pages[TLB_CODE_PAGES / 64];
    uint64_t code_first, code_last; /* and all of them lie in this range */
    bool local_code;                /* one of them is not global */
    bool huge_code;                 /* one of them is part of a superpage */
};

enum tlb_kind { TLB_M, TLB_S, TLB_S_SUM, TLB_U, TLB_CONTEXTS = TLB_U + TLB_USERS };

/* The last-level table that a virtual 2 MiB (Sv32: 4 MiB) region goes through. */
struct tlb_walk {
    uint64_t region; /* va >> 21 or 22 */
    uint64_t satp;
    uint64_t table;      /* physical address */
    uint32_t generation; /* of tlb.walk_generation; others are stale */
};

struct tlb_range {
    uint64_t first, last; /* page addresses, both inside */
    uint64_t span;        /* bytes of the largest superpage in it */
};

struct tlb {
    struct tlb_context *data;  /* of loads and stores */
    struct tlb_context *fetch; /* of instruction fetch: another one only under MPRV */
    uint64_t
        fetch_stamp; /* changes when a fetch translation of tlb.fetch may have, and with tlb.fetch */
    uint64_t fetch_epoch;
    uint64_t clock;
    uint64_t supervisor_satp; /* that the local entries of S-mode contexts are of */
    uint32_t walk_generation;
    /* An address fence inside a superpage concerns all of it: where superpages were seen. Sorted;
     * neighbours are merged when there are more than fit, so that a range may cover too much. Then a
     * fence looks for entries of superpages where there are none. */
    unsigned huge_count;
    struct tlb_range huge[TLB_HUGE];
    struct tlb_walk walks[TLB_WALKS];
    struct tlb_context *contexts; /* TLB_CONTEXTS of them, by enum tlb_kind */
};

/* The slot of a context that an address has. */
static inline unsigned tlb_slot(uint64_t va)
{
    return va >> PAGE_SHIFT & (TLB_SIZE - 1);
}

enum access { ACCESS_READ = 1, ACCESS_WRITE = 2, ACCESS_FETCH = 4 };

struct hart;

/* What mmu.c found out about a page. */
struct tlb_page {
    uint64_t va;
    uint8_t *host;      /* start of the page in guest memory */
    unsigned permitted; /* enum access bits */
    bool global;        /* the same in every address space */
    bool huge;          /* a part of a superpage */
};

bool tlb_new(struct hart *h); /* false: no memory */
void tlb_free(struct hart *h);

/* Privilege, mstatus (MPRV, MPP, SUM) or satp changed: chooses the contexts. */
void tlb_context_changed(struct hart *h);

/* SFENCE.VMA. has_va / has_asid: rs1 / rs2 was not x0. */
void tlb_fence(struct hart *h, bool has_va, uint64_t va, bool has_asid, uint64_t asid);

/* Everything, whatever space (PMP, MXR or menvcfg changed, reset). */
void tlb_flush(struct hart *h);

/* What the interpreter's jump cache knows about fetch addresses is no longer true. */
void tlb_fetch_changed(struct hart *h);

/* The jump caches of all contexts hold nothing any more. */
void tlb_forget_code(struct hart *h);

/* For mmu.c: an entry for a page after an access of kind `wanted`; and a superpage was seen. */
void tlb_enter(struct hart *h, const struct tlb_page *page, enum access wanted);
void tlb_saw_huge(struct hart *h, uint64_t first, uint64_t size);

/* The jump cache of tlb.fetch. */
static inline unsigned tlb_jump_index(uint64_t pc)
{
    return (unsigned)(pc >> 1) & (TLB_JUMPS - 1);
}
void tlb_enter_jump(struct hart *h, uint64_t pc, const void *code);
/* Both pages have been noted. */
void tlb_enter_far(struct hart *h, unsigned slot, uint64_t from_page);
/* Any thread that nobody enters this slot beside. */
void tlb_forget_far(struct hart *h, unsigned slot);
/* A jump cache, the interpreter's or another, is about to lead to or from that address. */
void tlb_note_code(struct hart *h, uint64_t pc);

/* Any thread: h may not write the guest page at `host` through its entries in that slot any more. It may
 * still be in the middle of a store. */
void tlb_revoke_write(struct hart *h, const uint8_t *host, unsigned slot);

#endif
