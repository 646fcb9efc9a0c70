/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Packed rings (2.8): one ring of descriptors that both sides write. Two bits of a descriptor tell
 * whose it is, compared with a counter of one bit that changes each time round.
 */
#include "dev/virtio/virtq_ring.h"

struct virtq_packed_desc {
    uint64_t address;
    uint64_t rest; /* length: 32 bits, buffer id: 16, flags: 16 */
};

enum { DESC_F_AVAIL = 1 << 7, DESC_F_USED = 1 << 15 };

/* 2.8.14: event suppression, the same for both sides. */
enum {
    EVENT_ENABLE = 0,
    EVENT_DISABLE = 1,
    EVENT_DESC = 2, /* with event indexes: when the descriptor off_wrap is reached */
    EVENT_FLAGS = 3,
};

struct packed_desc {
    uint64_t address;
    uint32_t size;
    uint16_t id, flags;
};

static uint16_t *flags_of(struct virtq *vq, unsigned slot)
{
    return (uint16_t *)&vq->packed.desc[slot].rest + 3;
}

static bool packed_start(struct virtq *vq, const struct virtq_layout *layout)
{
    const size_t n = layout->size;
    vq->packed.desc = virtq_map_area(vq, layout->desc, n * VIRTQ_DESC_SIZE, 16);
    vq->packed.driver_event = virtq_map_area(vq, layout->driver, 4, 4);
    vq->packed.device_event = virtq_map_area(vq, layout->device, 4, 4);
    vq->packed.avail_wrap = vq->packed.used_wrap = true;
    return !vq->broken;
}

static struct packed_desc load_desc(const struct virtq_packed_desc *d)
{
    uint64_t rest = load64(&d->rest);
    return (struct packed_desc){
        .address = load64(&d->address),
        .size = (uint32_t)rest,
        .id = (uint16_t)(rest >> 32),
        .flags = (uint16_t)(rest >> 48),
    };
}

/* 2.8.1: available is what was written in this round by the driver and not by us. */
static bool packed_available(struct virtq *vq)
{
    uint16_t flags = load16_acquire(flags_of(vq, vq->next_avail));
    bool avail = flags & DESC_F_AVAIL, used = flags & DESC_F_USED;
    return avail == vq->packed.avail_wrap && used != vq->packed.avail_wrap;
}

static void advance(const struct virtq *vq, uint16_t *slot, bool *wrap, unsigned count)
{
    unsigned to = *slot + count;
    *wrap ^= to >= vq->size;
    *slot = (uint16_t)(to >= vq->size ? to - vq->size : to);
}

/* 2.8.7: the whole table is the chain, in its order; of the flags only WRITE has a meaning. */
static bool walk_table(struct virtq *vq, struct virtq_chain *chain, const struct packed_desc *head)
{
    unsigned entries;
    const struct virtq_packed_desc *table =
        virtq_map_table(vq, head->address, head->size, &entries);
    if (!table)
        return false;
    for (unsigned i = 0; i < entries; i++) {
        struct packed_desc d = load_desc(&table[i]);
        if (d.flags & VIRTQ_DESC_F_INDIRECT)
            return virtq_break(vq, "an indirect descriptor in an indirect table");
        if (!virtq_chain_add(vq, chain, d.address, d.size, d.flags & VIRTQ_DESC_F_WRITE))
            return false;
    }
    return true;
}

/* The first descriptor's flags are written last, so that the whole chain is there. */
static bool packed_pop(struct virtq *vq, struct virtq_chain *chain)
{
    if (!packed_available(vq))
        return false;
    struct packed_desc d;
    unsigned slot = vq->next_avail, slots = 0;
    do {
        if (vq->busy + slots == vq->size)
            return virtq_break(vq, "more buffers than the ring has room for");
        d = load_desc(&vq->packed.desc[slot]);
        slots++;
        slot = slot + 1 == vq->size ? 0 : slot + 1;
        if (!(d.flags & VIRTQ_DESC_F_INDIRECT)) {
            if (!virtq_chain_add(vq, chain, d.address, d.size, d.flags & VIRTQ_DESC_F_WRITE))
                return false;
            continue;
        }
        if (slots > 1 || (d.flags & VIRTQ_DESC_F_NEXT))
            return virtq_break(vq, "an indirect descriptor in a chain");
        if (!walk_table(vq, chain, &d))
            return false;
    } while (d.flags & VIRTQ_DESC_F_NEXT);
    chain->id = d.id; /* the last one's counts */
    chain->slots = (uint16_t)slots;
    advance(vq, &vq->next_avail, &vq->packed.avail_wrap, slots);
    return true;
}

