/* SPDX-License-Identifier: MPL-2.0 */
/* Where the bytes of the disk are: L1 and L2 tables, read only. Changes are l2.c's. */
#include "block/qcow2/open.h"

#include <inttypes.h>

/* One cluster, or subcluster, of an L2 entry */

void qcow2_compressed_place(const struct qcow2 *q, uint64_t entry, uint64_t *offset, size_t *size)
{
    unsigned bits = 62 - (q->cluster_bits - 8);
    *offset = entry & ((1ull << bits) - 1);
    uint64_t sectors = ((entry & (ENTRY_COMPRESSED - 1)) >> bits) + 1;
    *size = (size_t)(sectors * 512 - (*offset & 511));
}

unsigned qcow2_entry_clusters(const struct qcow2 *q, uint64_t entry, uint64_t *offset)
{
    if (entry & ENTRY_COMPRESSED) {
        size_t size;
        qcow2_compressed_place(q, entry, offset, &size);
        uint64_t first = *offset >> q->cluster_bits;
        uint64_t last = (*offset + size - 1) >> q->cluster_bits;
        *offset = first << q->cluster_bits;
        return (unsigned)(last - first + 1);
    }
    *offset = entry & ENTRY_OFFSET;
    return *offset != 0;
}

static enum cluster_kind kind_of(const struct qcow2 *q, uint64_t entry, uint64_t bitmap,
                                 unsigned subcluster)
{
    if (entry & ENTRY_COMPRESSED)
        return CLUSTER_COMPRESSED;
    uint64_t host = entry & ENTRY_OFFSET;
    if (host & (q->cluster_size - 1))
        return CLUSTER_BAD;
    if (q->extended) {
        bool allocated = bitmap >> subcluster & 1, zero = bitmap >> (subcluster + 32) & 1;
        if ((allocated && zero) || (allocated && !host))
            return CLUSTER_BAD;
        return allocated ? CLUSTER_DATA : zero ? CLUSTER_ZERO : CLUSTER_ABSENT;
    }
    if (q->version > 2 && (entry & ENTRY_ZERO))
        return CLUSTER_ZERO;
    return host ? CLUSTER_DATA : CLUSTER_ABSENT;
}

/* Runs of them. bytes: the slice; from there on the table up to `entries` */

static void map_slice(const struct qcow2 *q, const uint8_t *bytes, unsigned index, uint64_t offset,
                      uint64_t size, struct mapping *m)
{
    unsigned entries = q->l2.size / q->entry_size;
    uint64_t unit = q->subcluster_size, in_cluster = offset & (q->cluster_size - 1);
    unsigned sub = (unsigned)(in_cluster / unit);
    uint64_t in_unit = offset & (unit - 1), done = 0;
    while (index < entries) {
        const uint8_t *at = bytes + (size_t)index * q->entry_size;
        uint64_t entry = get_be64(at), bitmap = q->extended ? get_be64(at + 8) : 0;
        for (; sub < q->cluster_size / unit; sub++) {
            enum cluster_kind kind = kind_of(q, entry, bitmap, sub);
            uint64_t host = (entry & ENTRY_OFFSET) + sub * unit + in_unit;
            if (!done) {
                *m = (struct mapping){kind, entry & ENTRY_COPIED, host, 0, entry, bitmap};
            } else if (kind != m->kind || kind == CLUSTER_COMPRESSED || kind == CLUSTER_BAD ||
                       (kind == CLUSTER_DATA &&
                        (host != m->host + done || !(entry & ENTRY_COPIED) == m->copied))) {
                m->size = done < size ? done : size;
                return;
            }
            done += kind == CLUSTER_COMPRESSED ? q->cluster_size - in_cluster : unit - in_unit;
            in_unit = 0;
            if (done >= size) {
                m->size = size;
                return;
            }
            if (kind == CLUSTER_COMPRESSED) {
                m->size = done;
                return;
            }
        }
        sub = 0;
        index++;
    }
    m->size = done;
}

/* The place of the slice for offset. 0: no table, which *m says already. */
static uint64_t slice_place(struct qcow2 *q, uint64_t offset, uint64_t size, struct mapping *m,
                            unsigned *index)
{
    uint64_t span = qcow2_l2_span(q), left = span - (offset & (span - 1));
    uint64_t l1 = atomic_load_explicit(&q->l1[offset / span], memory_order_acquire) & ENTRY_OFFSET;
    if (!l1 || (l1 & (q->cluster_size - 1))) {
        *m = (struct mapping){.kind = l1 ? CLUSTER_BAD : CLUSTER_ABSENT,
                              .size = size < left ? size : left};
        return 0;
    }
    unsigned per_slice = q->l2.size / q->entry_size;
    unsigned entry = (unsigned)((offset & (span - 1)) >> q->cluster_bits);
    *index = entry % per_slice;
    return l1 + (uint64_t)(entry / per_slice) * q->l2.size;
}

