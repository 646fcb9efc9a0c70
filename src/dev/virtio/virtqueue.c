/* SPDX-License-Identifier: MPL-2.0 */
/* Virtqueues: what is the same for both kinds of ring. See virtqueue.h. */
#include "dev/virtio/virtqueue.h"

#include "dev/virtio/virtq_ring.h"
#include <string.h>

bool virtq_break(struct virtq *vq, const char *why)
{
    if (!vq->broken)
        vq->broken = why;
    return false;
}

void *virtq_map_area(struct virtq *vq, uint64_t address, size_t size, unsigned align)
{
    if (address % align) {
        virtq_break(vq, "an area of the ring is not aligned");
        return NULL;
    }
    void *area = vq->memory.map(vq->memory.ctx, address, size);
    if (!area)
        virtq_break(vq, "an area of the ring is not in memory");
    return area;
}

void *virtq_map_table(struct virtq *vq, uint64_t address, uint32_t size, unsigned *entries)
{
    *entries = size / VIRTQ_DESC_SIZE;
    if (!vq->indirect)
        virtq_break(vq, "an indirect descriptor, which was not agreed on");
    else if (size % VIRTQ_DESC_SIZE || !*entries || *entries > VIRTQ_TABLE_MAX)
        virtq_break(vq, "the size of an indirect table is none");
    else if (address % 8) /* the specification asks for 16, but nothing here needs it */
        virtq_break(vq, "an indirect table is not aligned");
    else {
        void *table = vq->memory.map(vq->memory.ctx, address, size);
        if (!table)
            virtq_break(vq, "an indirect table is not in memory");
        return table;
    }
    return NULL;
}

bool virtq_chain_add(struct virtq *vq, struct virtq_chain *chain, uint64_t address, uint32_t size,
                     bool write)
{
    if (!write && chain->in)
        return virtq_break(vq, "memory to read follows memory to write");
    if (!size)
        return true;
    unsigned at = chain->out + chain->in;
    if (at == chain->iov_max)
        return virtq_break(vq, "a chain is longer than the device takes");
    void *bytes = vq->memory.map(vq->memory.ctx, address, size);
    if (!bytes)
        return virtq_break(vq, "a buffer is not in memory");
    chain->iov[at] = (struct iovec){bytes, size};
    if (write) {
        chain->in++;
        chain->in_size += size;
    } else {
        chain->out++;
        chain->out_size += size;
    }
    return true;
}

bool virtq_start(struct virtq *vq, const struct virtq_memory *memory,
                 const struct virtq_layout *layout)
{
    *vq = (struct virtq){
        .memory = *memory,
        .indirect = layout->indirect,
        .event_idx = layout->event_idx,
        .size = layout->size,
    };
    if (!layout->size || layout->size > VIRTQ_SIZE_MAX)
        return virtq_break(vq, "the size of the ring is out of range");
    const struct virtq_ops *ops = layout->packed ? &virtq_packed_ops : &virtq_split_ops;
    if (!ops->start(vq, layout))
        return false;
    vq->ops = ops;
    return true;
}

void virtq_stop(struct virtq *vq)
{
    vq->ops = NULL;
}

bool virtq_pop(struct virtq *vq, struct virtq_chain *chain)
{
    chain->out = chain->in = 0;
    chain->out_size = chain->in_size = 0;
    if (!vq->ops || vq->broken || !vq->ops->pop(vq, chain))
        return false;
    vq->popped++;
    vq->busy += chain->slots;
    return true;
}

void virtq_unpop(struct virtq *vq, const struct virtq_chain *chain)
{
    vq->popped--;
    vq->busy -= chain->slots;
    if (vq->ops && !vq->broken)
        vq->ops->unpop(vq, chain);
}

bool virtq_is_exhausted(const struct virtq *vq)
{
    return vq->busy >= vq->size;
}

/* The bytes of a chain that were written, which also those of a broken queue's chain may have been. */
static void tell_written(struct virtq *vq, const struct virtq_chain *chain, uint64_t written)
{
    for (unsigned i = 0; i < chain->in && written; i++) {
        const struct iovec *iov = &chain->iov[chain->out + i];
        size_t part = written < iov->iov_len ? written : iov->iov_len;
        virtq_written(vq, iov->iov_base, part);
        written -= part;
    }
}

void virtq_push(struct virtq *vq, const struct virtq_chain *chain, uint32_t written)
{
    tell_written(vq, chain, written);
    vq->popped--;
    vq->busy -= chain->slots;
    if (vq->ops && !vq->broken)
        vq->ops->push(vq, chain, written);
}

bool virtq_publish(struct virtq *vq)
{
    return vq->ops && !vq->broken && vq->ops->publish(vq);
}

void virtq_notify_off(struct virtq *vq)
{
    if (vq->ops && !vq->broken)
        vq->ops->notify_off(vq);
}

bool virtq_notify_on(struct virtq *vq)
{
    return vq->ops && !vq->broken && vq->ops->notify_on(vq);
}

/* Either direction: `count` entries of iov, from `offset` bytes into them on. */
static size_t copy(const struct iovec *iov, unsigned count, uint64_t offset, uint8_t *bytes,
                   size_t size, bool to_guest)
{
    size_t done = 0;
    for (unsigned i = 0; i < count && done < size; i++) {
        if (offset >= iov[i].iov_len) {
            offset -= iov[i].iov_len;
            continue;
        }
        uint8_t *guest = (uint8_t *)iov[i].iov_base + offset;
        size_t part = iov[i].iov_len - offset;
        if (part > size - done)
            part = size - done;
        memcpy(to_guest ? guest : bytes + done, to_guest ? bytes + done : guest, part);
        done += part;
        offset = 0;
    }
    return done;
}

size_t virtq_chain_read(const struct virtq_chain *chain, uint64_t offset, void *bytes, size_t size)
{
    return copy(chain->iov, chain->out, offset, bytes, size, false);
}

size_t virtq_chain_write(const struct virtq_chain *chain, uint64_t offset, const void *bytes,
                         size_t size)
{
    return copy(chain->iov + chain->out, chain->in, offset, (uint8_t *)bytes, size, true);
}
