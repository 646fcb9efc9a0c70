/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Writing where no cluster may be written in place: new clusters are allocated, filled (what the
 * guest writes, and around it what was there before), and only then pointed to. The data are written
 * without the lock, so that writes to different clusters go on side by side; those to the same ones
 * wait for each other (`runs`).
 */
#include "block/qcow2/qcow2.h"

#include <stdlib.h>
#include <string.h>

#define RUN_BYTES (4u << 20) /* that one allocation is for, unless a cluster is larger */

struct plan {
    struct run run;
    uint64_t offset, size; /* of the guest's data */
    uint64_t from, to;     /* what has to be filled: around them, in whole (sub)clusters */
    uint64_t host;         /* of run.start */
    bool fresh, virgin;    /* allocated just now; never written to */
    uint64_t bitmap;       /* extended entries: the new one */
};

/* Runs */

static struct run *find_run(const struct qcow2 *q, uint64_t start, uint64_t end)
{
    struct run *run = q->runs;
    while (run && (run->end <= start || run->start >= end))
        run = run->next;
    return run;
}

void qcow2_wait_for_runs(struct qcow2 *q, uint64_t start, uint64_t end)
{
    while (find_run(q, start, end))
        pthread_cond_wait(&q->run_ended, &q->meta);
}

static void end_run(struct qcow2 *q, struct run *run)
{
    struct run **link = &q->runs;
    while (*link != run)
        link = &(*link)->next;
    *link = run->next;
    pthread_cond_broadcast(&q->run_ended);
}

/* Planning, under meta */

/*
 * Where a run from the cluster at `start` on has to end at the latest: with the guest's data, with the
 * L2 table, and where the run of another write begins, which would not see what this one writes.
 */
static uint64_t run_limit(const struct qcow2 *q, uint64_t start, uint64_t end)
{
    uint64_t limit = start + (RUN_BYTES < q->cluster_size ? q->cluster_size : RUN_BYTES);
    uint64_t table_end = round_up(start + 1, qcow2_l2_span(q));
    uint64_t data_end = round_up(end, q->cluster_size);
    if (q->extended)
        return start + q->cluster_size;
    if (limit > table_end)
        limit = table_end;
    if (limit > data_end)
        limit = data_end;
    for (const struct run *run = q->runs; run; run = run->next)
        if (run->start > start && run->start < limit)
            limit = run->start;
    return limit;
}

/* How many clusters from the one at `start` on need a new place. */
static int count_new(struct qcow2 *q, uint64_t start, uint64_t end, uint64_t *count)
{
    uint64_t limit = run_limit(q, start, end), at = start;
    while (at < limit) {
        struct mapping m;
        int error = qcow2_map(q, at, limit - at, &m);
        if (error)
            return error;
        if (at > start && qcow2_may_write(q, &m))
            break;
        /* The first one was found to need a place already. */
        at = m.size < q->cluster_size ? at + q->cluster_size
                                      : at + m.size / q->cluster_size * q->cluster_size;
    }
    *count = ((at < limit ? at : limit) - start) >> q->cluster_bits;
    return 0;
}

/* Subclusters that [from, to) of the cluster at start covers, as bits. */
static uint64_t subcluster_bits(const struct qcow2 *q, uint64_t start, uint64_t from, uint64_t to)
{
    unsigned first = (unsigned)((from - start) / q->subcluster_size);
    unsigned end = (unsigned)((to - start + q->subcluster_size - 1) / q->subcluster_size);
    return ((1ull << end) - 1) & ~((1ull << first) - 1);
}

/* With subclusters only those that are touched have to be filled, unless others hold data too. */
static void plan_extended(struct qcow2 *q, struct plan *p, const struct mapping *m)
{
    uint64_t start = p->run.start, end = p->offset + p->size;
    bool compressed = m->entry & ENTRY_COMPRESSED,
         has_host = !compressed && (m->entry & ENTRY_OFFSET);
    uint64_t allocated = has_host ? m->bitmap & UINT32_MAX : 0;
    if (compressed || (has_host && !(m->entry & ENTRY_COPIED) && allocated)) {
        p->bitmap = UINT32_MAX;
        return;
    }
    p->from = p->offset / q->subcluster_size * q->subcluster_size;
    p->to = round_up(end, q->subcluster_size);
    /* What the first and the last of them hold stays where it is. */
    if (allocated & subcluster_bits(q, start, p->offset, p->offset + 1))
        p->from = p->offset;
    if (allocated & subcluster_bits(q, start, end - 1, end))
        p->to = end;
    uint64_t touched = subcluster_bits(q, start, p->offset, end);
    uint64_t before = compressed ? 0 : m->bitmap;
    p->bitmap = (before & ~(touched << 32)) | touched;
    if (has_host && (m->entry & ENTRY_COPIED)) {
        p->host = m->entry & ENTRY_OFFSET;
        p->fresh = false;
    }
}

