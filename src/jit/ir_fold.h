/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What the front end (ir_build.c) appends operations with. Each answers with the operation that the value is
 * found in, which need not be a new one: ir_fold.c has the list of what is folded.
 */
#ifndef RVVM_JIT_IR_FOLD_H
#define RVVM_JIT_IR_FOLD_H

#include "jit/ir.h"

/* The instruction under construction. */
struct ir_builder {
    struct ir_block *block;
    const struct decoded *d;
    uint32_t offset; /* of the instruction in the block */
    enum ir_type xlen;
    bool check_targets; /* instructions start at multiples of 4 only */
};

/* An operation as it is. */
#define EMIT(b, ...) ir_emit((b)->block, &(struct ir_insn){__VA_ARGS__})

/* The operation of that place; IR_none in a block that has failed. */
const struct ir_insn *ir_at(const struct ir_builder *b, ir_ref ref);
ir_ref ir_constant(struct ir_builder *b, enum ir_type type, uint64_t value);
/* An address, by its distance to the block's start. */
ir_ref ir_pc(struct ir_builder *b, int64_t offset);
/* op: IR_sext or IR_zext */
ir_ref ir_extend(struct ir_builder *b, enum ir_op op, unsigned bits, ir_ref x);
/* An operation on integers. */
ir_ref ir_binary(struct ir_builder *b, enum ir_op op, enum ir_type type, ir_ref x, ir_ref y);
ir_ref ir_get_x(struct ir_builder *b, unsigned reg);
void ir_set_x(struct ir_builder *b, unsigned reg, ir_ref value);

#endif
