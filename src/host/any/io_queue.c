/* SPDX-License-Identifier: MPL-2.0 */
/*
 * IO queue: see io_queue.h. A pool does the work. The owner sleeps on a semaphore, which is posted only while
 * it does: who has something for it looks at `asleep`.
 */
#include "host/io_queue.h"

#include "host/io_finished.h"
#include <errno.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>

struct io_queue {
    struct pool *pool;
    struct io_finished finished;
    atomic_bool woken, asleep;
    sem_t wake; /* by whoever finds `asleep` set and clears it */
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
    if (sem_init(&q->wake, 0, 0) < 0) {
        error_set(err, "cannot make a semaphore: %s", strerror(errno));
        free(q);
        return NULL;
    }
    return q;
}

void io_queue_free(struct io_queue *q)
{
    if (!q)
        return;
    sem_destroy(&q->wake);
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
    atomic_store(&q->woken, true);
    if (atomic_exchange(&q->asleep, false))
        sem_post(&q->wake);
}

/* On a thread of the pool. */
static void perform(struct pool_job *job)
{
    struct io_op *op = io_op_of_job(job);
    struct io_queue *q = op->queue;
    io_finished_perform(&q->finished, op);
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
    return io_finished_any(&q->finished);
}

unsigned io_queue_reap(struct io_queue *q)
{
    return io_finished_reap(&q->finished);
}

void io_queue_sleep(struct io_queue *q)
{
    /* An exchange, since it orders memory: the flag first, then a look at what is there. */
    atomic_exchange(&q->asleep, true);
    bool awake = atomic_exchange(&q->woken, false) || io_finished_any(&q->finished);
    /* Who was first to clear the flag posts, so that what is posted is waited for, and nothing is left. */
    if (awake && atomic_exchange(&q->asleep, false))
        return;
    while (sem_wait(&q->wake) < 0 && errno == EINTR)
        ;
}
