/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Zeroes and discards: whole clusters by their L2 entries, which gives their space back; the edges of
 * zeroes as data. Version 2 has no mark for zeroes: there a cluster in front of a backing file keeps
 * what it has.
 */
#include "block/qcow2/qcow2.h"

#define CLUSTERS_AT_ONCE 4096 /* without letting others have the lock */

enum how {
    DISCARD,    /* give the space back; it must not show the backing file again */
    ZERO_UNMAP, /* zeroes, space given back */
    ZERO_KEEP,  /* zeroes, the cluster stays allocated */
};

struct entry {
    uint64_t value, bitmap;
};

/* What the entry becomes. False: it may stay. */
static bool new_entry(const struct qcow2 *q, const struct mapping *m, enum how how,
                      struct entry *new)
{
    bool backed = q->image.backing || q->backing_name;
    bool has_host = !(m->entry & ENTRY_COMPRESSED) && (m->entry & ENTRY_OFFSET);
    if (m->kind == CLUSTER_ABSENT && !has_host && !m->bitmap && (how == DISCARD || !backed))
        return false;
    uint64_t keep = how == ZERO_KEEP && has_host && (m->entry & ENTRY_COPIED)
                        ? m->entry & (ENTRY_OFFSET | ENTRY_COPIED)
                        : 0;
    bool mark = keep || backed;
    *new = q->extended ? (struct entry){keep, mark ? (uint64_t)UINT32_MAX << 32 : 0}
                       : (struct entry){keep | (mark ? ENTRY_ZERO : 0), 0};
    return new->value != m->entry || (q->extended && new->bitmap != m->bitmap);
}

static int change_one(struct qcow2 *q, uint64_t offset, const struct mapping *m, enum how how)
{
    struct entry new;
    uint64_t old;
    if (!new_entry(q, m, how, &new))
        return 0;
    int error = qcow2_own_l2(q, offset);
    if (!error)
        error = qcow2_set_entry(q, offset, new.value, new.bitmap, &old);
    if (!error && !(new.value &ENTRY_OFFSET))
        qcow2_free_entry(q, old);
    return error;
}

/* Under meta: whole clusters, a part of one L2 table. */
static int change_part(struct qcow2 *q, uint64_t offset, uint64_t end, enum how how)
{
    int error = qcow2_begin_changes(q);
    qcow2_wait_for_runs(q, offset, end);
    while (offset < end && !error) {
        struct mapping m;
        error = qcow2_map(q, offset, end - offset, &m);
        if (error)
            break;
        bool nothing = m.kind == CLUSTER_ABSENT && !m.entry && !m.bitmap &&
                       (how == DISCARD || !(q->image.backing || q->backing_name));
        /* Runs of what is not there are left behind in one step. */
        uint64_t step = nothing && !q->extended ? m.size & ~(q->cluster_size - 1) : 0;
        if (!step) {
            step = q->cluster_size;
            error = change_one(q, offset, &m, how);
        }
        offset += step;
    }
    return error;
}

static int change_clusters(struct qcow2 *q, uint64_t offset, uint64_t end, enum how how)
{
    uint64_t span = qcow2_l2_span(q);
    int error = 0;
    while (offset < end && !error) {
        uint64_t part = round_up(offset + 1, span);
        if (part - offset > CLUSTERS_AT_ONCE * q->cluster_size)
            part = offset + CLUSTERS_AT_ONCE * q->cluster_size;
        if (part > end)
            part = end;
        pthread_mutex_lock(&q->meta);
        error = change_part(q, offset, part, how);
        pthread_mutex_unlock(&q->meta);
        offset = part;
    }
    return error;
}

/* The whole clusters of a range; the last one of the disk may be cut short. */
static void whole_clusters(const struct qcow2 *q, uint64_t offset, uint64_t size, uint64_t *first,
                           uint64_t *end)
{
    uint64_t mask = q->cluster_size - 1;
    *first = round_up(offset, q->cluster_size);
    *end = offset + size == q->image.size ? round_up(q->image.size, q->cluster_size)
                                          : (offset + size) & ~mask;
    if (*end < *first)
        *end = *first;
}

/* Under v2 an entry cannot say zero. */
static bool needs_data(const struct qcow2 *q)
{
    return q->version < 3 && (q->image.backing || q->backing_name);
}

int qcow2_discard(struct image *image, uint64_t offset, uint64_t size)
{
    struct qcow2 *q = qcow2_of(image);
    uint64_t first, end;
    whole_clusters(q, offset, size, &first, &end);
    return needs_data(q) ? 0 : change_clusters(q, first, end, DISCARD);
}

static int zero_edge(struct qcow2 *q, uint64_t from, uint64_t to)
{
    return from >= to || qcow2_is_zero(q, from, to - from) ? 0
                                                           : qcow2_write_zeroes(q, from, to - from);
}

int qcow2_zero(struct image *image, uint64_t offset, uint64_t size, bool unmap)
{
    struct qcow2 *q = qcow2_of(image);
    uint64_t first, end, last = offset + size;
    whole_clusters(q, offset, size, &first, &end);
    if (needs_data(q))
        return zero_edge(q, offset, last);
    if (first >= end)
        return zero_edge(q, offset, last);
    int error = zero_edge(q, offset, first);
    if (!error && last > end)
        error = zero_edge(q, end, last);
    bool keep = !unmap && q->version > 2;
    return error ? error : change_clusters(q, first, end, keep ? ZERO_KEEP : ZERO_UNMAP);
}
