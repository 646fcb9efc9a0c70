/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * pause, hint encodings, all fences, prefetches and, within bounded time, wrs.sto and wrs.nto change
 * no register and go on behind themselves; wrs.nto obeys mstatus.TW ("Zihintpause", "Zawrs",
 * "Zicbop", "HINT Instructions").
 *
 * rerun: tests/isa/isa.test hints_and_waits
 * oracle: none, QEMU 7.2 has no Zawrs
 */
#include "test.h"

static uint32_t word;

static void try(unsigned mode)
{
    ulong at = (ulong)&word;

    CHECK(RUN_OK(mode, at, 5, "pause\nfence\nfence.tso\nfence rw, w\nfence r, r\nfence iorw, iorw"),
          at);
    CHECK(RUN_OK(mode, at, 5, ".4byte 0x0000000f\n.4byte 0x0000100f"),
          at); /* fence 0, 0; fence.i */
    CHECK(RUN_OK(mode, at, 5,
                 "prefetch.i 0(a0)\nprefetch.r 64(a0)\nprefetch.w 32(a0)\nprefetch.r 0(zero)"),
          at);
    /* Hints: writes to x0, also compressed ones; fences with reserved fields act as fences. */
    CHECK(RUN_OK(mode, at, 5, "lui x0, 5\nslti x0, a0, 3\nadd x0, a0, a1\n.4byte 0x8330000f"), at);
    CHECK(RUN_OK(mode, at, 5, ".2byte 0x0005\n.2byte 0x4005\n.2byte 0x800a\n.2byte 0x0006"), at);
    CHECK(RUN_OK(mode, at, 5, "lr.w a1, (a0)\nwrs.sto\nli a1, 1"), at);
    CHECK(RUN_OK(mode, at, 5, "wrs.sto\nwrs.sto"), at);
    CHECK(RUN_OK(mode, at, 5, "lr.w a1, (a0)\nwrs.nto\nli a1, 1"), at);
}

void test_main(void)
{
    try(MODE_M);
    try(MODE_S);
    try(MODE_U);
    csr_set(mstatus, MSTATUS_TW);
    /* With TW it may wait a bounded time before it is illegal, or go on within it. */
    for (unsigned mode = MODE_U; mode <= MODE_S; mode++) {
        struct run r = RUN(mode, &word, 0, "lr.w a1, (a0)\nwrs.nto");
        CHECK_TRUE(r.cause == CAUSE_ILLEGAL || r.cause == CAUSE_ECALL_U + mode);
    }
    CHECK(RUN(MODE_M, &word, 0, "lr.w a1, (a0)\nwrs.nto").cause, CAUSE_ECALL_M);
    RUN_OK(MODE_S, &word, 0, "lr.w a1, (a0)\nwrs.sto");
}