static void packed_unpop(struct virtq *vq, const struct virtq_chain *chain)
{
    bool before = vq->next_avail < chain->slots; /* in the round before this one */
    vq->packed.avail_wrap ^= before;
    vq->next_avail = (uint16_t)(vq->next_avail + (before ? vq->size : 0) - chain->slots);
}

/*
 * A used descriptor (2.8.8) goes where the driver looks next and takes as many slots as its chain
 * did. The first of a batch gets its flags when it is published: the driver looks at no other before.
 */
static void packed_push(struct virtq *vq, const struct virtq_chain *chain, uint32_t written)
{
    unsigned slot = vq->next_used;
    bool wrap = vq->packed.used_wrap;
    uint16_t flags = (wrap ? DESC_F_AVAIL | DESC_F_USED : 0) | (written ? VIRTQ_DESC_F_WRITE : 0);
    uint16_t *words = (uint16_t *)&vq->packed.desc[slot].rest;
    store32(&words[0], written);
    store16(&words[2], chain->id);
    if (vq->packed.unpublished) {
        store16(&words[3], flags);
    } else {
        vq->packed.unpublished = true;
        vq->packed.first = (uint16_t)slot;
        vq->packed.first_wrap = wrap;
        vq->packed.first_flags = flags;
    }
    virtq_written(vq, words, 8);
    advance(vq, &vq->next_used, &vq->packed.used_wrap, chain->slots);
}

/* Positions are counted over two rounds, with the wrap counter set and clear. */
static unsigned position(const struct virtq *vq, unsigned slot, bool wrap)
{
    return slot + (wrap ? 0 : vq->size);
}

static unsigned distance(const struct virtq *vq, unsigned from, unsigned to)
{
    return to >= from ? to - from : to + 2u * vq->size - from;
}

/* 2.8.10.1: whether the driver wants to hear of the slots from `first` up to next_used. */
static bool wants_interrupt(struct virtq *vq)
{
    uint32_t event = load32(vq->packed.driver_event);
    unsigned what = event >> 16 & EVENT_FLAGS, slot = event & 0x7fff;
    if (what == EVENT_DISABLE)
        return false;
    if (what != EVENT_DESC || !vq->event_idx || slot >= vq->size)
        return true;
    unsigned from = position(vq, vq->packed.first, vq->packed.first_wrap);
    unsigned to = position(vq, vq->next_used, vq->packed.used_wrap);
    unsigned at = position(vq, slot, event & 0x8000);
    return distance(vq, from, at) < distance(vq, from, to);
}

static bool packed_publish(struct virtq *vq)
{
    if (!vq->packed.unpublished)
        return false;
    vq->packed.unpublished = false;
    uint16_t *flags = flags_of(vq, vq->packed.first);
    store16_release(flags, vq->packed.first_flags);
    virtq_written(vq, flags, 2);
    full_fence();
    return wants_interrupt(vq);
}

static void set_device_event(struct virtq *vq, unsigned what, uint16_t off_wrap)
{
    uint32_t event = (uint32_t)what << 16 | off_wrap;
    store32(vq->packed.device_event, event);
    virtq_written(vq, vq->packed.device_event, 4);
}

static void packed_notify_off(struct virtq *vq)
{
    set_device_event(vq, EVENT_DISABLE, 0);
}

static bool packed_notify_on(struct virtq *vq)
{
    uint16_t off_wrap = vq->next_avail | (vq->packed.avail_wrap ? 0x8000 : 0);
    set_device_event(vq, vq->event_idx ? EVENT_DESC : EVENT_ENABLE, vq->event_idx ? off_wrap : 0);
    full_fence();
    return packed_available(vq);
}

const struct virtq_ops virtq_packed_ops = {
    .start = packed_start,
    .pop = packed_pop,
    .unpop = packed_unpop,
    .push = packed_push,
    .publish = packed_publish,
    .notify_off = packed_notify_off,
    .notify_on = packed_notify_on,
};
