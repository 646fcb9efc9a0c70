/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Split rings (2.7): a table of descriptors that the driver writes, a ring by which it names heads
 * of chains in that table, and one by which the device names those that it is done with.
 */
#include "dev/virtio/virtq_ring.h"

struct virtq_split_desc {
    uint64_t address;
    uint64_t rest; /* length: 32 bits, flags: 16, next: 16 */
};

/* A descriptor as it was when it was read. */
struct split_desc {
    uint64_t address;
    uint32_t size;
    uint16_t flags, next;
};

/* Where the descriptors of a chain are: the queue's table or an indirect one. */
struct split_table {
    struct virtq_split_desc *desc;
    unsigned entries;
    bool indirect;
};

/* Both rings begin with these 16-bit words. */
enum { RING_FLAGS, RING_IDX, RING_FIRST };
enum { AVAIL_F_NO_INTERRUPT = 1, USED_F_NO_NOTIFY = 1 };

#define USED_ELEMENT_WORDS 4 /* id and length, 32 bits each */

static uint16_t *used_event(struct virtq *vq)
{
    return &vq->split.avail[RING_FIRST + vq->size];
}

static uint16_t *avail_event(struct virtq *vq)
{
    return &vq->split.used[RING_FIRST + USED_ELEMENT_WORDS * vq->size];
}

/* 2.7: sizes and alignment of the three parts. The words of event indexes are there in any case. */
static bool split_start(struct virtq *vq, const struct virtq_layout *layout)
{
    const size_t n = layout->size;
    if (n & (n - 1))
        return virtq_break(vq, "the size of the ring is no power of two");
    vq->split.desc = virtq_map_area(vq, layout->desc, n * VIRTQ_DESC_SIZE, 16);
    vq->split.avail = virtq_map_area(vq, layout->driver, 2 * (RING_FIRST + n + 1), 2);
    vq->split.used =
        virtq_map_area(vq, layout->device, 2 * (RING_FIRST + USED_ELEMENT_WORDS * n + 1), 4);
    return !vq->broken;
}

static struct split_desc load_desc(const struct virtq_split_desc *d)
{
    uint64_t rest = load64(&d->rest);
    return (struct split_desc){
        .address = load64(&d->address),
        .size = (uint32_t)rest,
        .flags = (uint16_t)(rest >> 32),
        .next = (uint16_t)(rest >> 48),
    };
}

/* 2.7.5.3: only a chain's last descriptor may be indirect, and tables do not nest. */
static bool enter_indirect(struct virtq *vq, struct split_table *table, const struct split_desc *d)
{
    if (table->indirect)
        return virtq_break(vq, "an indirect descriptor in an indirect table");
    if (d->flags & VIRTQ_DESC_F_NEXT)
        return virtq_break(vq, "an indirect descriptor that is not the last");
    table->indirect = true;
    table->desc = virtq_map_table(vq, d->address, d->size, &table->entries);
    return table->desc;
}

static bool walk_chain(struct virtq *vq, struct virtq_chain *chain, unsigned head)
{
    struct split_table table = {vq->split.desc, vq->size, false};
    unsigned index = head, seen = 0;
    chain->slots = 0;
    for (;;) {
        if (index >= table.entries)
            return virtq_break(vq, "a descriptor outside its table");
        if (seen++ == table.entries)
            return virtq_break(vq, "a chain in a circle");
        struct split_desc d = load_desc(&table.desc[index]);
        if (!table.indirect)
            chain->slots++;
        if (d.flags & VIRTQ_DESC_F_INDIRECT) {
            if (!enter_indirect(vq, &table, &d))
                return false;
            index = seen = 0;
            continue;
        }
        if (!virtq_chain_add(vq, chain, d.address, d.size, d.flags & VIRTQ_DESC_F_WRITE))
            return false;
        if (!(d.flags & VIRTQ_DESC_F_NEXT))
            return true;
        index = d.next;
    }
}

/* Whether the driver has put something in; idx is read again only when all that is known was had. */
static bool split_available(struct virtq *vq)
{
    if (vq->split.seen == vq->next_avail)
        vq->split.seen = load16_acquire(&vq->split.avail[RING_IDX]);
    return vq->split.seen != vq->next_avail;
}

static bool split_pop(struct virtq *vq, struct virtq_chain *chain)
{
    if (!split_available(vq))
        return false;
    if ((uint16_t)(vq->split.seen - vq->next_avail) > vq->size || vq->popped == vq->size)
        return virtq_break(vq, "more buffers than the ring has room for");
    uint16_t head = load16(&vq->split.avail[RING_FIRST + vq->next_avail % vq->size]);
    if (!walk_chain(vq, chain, head))
        return false;
    chain->id = head;
    vq->next_avail++;
    return true;
}

static void split_unpop(struct virtq *vq, const struct virtq_chain *chain)
{
    (void)chain;
    vq->next_avail--;
}

static void split_push(struct virtq *vq, const struct virtq_chain *chain, uint32_t written)
{
    unsigned slot = vq->next_used++ % vq->size;
    uint16_t *element = &vq->split.used[RING_FIRST + USED_ELEMENT_WORDS * slot];
    store32(&element[0], chain->id);
    store32(&element[2], written);
    virtq_written(vq, element, 2 * USED_ELEMENT_WORDS);
}

/* 2.7.7: the driver writes what it wants before it looks at idx, we the other way round. */
static bool split_publish(struct virtq *vq)
{
    uint16_t count = vq->next_used - vq->split.published;
    if (!count)
        return false;
    vq->split.published = vq->next_used;
    store16_release(&vq->split.used[RING_IDX], vq->next_used);
    virtq_written(vq, vq->split.used, 2 * RING_FIRST);
    full_fence();
    if (!vq->event_idx)
        return !(load16(&vq->split.avail[RING_FLAGS]) & AVAIL_F_NO_INTERRUPT);
    /* Whether used_event is among the indexes that were just published. */
    return (uint16_t)(vq->next_used - load16(used_event(vq)) - 1) < count;
}

/* With event indexes a doorbell is asked for by number; the last one asked for has been. */
static void split_notify_off(struct virtq *vq)
{
    if (vq->event_idx)
        return;
    store16(&vq->split.used[RING_FLAGS], USED_F_NO_NOTIFY);
    virtq_written(vq, vq->split.used, 2);
}

static bool split_notify_on(struct virtq *vq)
{
    uint16_t *word = vq->event_idx ? avail_event(vq) : &vq->split.used[RING_FLAGS];
    store16(word, vq->event_idx ? vq->next_avail : 0);
    virtq_written(vq, word, 2);
    full_fence();
    return split_available(vq);
}

const struct virtq_ops virtq_split_ops = {
    .start = split_start,
    .pop = split_pop,
    .unpop = split_unpop,
    .push = split_push,
    .publish = split_publish,
    .notify_off = split_notify_off,
    .notify_on = split_notify_on,
};
