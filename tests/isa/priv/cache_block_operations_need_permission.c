/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * cbo.inval, cbo.clean, cbo.flush and cbo.zero below M-mode need menvcfg's CBIE, CBCFE and CBZE, in
 * U-mode senvcfg's as well; their faults are store faults at the address given; cbo.zero needs store
 * permission, the others load or store ("Zicbom", "Zicboz"; "Machine Environment Configuration").
 *
 * rerun: tests/isa/isa.test cache_block
 * oracle: none, QEMU 7.2 has no cache block operations
 */
#include "paging.h"

static uint8_t block[256] __attribute__((aligned(256)));

#define TRY(text, bits) \
    do { \
        for (unsigned enables = 0; enables < 4; enables++) { \
            csr_write(menvcfg, (csr_read(menvcfg) & ~0xf0UL) | (enables & 1 ? (bits) : 0)); \
            csr_write(senvcfg, enables & 2 ? (bits) : 0); \
            check(text, __LINE__, RUN(MODE_M, block, 0, text).cause, CAUSE_ECALL_M); \
            check(text, __LINE__, RUN(MODE_S, block, 0, text).cause, \
                  enables & 1 ? CAUSE_ECALL_S : CAUSE_ILLEGAL); \
            check(text, __LINE__, RUN(MODE_U, block, 0, text).cause, \
                  enables == 3 ? CAUSE_ECALL_U : CAUSE_ILLEGAL); \
        } \
    } while (0)

static void test_gates(void)
{
    TRY("cbo.inval (a0)", ENVCFG_CBIE_FLUSH);
    TRY("cbo.inval (a0)", ENVCFG_CBIE_INVAL);
    TRY("cbo.clean (a0)", ENVCFG_CBCFE);
    TRY("cbo.flush (a0)", ENVCFG_CBCFE);
    TRY("cbo.zero (a0)", ENVCFG_CBZE);
    /* The wrong bits do not help. */
    csr_set(menvcfg, 0xf0);
    csr_clear(menvcfg, ENVCFG_CBZE);
    RUN_ILLEGAL(MODE_S, "cbo.zero (a0)");
    csr_set(menvcfg, 0xf0);
    csr_clear(menvcfg, ENVCFG_CBCFE);
    RUN_ILLEGAL(MODE_S, "cbo.flush (a0)");
    csr_set(menvcfg, 0xf0);
    csr_clear(menvcfg, ENVCFG_CBIE);
    RUN_ILLEGAL(MODE_S, "cbo.inval (a0)");
    csr_set(menvcfg, 0xf0);
    csr_write(senvcfg, 0xf0);
    /* Prefetches are hints: never a trap. */
    RUN_OK(MODE_U, UNMAPPED_PA, 0, "prefetch.r 0(a0)\nprefetch.w 32(a0)\nprefetch.i 0(a0)");
}

static void test_zero(void)
{
    for (unsigned i = 0; i < sizeof(block); i++)
        block[i] = 0xa5;
    RUN_OK(MODE_U, block + 64 + 17, 0, "cbo.zero (a0)");
    for (unsigned i = 0; i < sizeof(block); i++)
        CHECK(block[i], i / 64 == 1 ? 0 : 0xa5);
    /* The others change no data. */
    RUN_OK(MODE_U, block + 5, 0, "cbo.clean (a0)\ncbo.flush (a0)\ncbo.inval (a0)");
    CHECK(block[0], 0xa5);
}

static void test_faults(void)
{
    struct space space = space_new(DEFAULT_LEVELS);

    RUN_TRAPS(MODE_S, UNMAPPED_PA + 5, 0, "cbo.zero (a0)", CAUSE_STORE_ACCESS, UNMAPPED_PA + 5);
    RUN_TRAPS(MODE_M, UNMAPPED_PA + 5, 0, "cbo.zero (a0)", CAUSE_STORE_ACCESS, UNMAPPED_PA + 5);
    space_map(&space, TEST_VA, (ulong)page_new(), 0, PTE_V | PTE_R | PTE_A | PTE_D);
    CHECK(space_on(&space), true);
    RUN_TRAPS(MODE_S, TEST_VA + 9, 0, "cbo.zero (a0)", CAUSE_STORE_PAGE, TEST_VA + 9);
    RUN_TRAPS(MODE_S, TEST_VA + 9, 0, "cbo.clean (a0)\ncbo.flush (a0)\ncbo.inval (a0)",
              CAUSE_ECALL_S, 0);
    RUN_TRAPS(MODE_S, TEST_VA + PAGE + 9, 0, "cbo.clean (a0)", CAUSE_STORE_PAGE,
              TEST_VA + PAGE + 9);
    RUN_TRAPS(MODE_S, TEST_VA + PAGE + 9, 0, "cbo.inval (a0)", CAUSE_STORE_PAGE,
              TEST_VA + PAGE + 9);
    RUN_TRAPS(MODE_U, TEST_VA + 9, 0, "cbo.flush (a0)", CAUSE_STORE_PAGE, TEST_VA + 9);
    space_off();
}

void test_main(void)
{
    test_gates();
    test_zero();
    test_faults();
}
