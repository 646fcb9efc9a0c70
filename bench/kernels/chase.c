/* SPDX-License-Identifier: GPL-3.0-only */
/* One pointer after another through 64 MiB in an order of chance: misses of every cache and TLB. */
#include "kernel.h"

#include <stdlib.h>

#define COUNT (64u * 1024 * 1024 / 64)

/* One to a cache line. */
struct link {
    struct link *next;
    uint64_t number;
    uint8_t rest[48];
};

static struct link *links;

/* Sattolo's shuffle: a permutation that is one cycle. */
static void prepare(void)
{
    uint64_t seed = 47;
    links = malloc(COUNT * sizeof(*links));
    if (!links)
        kernel_fail("malloc");
    for (uint32_t i = 0; i < COUNT; i++)
        links[i].number = i;
    for (uint32_t i = COUNT - 1; i > 0; i--) {
        uint32_t j = (uint32_t)((random_next(&seed) >> 16) % i);
        uint64_t swap = links[i].number;
        links[i].number = links[j].number;
        links[j].number = swap;
    }
    for (uint32_t i = 0; i < COUNT; i++)
        links[i].next = &links[links[i].number];
}

static uint64_t run(unsigned rounds)
{
    const struct link *at = links;
    uint64_t sum = 0;
    for (unsigned i = 0; i < rounds * 300000; i++) {
        sum += at->number;
        at = at->next;
    }
    return checksum_add(sum, at->number);
}

const struct kernel kernel_chase = {
    .name = "chase", .group = "memory", .prepare = prepare, .run = run};