/* Sets p->size to what it is for. *again: it need not be allocated any more. */
static int plan(struct qcow2 *q, struct plan *p, bool *again)
{
    uint64_t start = p->offset & ~(q->cluster_size - 1), count, got;
    struct mapping m;
    *again = false;
    int error = qcow2_begin_changes(q);
    if (error)
        return error;
    qcow2_wait_for_runs(q, start, start + q->cluster_size);
    if ((error = qcow2_map(q, p->offset, p->size, &m)))
        return error;
    if ((*again = qcow2_may_write(q, &m)))
        return 0;
    if ((error = qcow2_own_l2(q, start)) ||
        (error = count_new(q, start, p->offset + p->size, &count)))
        return error;
    p->run.start = p->from = start;
    p->fresh = true;
    uint64_t room = start + (count << q->cluster_bits) - p->offset;
    p->size = p->size < room ? p->size : room;
    if (q->extended) {
        p->to = start + q->cluster_size;
        plan_extended(q, p, &m);
    }
    if (!p->fresh && !qcow2_may_hold_data(q, p->host, q->cluster_size))
        return qcow2_corrupt(q, "the entry of the disk's offset 0x%llx points to a table",
                             (unsigned long long)start);
    if (p->fresh) {
        if ((error = qcow2_allocate(q, count, &p->host, &got, &p->virgin)))
            return error;
        count = got;
    }
    p->run.end = start + (count << q->cluster_bits);
    if (!q->extended)
        p->to = p->run.end;
    if (p->offset + p->size > p->run.end)
        p->size = p->run.end - p->offset;
    p->run.next = q->runs;
    q->runs = &p->run;
    return 0;
}

/* Filling, without the lock */

/* Puts what was at [from, to) of the disk into the new place. */
static int fill(struct qcow2 *q, const struct plan *p, uint64_t from, uint64_t to)
{
    if (from >= to || (p->virgin && qcow2_is_zero(q, from, to - from)))
        return 0;
    uint64_t size = to - from, end = q->image.size;
    /* Of what lies beyond the end of the disk nothing can be read. */
    uint64_t there = from >= end ? 0 : to <= end ? size : end - from;
    void *bytes = calloc(1, size);
    if (!bytes)
        return ENOMEM;
    struct iovec iov = {bytes, (size_t)there};
    struct iov_cursor at = iov_start(&iov, 1);
    int error = there ? qcow2_readv(&q->image, from, there, &at) : 0;
    if (!error)
        error =
            image_file_write(&q->image.file, p->host + (from - p->run.start), bytes, (size_t)size);
    free(bytes);
    return error;
}

static int fill_all(struct qcow2 *q, const struct plan *p, struct iov_cursor *at)
{
    uint64_t end = p->offset + p->size;
    int error = fill(q, p, p->from, p->offset);
    if (!error)
        error =
            image_file_writev(&q->image.file, p->host + (p->offset - p->run.start), p->size, at);
    return error ? error : fill(q, p, end, p->to);
}

/* Under meta: has the L2 entries point to what was filled, and gives up what they pointed to. */
static int point_to(struct qcow2 *q, const struct plan *p)
{
    uint64_t host = p->host, old;
    for (uint64_t at = p->run.start; at < p->run.end; at += q->cluster_size) {
        int error = qcow2_set_entry(q, at, host | ENTRY_COPIED, p->bitmap, &old);
        if (error) {
            if (p->fresh)
                qcow2_unallocate(q, host, (p->run.end - at) >> q->cluster_bits);
            return error;
        }
        if (p->fresh)
            qcow2_free_entry(q, old);
        host += q->cluster_size;
    }
    return 0;
}

static int write_new(struct qcow2 *q, uint64_t offset, uint64_t size, struct iov_cursor *at,
                     uint64_t *done)
{
    struct plan p = {.offset = offset, .size = size};
    bool again;
    *done = 0;
    pthread_mutex_lock(&q->meta);
    int error = plan(q, &p, &again);
    pthread_mutex_unlock(&q->meta);
    if (error || again)
        return error;
    error = fill_all(q, &p, at);
    pthread_mutex_lock(&q->meta);
    if (!error)
        error = point_to(q, &p);
    else if (p.fresh)
        qcow2_unallocate(q, p.host, (p.run.end - p.run.start) >> q->cluster_bits);
    end_run(q, &p.run);
    pthread_mutex_unlock(&q->meta);
    *done = p.size;
    return error;
}

/* What may be written in place is. *done 0: nothing was. */
static int write_in_place(struct qcow2 *q, uint64_t offset, uint64_t size, struct iov_cursor *at,
                          uint64_t *done)
{
    struct mapping m;
    *done = 0;
    unsigned epoch = qcow2_enter(q);
    int error = qcow2_map(q, offset, size, &m);
    if (!error && qcow2_may_write(q, &m)) {
        error = image_file_writev(&q->image.file, m.host, m.size, at);
        *done = m.size;
    }
    qcow2_leave(q, epoch);
    return error;
}

int qcow2_writev(struct image *image, uint64_t offset, uint64_t size, struct iov_cursor *at)
{
    struct qcow2 *q = qcow2_of(image);
    while (size) {
        uint64_t done;
        int error = write_in_place(q, offset, size, at, &done);
        if (!error && !done)
            error = write_new(q, offset, size, at, &done);
        if (error)
            return error;
        offset += done;
        size -= done;
    }
    return 0;
}

int qcow2_write_zeroes(struct qcow2 *q, uint64_t offset, uint64_t size)
{
    static const uint8_t zeroes[65536];
    int error = 0;
    while (size && !error) {
        struct iovec iov = {(void *)(uintptr_t)zeroes,
                            size < sizeof(zeroes) ? (size_t)size : sizeof(zeroes)};
        struct iov_cursor at = iov_start(&iov, 1);
        error = qcow2_writev(&q->image, offset, iov.iov_len, &at);
        offset += iov.iov_len;
        size -= iov.iov_len;
    }
    return error;
}
