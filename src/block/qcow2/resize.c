/* SPDX-License-Identifier: MPL-2.0 */
/* Another size of the disk. Nobody else uses the image meanwhile. */
#include "block/qcow2/open.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Size and place of the L1 table stand in one piece of the header, so that they change at once. */
static int write_header(struct qcow2 *q, uint64_t size)
{
    uint8_t fields[HEADER_L1_OFFSET + 8 - HEADER_SIZE];
    int error = image_file_read(&q->image.file, HEADER_SIZE, fields, sizeof(fields));
    if (error)
        return error;
    put_be64(fields, size);
    put_be32(fields + (HEADER_L1_SIZE - HEADER_SIZE), q->l1_size);
    put_be64(fields + (HEADER_L1_OFFSET - HEADER_SIZE), q->l1_offset);
    error = image_file_sync(&q->image.file);
    if (!error)
        error = image_file_write(&q->image.file, HEADER_SIZE, fields, sizeof(fields));
    return error ? error : image_file_sync(&q->image.file);
}

/* In clusters. */
static uint64_t l1_clusters(const struct qcow2 *q)
{
    return round_up(q->l1_size * 8ull, q->cluster_size) >> q->cluster_bits;
}

/* The old table is the caller's to free. */
static int grow_l1(struct qcow2 *q, unsigned entries)
{
    uint64_t bytes = round_up(entries * 8ull, q->cluster_size), place;
    int error = qcow2_allocate_piece(q, bytes >> q->cluster_bits, &place);
    if (error)
        return error;
    uint8_t *table = calloc(1, bytes);
    _Atomic uint64_t *l1 = calloc(entries, 8);
    if (table && l1) {
        for (unsigned i = 0; i < q->l1_size; i++) {
            l1[i] = q->l1[i];
            put_be64(table + (size_t)i * 8, l1[i]);
        }
        error = image_file_write(&q->image.file, place, table, bytes);
    } else {
        error = ENOMEM;
    }
    free(table);
    if (error) {
        free((void *)l1);
        qcow2_unallocate(q, place, bytes >> q->cluster_bits);
        return error;
    }
    free((void *)q->l1);
    q->l1 = l1;
    q->l1_size = entries;
    q->l1_offset = place;
    return 0;
}

static int change_size(struct qcow2 *q, uint64_t size)
{
    uint64_t span = qcow2_l2_span(q), entries = (size + span - 1) / span;
    uint64_t old = q->l1_offset, old_clusters = l1_clusters(q);
    pthread_mutex_lock(&q->meta);
    int error = qcow2_begin_changes(q);
    if (!error && entries > q->l1_size)
        error = grow_l1(q, (unsigned)entries);
    /* The new table's refcounts are in the file before the header points to it. */
    if (!error)
        error = qcow2_flush_metadata(q);
    if (!error)
        error = write_header(q, size);
    /* Not before: until then the file's L1 table is the old one. */
    if (!error && old != q->l1_offset && old_clusters)
        qcow2_free(q, old, old_clusters, false);
    pthread_mutex_unlock(&q->meta);
    if (!error)
        q->image.size = size;
    return error;
}

int qcow2_resize(struct image *image, uint64_t size, struct error *err)
{
    struct qcow2 *q = qcow2_of(image);
    const char *path = image->file.path;
    uint64_t old = image->size, span = qcow2_l2_span(q);
    if (size % DISK_SECTOR) {
        error_set(err, "%s: the size of a disk is a multiple of 512 bytes", path);
        return EINVAL;
    }
    if (size > INT64_MAX - span || size > (uint64_t)(L1_BYTES_MAX / 8) * span) {
        error_set(err, "%s: %" PRIu64 " bytes are too many for its clusters", path, size);
        return EFBIG;
    }
    if (q->snapshot_count && q->version < 3) {
        error_set(err, "%s: has snapshots, which in version 2 do not know their size", path);
        return EINVAL;
    }
    int error = 0;
    if (size < old)
        error = qcow2_zero(image, size, old - size, true);
    if (!error)
        error = change_size(q, size);
    /* What is new reads as zeroes, whatever the last cluster held or the backing file has there. */
    if (!error && size > old) {
        uint64_t end = round_up(old, q->cluster_size);
        if (image->backing && image->backing->size > end)
            end = image->backing->size;
        error = qcow2_zero(image, old, (end < size ? end : size) - old, true);
    }
    if (!error)
        error = qcow2_flush(image);
    if (error)
        error_set(err, "%s: cannot change its size: %s", path, strerror(error));
    return error;
}
