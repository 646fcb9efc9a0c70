/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * With MPRV M-mode's loads and stores are translated and checked as MPP's; its fetches are not; SUM
 * and MXR count (privileged specification, "Memory Privilege in mstatus Register").
 *
 * rerun: tests/isa/isa.test mprv_accesses
 */
#include "paging.h"

static struct space space;
static uint32_t *user, *kernel, *code;

#define USER_VA TEST_VA
#define KERNEL_VA (TEST_VA + PAGE)
#define CODE_VA (TEST_VA + 2 * PAGE)

/* One access of M-mode with these bits of mstatus set around it. */
#define AS(status, at, value, access) \
    RUN(MODE_M, at, value, \
        "li t0, 0x1800\ncsrc mstatus, t0\n" \
        "li t0, " #status "\ncsrs mstatus, t0\n" access)

static void expect(int line, struct run r, bool works, ulong cause, ulong tval)
{
    check("cause", line, r.cause, works ? (ulong)CAUSE_ECALL_M : cause);
    check("tval", line, r.tval, works ? 0 : tval);
}

void test_main(void)
{
    struct run r;

    space = space_new(DEFAULT_LEVELS);
    user = page_new();
    kernel = page_new();
    code = page_new();
    user[0] = 1;
    kernel[0] = 2;
    code[0] = 3;
    space_map(&space, USER_VA, (ulong)user, 0, PTE_RW | PTE_U);
    space_map(&space, KERNEL_VA, (ulong)kernel, 0, PTE_RW);
    space_map(&space, CODE_VA, (ulong)code, 0, PTE_V | PTE_X | PTE_A);
    CHECK(space_on(&space), true);

    /* MPRV is 0x20000, MPP=S 0x800, MPP=M 0x1800, SUM 0x40000, MXR 0x80000. */
    r = AS(0x20000, USER_VA, 0, LOAD_WORD);
    expect(__LINE__, r, true, 0, 0);
    CHECK(r.a0, 1);
    expect(__LINE__, AS(0x20000, KERNEL_VA, 0, LOAD_WORD), false, CAUSE_LOAD_PAGE, KERNEL_VA);
    expect(__LINE__, AS(0x20000, KERNEL_VA + 4, 9, STORE_WORD), false, CAUSE_STORE_PAGE,
           KERNEL_VA + 4);
    r = AS(0x20800, KERNEL_VA, 0, LOAD_WORD);
    expect(__LINE__, r, true, 0, 0);
    CHECK(r.a0, 2);
    expect(__LINE__, AS(0x20800, KERNEL_VA + 4, 9, STORE_WORD), true, 0, 0);
    CHECK(kernel[1], 9);
    expect(__LINE__, AS(0x20800, USER_VA, 0, LOAD_WORD), false, CAUSE_LOAD_PAGE, USER_VA);
    expect(__LINE__, AS(0x60800, USER_VA + 4, 5, STORE_WORD), true, 0, 0);
    CHECK(user[1], 5);
    expect(__LINE__, AS(0x20800, CODE_VA, 0, LOAD_WORD), false, CAUSE_LOAD_PAGE, CODE_VA);
    r = AS(0xa0800, CODE_VA, 0, LOAD_WORD);
    expect(__LINE__, r, true, 0, 0);
    CHECK(r.a0, 3);

    /* Without MPRV, and with MPP = M, addresses are physical: access faults, not page faults. */
    expect(__LINE__, AS(0x20800, RAM_BASE, 0, LOAD_WORD), true, 0, 0);
    expect(__LINE__, AS(0x800, (ulong)user, 0, LOAD_WORD), true, 0, 0);
    expect(__LINE__, AS(0x21800, (ulong)user, 0, LOAD_WORD), true, 0, 0);
    expect(__LINE__, AS(0x20800, UNMAPPED_PA, 0, LOAD_WORD), false, CAUSE_LOAD_PAGE, UNMAPPED_PA);
    expect(__LINE__, AS(0x21800, UNMAPPED_PA, 0, LOAD_WORD), false, CAUSE_LOAD_ACCESS, UNMAPPED_PA);
    expect(__LINE__, AS(0x800, UNMAPPED_PA, 0, LOAD_WORD), false, CAUSE_LOAD_ACCESS, UNMAPPED_PA);

    /* AMOs go the same way. */
    r = AS(0x20800, KERNEL_VA + 4, 1, AMO_WORD);
    expect(__LINE__, r, true, 0, 0);
    CHECK(r.a0, 9);
    CHECK(kernel[1], 10);
    space_off();
}
