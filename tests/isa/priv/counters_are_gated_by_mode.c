/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * cycle, time, instret and hpmcounters are readable in S-mode when mcounteren lets them, in U-mode
 * when scounteren does as well, in M-mode always (privileged specification, "Machine Counter-Enable
 * Register", "Supervisor Counter-Enable Register").
 *
 * rerun: tests/isa/isa.test counters_are_gated
 */
#include "test.h"

#define TRY(bit, csr) \
    do { \
        for (unsigned enables = 0; enables < 4; enables++) { \
            ulong m = enables & 1 ? 1UL << (bit) : ~(1UL << (bit)); \
            ulong s = enables & 2 ? 1UL << (bit) : ~(1UL << (bit)); \
            csr_write(mcounteren, m); \
            csr_write(scounteren, s); \
            check(csr, __LINE__, RUN(MODE_S, 0, 0, "csrr a0, " csr).cause, \
                  enables & 1 ? CAUSE_ECALL_S : CAUSE_ILLEGAL); \
            check(csr, __LINE__, RUN(MODE_U, 0, 0, "csrr a0, " csr).cause, \
                  enables == 3 ? CAUSE_ECALL_U : CAUSE_ILLEGAL); \
            RUN_OK(MODE_M, 0, 0, "csrr a0, " csr); \
        } \
    } while (0)

void test_main(void)
{
    TRY(0, "cycle");
    TRY(1, "time");
    TRY(2, "instret");
    TRY(3, "hpmcounter3");
    TRY(18, "hpmcounter18");
#if !RV64
    TRY(0, "cycleh");
    TRY(1, "timeh");
    TRY(2, "instreth");
    TRY(3, "hpmcounter3h");
#endif
    /* scounteren is S-mode's, mcounteren is not. */
    csr_write(mcounteren, 0);
    RUN_OK(MODE_S, 7, 0, "csrw scounteren, a0");
    CHECK(csr_read(scounteren), 7);
    RUN_ILLEGAL(MODE_S, "csrr a0, mcounteren");
}
