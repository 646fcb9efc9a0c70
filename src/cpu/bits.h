/* SPDX-License-Identifier: MPL-2.0 */
/* Integer operations that C lacks, or does not define for every operand as RISC-V does. */
#ifndef RVVM_CPU_BITS_H
#define RVVM_CPU_BITS_H

#include <stdint.h>

/* Division: by zero gives all ones (remainder: the dividend); overflow wraps. */
#define BITS_DEFINE(w) \
    static inline int##w##_t bits_div##w(int##w##_t a, int##w##_t b) \
    { \
        return b == 0 ? -1 : b == -1 ? (int##w##_t)(0 - (uint##w##_t)a) : a / b; \
    } \
    static inline uint##w##_t bits_divu##w(uint##w##_t a, uint##w##_t b) \
    { \
        return b == 0 ? UINT##w##_MAX : a / b; \
    } \
    static inline int##w##_t bits_rem##w(int##w##_t a, int##w##_t b) \
    { \
        return b == 0 ? a : b == -1 ? 0 : a % b; \
    } \
    static inline uint##w##_t bits_remu##w(uint##w##_t a, uint##w##_t b) \
    { \
        return b == 0 ? a : a % b; \
    } \
    static inline uint##w##_t bits_ror##w(uint##w##_t a, unsigned n) \
    { \
        return a >> (n & (w - 1)) | a << (-n & (w - 1)); \
    }
BITS_DEFINE(32)
BITS_DEFINE(64)
#undef BITS_DEFINE

static inline unsigned bits_clz32(uint32_t a)
{
    return a ? __builtin_clz(a) : 32;
}

static inline unsigned bits_clz64(uint64_t a)
{
    return a ? __builtin_clzll(a) : 64;
}

static inline unsigned bits_ctz32(uint32_t a)
{
    return a ? __builtin_ctz(a) : 32;
}

static inline unsigned bits_ctz64(uint64_t a)
{
    return a ? __builtin_ctzll(a) : 64;
}

static inline unsigned bits_cpop(uint64_t a)
{
    return __builtin_popcountll(a);
}

/* Each byte that is not zero becomes 0xff. */
static inline uint64_t bits_orcb(uint64_t a)
{
    const uint64_t low = 0x0101010101010101, seven = 0x7f7f7f7f7f7f7f7f;
    uint64_t set = (((a & seven) + seven) | a) >> 7 & low; /* 1 in each such byte */
    return set * 0xff;
}

/* Carry-less product: low half, and the half above the operands' width. */
static inline uint64_t bits_clmul(uint64_t a, uint64_t b)
{
    uint64_t r = 0;
    for (; b; b >>= 1, a <<= 1)
        r ^= b & 1 ? a : 0;
    return r;
}

static inline uint64_t bits_clmulh64(uint64_t a, uint64_t b)
{
    uint64_t r = 0;
    for (unsigned n = 1; n < 64; n++)
        r ^= b >> n & 1 ? a >> (64 - n) : 0;
    return r;
}

static inline uint64_t bits_clmulr64(uint64_t a, uint64_t b)
{
    return bits_clmulh64(a, b) << 1 | bits_clmul(a, b) >> 63;
}

static inline uint32_t bits_clmulh32(uint32_t a, uint32_t b)
{
    return bits_clmul(a, b) >> 32;
}

static inline uint32_t bits_clmulr32(uint32_t a, uint32_t b)
{
    return bits_clmul(a, b) >> 31;
}

#endif
