/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Soft-float: the sum of two significands of 128 bits, which addition and fused multiply-add share.
 * Private to fp_*.c.
 *
 * A term is sig * 2^(exp - 126) with bit 126 of sig set: bit 127 takes the carry. At most the upper
 * 107 bits are in use (a product of two doubles), so a shift by one or two places loses nothing, and
 * after a longer one the leading bit of a difference moves by one place at most: the sticky bit
 * stays far below what is rounded.
 */
#ifndef RVVM_CPU_FP_WIDE_H
#define RVVM_CPU_FP_WIDE_H

#include "cpu/fp_soft.h"

struct fp_term {
    bool sign;
    int exp;
    unsigned __int128 sig;
};

FP_INLINE uint64_t fp_pack_sum(struct fp_env *env, const struct fp_format *fmt, struct fp_term x,
                               struct fp_term y, unsigned rm)
{
    if (x.exp < y.exp || (x.exp == y.exp && x.sig < y.sig)) {
        struct fp_term swap = x;
        x = y;
        y = swap;
    }
    unsigned shift = (unsigned)(x.exp - y.exp);
    if (shift > 126)
        y.sig = 1;
    else if (shift)
        y.sig = y.sig >> shift | (y.sig << (128 - shift) != 0);

    unsigned __int128 sum = x.sign == y.sign ? x.sig + y.sig : x.sig - y.sig;
    if (sum == 0)
        return fp_zero(fmt, rm == FP_RDN);

    uint64_t high = (uint64_t)(sum >> 64);
    int lead = high ? __builtin_clzll(high) : 64 + __builtin_clzll((uint64_t)sum);
    sum <<= lead;
    uint64_t sig = (uint64_t)(sum >> 64) | ((uint64_t)sum != 0);
    return fp_pack(env, fmt, x.sign, x.exp + 1 - lead, sig, rm);
}

#endif
