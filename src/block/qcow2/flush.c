/* SPDX-License-Identifier: MPL-2.0 */
/* What is in the caches reaches the file in an order that keeps the image whole: see qcow2.h. */
#include "block/qcow2/qcow2.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define FREED_MOST 4096 /* ranges that wait; then it is time to write what they wait for */

/* Epochs */

unsigned qcow2_enter(struct qcow2 *q)
{
    for (;;) {
        unsigned epoch = atomic_load(&q->epoch);
        atomic_fetch_add(&q->active[epoch & 1], 1);
        if (atomic_load(&q->epoch) == epoch)
            return epoch;
        atomic_fetch_sub(&q->active[epoch & 1], 1);
    }
}

void qcow2_leave(struct qcow2 *q, unsigned epoch)
{
    atomic_fetch_sub(&q->active[epoch & 1], 1);
}

/*
 * Under meta. Nobody of the epoch before this one is left when the next begins. So what was given up
 * in epoch N is used by nobody in N + 2.
 */
static void advance_epoch(struct qcow2 *q)
{
    unsigned epoch = atomic_load(&q->epoch);
    if (!atomic_load(&q->active[(epoch + 1) & 1]))
        atomic_store(&q->epoch, epoch + 1);
}

/* Writing refcounts, which is right at any time: none is lower than what the file points to */

static int barrier(const struct qcow2 *q)
{
    return q->image.unsafe ? 0 : image_file_sync(&q->image.file);
}

static int write_reftable(struct qcow2 *q)
{
    size_t bytes = (size_t)q->reftable_size * 8;
    uint8_t *table = malloc(bytes);
    if (!table)
        return ENOMEM;
    for (unsigned i = 0; i < q->reftable_size; i++)
        put_be64(table + (size_t)i * 8, q->reftable[i]);
    int error = image_file_write(&q->image.file, q->reftable_offset, table, bytes);
    free(table);
    return error;
}

static int write_refcounts(struct qcow2 *q)
{
    int error = slices_write(&q->refcounts, &q->image.file);
    if (error || !q->reftable_changed)
        return error;
    if ((error = barrier(q)) || (error = write_reftable(q)))
        return error;
    q->reftable_changed = false;
    return 0;
}

/* Giving up clusters */

void qcow2_free(struct qcow2 *q, uint64_t offset, uint64_t count, bool table)
{
    unsigned epoch = atomic_load(&q->epoch);
    struct freed *last = q->freed_count ? &q->freed[q->freed_count - 1] : NULL;
    if (last && last->epoch == epoch && last->table == table &&
        last->offset + (last->count << q->cluster_bits) == offset) {
        last->count += count;
        return;
    }
    if (q->freed_count == q->freed_room) {
        size_t room = q->freed_room ? q->freed_room * 2 : 64;
        struct freed *list = realloc(q->freed, room * sizeof(list[0]));
        if (!list)
            return;
        q->freed = list;
        q->freed_room = room;
    }
    q->freed[q->freed_count++] = (struct freed){offset, count, epoch, table};
}

void qcow2_free_entry(struct qcow2 *q, uint64_t entry)
{
    uint64_t offset;
    unsigned count = qcow2_entry_clusters(q, entry, &offset);
    if (count)
        qcow2_free(q, offset, count, false);
}

static void give_back(const struct qcow2 *q, uint64_t from, uint64_t end)
{
    /* A hint to the host: if it cannot, nothing is lost. */
    if (from < end && !q->image.no_discard)
        image_file_punch(&q->image.file, from, end - from);
}

/* One user less. Was it the only one? A cluster whose refcount cannot be read is leaked. */
static bool drop_user(struct qcow2 *q, uint64_t cluster)
{
    uint64_t count;
    if (qcow2_refcount(q, cluster, &count))
        return false;
    if (!count)
        qcow2_corrupt(q, "cluster %" PRIu64 " is given up, and its refcount is 0", cluster);
    return count && !qcow2_set_refcount(q, cluster, count - 1) && count == 1;
}

/* What cannot be done now stays in f, for the next time. */
static void apply_one(struct qcow2 *q, struct freed *f)
{
    uint64_t punch = f->offset;
    if (f->table)
        slices_forget(&q->l2, f->offset, f->count << q->cluster_bits);
    for (; f->count && !atomic_load(&q->corrupt); f->count--, f->offset += q->cluster_size) {
        uint64_t cluster = f->offset >> q->cluster_bits;
        /* A guest that gives up much at once changes more than the cache holds. */
        if (slices_crowded(&q->refcounts) && write_refcounts(q))
            break;
        if (!drop_user(q, cluster)) { /* a snapshot has it */
            give_back(q, punch, f->offset);
            punch = f->offset + q->cluster_size;
        } else if (cluster < q->free_hint) {
            q->free_hint = cluster;
        }
    }
    give_back(q, punch, f->offset);
}

