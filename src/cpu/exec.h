/* SPDX-License-Identifier: MPL-2.0 */
/*
 * How the interpreter moves from one instruction to the next.
 *
 * Each instruction is a function that ends by calling the next one's. Where the compiler turns that
 * into a jump (RVVM_TAIL_CALLS) it is threaded code; elsewhere the function returns the next slot to a
 * loop. NULL leaves to the run loop with h->pc at the next instruction to run.
 */
#ifndef RVVM_CPU_EXEC_H
#define RVVM_CPU_EXEC_H

#include "cpu/code.h"
#include "cpu/mem.h"

#if RVVM_TAIL_CALLS
#if defined(__clang__)
#define DISPATCH(next_slot) \
    do { \
        const struct insn *to_ = (next_slot); \
        __attribute__((musttail)) return to_->run(h, to_); \
    } while (0)
#else
#define DISPATCH(next_slot) \
    do { \
        const struct insn *to_ = (next_slot); \
        return to_->run(h, to_); \
    } while (0)
#endif
#else
#define DISPATCH(next_slot) return (next_slot)
#endif

/* With a slot that may be NULL. */
#define DISPATCH_OR_LEAVE(next_slot) \
    do { \
        const struct insn *maybe_ = (next_slot); \
        if (!maybe_) \
            return NULL; \
        DISPATCH(maybe_); \
    } while (0)

static inline uint64_t insn_pc(const struct hart *h, const struct insn *i)
{
    return h->block_pc + 2u * i->at;
}

static inline bool events_pending(const struct hart *h)
{
    return atomic_load_explicit(&h->events, memory_order_relaxed) != 0;
}

/* A trap noted by hart_fault is taken for slot i. Always NULL. */
const struct insn *exec_fault(struct hart *h, const struct insn *i);
/* An illegal instruction exception for slot i. Always NULL. */
exec_fn exec_illegal;

/* h->pc at the instruction after slot i, all up to it retired. */
void exec_retire(struct hart *h, const struct insn *i);

/* exec_follow without a link: makes one where that may be. NULL: leave to the run loop. */
const struct insn *exec_follow_slow(struct hart *h, const struct insn *i, uint64_t target);

/*
 * Goes to the block that slot i links to, `target` being its address. Counts what the
 * running block retired. The quick way is taken when the link is made and nothing waits.
 */
static inline const struct insn *exec_follow(struct hart *h, const struct insn *i, uint64_t target)
{
    const struct insn_link *link = insn_link(i);
    h->instret += link->count;
    if (likely(link->generation == h->code_generation && !events_pending(h))) {
        h->block_pc += link->delta;
        h->block = link->block;
        return link->block->insns;
    }
    return exec_follow_slow(h, i, target);
}

/* The same for a target that only the moment knows. */
static inline const struct insn *exec_jump(struct hart *h, const struct insn *i, uint64_t target)
{
    h->instret += insn_link(i)->count;
    h->pc = target;
    if (unlikely(events_pending(h)))
        return NULL;
    const struct jump *jump = &h->code->jumps[jump_index(target)];
    if (likely(jump->pc == target && jump->stamp == h->tlb.fetch_stamp)) {
        h->block_pc = target;
        h->block = jump->block;
        return jump->block->insns;
    }
    return code_enter(h);
}

#endif
