/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Loads extend by sign or zero as named, stores write only their width, offsets are signed, and
 * any offset from alignment works (rvvm and QEMU do misaligned accesses in hardware).
 *
 * rerun: tests/isa/isa.test loads_and_stores
 */
#include "test.h"

SAME_IN_USER_MODE;

static uint8_t bytes[8192 + 64] __attribute__((aligned(4096)));

#define LOAD(op, at) \
    ({ \
        ulong v_; \
        __asm__ volatile(op " %0, 0(%1)" : "=r"(v_) : "r"(at) : "memory"); \
        v_; \
    })
#define STORE(op, at, v) __asm__ volatile(op " %0, 0(%1)" ::"r"((ulong)(v)), "r"(at) : "memory")

static uint64_t value_at(const uint8_t *at, int n)
{
    uint64_t v = 0;

    while (n--)
        v = v << 8 | at[n];
    return v;
}

static void test_loads_at(uint8_t *at)
{
    CHECK(LOAD("lb", at), (long)(int8_t)value_at(at, 1));
    CHECK(LOAD("lbu", at), value_at(at, 1));
    CHECK(LOAD("lh", at), (long)(int16_t)value_at(at, 2));
    CHECK(LOAD("lhu", at), value_at(at, 2));
    CHECK(LOAD("lw", at), (long)(int32_t)value_at(at, 4));
#if RV64
    CHECK(LOAD("lwu", at), value_at(at, 4));
    CHECK(LOAD("ld", at), value_at(at, 8));
#endif
}

static void test_store_at(uint8_t *at, int width)
{
    uint64_t pattern = 0xf1e2d3c4b5a69788ull;
    uint64_t mask = width == 8 ? ~0ull : (1ull << 8 * width) - 1;

    for (int i = -8; i < 16; i++)
        at[i] = 0x11;
    switch (width) {
    case 1:
        STORE("sb", at, (ulong)pattern);
        break;
    case 2:
        STORE("sh", at, (ulong)pattern);
        break;
    case 4:
        STORE("sw", at, (ulong)pattern);
        break;
#if RV64
    case 8:
        STORE("sd", at, (ulong)pattern);
        break;
#endif
    }
    CHECK64(value_at(at, width), pattern & mask);
    CHECK64(value_at(at - 8, 8), 0x1111111111111111ull);
    CHECK64(value_at(at + width, 8), 0x1111111111111111ull);
}

static void test_offsets(void)
{
    ulong v;

    for (int i = 0; i < 8192; i++)
        bytes[i] = i * 7 + (i >> 8);
    __asm__ volatile("lbu %0, -2048(%1)" : "=r"(v) : "r"(bytes + 4096) : "memory");
    CHECK(v, bytes[2048]);
    __asm__ volatile("lbu %0, 2047(%1)" : "=r"(v) : "r"(bytes + 4096) : "memory");
    CHECK(v, bytes[6143]);
    __asm__ volatile("sb %0, -2048(%1)\nsb %0, 2047(%1)" ::"r"(0x5a), "r"(bytes + 4096) : "memory");
    CHECK(bytes[2048], 0x5a);
    CHECK(bytes[6143], 0x5a);
    /* rd is also the base */
    v = (ulong)(bytes + 100);
    __asm__ volatile("lbu %0, 1(%0)" : "+r"(v)::"memory");
    CHECK(v, bytes[101]);
    /* the stored register is also the base */
    v = (ulong)(bytes + 128);
    __asm__ volatile("sw %0, 0(%0)" ::"r"(v) : "memory");
    CHECK(value_at(bytes + 128, 4), (uint32_t)v);
}

void test_main(void)
{
    test_offsets();
    for (int offset = 0; offset < 16; offset++) {
        for (int i = 0; i < 64; i++)
            bytes[i] = (i * 37 + offset) ^ (i & 1 ? 0x80 : 0);
        test_loads_at(bytes + 16 + offset);
        test_loads_at(bytes + 4096 - 8 + offset); /* over the end of a page */
        for (int width = 1; width <= XLEN / 8; width *= 2) {
            test_store_at(bytes + 16 + offset, width);
            test_store_at(bytes + 4096 - 8 + offset, width);
        }
    }
}
