/* SPDX-License-Identifier: GPL-3.0-only */
/* The sieve of Eratosthenes, one bit an odd number, and the sum of the primes it leaves. */
#include "kernel.h"

#include <string.h>

#define LIMIT 2000000
#define HALF (LIMIT / 2)

static uint8_t composite[HALF / 8 + 1];

static uint64_t sieve(void)
{
    uint64_t sum = 2;
    memset(composite, 0, sizeof(composite));
    for (uint32_t i = 1; i < HALF; i++) {
        if (composite[i >> 3] >> (i & 7) & 1)
            continue;
        uint32_t prime = 2 * i + 1;
        sum += prime;
        if (prime > LIMIT / prime)
            continue;
        for (uint32_t j = 2 * i * (i + 1); j < HALF; j += prime)
            composite[j >> 3] |= (uint8_t)(1u << (j & 7));
    }
    return sum;
}

static uint64_t run(unsigned rounds)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < rounds * 18; i++)
        sum = checksum_add(sum, sieve());
    return sum;
}

const struct kernel kernel_sieve = {.name = "sieve", .group = "integer", .run = run};
