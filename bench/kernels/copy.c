/* SPDX-License-Identifier: GPL-3.0-only */
/* memcpy, memmove and memset of sizes from 1 byte to 256 KiB, at all alignments: many short ones,
 * few long ones. */
#include "kernel.h"

#include <string.h>

#define SIZE (1 << 19)

static uint8_t from[SIZE], to[SIZE];

static void prepare(void)
{
    for (size_t i = 0; i < SIZE; i++)
        from[i] = (uint8_t)(i * 7 + i / 251);
}

static uint64_t run(unsigned rounds)
{
    uint64_t seed = 41, sum = 0;
    for (unsigned i = 0; i < rounds * 2000000; i++) {
        uint64_t draw = random_next(&seed) >> 8;
        /* Each power of two half as often as the one before, from 16 on. */
        unsigned order = 4 + (unsigned)__builtin_ctzll(draw | 1 << 14);
        size_t length = 1 + (draw >> 16) % ((size_t)1 << order);
        size_t a = (draw >> 36) % (SIZE - length), b = (draw >> 20) % (SIZE - length);
        switch (draw >> 54 & 3) {
        case 0:
            memset(to + a, (int)(draw >> 40), length);
            break;
        case 1:
            memmove(to + a, to + (a > 9 ? a - 9 : a), length);
            break;
        default:
            memcpy(to + a, from + b, length);
        }
        sum = checksum_add(sum, to[a + length / 2]);
    }
    return sum;
}

const struct kernel kernel_copy = {
    .name = "copy", .group = "memory", .prepare = prepare, .run = run};
