/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * An AMO or SC that faults reports a store fault even where the load would already have failed;
 * LR reports a load fault (privileged specification, "Machine Cause"; "Zaamo").
 *
 * rerun: tests/isa/isa.test atomic_faults_are_store_faults
 * oracle: none, QEMU 7.2 reports the access fault of an AMO as that of a load
 */
#include "test.h"

void test_main(void)
{
    RUN_TRAPS(MODE_M, UNMAPPED_PA, 1, "amoadd.w a0, a1, (a0)", CAUSE_STORE_ACCESS, UNMAPPED_PA);
    RUN_TRAPS(MODE_M, UNMAPPED_PA, 1, "amoswap.w x0, a1, (a0)", CAUSE_STORE_ACCESS, UNMAPPED_PA);
    RUN_TRAPS(MODE_M, UNMAPPED_PA, 1, "lr.w a0, (a0)", CAUSE_LOAD_ACCESS, UNMAPPED_PA);
#if RV64
    RUN_TRAPS(MODE_S, UNMAPPED_PA, 1, "amomax.d a0, a1, (a0)", CAUSE_STORE_ACCESS, UNMAPPED_PA);
    RUN_TRAPS(MODE_U, UNMAPPED_PA, 1, "lr.d a0, (a0)", CAUSE_LOAD_ACCESS, UNMAPPED_PA);
#endif
}
