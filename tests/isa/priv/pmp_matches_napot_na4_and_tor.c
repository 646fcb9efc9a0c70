/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * The lowest entry that matches any byte decides and must match all; NA4, NAPOT of each size and TOR
 * match what they say; without a match S and U may nothing and M everything (privileged
 * specification, "Physical Memory Protection").
 *
 * rerun: tests/isa/isa.test pmp_matches
 */
#include "pmp.h"

static uint64_t area[2048] __attribute__((aligned(16384)));
#define BASE ((ulong)area)

static void expect_load(int line, ulong at, bool works)
{
    for (unsigned mode = MODE_U; mode <= MODE_S; mode++) {
        struct run r = RUN(mode, at, 0, "lw a0, 0(a0)");

        check("load", line, r.cause, works ? CAUSE_ECALL_U + mode : CAUSE_LOAD_ACCESS);
        check("tval", line, r.tval, works ? 0 : at);
        r = RUN(mode, at, 1, "sw a1, 0(a0)");
        check("store", line, r.cause, works ? CAUSE_ECALL_U + mode : CAUSE_STORE_ACCESS);
        check("tval", line, r.tval, works ? 0 : at);
    }
    check("M-mode", line, RUN(MODE_M, at, 1, "sw a1, 0(a0)\nlw a0, 0(a0)").cause, CAUSE_ECALL_M);
}
#define OPEN(at) expect_load(__LINE__, at, true)
#define CLOSED(at) expect_load(__LINE__, at, false)

static void test_napot(void)
{
    for (ulong size = 8; size <= 8192; size *= 2) {
        pmp_set(0, PMP_NAPOT, NAPOT(BASE + 8192, size));
        CLOSED(BASE + 8192);
        CLOSED(BASE + 8192 + size - 4);
        OPEN(BASE + 8192 - 4);
        if (size < 8192)
            OPEN(BASE + 8192 + size);
    }
    pmp_set(0, 0, 0);
}

static void test_na4(void)
{
    pmp_set(0, PMP_NA4, AT(BASE + 0x100));
    OPEN(BASE + 0xfc);
    CLOSED(BASE + 0x100);
    OPEN(BASE + 0x104);
    pmp_set(0, 0, 0);
}

static void test_tor(void)
{
    pmp_set(0, 0, AT(BASE + 0x24));
    pmp_set(1, PMP_TOR, AT(BASE + 0x1030));
    OPEN(BASE + 0x20);
    CLOSED(BASE + 0x24);
    CLOSED(BASE + 0x102c);
    OPEN(BASE + 0x1030);
    /* An empty and a reversed range match nothing. */
    pmp_set(1, PMP_TOR, AT(BASE + 0x24));
    OPEN(BASE + 0x24);
    pmp_set(1, PMP_TOR, AT(BASE));
    OPEN(BASE);
    OPEN(BASE + 0x20);
    /* Entry 0 starts at 0. */
    pmp_set(1, 0, 0);
    pmp_set(0, PMP_TOR, AT(RAM_BASE));
    RUN_TRAPS(MODE_S, UART_BASE, 0, "lb a0, 5(a0)", CAUSE_LOAD_ACCESS, UART_BASE + 5);
    OPEN(BASE);
    pmp_set(0, 0, 0);
    RUN_TRAPS(MODE_S, UART_BASE, 0, "lb a0, 5(a0)", CAUSE_ECALL_S, 0);
}

static void test_priority(void)
{
    /* 1 opens what 2 closes and 0 closes a part of it again. */
    pmp_set(2, PMP_NAPOT, NAPOT(BASE, 4096));
    pmp_set(1, PMP_NAPOT | PMP_RWX, NAPOT(BASE + 0x400, 256));
    pmp_set(0, PMP_NA4, AT(BASE + 0x480));
    CLOSED(BASE + 0x3fc);
    OPEN(BASE + 0x400);
    CLOSED(BASE + 0x480);
    OPEN(BASE + 0x484);
    CLOSED(BASE + 0x500);
    OPEN(BASE + 4096);
    for (unsigned i = 0; i < 3; i++)
        pmp_set(i, 0, 0);
}

static void test_rights(void)
{
    for (unsigned rwx = 0; rwx < 8; rwx++) {
        struct run r;

        if ((rwx & 3) == PMP_W) /* reserved */
            continue;
        *(uint32_t *)BASE = 0x00000073; /* ecall */
        __asm__ volatile("fence.i");
        pmp_set(0, PMP_NAPOT | rwx, NAPOT(BASE, 64));
        r = RUN(MODE_S, BASE, 0, "lw a0, 0(a0)");
        CHECK(r.cause, rwx & PMP_R ? CAUSE_ECALL_S : CAUSE_LOAD_ACCESS);
        r = RUN(MODE_S, BASE + 8, 0, "sw a1, 0(a0)");
        CHECK(r.cause, rwx & PMP_W ? CAUSE_ECALL_S : CAUSE_STORE_ACCESS);
        r = run_at(MODE_S, BASE, 0, 0);
        CHECK(r.cause, rwx & PMP_X ? CAUSE_ECALL_S : CAUSE_FETCH_ACCESS);
        CHECK(r.tval, rwx & PMP_X ? 0 : BASE);
    }
    pmp_set(0, 0, 0);
}

static void test_no_match(void)
{
    pmp_set(PMP_LAST, PMP_NAPOT | PMP_RWX, NAPOT(RAM_BASE, 64 << 20));
    OPEN(BASE);
    RUN_TRAPS(MODE_S, UART_BASE, 0, "lb a0, 5(a0)", CAUSE_LOAD_ACCESS, UART_BASE + 5);
    RUN_TRAPS(MODE_U, UART_BASE, 0, "sb a0, 7(a0)", CAUSE_STORE_ACCESS, UART_BASE + 7);
    RUN_TRAPS(MODE_M, UART_BASE, 0, "lb a0, 5(a0)", CAUSE_ECALL_M, 0);
}

void test_main(void)
{
    pmp_open_last();
    test_napot();
    test_na4();
    test_tor();
    test_priority();
    test_rights();
    test_no_match();
}
