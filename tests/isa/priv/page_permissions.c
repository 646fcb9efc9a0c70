/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * A page allows what its R, W, X and U bits say: every combination of the low five bits, for loads,
 * stores, AMOs and fetches from U and S, with SUM and MXR (privileged specification, "Addressing and
 * Memory Protection", "Memory Privilege in mstatus Register").
 *
 * rerun: tests/isa/isa.test page_permissions
 */
#include "paging.h"

static struct space space;
static uint32_t *page;

struct wanted {
    bool read, write, fetch;
};

/* The rules, in one place. */
static struct wanted rules(ulong bits, unsigned mode, bool sum, bool mxr)
{
    struct wanted w = {false, false, false};
    bool read = bits & PTE_R, write = bits & PTE_W, execute = bits & PTE_X, user = bits & PTE_U;

    if (!(bits & PTE_V) || (write && !read))
        return w;
    if (!read && !execute) /* a pointer, where no level is left */
        return w;
    if (mode == MODE_U && !user)
        return w;
    w.read = read || (mxr && execute);
    w.write = write;
    w.fetch = execute;
    if (mode == MODE_S && user) {
        w.read &= sum;
        w.write &= sum;
        w.fetch = false;
    }
    return w;
}

static void try_all(unsigned mode, struct wanted w)
{
    struct run r;

    page[0] = INSN_ECALL;
    page[4] = 0x1234;
    r = RUN(mode, TEST_VA + 16, 0, LOAD_WORD);
    CHECK(r.cause, w.read ? CAUSE_ECALL_U + mode : CAUSE_LOAD_PAGE);
    CHECK(r.tval, w.read ? 0 : TEST_VA + 16);
    CHECK(r.a0, w.read ? 0x1234 : TEST_VA + 16);

    r = RUN(mode, TEST_VA + 16, 0x777, STORE_WORD);
    CHECK(r.cause, w.write ? CAUSE_ECALL_U + mode : CAUSE_STORE_PAGE);
    CHECK(r.tval, w.write ? 0 : TEST_VA + 16);
    CHECK(page[4], w.write ? 0x777 : 0x1234);

    r = run_fetch(mode, TEST_VA);
    CHECK(r.cause, w.fetch ? CAUSE_ECALL_U + mode : CAUSE_FETCH_PAGE);
    CHECK(r.tval, w.fetch ? 0 : TEST_VA);
    CHECK(r.at, 0);
}

/* SUM alone goes off and on, and what it let through before is not let through after. */
static void test_sum_alone(void)
{
    space_map(&space, TEST_VA, (ulong)page, 0, PTE_RW | PTE_U);
    sfence_all();
    page[4] = 7;
    for (unsigned round = 0; round < 4; round++) {
        csr_set(mstatus, MSTATUS_SUM);
        CHECK(RUN_OK(MODE_S, TEST_VA + 16, 0, LOAD_WORD), 7);
        RUN_OK(MODE_S, TEST_VA + 16, 7, STORE_WORD);
        csr_clear(mstatus, MSTATUS_SUM);
        RUN_TRAPS(MODE_S, TEST_VA + 16, 0, LOAD_WORD, CAUSE_LOAD_PAGE, TEST_VA + 16);
        RUN_TRAPS(MODE_S, TEST_VA + 16, 0, STORE_WORD, CAUSE_STORE_PAGE, TEST_VA + 16);
        CHECK(RUN_OK(MODE_U, TEST_VA + 16, 0, LOAD_WORD), 7);
        /* The same within S-mode: the second load must not find what the first was given. */
        RUN_TRAPS(MODE_S, TEST_VA + 16, MSTATUS_SUM,
                  "csrs sstatus, a1\nlw a2, 0(a0)\ncsrc sstatus, a1\nlw a2, 0(a0)", CAUSE_LOAD_PAGE,
                  TEST_VA + 16);
        CHECK(RUN_OK(MODE_S, TEST_VA + 16, MSTATUS_SUM,
                     "csrs sstatus, a1\nlw a0, 0(a0)\ncsrc sstatus, a1"),
              7);
    }
}

/* The same of MXR and a page that may only be run. */
static void test_mxr_alone(void)
{
    space_map(&space, TEST_VA, (ulong)page, 0, PTE_V | PTE_X | PTE_A);
    sfence_all();
    for (unsigned round = 0; round < 4; round++) {
        csr_set(mstatus, MSTATUS_MXR);
        CHECK(RUN_OK(MODE_S, TEST_VA + 16, 0, LOAD_WORD), 7);
        csr_clear(mstatus, MSTATUS_MXR);
        RUN_TRAPS(MODE_S, TEST_VA + 16, 0, LOAD_WORD, CAUSE_LOAD_PAGE, TEST_VA + 16);
    }
}

void test_main(void)
{
    space = space_new(DEFAULT_LEVELS);
    page = page_new();
    CHECK(space_on(&space), true);
    for (ulong bits = 0; bits < 32; bits++) {
        space_map(&space, TEST_VA, (ulong)page, 0,
                  bits | (bits & (PTE_R | PTE_X) ? PTE_A | PTE_D : 0));
        sfence_all();
        for (unsigned mode = MODE_U; mode <= MODE_S; mode++) {
            for (unsigned how = 0; how < 4; how++) {
                bool sum = how & 1, mxr = how & 2;

                csr_clear(mstatus, MSTATUS_SUM | MSTATUS_MXR);
                csr_set(mstatus, (sum ? MSTATUS_SUM : 0) | (mxr ? MSTATUS_MXR : 0));
                try_all(mode, rules(bits, mode, sum, mxr));
            }
        }
    }
    csr_clear(mstatus, MSTATUS_SUM | MSTATUS_MXR);
    test_sum_alone();
    test_mxr_alone();
    space_off();
}
