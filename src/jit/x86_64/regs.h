/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What host registers hold while translated code runs:
 *
 *     rbp   struct hart, plus HART_BIAS so that the guest's registers are within a byte's distance
 *     r15   the TLB context, hart.tlb.data (the same as hart.tlb.fetch); without a machine
 *           (jit/direct.h), where accesses need no TLB, a guest register more
 *     rsp   pairs of {host return address, guest return address}, down to hart.translated.stack_base
 *     rax, rcx, rdx   scratch; rdx also the addend of the page that was checked last
 *     xmm15 hart.instret; xmm0 to xmm2 scratch
 *     the others: guest registers, by the tables below. All else is in struct hart.
 *
 * Which guest registers: those that compiled code names most (a5, sp and a0 to a4 are most of it).
 */
#ifndef RVVM_JIT_X86_64_REGS_H
#define RVVM_JIT_X86_64_REGS_H

#include "cpu/hart.h"
#include "jit/x86_64/emit.h"
#include <stddef.h>

#define HART_BIAS 128

#define RHART RBP
#define RTLB R15
#define XCOUNT 15

/* PINNED_X(guest, host) */
#define PINNED_XS(PINNED_X) \
    PINNED_X(2, R14)  /* sp */ \
    PINNED_X(8, R13)  /* s0 */ \
    PINNED_X(9, R12)  /* s1 */ \
    PINNED_X(10, RSI) /* a0 */ \
    PINNED_X(11, RDI) /* a1 */ \
    PINNED_X(12, R8)  /* a2 */ \
    PINNED_X(13, R9)  /* a3 */ \
    PINNED_X(14, R10) /* a4 */ \
    PINNED_X(15, RBX) /* a5 */ \
    PINNED_X(18, R11) /* s2 */

/* What is pinned besides without a machine. */
#define PINNED_DIRECT_XS(PINNED_X) PINNED_X(1, R15) /* ra */

/* PINNED_F(guest, host) */
#define PINNED_FS(PINNED_F) \
    PINNED_F(0, 3)   /* ft0 */ \
    PINNED_F(1, 4)   /* ft1 */ \
    PINNED_F(8, 5)   /* fs0 */ \
    PINNED_F(9, 6)   /* fs1 */ \
    PINNED_F(10, 7)  /* fa0 */ \
    PINNED_F(11, 8)  /* fa1 */ \
    PINNED_F(12, 9)  /* fa2 */ \
    PINNED_F(13, 10) /* fa3 */ \
    PINNED_F(14, 11) /* fa4 */ \
    PINNED_F(15, 12) /* fa5 */ \
    PINNED_F(16, 13) /* fa6 */ \
    PINNED_F(17, 14) /* fa7 */

/* The host register of each guest register, or NO_REG. */
static inline const uint8_t *pinned_x(bool direct)
{
#define NOT_PINNED(n) [n] = NO_REG
#define SELDOM_NAMED \
    NOT_PINNED(0), NOT_PINNED(3), NOT_PINNED(4), NOT_PINNED(5), NOT_PINNED(6), NOT_PINNED(7), \
        NOT_PINNED(16), NOT_PINNED(17), NOT_PINNED(19), NOT_PINNED(20), NOT_PINNED(21), \
        NOT_PINNED(22), NOT_PINNED(23), NOT_PINNED(24), NOT_PINNED(25), NOT_PINNED(26), \
        NOT_PINNED(27), NOT_PINNED(28), NOT_PINNED(29), NOT_PINNED(30), NOT_PINNED(31)
#define PINNED_X(guest, host) [guest] = host,
    static const uint8_t hosts[32] = {SELDOM_NAMED, NOT_PINNED(1), PINNED_XS(PINNED_X)};
    static const uint8_t direct_hosts[32] = {SELDOM_NAMED,
                                             PINNED_XS(PINNED_X) PINNED_DIRECT_XS(PINNED_X)};
#undef PINNED_X
#undef SELDOM_NAMED
#undef NOT_PINNED
    return direct ? direct_hosts : hosts;
}

/* The same for FP registers; NO_REG or the number of an xmm register. */
static inline unsigned pinned_f(unsigned guest)
{
    switch (guest) {
#define PINNED_F(guest, host) \
    case guest: \
        return host;
        PINNED_FS(PINNED_F)
#undef PINNED_F
    default:
        return NO_REG;
    }
}

static inline struct mem hart_field(size_t offset)
{
    return mem(RHART, (int32_t)offset - HART_BIAS);
}

#define HART(field) hart_field(offsetof(struct hart, field))

static inline struct mem hart_x(unsigned guest)
{
    return hart_field(offsetof(struct hart, x) + 8 * guest);
}

static inline struct mem hart_f(unsigned guest)
{
    return hart_field(offsetof(struct hart, f) + 8 * guest);
}

static inline struct mem hart_count(unsigned n)
{
    return hart_field(offsetof(struct hart, translated.count) + 16 * n);
}

/* What the processor has beyond x86-64's baseline. */
struct features {
    bool bmi1, bmi2, lzcnt, popcnt, avx, fma, sse41, pclmul;
};

const struct features *host_features(void);

#endif
