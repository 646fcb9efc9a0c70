/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Disks: see disk.h. The disk's thread takes requests and sorts them:
 *
 * - Quick: the image says at once where all of it lies, in one piece. What the host's page cache
 *   holds or takes is copied right here, which is quicker than anything that involves another
 *   thread; the rest goes to the queue (io_uring), all of one round in one system call. Many reads
 *   go there in the first place, since the queue copies what is cached as well.
 * - Everything else, whatever may take long or has more than one step, is performed by a thread of
 *   the pool in plain code that waits. A quick one that did not go as expected ends there too.
 *
 * A request ends on the thread that finishes it.
 *
 * While requests follow each other closely the thread spins for a moment before it sleeps: waking a
 * thread costs more than the requests do.
 */
#include "block/disk.h"

#include "block/image.h"
#include "host/clock.h"
#include "host/thread.h"
#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define POOL_THREADS 8
#define SPIN_NS 30000
#define SPIN_SCORE_MAX 8
#define COPY_MAX (256u << 10) /* bytes that the disk's thread clears or copies itself */
#define BATCH 8               /* reads that are better given to the queue together */
/* A write to the page cache that takes long waits for dirty pages: then others wait, for a while. */
#define WRITE_SLOW_NS 20000000u /* not a thread of the host that had its turn */
#define WRITE_AWAY_NS 1000000000u

struct disk {
    struct disk_info info;
    char *path;
    struct image *image;
    bool unsafe;

    struct pool *pool;
    struct io_queue *queue;
    pthread_t thread;
    bool has_thread;

    _Atomic(struct disk_request *) submitted; /* by other threads: a stack */
    _Atomic(struct disk_task *) woken;        /* a stack */
    struct disk_request *ready, **ready_end;  /* the disk's thread's: in order */
    _Atomic unsigned long pending;            /* requests not done, tasks not run */
    atomic_bool end;

    bool may_spin;
    uint64_t writes_away; /* until then this thread writes nothing itself */
    unsigned spin_score;  /* how often of late the next work came within SPIN_NS */

    pthread_mutex_t lock; /* for drained */
    pthread_cond_t drained;
};

/* Counting what is pending */

static void begin(struct disk *d, unsigned long count)
{
    atomic_fetch_add_explicit(&d->pending, count, memory_order_relaxed);
}

static void finish_one(struct disk *d)
{
    if (atomic_fetch_sub(&d->pending, 1) != 1)
        return;
    /* Under the lock, so that who waits for it does not free it beneath our feet. */
    pthread_mutex_lock(&d->lock);
    pthread_cond_broadcast(&d->drained);
    pthread_mutex_unlock(&d->lock);
}

static void finish(struct disk_request *r, int error)
{
    struct disk *d = r->disk;
    r->done(r, error);
    finish_one(d);
}

/* On a thread of the pool */

static int perform(struct disk *d, struct disk_request *r)
{
    struct image *image = d->image;
    struct iov_cursor at = iov_start(r->iov, r->iovcnt);
    int error = 0;
    switch (r->op) {
    case DISK_READ:
        return image->ops->readv(image, r->offset, r->size, &at);
    case DISK_WRITE:
        error = image->ops->writev(image, r->offset, r->size, &at);
        break;
    case DISK_WRITE_ZEROES:
        error = image->ops->zero(image, r->offset, r->size, r->unmap && d->info.discard);
        break;
    case DISK_DISCARD:
        return image->ops->discard(image, r->offset, r->size);
    case DISK_FLUSH:
        return image->ops->flush(image);
    }
    return !error && r->fua && !d->unsafe ? image->ops->flush(image) : error;
}

static void run_job(struct pool_job *job)
{
    struct disk_request *r =
        (struct disk_request *)((char *)job - offsetof(struct disk_request, io.job));
    finish(r, perform(r->disk, r));
}

static void give_to_pool(struct disk *d, struct disk_request *r)
{
    r->io.job.run = run_job;
    pool_post(d->pool, &r->io.job);
}

