/* SPDX-License-Identifier: GPL-3.0-only */
/* Ways to put queens on a board, by recursion on three sets of bits: calls and unforeseeable
 * branches. */
#include "kernel.h"

static uint64_t place(uint32_t all, uint32_t columns, uint32_t left, uint32_t right)
{
    uint64_t ways = 0;
    if (columns == all)
        return 1;
    for (uint32_t free = all & ~(columns | left | right); free; free &= free - 1) {
        uint32_t here = free & -free;
        ways += place(all, columns | here, (left | here) << 1, (right | here) >> 1);
    }
    return ways;
}

static uint64_t run(unsigned rounds)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < rounds; i++)
        for (int size = 4; size <= 13; size++)
            sum = checksum_add(sum, place((1u << size) - 1, 0, 0, 0));
    return sum;
}

const struct kernel kernel_queens = {.name = "queens", .group = "integer", .run = run};
