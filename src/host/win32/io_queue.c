/* SPDX-License-Identifier: MPL-2.0 */
/*
 * IO queue: see io_queue.h. A pool of threads does the work, since disk images are opened by synchronous handles.
 * The owner sleeps on an event, which is set only while it does.
 */
#include "host/io_queue.h"

#include "host/win32/file_io.h"
#include "host/win32/system.h"
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

struct io_queue {
    struct pool *pool;
    HANDLE event; /* of one waiter, and reset by its waking */
    atomic_bool woken, asleep;
    _Atomic(struct io_op *) finished; /* a stack */
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
    q->event = CreateEventW(NULL, FALSE, FALSE, NULL);
    if (!q->event) {
        error_set(err, "cannot make an event: %s", system_message(GetLastError()).text);
        free(q);
        return NULL;
    }
    return q;
}

void io_queue_free(struct io_queue *q)
{
    if (!q)
        return;
    CloseHandle(q->event);
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
        SetEvent(q->event);
}

/* On a thread of the pool. */
static void perform(struct pool_job *job)
{
    struct io_op *op = (struct io_op *)((char *)job - offsetof(struct io_op, job));
    op->result = file_io(op->fd, op->kind == IO_WRITE, op->offset, op->iov, op->iovcnt);
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
    if (!io_queue_ready(q))
        return 0;
    struct io_op *op = atomic_exchange(&q->finished, NULL), *next;
    for (; op; op = next, count++) {
        next = op->next;
        op->done(op);
    }
    return count;
}

void io_queue_sleep(struct io_queue *q)
{
    /* An exchange, since it orders memory: the flag first, then a look at what is there. */
    atomic_exchange(&q->asleep, true);
    if (!atomic_exchange(&q->woken, false) && !atomic_load(&q->finished))
        WaitForSingleObject(q->event, INFINITE);
    atomic_store(&q->asleep, false);
}
