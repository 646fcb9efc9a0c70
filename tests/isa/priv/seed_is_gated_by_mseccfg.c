/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * seed must be accessed by a read-write instruction; M-mode always may, S and U when mseccfg.SSEED
 * and USEED say so; with state ES16 its low 16 bits vary and bits 16 to 29 are zero ("Zkr").
 *
 * rerun: tests/isa/isa.test seed
 * oracle-cpu: zkr=on
 */
#include "test.h"

#define SEED "0x015"

static void test_gates(void)
{
    for (ulong gates = 0; gates < 4; gates++) {
        csr_write(0x747, (gates & 1 ? MSECCFG_SSEED : 0) | (gates & 2 ? MSECCFG_USEED : 0));
        CHECK(RUN(MODE_M, 0, 0, "csrrw a0, " SEED ", x0").cause, CAUSE_ECALL_M);
        CHECK(RUN(MODE_S, 0, 0, "csrrw a0, " SEED ", x0").cause,
              gates & 1 ? CAUSE_ECALL_S : CAUSE_ILLEGAL);
        CHECK(RUN(MODE_U, 0, 0, "csrrw a0, " SEED ", x0").cause,
              gates & 2 ? CAUSE_ECALL_U : CAUSE_ILLEGAL);
    }
    RUN_ILLEGAL(MODE_M, "csrr a0, " SEED);
    RUN_ILLEGAL(MODE_S, "csrrsi a0, " SEED ", 0");
    RUN_ILLEGAL(MODE_U, "csrrci a0, " SEED ", 0");
    RUN_OK(MODE_U, 0, 0, "csrrsi a0, " SEED ", 1");
}

static void test_entropy(void)
{
    ulong differ = 0, first = 0;
    unsigned words = 0;

    for (unsigned i = 0; i < 10000 && words < 32; i++) {
        ulong v;

        __asm__ volatile("csrrw %0, " SEED ", x0" : "=r"(v));
        CHECK(v >> 16 & 0x3fff, 0);
        CHECK_TRUE((v >> 30 & 3) != 3); /* DEAD */
        if ((v >> 30 & 3) != 2)
            continue;
        if (words++)
            differ |= v ^ first;
        else
            first = v;
    }
    CHECK(words, 32);
    CHECK(differ & 0xffff, 0xffff); /* a bit stays the same 31 times once in 2^31 */
}

void test_main(void)
{
    test_gates();
    test_entropy();
}