bool qcow2_peek(struct qcow2 *q, uint64_t offset, uint64_t size, struct mapping *m)
{
    unsigned index;
    uint64_t place = slice_place(q, offset, size, m, &index);
    if (!place)
        return true;
    pthread_mutex_lock(&q->l2.lock);
    const uint8_t *bytes = slices_find(&q->l2, place);
    if (bytes)
        map_slice(q, bytes, index, offset, size, m);
    pthread_mutex_unlock(&q->l2.lock);
    return bytes;
}

int qcow2_map(struct qcow2 *q, uint64_t offset, uint64_t size, struct mapping *m)
{
    while (!qcow2_peek(q, offset, size, m)) {
        /* Looked up again each time: a write may have moved the table meanwhile. */
        unsigned index;
        uint64_t place = slice_place(q, offset, size, m, &index);
        if (!place)
            break;
        pthread_mutex_lock(&q->l2.lock);
        int error = slices_find(&q->l2, place) ? 0 : slices_load(&q->l2, &q->image.file, place);
        pthread_mutex_unlock(&q->l2.lock);
        if (error)
            return error;
    }
    if (m->kind == CLUSTER_BAD)
        return qcow2_corrupt(q, "the entry of the disk's offset 0x%" PRIx64 " is 0x%016" PRIx64,
                             offset, m->entry);
    return 0;
}

/* For disk.c */

/* A guest's write in place must not hit what describes the image, whatever an L2 entry says. */
bool qcow2_may_hold_data(const struct qcow2 *q, uint64_t host, uint64_t size)
{
    uint64_t end = host + size;
    return host >= q->cluster_size &&
           (end <= q->l1_offset || host >= q->l1_offset + (uint64_t)q->l1_size * 8) &&
           (end <= q->reftable_offset ||
            host >= q->reftable_offset + (uint64_t)q->reftable_size * 8);
}

bool qcow2_may_write(struct qcow2 *q, const struct mapping *m)
{
    return m->kind == CLUSTER_DATA && m->copied && !atomic_load(&q->corrupt) &&
           qcow2_may_hold_data(q, m->host, m->size);
}

static void map_backing(struct image *image, uint64_t offset, struct extent *e)
{
    struct image *backing = image->backing;
    if (!backing || offset >= backing->size)
        return;
    uint64_t left = backing->size - offset;
    /* A backing file is only read: what it says stays true without unmap. */
    backing->ops->map(backing, offset, e->size < left ? e->size : left, false, e);
}

void qcow2_map_quickly(struct image *image, uint64_t offset, uint64_t size, bool write,
                       struct extent *e)
{
    struct qcow2 *q = qcow2_of(image);
    struct mapping m;
    unsigned epoch = qcow2_enter(q);
    *e = (struct extent){.kind = EXTENT_OTHER};
    if (!qcow2_peek(q, offset, size, &m) || m.kind == CLUSTER_BAD || m.kind == CLUSTER_COMPRESSED ||
        (write && !qcow2_may_write(q, &m))) {
        qcow2_leave(q, epoch);
        return;
    }
    *e = (struct extent){.kind = m.kind == CLUSTER_DATA ? EXTENT_DATA : EXTENT_ZERO,
                         .file = &image->file,
                         .offset = m.host,
                         .size = m.size};
    if (m.kind == CLUSTER_ABSENT)
        map_backing(image, offset, e);
    if (e->kind == EXTENT_OTHER)
        qcow2_leave(q, epoch);
    e->epoch = epoch;
}

void qcow2_unmap(struct image *image, unsigned epoch)
{
    qcow2_leave(qcow2_of(image), epoch);
}

int qcow2_status(struct image *image, uint64_t offset, uint64_t size, struct extent *e)
{
    struct mapping m;
    int error = qcow2_map(qcow2_of(image), offset, size, &m);
    if (error)
        return error;
    struct image *backing = image->backing;
    *e = (struct extent){.kind = m.kind == CLUSTER_DATA         ? EXTENT_DATA
                                 : m.kind == CLUSTER_COMPRESSED ? EXTENT_OTHER
                                                                : EXTENT_ZERO,
                         .file = &image->file,
                         .offset = m.host,
                         .size = m.size};
    if (m.kind != CLUSTER_ABSENT || !backing || offset >= backing->size)
        return 0;
    uint64_t left = backing->size - offset;
    return backing->ops->status(backing, offset, m.size < left ? m.size : left, e);
}

bool qcow2_is_zero(struct qcow2 *q, uint64_t offset, uint64_t size)
{
    struct extent e = {.kind = EXTENT_ZERO};
    uint64_t end = offset + size < q->image.size ? offset + size : q->image.size;
    unsigned epoch = qcow2_enter(q);
    for (; offset < end && e.kind == EXTENT_ZERO; offset += e.size)
        if (qcow2_status(&q->image, offset, end - offset, &e))
            e.kind = EXTENT_OTHER;
    qcow2_leave(q, epoch);
    return e.kind == EXTENT_ZERO;
}
