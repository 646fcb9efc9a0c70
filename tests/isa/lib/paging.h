/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Page tables for tests: an address space in which RAM stands three times over:
 *
 *     RAM_BASE             where it is linked, for S-mode (no U bit)
 *     USER_ALIAS           the same RAM for U-mode code and stack (user_alias_offset is set)
 *     TEST_VA              nothing: the test maps its own pages here
 *
 * M-mode runs untranslated, so a test changes tables while space_on() is in force.
 */
#ifndef ISA_PAGING_H
#define ISA_PAGING_H

#include "test.h"

#define PTE_V 1UL
#define PTE_R 2UL
#define PTE_W 4UL
#define PTE_X 8UL
#define PTE_U 16UL
#define PTE_G 32UL
#define PTE_A 64UL
#define PTE_D 128UL
#define PTE_RW (PTE_V | PTE_R | PTE_W | PTE_A | PTE_D)
#define PTE_RWX (PTE_RW | PTE_X)
#define PTE_N (1ULL << 63)

#define PAGE 4096UL
#define USER_ALIAS 0xc0000000UL
#define TEST_REGION 0x40000000UL /* aligned for every superpage */
/* A page whose number ends unlike those of code and data, so that a TLB can hold all of them. */
#define TEST_VA (TEST_REGION + 0x345000UL)
#define INDEX_BITS (RV64 ? 9 : 10)
/* Bytes that an entry of this level maps: 0 is a page. */
#define LEVEL_SIZE(level) (PAGE << (INDEX_BITS * (level)))

struct space {
    ulong *root;
    int levels; /* 2: Sv32; 3, 4, 5: Sv39, Sv48, Sv57 */
};

/* The space all tests of one mode start from; pages come from a pool that is never returned. */
struct space space_new(int levels);
/* The entry for `va` at `level`, with the tables above it made as needed. */
ulong *space_entry(struct space *space, uint64_t va, int level);
void space_map(struct space *space, uint64_t va, uint64_t pa, int level, ulong flags);
ulong space_satp(const struct space *space, ulong asid);
/* Sets satp and flushes all. False, with satp bare, when the hart has no such mode. */
bool space_on(const struct space *space);
void space_off(void);
void *page_new(void);

static inline void sfence_all(void)
{
    __asm__ volatile("sfence.vma" ::: "memory");
}
static inline ulong pte_make(uint64_t pa, ulong flags)
{
    return (ulong)(pa >> 12 << 10) | flags;
}

#define DEFAULT_LEVELS (RV64 ? 3 : 2)

/* What one access at va does in a mode. Loads give the value in a0. */
#define LOAD_WORD "lw a0, 0(a0)"
#define STORE_WORD "sw a1, 0(a0)"
#if RV64
#define LOAD_LONG "ld a0, 0(a0)"
#define STORE_LONG "sd a1, 0(a0)"
#else
#define LOAD_LONG "lw a0, 0(a0)"
#define STORE_LONG "sw a1, 0(a0)"
#endif
#define AMO_WORD "amoadd.w a0, a1, (a0)"

/* Jumps to va in a mode; what is there should be an ecall. */
static inline struct run run_fetch(unsigned mode, ulong va)
{
    return run_at(mode, va, 0, 0);
}

/* Parcels for code that tests write. */
#define INSN_ECALL 0x00000073u
#define INSN_C_NOP 0x0001u
#define INSN_NOP 0x00000013u

static inline void put32(void *at, uint32_t insn)
{
    volatile uint16_t *parcel = at;

    parcel[0] = (uint16_t)insn;
    parcel[1] = (uint16_t)(insn >> 16);
}
static inline void put16(void *at, uint16_t insn)
{
    *(volatile uint16_t *)at = insn;
}
static inline void fence_i(void)
{
    __asm__ volatile("fence.i" ::: "memory");
}

#endif
