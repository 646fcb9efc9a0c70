/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The translator for programs that run in the host's memory (cpu/direct.h). A guest's address is the
 * host's, so a load is a load, code is found by its own address, and a block knows where it is.
 *
 * What is translated is a copy of what memory held. It is dropped when the memory goes or changes its rights
 * (jit_direct_drop), and where it can be written it is compared with memory when the program says that
 * it has written code (jit_direct_flush; RISC-V promises nothing before that). Nothing is asked while
 * code runs.
 */
#ifndef RVVM_JIT_DIRECT_H
#define RVVM_JIT_DIRECT_H

#include "jit/jit.h"

/*
 * In a signal handler: whether the fault is one of translated code that this thread runs. Then the handler
 * returns, and direct->fault is called with the hart at the guest's instruction.
 */
bool jit_direct_fault(struct hart *h, const struct direct_fault *fault, void *context);

/* Code made from [first, end) is not used any more; the second: where `differs` says that memory holds
 * something else than it was made from. Any thread. */
void jit_direct_drop(struct jit *jit, uint64_t first, uint64_t end);
void jit_direct_flush(struct jit *jit, uint64_t first, uint64_t end,
                      bool (*differs)(const uint8_t *copy, uint64_t code, size_t size));

/*
 * fork: nobody else is in the translator between the first two. In the child, before the second: a hart
 * that was another thread's is not there any more; threads of the translator's own are not, either.
 */
void jit_direct_before_fork(struct jit *jit);
void jit_direct_after_fork(struct jit *jit);
void jit_direct_forget_hart(struct jit *jit, struct hart *h);
void jit_direct_forked(struct jit *jit);

/* Ends the translator's thread, if there is one; it is started anew later. By the only hart, in a system
 * call. */
void jit_direct_be_alone(struct jit *jit);

/*
 * Between the parts of the translator.
 */

struct jit_hart;

bool jit_direct_new(struct jit *jit);
void jit_direct_free(struct jit *jit); /* it may be a machine's */
bool jit_direct_attach(struct jit *jit, struct hart *h);
void jit_direct_detach(struct jit *jit, struct hart *h);
/* After jit_direct_fault, in C: finds the guest's instruction, and has direct->fault called. */
void jit_direct_take_fault(struct hart *h);
/* jit_mark. */
bool jit_direct_mark(struct jit *jit, uint64_t page, uint32_t *version);
/* Whether code runs for the first time, as far as is known. */
bool jit_direct_is_new(struct jit *jit, const uint8_t *code);
/* Under jit.lock: a block was made from that page, whose code may change. */
void jit_direct_note_open(struct jit *jit, uint64_t page);
/* A segment was emptied: returns when no hart runs what was in it. */
void jit_direct_wait(struct jit_hart *jh);
/* One thread at a time translates, into a segment that all share. */
void jit_direct_begin(struct jit_hart *jh);
void jit_direct_end(struct jit_hart *jh);
/* What a hart of this process is, for the thread that translates and runs none: they come and go. To be
 * freed; NULL: no memory. */
struct hart *jit_direct_model(const struct jit *jit);
/* Has all harts say where they are. */
void jit_direct_ask(struct jit *jit);

#endif