/* Quick ones, on the disk's thread */

static void leave_image(struct disk_request *r)
{
    struct image *image = r->disk->image;
    if (image->ops->unmap)
        image->ops->unmap(image, r->phase);
}

static void io_done(struct io_op *op)
{
    struct disk_request *r =
        (struct disk_request *)((char *)op - offsetof(struct disk_request, io));
    leave_image(r);
    if (op->result == (int64_t)r->size)
        finish(r, 0);
    else /* the end of the file, a signal, an error: once more, step by step */
        give_to_pool(r->disk, r);
}

/* EAGAIN: it needs somebody who may wait. */
static int write_here(struct disk *d, const struct disk_request *r, const struct extent *e)
{
    uint64_t start = clock_monotonic_ns();
    if (r->size > COPY_MAX || start < d->writes_away)
        return EAGAIN;
    int error = image_file_write_cached(e->file, e->offset, r->size, r->iov, r->iovcnt);
    uint64_t end = clock_monotonic_ns();
    if (end - start > WRITE_SLOW_NS)
        d->writes_away = end + WRITE_AWAY_NS;
    return error;
}

/* What takes no waiting is done. Otherwise not 0. */
static int do_here(struct disk *d, const struct disk_request *r, const struct extent *e, bool batch)
{
    if (e->kind == EXTENT_ZERO) {
        struct iov_cursor at = iov_start(r->iov, r->iovcnt);
        iov_zero(&at, r->size);
        return 0;
    }
    if (r->op == DISK_WRITE)
        return write_here(d, r, e);
    return batch ? EAGAIN : image_file_read_cached(e->file, e->offset, r->size, r->iov, r->iovcnt);
}

/* False: nothing was begun. batch: it is one of many. */
static bool start_quick(struct disk *d, struct disk_request *r, bool batch)
{
    bool write = r->op == DISK_WRITE;
    if ((r->op != DISK_READ && !write) || r->fua || r->iovcnt > IO_IOV_MAX)
        return false;
    struct extent e;
    d->image->ops->map(d->image, r->offset, r->size, write, &e);
    if (e.kind == EXTENT_OTHER)
        return false;
    r->phase = e.epoch;
    if (e.size < r->size || (e.kind == EXTENT_ZERO && r->size > COPY_MAX)) {
        leave_image(r);
        return false;
    }
    bool direct = e.kind == EXTENT_DATA && image_file_direct(e.file, e.offset, r->iov, r->iovcnt);
    if (!direct && !do_here(d, r, &e, batch)) {
        leave_image(r);
        finish(r, 0);
        return true;
    }
    r->io = (struct io_op){.kind = write ? IO_WRITE : IO_READ,
                           .fd = direct ? e.file->direct_fd : e.file->fd,
                           .offset = e.offset,
                           .iov = r->iov,
                           .iovcnt = r->iovcnt,
                           .done = io_done};
    io_queue_add(d->queue, &r->io);
    return true;
}

static int check(const struct disk *d, const struct disk_request *r)
{
    if (r->op == DISK_FLUSH)
        return 0;
    if (r->offset > d->info.size || r->size > d->info.size - r->offset)
        return EINVAL;
    bool moves = r->op == DISK_READ || r->op == DISK_WRITE;
    if (moves && (r->size > DISK_REQUEST_MAX || iov_size(r->iov, r->iovcnt) != r->size))
        return EINVAL;
    return r->op != DISK_READ && d->info.read_only ? EROFS : 0;
}

static bool is_nothing(const struct disk *d, const struct disk_request *r)
{
    switch (r->op) {
    case DISK_FLUSH:
        return d->unsafe || d->info.read_only;
    case DISK_DISCARD:
        return !r->size || !d->info.discard;
    default:
        return !r->size;
    }
}

