/* SPDX-License-Identifier: MPL-2.0 */
/*
 * IO queue: see io_queue.h. The owner always sleeps in read() of an eventfd, to which the ring, a
 * thread of the pool that has finished and io_queue_wake write. Nobody writes while the owner is
 * awake: the ring is told so by a flag in memory that it shares, the others look at `asleep`.
 */
#define _GNU_SOURCE
#include "host/io_queue.h"

#include "host/io_finished.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>
#ifdef HAVE_LIBURING
#include <liburing.h>
#endif

#define RING_ENTRIES 256 /* in one system call; any number may be under way */

struct io_queue {
    struct pool *pool;
    int event;
    struct io_finished finished; /* by the pool */
    atomic_bool woken, asleep;
#ifdef HAVE_LIBURING
    struct io_uring ring;
#endif
    bool uring;
};

#ifdef HAVE_LIBURING
/*
 * What a ring is asked to do passes all filters of system calls (isolation.h). Reading and writing open files
 * is all that this one can be asked, by whoever gets hold of it (Linux 5.10). By the system call: Debian's
 * liburing 2.3 has functions for it but forgot to export them.
 */
static bool enable_restricted(const struct io_uring *ring)
{
    struct io_uring_restriction only[] = {
        {.opcode = IORING_RESTRICTION_SQE_OP, .sqe_op = IORING_OP_READV},
        {.opcode = IORING_RESTRICTION_SQE_OP, .sqe_op = IORING_OP_WRITEV},
    };
    return syscall(SYS_io_uring_register, ring->ring_fd, IORING_REGISTER_RESTRICTIONS, only, 2) ==
               0 &&
           syscall(SYS_io_uring_register, ring->ring_fd, IORING_REGISTER_ENABLE_RINGS, NULL, 0) ==
               0;
}

static bool start_ring(struct io_queue *q)
{
    if (io_uring_queue_init(RING_ENTRIES, &q->ring, IORING_SETUP_R_DISABLED) < 0)
        return false;
    /* Without NODROP more than the ring's size under way would lose completions. */
    if ((q->ring.features & IORING_FEAT_NODROP) &&
        io_uring_register_eventfd(&q->ring, q->event) == 0 && enable_restricted(&q->ring)) {
        io_uring_cq_eventfd_toggle(&q->ring, false);
        return true;
    }
    io_uring_queue_exit(&q->ring);
    return false;
}
#endif

struct io_queue *io_queue_new(struct pool *pool, bool threads_only, struct error *err)
{
    struct io_queue *q = calloc(1, sizeof(*q));
    if (!q) {
        error_set(err, "out of memory");
        return NULL;
    }
    q->pool = pool;
    q->event = eventfd(0, EFD_CLOEXEC);
    if (q->event < 0) {
        error_set(err, "cannot make an event counter: %s", strerror(errno));
        free(q);
        return NULL;
    }
#ifdef HAVE_LIBURING
    q->uring = !threads_only && start_ring(q);
#else
    (void)threads_only;
#endif
    return q;
}

void io_queue_free(struct io_queue *q)
{
    if (!q)
        return;
#ifdef HAVE_LIBURING
    if (q->uring)
        io_uring_queue_exit(&q->ring);
#endif
    close(q->event);
    free(q);
}

bool io_queue_has_batches(const struct io_queue *q)
{
    return q->uring;
}

const char *io_queue_name(const struct io_queue *q)
{
    return q->uring ? "io_uring" : "threads";
}

void io_queue_wake(struct io_queue *q)
{
    atomic_store(&q->woken, true);
    if (atomic_exchange(&q->asleep, false)) {
        uint64_t one = 1;
        /* It fails only if the counter would overflow, and then the owner wakes as well. */
        ssize_t n = write(q->event, &one, sizeof(one));
        (void)n;
    }
}

/* On a thread of the pool. */
static void perform(struct pool_job *job)
{
    struct io_op *op = io_op_of_job(job);
    struct io_queue *q = op->queue;
    io_finished_perform(&q->finished, op);
    io_queue_wake(q);
}

#ifdef HAVE_LIBURING
/* False: it is full, and the kernel takes nothing before something was reaped. */
static bool add_to_ring(struct io_queue *q, struct io_op *op)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&q->ring);
    if (!sqe) {
        io_uring_submit(&q->ring);
        sqe = io_uring_get_sqe(&q->ring);
    }
    if (!sqe)
        return false;
    if (op->kind == IO_READ)
        io_uring_prep_readv(sqe, op->fd, op->iov, op->iovcnt, op->offset);
    else
        io_uring_prep_writev(sqe, op->fd, op->iov, op->iovcnt, op->offset);
    io_uring_sqe_set_data(sqe, op);
    return true;
}
#endif

void io_queue_add(struct io_queue *q, struct io_op *op)
{
    op->queue = q;
#ifdef HAVE_LIBURING
    if (q->uring && add_to_ring(q, op))
        return;
#endif
    op->job.run = perform;
    pool_post(q->pool, &op->job);
}

void io_queue_submit(struct io_queue *q)
{
#ifdef HAVE_LIBURING
    /* EBUSY and EAGAIN: what is done has to be reaped first; the next call tries again. */
    if (q->uring && io_uring_sq_ready(&q->ring))
        io_uring_submit(&q->ring);
#else
    (void)q;
#endif
}

#ifdef HAVE_LIBURING
static unsigned reap_ring(struct io_queue *q)
{
    unsigned count = 0;
    struct io_uring_cqe *cqe;
    while (io_uring_peek_cqe(&q->ring, &cqe) == 0) {
        struct io_op *op = io_uring_cqe_get_data(cqe);
        op->result = cqe->res;
        io_uring_cqe_seen(&q->ring, cqe);
        op->done(op);
        count++;
    }
    return count;
}
#endif

bool io_queue_ready(const struct io_queue *q)
{
#ifdef HAVE_LIBURING
    if (q->uring && io_uring_cq_ready(&q->ring))
        return true;
#endif
    return io_finished_any(&q->finished);
}

unsigned io_queue_reap(struct io_queue *q)
{
    unsigned count = 0;
#ifdef HAVE_LIBURING
    if (q->uring)
        count = reap_ring(q);
#endif
    return count + io_finished_reap(&q->finished);
}

/* After `asleep` was set: whoever comes later writes to the event counter. */
static bool has_something(struct io_queue *q)
{
    if (atomic_exchange(&q->woken, false) || io_finished_any(&q->finished))
        return true;
#ifdef HAVE_LIBURING
    /* What could not be submitted yet must not be slept over. */
    return q->uring && (io_uring_cq_ready(&q->ring) || io_uring_sq_ready(&q->ring));
#else
    return false;
#endif
}

void io_queue_sleep(struct io_queue *q)
{
    uint64_t count;
#ifdef HAVE_LIBURING
    if (q->uring)
        io_uring_cq_eventfd_toggle(&q->ring, true);
#endif
    /* An exchange, since it orders memory: the flags first, then a look at what is there. */
    atomic_exchange(&q->asleep, true);
    if (!has_something(q)) {
        ssize_t n = read(q->event, &count, sizeof(count)); /* EINTR: for no reason */
        (void)n;
    }
    atomic_store(&q->asleep, false);
#ifdef HAVE_LIBURING
    if (q->uring)
        io_uring_cq_eventfd_toggle(&q->ring, false);
#endif
}
