/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Without compressed instructions a jump or taken branch to an address that is not a multiple of
 * four traps with the jump's own epc, the target as tval and no link written; a branch not taken
 * does not; xEPC drops two bits (unprivileged specification, "Control Transfer Instructions").
 *
 * rerun: tests/isa/isa.test jump_to_misaligned
 * march: ima
 * cpu: c=off
 * oracle: none, QEMU 7.2 gives the jump's own address as tval
 */
#include "test.h"

void test_main(void)
{
    static const unsigned modes[] = {MODE_M, MODE_S, MODE_U};
    struct run r;

    for (unsigned i = 0; i < 3; i++) {
        r = RUN_TRAPS(modes[i], RAM_BASE, 77, ".option norvc\nnop\njalr a1, 2(a0)\n",
                      CAUSE_FETCH_MISALIGNED, RAM_BASE + 2);
        CHECK(r.at, 4);
        CHECK(r.a1, 77);
        r = RUN_TRAPS(modes[i], 0, 77,
                      ".option norvc\nnop\n1: .4byte 0x006005ef\n", /* jal a1, 1b+6 */
                      CAUSE_FETCH_MISALIGNED, run_.epc + 6);
        CHECK(r.at, 4);
        CHECK(r.a1, 77);
        r = RUN_TRAPS(modes[i], 0, 0,
                      ".option norvc\nnop\nnop\n.4byte 0x00000563\n", /* beq x0, x0, .+10 */
                      CAUSE_FETCH_MISALIGNED, run_.epc + 10);
        CHECK(r.at, 8);
        CHECK(RUN_OK(modes[i], 1, 0, ".option norvc\n.4byte 0x00001563\nli a0, 5\n"), 5); /* bne */
    }
    csr_write(mepc, RAM_BASE + 6);
    CHECK(csr_read(mepc), RAM_BASE + 4);
    RUN_ILLEGAL(MODE_M, ".2byte 0x0001\n.2byte 0x0001");
}
