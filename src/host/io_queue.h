/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Reads and writes of files that are done meanwhile, for one thread, the owner, which submits them in
 * batches, sleeps until one is done or somebody wakes it, and reaps what is done. On Linux it is an
 * io_uring; where there is none, or the kernel refuses, a pool of threads.
 *
 *     struct io_queue *queue = io_queue_new(pool, false, err);
 *     for (;;) {
 *         io_queue_add(queue, &op);             ... more of them
 *         io_queue_submit(queue);               one system call for all
 *         io_queue_reap(queue);                 calls op.done
 *         if (nothing to do)
 *             io_queue_sleep(queue);
 *     }
 */
#ifndef RVVM_HOST_IO_QUEUE_H
#define RVVM_HOST_IO_QUEUE_H

#include "base/error.h"
#include "host/pool.h"
#include "host/iovec.h"
#include <stdbool.h>
#include <stdint.h>

struct io_queue;

#define IO_IOV_MAX 1024 /* buffers of one op */

enum io_kind { IO_READ, IO_WRITE };

/* Belongs to the queue from io_queue_add until done. */
struct io_op {
    enum io_kind kind;
    int fd;
    uint64_t offset;
    const struct iovec *iov; /* at most IO_IOV_MAX of them */
    unsigned iovcnt;
    int64_t result;                 /* bytes moved, or -errno */
    void (*done)(struct io_op *op); /* on the owner's thread, from io_queue_reap */
    /* The queue's. */
    struct pool_job job;
    struct io_queue *queue;
    struct io_op *next;
};

/*
 * pool: does the work where the host has nothing better, or with threads_only; outlives the queue.
 * NULL: err says why.
 */
struct io_queue *io_queue_new(struct pool *pool, bool threads_only, struct error *err);
/* Nothing may be under way. queue may be NULL. */
void io_queue_free(struct io_queue *queue);

/* The owner's thread. */
void io_queue_add(struct io_queue *queue, struct io_op *op);
void io_queue_submit(struct io_queue *queue);
/* Calls done of each op that is done. Returns how many. */
unsigned io_queue_reap(struct io_queue *queue);
/* Until an op is done, or io_queue_wake was called since the last sleep. May return for no reason. */
void io_queue_sleep(struct io_queue *queue);

/* Would io_queue_reap find something? */
bool io_queue_ready(const struct io_queue *queue);

/* Any thread. */
void io_queue_wake(struct io_queue *queue);

/* Does io_queue_submit cost one system call for many operations? */
bool io_queue_has_batches(const struct io_queue *queue);

/* "io_uring" or "threads". */
const char *io_queue_name(const struct io_queue *queue);

#endif
