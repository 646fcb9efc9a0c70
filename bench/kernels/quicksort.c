/* SPDX-License-Identifier: GPL-3.0-only */
/* Quicksort of random integers: half of its branches go either way. */
#include "kernel.h"

#define COUNT 100000

static void insertion_sort(int32_t *a, long count)
{
    for (long i = 1; i < count; i++) {
        int32_t value = a[i];
        long j = i;
        for (; j > 0 && a[j - 1] > value; j--)
            a[j] = a[j - 1];
        a[j] = value;
    }
}

static void quicksort(int32_t *a, long count)
{
    while (count > 12) {
        int32_t low = a[0], mid = a[count / 2], high = a[count - 1];
        int32_t least = low < mid ? low : mid, most = low < mid ? mid : low;
        int32_t pivot = high < least ? least : high > most ? most : high;
        long i = -1, j = count;
        for (;;) {
            while (a[++i] < pivot)
                ;
            while (a[--j] > pivot)
                ;
            if (i >= j)
                break;
            int32_t swap = a[i];
            a[i] = a[j];
            a[j] = swap;
        }
        quicksort(a, j + 1);
        a += j + 1;
        count -= j + 1;
    }
    insertion_sort(a, count);
}

static uint64_t run(unsigned rounds)
{
    static int32_t data[COUNT];
    uint64_t seed = 11, sum = 0;
    for (unsigned i = 0; i < rounds * 6; i++) {
        for (long j = 0; j < COUNT; j++)
            data[j] = (int32_t)random_next(&seed);
        quicksort(data, COUNT);
        for (long j = 0; j < COUNT; j += 100)
            sum = checksum_add(sum, (uint32_t)data[j]);
    }
    return sum;
}

const struct kernel kernel_quicksort = {.name = "quicksort", .group = "integer", .run = run};
