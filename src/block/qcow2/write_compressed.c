/* SPDX-License-Identifier: MPL-2.0 */
/* Writing compressed clusters, for new images: one behind the other, without room in between. */
#include "block/qcow2/qcow2.h"

#include <stdlib.h>
#include <string.h>

static uint64_t descriptor(const struct qcow2 *q, uint64_t offset, size_t size)
{
    uint64_t sectors = ((offset + size - 1) >> 9) - (offset >> 9);
    return ENTRY_COMPRESSED | sectors << (62 - (q->cluster_bits - 8)) | offset;
}

static int write_packed(struct qcow2 *q, uint64_t offset, uint8_t *packed, size_t size)
{
    uint64_t place, old;
    int error = qcow2_begin_changes(q);
    if (!error)
        error = qcow2_own_l2(q, offset);
    if (!error)
        error = qcow2_allocate_bytes(q, size, &place);
    if (error)
        return error;
    /* Up to the end of the sector, so that whoever reads whole sectors finds them. */
    size_t whole = (size_t)(round_up(place + size, 512) - place);
    error = image_file_write(&q->image.file, place, packed, whole);
    if (error)
        return error;
    /* In the place of another one, perhaps, whose readers have gone by now. */
    uint64_t entry = descriptor(q, place, size);
    decompressed_forget(q->decompressed, entry);
    error = qcow2_set_entry(q, offset, entry, 0, &old);
    if (!error)
        qcow2_free_entry(q, old);
    return error;
}

int qcow2_write_compressed(struct image *image, uint64_t offset, const void *bytes, size_t size)
{
    struct qcow2 *q = qcow2_of(image);
    uint8_t *packed = calloc(1, q->cluster_size + 512), *cluster = NULL;
    size_t packed_size = q->cluster_size - 1;
    int error = packed ? 0 : ENOMEM;
    const void *from = bytes;
    if (!error && size < q->cluster_size) { /* the disk ends in it */
        error = (cluster = calloc(1, q->cluster_size)) ? 0 : ENOMEM;
        if (!error)
            from = memcpy(cluster, bytes, size);
    }
    if (!error && compress_cluster(q->compression, from, q->cluster_size, packed, &packed_size)) {
        pthread_mutex_lock(&q->meta);
        error = write_packed(q, offset, packed, packed_size);
        pthread_mutex_unlock(&q->meta);
    } else if (!error) {
        struct iovec iov = {(void *)(uintptr_t)bytes, size};
        struct iov_cursor at = iov_start(&iov, 1);
        error = qcow2_writev(image, offset, size, &at);
    }
    free(cluster);
    free(packed);
    return error;
}
