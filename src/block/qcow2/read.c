/* SPDX-License-Identifier: MPL-2.0 */
/* Reading, step by step: what is in one piece was read by disk.c already. */
#include "block/qcow2/qcow2.h"

/* What the image does not have: in the backing file as far as that goes, zeroes behind its end. */
static int read_absent(struct qcow2 *q, uint64_t offset, uint64_t size, struct iov_cursor *at)
{
    struct image *backing = q->image.backing;
    uint64_t there = !backing || offset >= backing->size ? 0 : backing->size - offset;
    if (there > size)
        there = size;
    int error = there ? backing->ops->readv(backing, offset, there, at) : 0;
    if (!error)
        iov_zero(at, size - there);
    return error;
}

static int read_run(struct qcow2 *q, uint64_t offset, uint64_t size, struct iov_cursor *at,
                    uint64_t *done)
{
    struct mapping m;
    int error = qcow2_map(q, offset, size, &m);
    if (error)
        return error;
    *done = m.size;
    switch (m.kind) {
    case CLUSTER_ABSENT:
        return read_absent(q, offset, m.size, at);
    case CLUSTER_ZERO:
        iov_zero(at, m.size);
        return 0;
    case CLUSTER_DATA:
        return image_file_readv(&q->image.file, m.host, m.size, at);
    case CLUSTER_COMPRESSED:
        return qcow2_read_compressed(q, m.entry, offset & (q->cluster_size - 1), m.size, at);
    case CLUSTER_BAD:
        break;
    }
    return EIO;
}

int qcow2_readv(struct image *image, uint64_t offset, uint64_t size, struct iov_cursor *at)
{
    struct qcow2 *q = qcow2_of(image);
    unsigned epoch = qcow2_enter(q);
    int error = 0;
    for (uint64_t done; size && !error; offset += done, size -= done)
        if ((error = read_run(q, offset, size, at, &done)))
            break;
    qcow2_leave(q, epoch);
    return error;
}
