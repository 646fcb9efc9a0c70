/* SPDX-License-Identifier: MPL-2.0 */
/*
 * -jit check: every block is interpreted, then run as translated, and the two are compared.
 *
 * 1. A hart runs one block at a time: no jump is chained and none is remembered, so each comes back to C.
 * 2. The interpreter goes first, through functions whose every access to memory passes cpu/mem.c, which
 *    tells of each store before it is done. It goes exactly the block's way: a block of its own is
 *    made from the same instructions.
 * 3. Registers and the lines of memory that were stored to are set back, the translated block runs,
 *    its quick ways to memory and all, and both outcomes are compared.
 * 4. Where the interpreter reached a device or the block's own code was written, there is nothing to
 *    compare: what it did stands. Instructions that cannot be done twice (system instructions, most
 *    CSRs) end a block before them; the interpreter alone runs those.
 * 5. Where translated code leaves a block half-way (a group of accesses on two pages, an instruction for
 *    the interpreter) it is compared with the interpreter up to there.
 *
 * One hart does this at a time, so that none sees what another one takes back.
 */
#ifndef RVVM_JIT_CHECK_H
#define RVVM_JIT_CHECK_H

#include "jit/block.h"

struct jit_check;

/* For jit_hart.check. */
struct jit_check *jit_check_new(struct jit_hart *jh, struct error *err);
void jit_check_free(struct jit_check *check);

/* The engine: ctx is the struct jit_hart. */
void jit_check_run(void *ctx, struct hart *h);

/* Translated code wants to go on at h->pc, in that way. */
enum jit_check_next { JIT_CHECK_NORMAL, JIT_CHECK_SINGLE, JIT_CHECK_INTERPRET };
void jit_check_stop(struct jit_hart *jh, enum jit_check_next next);

/* Whether a block may hold the instruction that was built last (BEFORE: no, it is taken back), and
 * whether it has to be the last one. */
enum jit_check_cut { JIT_CUT_NOT, JIT_CUT_BEFORE, JIT_CUT_AFTER };
enum jit_check_cut jit_check_cut(struct ir_block *ir);

/* Makes block->reference. */
void jit_check_prepare(struct jit_hart *jh, struct jit_block *block, const uint8_t *copy);

#endif
