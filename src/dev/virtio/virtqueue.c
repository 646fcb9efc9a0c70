/* SPDX-License-Identifier: MPL-2.0 */
/* Virtqueues: what is the same for both kinds of ring. See virtqueue.h. */
#include "dev/virtio/virtqueue.h"

#include "dev/virtio/virtq_ring.h"

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
    return true;
}

void virtq_push(struct virtq *vq, const struct virtq_chain *chain, uint32_t written)
{
    vq->popped--;
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
