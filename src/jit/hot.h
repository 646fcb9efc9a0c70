/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Which loops are worth a region (region.h), and the thread that translates them.
 *
 * While harts are busy the thread asks them, a thousand times a second, where they are; they answer
 * when they next look at hart.events, which is at the heads of loops and at computed jumps. A place
 * that answers twice is hot; when it goes on answering so are the loops around it. So code that runs
 * pays nothing for being watched. When nobody has answered for a while the harts sleep, and so does
 * the thread, until a hart is found to be busy again.
 */
#ifndef RVVM_JIT_HOT_H
#define RVVM_JIT_HOT_H

#include "jit/block.h"

struct jit_hot;

struct jit_hot *jit_hot_new(struct jit *jit, struct error *err);
/* Ends the thread. hot may be NULL. */
void jit_hot_free(struct jit_hot *hot);

/* In a forked child: the thread is not there. */
void jit_hot_forget(struct jit *jit);

/* On a hart's thread: it was asked; it enters translated code. */
void jit_hot_answer(struct jit_hart *jh);
void jit_hot_enter(struct jit_hart *jh);
/* The same without a machine, where nobody counts what is run: it comes back from a system call. */
void jit_hot_back(struct jit_hart *jh);

/* What the thread has translated. Any thread. */
struct jit_stats jit_hot_stats(struct jit_hot *hot);

/*
 * Makes the loop at that place of main memory a region, if there is one; outer: the one around it, or
 * around that (region_form_around). pc: for dumps. By the thread, or by a hart for itself
 * (JIT_TIER_EAGER). true: it is one now, or was already.
 */
bool jit_region_make(struct jit_hart *jh, const uint8_t *code, unsigned outer, uint64_t pc);

#endif
