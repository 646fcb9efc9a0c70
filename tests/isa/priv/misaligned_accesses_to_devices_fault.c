/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Misaligned loads and stores work in main memory only; to a device they are access faults or
 * misaligned exceptions, with nothing done (unprivileged specification, "Load and Store
 * Instructions"; privileged, "Physical Memory Attributes").
 *
 * rerun: tests/isa/isa.test misaligned_accesses_to
 * oracle: none, QEMU 7.2 splits such an access for the device
 */
#include "test.h"

void test_main(void)
{
    ulong at = CLINT_BASE + 0x4001;
    struct run r;

    clint_set_timecmp(0, 0x1122334455667788);
    r = RUN(MODE_M, at, 0, "lw a0, 0(a0)");
    CHECK_TRUE(r.cause == CAUSE_LOAD_ACCESS || r.cause == CAUSE_LOAD_MISALIGNED);
    CHECK(r.tval, at);
    r = RUN(MODE_S, at, 0, "sw a1, 0(a0)");
    CHECK_TRUE(r.cause == CAUSE_STORE_ACCESS || r.cause == CAUSE_STORE_MISALIGNED);
    CHECK(r.tval, at);
    CHECK(read32(CLINT_BASE + 0x4000), 0x55667788);
    CHECK(read32(CLINT_BASE + 0x4004), 0x11223344);
    /* Over the border of memory and nothing: neither part is done. */
    r = RUN(MODE_M, RAM_BASE - 2, -1, "sw a1, 0(a0)");
    CHECK_TRUE(r.cause == CAUSE_STORE_ACCESS || r.cause == CAUSE_STORE_MISALIGNED);
    CHECK_TRUE(*(uint16_t *)RAM_BASE != 0xffff);
}
