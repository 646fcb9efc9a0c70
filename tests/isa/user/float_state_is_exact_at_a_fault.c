/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * A trap in the middle of floating-point code shows the registers and flags that the instructions
 * before it left, and nothing of those behind it; the handler goes on from there.
 *
 * rerun: tests/isa/isa.test float_state
 */
#include "fp.h"

static uint64_t results[4];
static const uint64_t three = 0x4008000000000000;

/* 1/3 rounds; the access faults; 1/0 and 0/0 would raise more. */
#define DIVIDE_AND(access) \
    "csrwi fcsr, 0\nfcvt.d.w fa0, zero\nli a2, 1\nfcvt.d.w fa1, a2\nli a2, 3\nfcvt.d.w fs4, a2\n" \
    "fdiv.d fa2, fa1, fs4\nfdiv.d fs5, fa1, fs4\nfsub.d fa3, fa0, fs4\n" access "\n" \
    "fdiv.d fa2, fa1, fa0\nfdiv.d fs5, fa0, fa0\nfmv.d fa3, fa0"

static ulong read_state(void)
{
    ulong flags;
    __asm__ volatile(".option push\n.option arch, +f, +d\n"
                     "fsd fa2, 0(%1)\nfsd fs5, 8(%1)\nfsd fa3, 16(%1)\nfsd fs4, 24(%1)\n"
                     "frflags %0\n.option pop"
                     : "=r"(flags)
                     : "r"(results)
                     : "memory");
    return flags;
}

#define STOPS(access, want_cause) \
    do { \
        struct run r_ = RUN(MODE_U, UNMAPPED_PA, 0, DIVIDE_AND(access)); \
        check("cause: " access, __LINE__, r_.cause, want_cause); \
        check("flags: " access, __LINE__, read_state(), NX); \
        check64("fa2: " access, __LINE__, results[0], 0x3fd5555555555555); \
        check64("fs5: " access, __LINE__, results[1], 0x3fd5555555555555); \
        check64("fa3: " access, __LINE__, results[2], three | 1ull << 63); \
        check64("fs4: " access, __LINE__, results[3], three); \
    } while (0)

/* The same code without a fault, to show that it would have raised more. */
static void test_to_the_end(void)
{
    struct run r = RUN(MODE_U, 0, 0, DIVIDE_AND("nop"));
    CHECK(r.cause, CAUSE_ECALL_U);
    CHECK(read_state(), NX | DZ | NV);
    CHECK64(results[0], 0x7ff0000000000000);
    CHECK64(results[1], NAN_D);
    CHECK64(results[2], 0);
}

void test_main(void)
{
    for (int again = 0; again < 3; again++) {
        STOPS("lw a1, 0(a0)", CAUSE_LOAD_ACCESS);
        STOPS("sb zero, 0(a0)", CAUSE_STORE_ACCESS);
        STOPS("fld fa3, 0(a0)", CAUSE_LOAD_ACCESS);
        STOPS("flw fs5, 0(a0)", CAUSE_LOAD_ACCESS);
        STOPS("fsd fa2, 0(a0)", CAUSE_STORE_ACCESS);
        STOPS("fsw fs5, 0(a0)", CAUSE_STORE_ACCESS);
        STOPS("ebreak", CAUSE_BREAKPOINT);
        STOPS(".word 0", CAUSE_ILLEGAL);
        test_to_the_end();
    }
}
