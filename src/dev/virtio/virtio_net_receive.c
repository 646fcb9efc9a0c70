/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Virtio network device: frames to the guest (5.1.6.3, 5.1.6.4). A frame fills one buffer, or, when the
 * driver has agreed on merging them, as many as it takes. Where there are too few nothing is taken: the
 * network keeps the frame until the driver has put in more and rung the bell.
 */
#include "dev/virtio/virtio_net_parts.h"
#include "host/iov.h"

/* Buffers, of which there may be many for a frame: beside n->chains, what was found on the way. */
struct room {
    unsigned chains;
    unsigned iov;  /* entries of n->iov in use */
    uint64_t size; /* bytes of the chains */
    bool hopeless; /* whatever the driver adds, the frame will not fit */
};

/* Pops buffers until `size` bytes fit. If they do not, the driver is asked for a doorbell. */
static struct room pop_room(struct virtio_net *n, struct virtio_queue *q, size_t size)
{
    struct room room = {0};
    const bool merge = n->features & NET_F_MRG_RXBUF;
    while (room.size < size) {
        room.hopeless = room.iov > VIRTQ_IOV_MAX || (room.chains && !merge) ||
                        virtio_is_exhausted(q) || room.chains == NET_QUEUE_SIZE;
        if (room.hopeless)
            break;
        struct virtq_chain *chain = &n->chains[room.chains];
        *chain = (struct virtq_chain){.iov = &n->iov[room.iov], .iov_max = VIRTQ_IOV_MAX};
        if (!virtio_pop(q, chain)) {
            if (!virtio_notify_on(q))
                break;
            continue; /* one has just come */
        }
        room.chains++;
        room.iov += chain->out + chain->in;
        room.size += chain->in_size;
    }
    return room;
}

static void put_back(struct virtio_net *n, struct virtio_queue *q, const struct room *room)
{
    for (unsigned i = room->chains; i--;)
        virtio_unpop(q, &n->chains[i]);
}

static struct virtio_net_header make_header(const struct net_offload *o, unsigned buffers)
{
    static const uint8_t kinds[] = {
        [NET_GSO_NONE] = GSO_NONE,
        [NET_GSO_TCP4] = GSO_TCPV4,
        [NET_GSO_TCP6] = GSO_TCPV6,
        [NET_GSO_UDP] = GSO_UDP_L4,
    };
    struct virtio_net_header h = {.num_buffers = (uint16_t)buffers};
    if (o->csum_due) {
        h.flags = HEADER_F_NEEDS_CSUM;
        h.csum_start = o->csum_start;
        h.csum_offset = o->csum_offset;
    } else if (o->csum_valid) {
        h.flags = HEADER_F_DATA_VALID;
    }
    if (o->gso != NET_GSO_NONE) {
        h.gso_type = kinds[o->gso] | (o->ecn ? GSO_ECN : 0);
        h.gso_size = o->gso_size;
        h.hdr_len = o->header_size;
    }
    return h;
}

/* Header and frame, one behind the other, to as many buffers as there are. */
static void fill(struct virtio_net *n, struct virtio_queue *q, const struct room *room,
                 struct virtio_net_header *header, const struct net_packet *packet)
{
    struct iovec from[1 + NET_IOV_MAX] = {{header, sizeof(*header)}}, part;
    for (unsigned i = 0; i < packet->iov_count; i++)
        from[1 + i] = packet->iov[i];
    struct iov_cursor at = iov_start(from, 1 + packet->iov_count);
    for (unsigned i = 0; i < room->chains; i++) {
        struct virtq_chain *chain = &n->chains[i];
        uint64_t done = 0;
        size_t taken;
        while (iov_take(&at, chain->in_size - done, &part, 1, &taken)) {
            virtq_chain_write(chain, done, part.iov_base, taken);
            done += taken;
        }
        virtio_push(q, chain, (uint32_t)done);
    }
}

/* false: the frame has to wait for buffers. */
static bool put(struct virtio_net *n, struct virtio_queue *q, const struct net_packet *packet)
{
    struct virtio_net_header header;
    size_t size = sizeof(header) + packet->size;
    struct room room = pop_room(n, q, size);
    if (room.size < size) {
        put_back(n, q, &room);
        if (room.hopeless)
            virtio_log_guest(n->virtio, "a frame of %zu bytes is lost: the buffers are too small",
                             packet->size);
        return room.hopeless;
    }
    header = make_header(&packet->offload, room.chains);
    if (!(n->offloads & NET_F_GUEST_CSUM))
        header.flags &= (uint8_t)~HEADER_F_DATA_VALID;
    fill(n, q, &room, &header, packet);
    return true;
}

/*
 * The network makes a packet fit what the driver takes. It may have been on its way when the driver
 * changed its mind.
 */
static bool driver_takes(const struct virtio_net *n, const struct net_offload *o)
{
    static const uint64_t needed[] = {
        [NET_GSO_NONE] = 0,
        [NET_GSO_TCP4] = NET_F_GUEST_TSO4,
        [NET_GSO_TCP6] = NET_F_GUEST_TSO6,
        [NET_GSO_UDP] = NET_F_GUEST_USO4 | NET_F_GUEST_USO6,
    };
    uint64_t all = needed[o->gso];
    if (o->csum_due)
        all |= NET_F_GUEST_CSUM;
    if (o->gso != NET_GSO_NONE && o->ecn)
        all |= NET_F_GUEST_ECN;
    return (n->offloads & all) == all;
}

bool virtio_net_receive(void *state, const struct net_packet *packet)
{
    struct virtio_net *n = state;
    uint8_t head[NET_STEER_HEAD] = {0};
    struct iov_cursor at = iov_start(packet->iov, packet->iov_count);
    iov_copy_out(&at, head, packet->size < sizeof(head) ? packet->size : sizeof(head));
    if (!net_filter_passes(&n->filter, head))
        return true;
    unsigned pair = n->pairs > 1 ? net_steer_received(&n->steer, head, n->pairs) : 0;
    struct virtio_queue *q = virtio_begin(n->virtio, 2 * pair);
    if (!q)
        return true; /* nobody is there to receive it */
    if (atomic_load(&n->renewed) || !driver_takes(n, &packet->offload)) {
        virtio_pause(q);
        return true;
    }
    bool taken = put(n, q, packet);
    if (taken) {
        n->untold |= UINT64_C(1) << pair;
        virtio_pause(q);
    } else {
        virtio_end(q); /* the driver may be waiting for those before this one */
    }
    return taken;
}

void virtio_net_received(void *state)
{
    struct virtio_net *n = state;
    for (uint64_t left = n->untold; left; left &= left - 1) {
        struct virtio_queue *q = virtio_begin(n->virtio, 2 * (unsigned)__builtin_ctzll(left));
        if (q)
            virtio_end(q);
    }
    n->untold = 0;
}
