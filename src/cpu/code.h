/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Predecoded code: what the interpreter runs.
 *
 * A block is a run of instructions from one entry point to the first that always leaves (a jump, a
 * system instruction), the end of the page or BLOCK_INSNS_MAX. Branches not taken go on inside it. Each
 * instruction is one slot, a pointer to the function that performs it and its operands; those that
 * may leave (branches, jumps, the end) are followed by a slot that links to the next block.
 *
 * Blocks are found by the host address of their first instruction, which is to say by physical
 * address: they hold no virtual address and survive fences and changes of satp. Links stay within a page,
 * where virtual distance is physical distance; all else goes through the jump cache, which is
 * keyed by virtual address and checked against tlb.fetch_stamp.
 *
 * Coherence is FENCE.I's: a fence starts a new generation, and a block of an older one is compared
 * with memory before it is run again (RISC-V promises nothing more: unprivileged specification, Zifencei).
 */
#ifndef RVVM_CPU_CODE_H
#define RVVM_CPU_CODE_H

#include "cpu/hart.h"
#include "isa/decode.h"

struct insn;
typedef const struct insn *exec_fn(struct hart *h, const struct insn *i);

struct insn {
    exec_fn *run;
    int32_t imm; /* FP: rounding mode in bits 0 to 2, rs3 from bit 3 */
    uint8_t rd;  /* REG_SINK for x0 where rd is an integer register */
    uint8_t rs1;
    uint8_t rs2;
    uint8_t at; /* halfwords from the block's start */
};

/* The slot after one that may leave the block. */
struct insn_link {
    struct block *block; /* where the branch goes */
    uint32_t generation; /* hart.code_generation when it was made; 0: never */
    int16_t delta;       /* from this block's address to the other's */
    uint8_t count;       /* instructions retired when leaving here */
    uint8_t length;      /* of this instruction, bytes */
};

_Static_assert(sizeof(struct insn) == 16 && sizeof(struct insn_link) == 16,
               "a link takes one instruction's place");

#define BLOCK_INSNS_MAX 120
#define BLOCK_BYTES_MAX (BLOCK_INSNS_MAX * 4)

struct block {
    const uint8_t *code; /* in guest memory; NULL: a lone instruction, never linked or looked up */
    struct block *next;  /* in its hash bucket */
    uint32_t generation; /* last found equal to memory */
    uint16_t bytes;
    const uint8_t *copy; /* what memory held */
    struct insn insns[];
};

/* The functions that perform instructions, by enum insn_id; NULL where the width lacks one. */
extern exec_fn *const exec_table_rv32[INSN_COUNT];
extern exec_fn *const exec_table_rv64[INSN_COUNT];
/* The same; accesses to memory take no short cut around cpu/mem.c. */
extern exec_fn *const exec_slow_table_rv32[INSN_COUNT];
extern exec_fn *const exec_slow_table_rv64[INSN_COUNT];
/* Those of a hart without a machine (direct.h). */
extern exec_fn *const exec_direct_table_rv32[INSN_COUNT];
extern exec_fn *const exec_direct_table_rv64[INSN_COUNT];
/* An encoding that is no instruction; the end of a block that does not end in a jump. */
exec_fn exec_illegal, exec_end;

static inline const struct insn_link *insn_link(const struct insn *i)
{
    return (const struct insn_link *)(i + 1);
}

/* A virtual address and the block there. */
struct jump {
    uint64_t pc;
    uint64_t stamp; /* tlb.fetch_stamp when it was made */
    struct block *block;
};

#define JUMPS 4096

static inline unsigned jump_index(uint64_t pc)
{
    return (pc >> 1 ^ pc >> 12) & (JUMPS - 1);
}

#define CODE_BUCKETS 16384
#define CODE_ARENA (16u << 20) /* bytes of blocks a hart keeps; then it starts again */

struct code_cache {
    struct decoder *decoder;
    struct jump jumps[JUMPS];
    struct block *buckets[CODE_BUCKETS];
    uint8_t *arena; /* CODE_ARENA bytes */
    size_t used;
    struct block *lone; /* for an instruction that no block may hold */
    uint64_t blocks;    /* made so far */
    uint64_t resets;    /* times the arena was full */
};

bool code_new(struct hart *h, struct error *err);
void code_free(struct hart *h);

/* FENCE.I: what is run from now on is what memory holds from now on. */
void code_fence(struct hart *h);

/* Forgets all blocks (reset, changes from outside). */
void code_flush(struct hart *h);

/* The block at h->pc becomes the running one; its first instruction. NULL: a fetch trap was taken. */
const struct insn *code_enter(struct hart *h);

/* Interprets from h->pc until hart.events is not zero; code_step: until the next block boundary;
 * code_step_one: that one instruction. */
void code_run(struct hart *h);
void code_step(struct hart *h);
void code_step_one(struct hart *h);
/* The same as code_step for code that is not likely to run again: its block is not kept. */
void code_run_once(struct hart *h);

/*
 * A block of its maker's: of `insns` instructions that stand in bytes[0..size), each of which accesses
 * memory through cpu/mem.c only. It takes code_own_size bytes. code_run_own runs it once, as if it stood
 * at h->pc.
 */
size_t code_own_size(unsigned insns, unsigned size);
void code_make_own(struct hart *h, struct block *block, const uint8_t *bytes, unsigned size,
                   unsigned insns);
void code_run_own(struct hart *h, struct block *block);

/*
 * One instruction by itself, h->pc and hart.instret left alone: for what can neither trap nor jump nor
 * access memory, such as floating point while it is on.
 */
struct insn code_slot(const struct hart *h, const struct decoded *d);
void code_perform(struct hart *h, const struct insn *slot);

/* Where to fetch `size` bytes of one page at va. NULL: a fault was noted. *mixed: what is known of the
 * page holds for these bytes only. */
const uint8_t *code_fetch(struct hart *h, uint64_t va, unsigned size, bool *mixed);

/* Enters the block at h->pc from slot i of the running block, and links the two if that may be. */
const struct insn *code_enter_from(struct hart *h, const struct insn *i);

/* The bits of an instruction in a block, and how many instructions stand before it. */
uint32_t insn_bits(const struct block *block, const struct insn *i);
unsigned insn_index(const struct block *block, const struct insn *i);

#endif