static void start(struct disk *d, struct disk_request *r, bool batch)
{
    int error = check(d, r);
    if (error || is_nothing(d, r))
        finish(r, error);
    else if (!start_quick(d, r, batch))
        give_to_pool(d, r);
}

/* The disk's thread */

static void append_ready(struct disk *d, struct disk_request *first)
{
    *d->ready_end = first;
    while (*d->ready_end)
        d->ready_end = &(*d->ready_end)->next;
}

static bool take_submitted(struct disk *d)
{
    if (!atomic_load_explicit(&d->submitted, memory_order_relaxed))
        return false;
    struct disk_request *r = atomic_exchange(&d->submitted, NULL), *first = NULL, *next;
    for (; r; r = next) { /* the stack has the last on top */
        next = r->next;
        r->next = first;
        first = r;
    }
    append_ready(d, first);
    return true;
}

static bool run_tasks(struct disk *d)
{
    if (!atomic_load_explicit(&d->woken, memory_order_relaxed))
        return false;
    struct disk_task *task = atomic_exchange(&d->woken, NULL), *next;
    for (; task; task = next) {
        next = task->next;
        /* From here on it can be woken again; run sees all that was before this. */
        atomic_store(&task->queued, 0);
        task->run(task);
        finish_one(d);
    }
    return true;
}

static bool start_ready(struct disk *d)
{
    struct disk_request *r = d->ready, *next;
    if (!r)
        return false;
    d->ready = NULL;
    d->ready_end = &d->ready;
    unsigned count = 0;
    for (const struct disk_request *each = r; each && count < BATCH; each = each->next)
        count++;
    bool batch = count == BATCH && io_queue_has_batches(d->queue);
    for (; r; r = next) {
        next = r->next;
        start(d, r, batch);
    }
    return true;
}

static bool has_work(const struct disk *d)
{
    return atomic_load_explicit(&d->submitted, memory_order_relaxed) ||
           atomic_load_explicit(&d->woken, memory_order_relaxed) || io_queue_ready(d->queue);
}