/* Nothing in the file points to them any more. */
static void apply_freed(struct qcow2 *q)
{
    advance_epoch(q);
    advance_epoch(q);
    unsigned epoch = atomic_load(&q->epoch);
    size_t left = 0;
    q->compressed_end = 0; /* its cluster may be among them */
    for (size_t i = 0; i < q->freed_count; i++) {
        struct freed f = q->freed[i];
        if (epoch - f.epoch >= 2)
            apply_one(q, &f);
        if (f.count)
            q->freed[left++] = f;
    }
    q->freed_count = left;
}

/* Writing the rest */

static int write_l1(struct qcow2 *q)
{
    for (; q->changed_l1_count; q->changed_l1_count--) {
        unsigned index = q->changed_l1[q->changed_l1_count - 1];
        uint8_t entry[8];
        put_be64(entry, q->l1[index]);
        int error = image_file_write(&q->image.file, q->l1_offset + index * 8ull, entry, 8);
        if (error)
            return error;
    }
    return 0;
}

static bool has_changes(struct slices *s)
{
    pthread_mutex_lock(&s->lock);
    bool changed = s->changed;
    pthread_mutex_unlock(&s->lock);
    return changed;
}

int qcow2_flush_metadata(struct qcow2 *q)
{
    bool l2 = has_changes(&q->l2);
    int error = 0;
    if (atomic_load(&q->corrupt))
        return EIO;
    if (!q->lazy)
        error = write_refcounts(q);
    if (!error && (l2 || q->changed_l1_count)) {
        /* Now what the L2 entries point to: data, and the refcounts of their clusters. */
        error = barrier(q);
        if (!error)
            error = slices_write(&q->l2, &q->image.file);
        if (!error && q->changed_l1_count && !(error = barrier(q)))
            error = write_l1(q);
    }
    if (!error && q->freed_count && !(error = barrier(q)))
        apply_freed(q);
    return error;
}

int qcow2_begin_changes(struct qcow2 *q)
{
    if (atomic_load(&q->corrupt))
        return EIO;
    if (q->lazy && !(q->features[0] & INCOMPATIBLE_DIRTY)) {
        q->features[0] |= INCOMPATIBLE_DIRTY;
        int error = qcow2_write_features(q);
        if (!error)
            error = barrier(q);
        if (error) {
            q->features[0] &= ~INCOMPATIBLE_DIRTY;
            return error;
        }
    }
    /* With lazy refcounts they may be wrong at any time. */
    if (q->lazy && slices_crowded(&q->refcounts)) {
        int error = slices_write(&q->refcounts, &q->image.file);
        if (error)
            return error;
    }
    if (slices_crowded(&q->l2) || slices_crowded(&q->refcounts) || q->freed_count > FREED_MOST)
        return qcow2_flush_metadata(q);
    return 0;
}

int qcow2_flush(struct image *image)
{
    struct qcow2 *q = qcow2_of(image);
    if (image->read_only)
        return 0;
    pthread_mutex_lock(&q->meta);
    int error = qcow2_flush_metadata(q);
    pthread_mutex_unlock(&q->meta);
    return error ? error : image_file_sync(&image->file);
}

void qcow2_end(struct qcow2 *q)
{
    if (q->image.read_only)
        return;
    pthread_mutex_lock(&q->meta);
    /* The second time for the refcounts of what the first gave up. */
    int error = qcow2_flush_metadata(q);
    if (!error)
        error = qcow2_flush_metadata(q);
    if (!error && (q->features[0] & INCOMPATIBLE_DIRTY) && q->lazy) {
        error = write_refcounts(q);
        if (!error && !(error = barrier(q))) {
            q->features[0] &= ~INCOMPATIBLE_DIRTY;
            error = qcow2_write_features(q);
        }
    }
    if (!error)
        error = barrier(q);
    if (error && !atomic_load(&q->corrupt))
        log_line(q->image.log, LOG_ERROR, "%s: cannot write all of it: %s", q->image.file.path,
                 strerror(error));
    pthread_mutex_unlock(&q->meta);
}
