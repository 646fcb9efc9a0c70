/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * LR, SC and AMOs need natural alignment: otherwise an address-misaligned or an access-fault
 * exception, load kind for LR and store kind for the others, tval the address, nothing stored,
 * rd unchanged (unprivileged specification, "Zalrsc", "Zaamo").
 *
 * rerun: tests/isa/isa.test misaligned_atomics_trap
 * oracle: none, QEMU 7.2 reports a misaligned AMO as load and lets an SC without reservation pass
 */
#include "test.h"

static uint64_t cell[4] __attribute__((aligned(64)));

#define TRAPS_MISALIGNED(mode, text, offset, load) \
    do { \
        ulong at_ = (ulong)cell + (offset); \
        struct run r_ = RUN(mode, at_, 99, text); \
        CHECK_TRUE(r_.cause == ((load) ? CAUSE_LOAD_MISALIGNED : CAUSE_STORE_MISALIGNED) || \
                   r_.cause == ((load) ? CAUSE_LOAD_ACCESS : CAUSE_STORE_ACCESS)); \
        check("tval " text, __LINE__, r_.tval, at_); \
        check("epc " text, __LINE__, r_.at, 0); \
        check("rd " text, __LINE__, r_.a0, at_); \
        check64("memory " text, __LINE__, cell[0] | cell[1], 0); \
    } while (0)

void test_main(void)
{
    static const unsigned modes[] = {MODE_M, MODE_U};

    for (int i = 0; i < 2; i++) {
        for (unsigned offset = 1; offset < 4; offset++) {
            TRAPS_MISALIGNED(modes[i], "lr.w a0, (a0)", offset, true);
            TRAPS_MISALIGNED(modes[i], "sc.w a0, a1, (a0)", offset, false);
            TRAPS_MISALIGNED(modes[i], "amoswap.w a0, a1, (a0)", offset, false);
            TRAPS_MISALIGNED(modes[i], "amoadd.w a0, a1, (a0)", offset, false);
            TRAPS_MISALIGNED(modes[i], "amomaxu.w a0, a1, (a0)", offset, false);
        }
#if RV64
        for (unsigned offset = 1; offset < 8; offset++) {
            TRAPS_MISALIGNED(modes[i], "lr.d a0, (a0)", offset, true);
            TRAPS_MISALIGNED(modes[i], "sc.d a0, a1, (a0)", offset, false);
            TRAPS_MISALIGNED(modes[i], "amoadd.d a0, a1, (a0)", offset, false);
            TRAPS_MISALIGNED(modes[i], "amomin.d a0, a1, (a0)", offset, false);
        }
#endif
    }
}