static inline void pause_spinning(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static void wait_for_work(struct disk *d)
{
    uint64_t start = clock_monotonic_ns(), now = start;
    bool spin = d->may_spin && d->spin_score >= SPIN_SCORE_MAX / 2;
    while (spin && !has_work(d) && now - start < SPIN_NS) {
        for (unsigned i = 0; i < 16 && !has_work(d); i++)
            pause_spinning();
        now = clock_monotonic_ns();
    }
    if (!has_work(d)) {
        io_queue_sleep(d->queue);
        now = clock_monotonic_ns();
    }
    if (now - start >= SPIN_NS)
        d->spin_score -= d->spin_score > 0;
    else
        d->spin_score += d->spin_score < SPIN_SCORE_MAX;
}

static void *disk_thread(void *arg)
{
    struct disk *d = arg;
    pthread_mutex_lock(&d->lock); /* until disk_open has noted who we are */
    pthread_mutex_unlock(&d->lock);
    for (;;) {
        bool worked = run_tasks(d);
        worked |= take_submitted(d);
        worked |= start_ready(d);
        io_queue_submit(d->queue);
        worked |= io_queue_reap(d->queue) > 0;
        if (worked)
            continue;
        if (atomic_load(&d->end))
            return NULL;
        wait_for_work(d);
    }
}

/* The interface */

void disk_submit(struct disk *d, struct disk_request *first)
{
    if (!first)
        return;
    unsigned long count = 0;
    for (struct disk_request *r = first; r; r = r->next, count++)
        r->disk = d;
    begin(d, count);
    if (pthread_equal(pthread_self(), d->thread)) {
        append_ready(d, first);
        return;
    }
    for (struct disk_request *r = first, *next; r; r = next) {
        next = r->next;
        r->next = atomic_load(&d->submitted);
        while (!atomic_compare_exchange_weak(&d->submitted, &r->next, r))
            ;
    }
    io_queue_wake(d->queue);
}

void disk_wake(struct disk *d, struct disk_task *task)
{
    if (atomic_exchange(&task->queued, 1))
        return;
    begin(d, 1);
    task->next = atomic_load(&d->woken);
    while (!atomic_compare_exchange_weak(&d->woken, &task->next, task))
        ;
    io_queue_wake(d->queue);
}

void disk_drain(struct disk *d)
{
    pthread_mutex_lock(&d->lock);
    while (atomic_load(&d->pending))
        pthread_cond_wait(&d->drained, &d->lock);
    pthread_mutex_unlock(&d->lock);
}

const struct disk_info *disk_info(const struct disk *d)
{
    return &d->info;
}

static struct image *open_image(const struct disk_options *o, struct error *err)
{
    struct image_options options = {
        .path = o->path,
        .format = o->format,
        .cache = o->cache,
        .read_only = o->read_only || o->overlay,
        .no_discard = o->no_discard,
        .snapshot = o->snapshot,
        .files = o->files,
        .log = o->log,
    };
    if (o->calls && (o->snapshot || o->format == DISK_FORMAT_QCOW2)) {
        error_set(err, "%s: a disk by callbacks is raw, and has no snapshots", o->path);
        return NULL;
    }
    if (o->snapshot && !options.read_only) {
        error_set(err, "%s: a snapshot can only be read: say ro or snapshot as well", o->path);
        return NULL;
    }
    struct image *image =
        o->calls ? calls_open(&options, o->calls, err) : image_open(&options, err);
    return image && o->overlay && !o->read_only ? image_overlay(image, o->files, o->log, err)
                                                : image;
}

bool disk_collect(const struct disk_options *o, struct error *err)
{
    struct image *image = open_image(o, err);
    image_close(image);
    return image;
}

static bool start_thread(struct disk *d, struct error *err)
{
    pthread_mutex_lock(&d->lock);
    d->has_thread = thread_start(&d->thread, THREAD_DISK, "disk", disk_thread, d, err);
    pthread_mutex_unlock(&d->lock);
    return d->has_thread;
}

struct disk *disk_open(const struct disk_options *o, struct error *err)
{
    struct disk *d = calloc(1, sizeof(*d));
    if (!d || !(d->path = strdup(o->path))) {
        free(d);
        error_set(err, "%s: out of memory", o->path);
        return NULL;
    }
    pthread_mutex_init(&d->lock, NULL);
    pthread_cond_init(&d->drained, NULL);
    d->ready_end = &d->ready;
    d->may_spin = thread_cpu_count() > 1;
    d->unsafe = o->cache == DISK_CACHE_UNSAFE || o->overlay;
    if (!(d->image = open_image(o, err)) ||
        !(d->pool = pool_new("disk-worker", POOL_THREADS, err)) ||
        !(d->queue = io_queue_new(d->pool, o->threads_only, err)) || !start_thread(d, err)) {
        disk_close(d);
        return NULL;
    }
    d->info = (struct disk_info){
        .path = d->path,
        .size = d->image->size,
        .block_size = d->image->block_size,
        .discard_granularity = d->image->discard_granularity,
        .read_only = d->image->read_only,
        .discard = !o->no_discard && !d->image->read_only && (!o->calls || o->overlay),
    };
    log_line(o->log, LOG_INFO, "%s: %s, %llu MiB%s, by %s", d->path, d->image->ops->name,
             (unsigned long long)(d->info.size >> 20), d->info.read_only ? ", read only" : "",
             io_queue_name(d->queue));
    return d;
}

void disk_close(struct disk *d)
{
    if (!d)
        return;
    if (d->has_thread) {
        disk_drain(d);
        atomic_store(&d->end, true);
        io_queue_wake(d->queue);
        pthread_join(d->thread, NULL);
    }
    pool_free(d->pool);
    io_queue_free(d->queue);
    image_close(d->image);
    pthread_cond_destroy(&d->drained);
    pthread_mutex_destroy(&d->lock);
    free(d->path);
    free(d);
}
