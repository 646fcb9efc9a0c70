/* SPDX-License-Identifier: MPL-2.0 */
/* IO queue: see io_queue.h. A pool does the work; the owner sleeps on a condition. */
#include "host/io_queue.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

struct io_queue {
    struct pool *pool;
    _Atomic(struct io_op *) finished; /* a stack */
    pthread_mutex_t lock;             /* woken */
    pthread_cond_t wake;
    bool woken;
};

struct io_queue *io_queue_new(struct pool *pool, bool threads_only, struct error *err)
{
    (void)threads_only;
    struct io_queue *q = calloc(1, sizeof(*q));
    if (!q) {
        error_set(err, "out of memory");
        return NULL;
    }
    q->pool = pool;
    pthread_mutex_init(&q->lock, NULL);
    pthread_cond_init(&q->wake, NULL);
    return q;
}

void io_queue_free(struct io_queue *q)
{
    if (!q)
        return;
    pthread_cond_destroy(&q->wake);
    pthread_mutex_destroy(&q->lock);
    free(q);
}

bool io_queue_has_batches(const struct io_queue *q)
{
    (void)q;
    return false;
}

const char *io_queue_name(const struct io_queue *q)
{
    (void)q;
    return "threads";
}

void io_queue_wake(struct io_queue *q)
{
    pthread_mutex_lock(&q->lock);
    q->woken = true;
    pthread_cond_signal(&q->wake);
    pthread_mutex_unlock(&q->lock);
}

/* On a thread of the pool. */
static void perform(struct pool_job *job)
{
    struct io_op *op = (struct io_op *)((char *)job - offsetof(struct io_op, job));
    ssize_t n = op->kind == IO_READ ? preadv(op->fd, op->iov, (int)op->iovcnt, (off_t)op->offset)
                                    : pwritev(op->fd, op->iov, (int)op->iovcnt, (off_t)op->offset);
    op->result = n < 0 ? -errno : n;
    /* The owner may free op once it is in the list. */
    struct io_queue *q = op->queue;
    op->next = atomic_load(&q->finished);
    while (!atomic_compare_exchange_weak(&q->finished, &op->next, op))
        ;
    io_queue_wake(q);
}

void io_queue_add(struct io_queue *q, struct io_op *op)
{
    op->queue = q;
    op->job.run = perform;
    pool_post(q->pool, &op->job);
}

void io_queue_submit(struct io_queue *q)
{
    (void)q;
}

bool io_queue_ready(const struct io_queue *q)
{
    return atomic_load_explicit(&q->finished, memory_order_relaxed);
}

unsigned io_queue_reap(struct io_queue *q)
{
    unsigned count = 0;
    struct io_op *op = atomic_exchange(&q->finished, NULL), *next;
    for (; op; op = next, count++) {
        next = op->next;
        op->done(op);
    }
    return count;
}

void io_queue_sleep(struct io_queue *q)
{
    pthread_mutex_lock(&q->lock);
    while (!q->woken)
        pthread_cond_wait(&q->wake, &q->lock);
    q->woken = false;
    pthread_mutex_unlock(&q->lock);
}
