/* SPDX-License-Identifier: GPL-3.0-only */
/* Page tables for tests; see paging.h. */
#include "paging.h"

#define POOL_PAGES 192
#define IDENTITY_BYTES 0x01000000UL /* of RAM that RV32 maps; RV64 maps a gigapage */

static char pool[POOL_PAGES][PAGE] __attribute__((aligned(4096)));
static unsigned pool_used;

void *page_new(void)
{
    if (pool_used == POOL_PAGES) {
        print("the test ran out of pages\n");
        check("pages", __LINE__, pool_used, 0);
        finish();
    }
    return pool[pool_used++];
}

ulong *space_entry(struct space *space, uint64_t va, int level)
{
    ulong *table = space->root;

    for (int i = space->levels - 1; i > level; i--) {
        ulong *entry = &table[(va >> (12 + INDEX_BITS * i)) & ((1 << INDEX_BITS) - 1)];

        if (!(*entry & PTE_V))
            *entry = pte_make((ulong)page_new(), PTE_V);
        table = (ulong *)(*entry >> 10 << 12);
    }
    return &table[(va >> (12 + INDEX_BITS * level)) & ((1 << INDEX_BITS) - 1)];
}

void space_map(struct space *space, uint64_t va, uint64_t pa, int level, ulong flags)
{
    *space_entry(space, va, level) = pte_make(pa, flags);
}

struct space space_new(int levels)
{
    struct space space = {page_new(), levels};
    int level = RV64 ? 2 : 1;
    ulong size = LEVEL_SIZE(level);

    for (ulong at = 0; at < (RV64 ? size : IDENTITY_BYTES); at += size) {
        space_map(&space, RAM_BASE + at, RAM_BASE + at, level, PTE_RWX);
        space_map(&space, USER_ALIAS + at, RAM_BASE + at, level, PTE_RWX | PTE_U);
    }
    return space;
}

ulong space_satp(const struct space *space, ulong asid)
{
    ulong ppn = (ulong)space->root >> 12;

    if (!RV64)
        return ppn | asid << 22 | 1UL << 31;
    return ppn | asid << (XLEN - 20) | (ulong)(space->levels + 5) << (XLEN - 4);
}

bool space_on(const struct space *space)
{
    ulong satp = space_satp(space, 0);

    csr_write(satp, satp);
    sfence_all();
    if (csr_read(satp) != satp) {
        space_off();
        return false;
    }
    user_alias_offset = USER_ALIAS - RAM_BASE;
    return true;
}

void space_off(void)
{
    csr_write(satp, 0);
    sfence_all();
    user_alias_offset = 0;
}
