/* SPDX-License-Identifier: MPL-2.0 */
/*
 * For compare-and-exchange of 32 bits. gcc 12 for riscv64 compares what lr.w has loaded, sign-extended, with all of
 * the register that holds the expected value, and takes that from 64 bits without extending it: it then writes
 * nothing and says that it did.
 */
#ifndef RVVM_CPU_WORD_EXPECTED_H
#define RVVM_CPU_WORD_EXPECTED_H

#if defined(__riscv) && __riscv_xlen == 64
#define WORD_EXPECTED(variable) __asm__("sext.w %0, %0" : "+r"(variable))
#else
#define WORD_EXPECTED(variable) ((void)0)
#endif

#endif
