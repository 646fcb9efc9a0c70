/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Makes blocks of random instructions. Encodings come from the instruction table: its match bits
 * with random bits in the rest, kept when the decoder reads them as the instruction meant. What is
 * added here is what keeps a block from running away: memory operands get an address by the
 * instructions before them, branches go to places inside the block, loops are counted.
 */
#ifndef DIFF_STREAM_H
#define DIFF_STREAM_H

#include "isa/decode.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct random {
    uint64_t state;
};

uint64_t random_bits(struct random *r);
static inline unsigned random_below(struct random *r, unsigned n)
{
    return random_bits(r) % n;
}
/* Once in n times. */
static inline bool one_in(struct random *r, unsigned n)
{
    return random_below(r, n) == 0;
}

enum place {
    PLACE_MACHINE, /* bare metal: traps are logged and skipped */
    PLACE_USER,    /* a Linux program: nothing may trap */
};

struct group;

struct stream {
    struct random random;
    struct isa isa;
    const struct decoder *decoder;
    const struct group *group;
    enum place place;
    unsigned mode; /* enum priv: the mode the block runs in */
    bool sret_traps;
    bool paged; /* data addresses are random virtual ones */

    uint8_t *code; /* where code[0] will be: base */
    size_t length, room;
    unsigned long instructions; /* made so far */
    uint32_t base;
    uint32_t kept;  /* integer registers that may not be written now: a bit each */
    unsigned depth; /* of branches and loops */
};

/* NULL: no such group. */
const struct group *group_find(const char *name);
/* Is something to be made for it: false when the isa has none of its instructions. */
bool stream_init(struct stream *s);

/* One instruction, with what it needs before it, or a loop or branch with others inside. */
void stream_unit(struct stream *s);

/* The last instructions: to the exit stub by way of register keep. */
void stream_exit(struct stream *s, unsigned keep);

#endif
