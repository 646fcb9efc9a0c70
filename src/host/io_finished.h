/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Operations that threads of a pool do for an IO queue, on their way back to its owner: a stack, to which any
 * thread adds and from which the owner takes all at once.
 */
#ifndef RVVM_HOST_IO_FINISHED_H
#define RVVM_HOST_IO_FINISHED_H

#include "host/io_queue.h"
#include <stdatomic.h>
#include <stddef.h>

struct io_finished {
    _Atomic(struct io_op *) last;
};

static inline struct io_op *io_op_of_job(struct pool_job *job)
{
    return (struct io_op *)((char *)job - offsetof(struct io_op, job));
}

/* Does the operation and adds it. The owner may have freed it when this returns. */
void io_finished_perform(struct io_finished *f, struct io_op *op);

/* Would io_finished_reap find something? */
static inline bool io_finished_any(const struct io_finished *f)
{
    return atomic_load_explicit(&f->last, memory_order_relaxed);
}

/* The owner's thread: calls done of each. Returns how many. */
unsigned io_finished_reap(struct io_finished *f);

#endif
