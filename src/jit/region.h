/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Regions: loops, with the loops inside them and the calls that can be inlined, which are translated as
 * one. What a block may not assume, since anybody may jump to it, a region may: that a register is kept in
 * a host register all the way round, or that an address only moves up from one iteration to the next.
 *
 * A region is made from the blocks of one page that have been translated, so of code that has run.
 * It has one entry, the head of its outermost loop.
 *
 *     struct region region;
 *     if (region_form(&region, &source, head, jit, &scratch) && region_build(&region, jit, &ir))
 *         ... backend_translate_region
 */
#ifndef RVVM_JIT_REGION_H
#define RVVM_JIT_REGION_H

#include "jit/block.h"

#define REGION_BLOCKS_MAX 64 /* a set of them is a uint64_t */
#define REGION_LOOPS_MAX 16
#define REGION_BASES_MAX 8
#define REGION_INSNS_MAX 255
#define REGION_OPS_MAX (REGION_INSNS_MAX * 20)
#define REGION_NO_CALL UINT16_MAX

/* Guest code of a page, as far as it is known. */
struct region_source {
    uint8_t bytes[PAGE_SIZE];
    bool known[PAGE_SIZE / 2];
};

/* A run of instructions that is entered at its start and left at its end. */
struct region_block {
    uint16_t place;   /* of its first instruction, in the page */
    uint16_t end;     /* behind its last one */
    uint16_t back_to; /* in an inlined call: where it returns to; REGION_NO_CALL */
    uint8_t insns;
    uint8_t first;      /* the region's guest instruction that is its first */
    int8_t next, taken; /* blocks it goes on to; -1: out of the region, or there is no such way */
    bool falls;         /* the block before it in the region is the only one that goes here */
    bool is_head;       /* of a loop */
    uint8_t depth;      /* loops it is in */
    uint64_t preds, dominators;
};

struct region_loop {
    uint8_t head;
    uint64_t blocks;
};

/*
 * A register that addresses are made from, and that a loop leaves alone or moves by constants in one
 * direction. [low, high): what is accessed, from its value where the accesses of a block begin.
 */
struct region_base {
    uint8_t guest, loop;
    bool down;   /* it moves down */
    bool writes; /* an access is a store */
    int32_t low, high;
    uint32_t weight;
};

struct region {
    struct region_block
        blocks[REGION_BLOCKS_MAX]; /* in the order that their code stands in; [0]: the head */
    struct region_loop loops[REGION_LOOPS_MAX]; /* [0]: all of it */
    struct region_base bases[REGION_BASES_MAX];
    unsigned block_count, loop_count, base_count, insns;
    uint16_t first, end; /* range in the page that it is made from */
};

/* Finds the loop at `head`, a place in the page. scratch: is changed. false: there is none, or not one
 * that can be made a region. */
bool region_form(struct region *r, const struct region_source *source, unsigned head,
                 const struct jit *jit, struct ir_block *scratch);
/* The same for the loop around that at `head`, or the one around that: `outer` of them further out. */
bool region_form_around(struct region *r, const struct region_source *source, unsigned head,
                        unsigned outer, const struct jit *jit, struct ir_block *scratch);
/* Its operations, and what its bases are. false: no memory, or there are too many. */
bool region_build(struct region *r, const struct region_source *source, const struct jit *jit,
                  struct ir_block *ir);

/* How often something in the block counts against something outside loops. */
static inline uint32_t region_weight(const struct region_block *b)
{
    return UINT32_C(1) << (3 * (b->depth < 5 ? b->depth : 5));
}

#endif
