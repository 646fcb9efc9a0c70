/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Svpbmt: with menvcfg.PBMTE a leaf may say NC or IO, on pages and superpages, and memory works as
 * with PMA ("Svpbmt").
 *
 * rerun: tests/isa/isa.test page_memory_types
 * needs: rv64
 */
#include "paging.h"

void test_main(void)
{
    struct space space = space_new(DEFAULT_LEVELS);
    uint32_t *page = page_new();
    ulong big = TEST_REGION + 4 * LEVEL_SIZE(1);

    csr_set(menvcfg, MENVCFG_PBMTE);
    CHECK(csr_read(menvcfg) & MENVCFG_PBMTE, MENVCFG_PBMTE);
    CHECK(space_on(&space), true);
    for (ulong type = 0; type < 3; type++) {
        space_map(&space, TEST_VA, (ulong)page, 0, PTE_RW | type << 61);
        space_map(&space, big, RAM_BASE, 1, PTE_RW | type << 61);
        sfence_all();
        page[0] = 7 + type;
        CHECK(RUN_OK(MODE_S, TEST_VA, 0, LOAD_WORD), 7 + type);
        CHECK(RUN_OK(MODE_S, big + ((ulong)page - RAM_BASE), 0, LOAD_WORD), 7 + type);
        RUN_OK(MODE_S, TEST_VA + 4, type, STORE_WORD);
        CHECK(page[1], type);
        RUN_OK(MODE_S, TEST_VA + 4, 5, AMO_WORD);
        CHECK(page[1], type + 5);
    }
    space_off();
}
