/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Virtio network device: frames from the guest (5.1.6.2). They are sent from where they lie in guest
 * memory. What the header says of a frame is checked here as far as it goes without knowing protocols;
 * the network checks the rest, and loses what makes no sense.
 */
#include "dev/virtio/virtio_net_parts.h"
#include "host/iov.h"

#define ROUND 64 /* frames of a queue in a row: others want the thread too */

enum { TCP_LENGTH = 12, TCP_CSUM = 16, TCP_HEADER_MIN = 20, UDP_CSUM = 6, UDP_HEADER = 8 };

/* Below: `why` is what is wrong with the frame. */
static bool malformed(const char **why, const char *text)
{
    *why = text;
    return false;
}

/* hdr_len is a hint (5.1.6.2.1), so the header's size is taken from the frame. */
static bool find_header_size(const struct virtq_chain *chain, struct net_packet *p,
                             const char **why)
{
    struct net_offload *o = &p->offload;
    size_t size = UDP_HEADER;
    if (o->gso != NET_GSO_UDP) {
        uint8_t length;
        size_t at = sizeof(struct virtio_net_header) + o->csum_start + TCP_LENGTH;
        if (!virtq_chain_read(chain, at, &length, 1))
            return malformed(why, "a TCP header behind its end");
        size = 4u * (length >> 4);
        if (size < TCP_HEADER_MIN)
            return malformed(why, "a TCP header that is too short");
    }
    size += o->csum_start;
    if (size > p->size || size > UINT16_MAX)
        return malformed(why, "headers longer than the frame");
    o->header_size = (uint16_t)size;
    return true;
}

/* 5.1.6.2: what is to be cut also has checksums to be made, and only what was agreed on is asked for. */
static bool take_segmentation(const struct virtio_net *n, const struct virtio_net_header *h,
                              const struct virtq_chain *chain, struct net_packet *p,
                              const char **why)
{
    static const struct {
        uint64_t feature;
        enum net_gso gso;
        uint16_t csum_offset;
    } kinds[] = {
        [GSO_TCPV4] = {NET_F_HOST_TSO4, NET_GSO_TCP4, TCP_CSUM},
        [GSO_TCPV6] = {NET_F_HOST_TSO6, NET_GSO_TCP6, TCP_CSUM},
        [GSO_UDP_L4] = {NET_F_HOST_USO, NET_GSO_UDP, UDP_CSUM},
    };
    struct net_offload *o = &p->offload;
    unsigned kind = h->gso_type & ~GSO_ECN;
    if (kind >= sizeof(kinds) / sizeof(kinds[0]) || !(n->features & kinds[kind].feature))
        return malformed(why, "a kind of segmentation that was not agreed on");
    o->gso = kinds[kind].gso;
    o->ecn = h->gso_type & GSO_ECN;
    o->gso_size = h->gso_size;
    if (o->ecn && (o->gso == NET_GSO_UDP || !(n->features & NET_F_HOST_ECN)))
        return malformed(why, "ECN, which was not agreed on");
    if (!o->csum_due || o->csum_offset != kinds[kind].csum_offset)
        return malformed(why, "segments without checksums");
    if (!o->gso_size)
        return malformed(why, "segments of no bytes");
    return find_header_size(chain, p, why);
}

static bool take_header(const struct virtio_net *n, const struct virtq_chain *chain,
                        struct net_packet *p, const char **why)
{
    struct virtio_net_header h;
    struct net_offload *o = &p->offload;
    if (chain->out_size < sizeof(h) + NET_HEADER_SIZE ||
        chain->out_size > sizeof(h) + NET_FRAME_MAX)
        return malformed(why, "its size");
    virtq_chain_read(chain, 0, &h, sizeof(h));
    p->size = chain->out_size - sizeof(h);
    if (h.flags & HEADER_F_NEEDS_CSUM) {
        if (!(n->features & NET_F_CSUM))
            return malformed(why, "a checksum to be made, which was not agreed on");
        if ((size_t)h.csum_start + h.csum_offset + 2 > p->size)
            return malformed(why, "a checksum behind its end");
        o->csum_due = true;
        o->csum_start = h.csum_start;
        o->csum_offset = h.csum_offset;
    }
    return h.gso_type == GSO_NONE || take_segmentation(n, &h, chain, p, why);
}

/* The frame without the header in front, which may be in its own piece, or in parts of several. */
static void take_pieces(struct virtio_net *n, const struct virtq_chain *chain, struct iovec *iov,
                        struct net_packet *p)
{
    struct iov_cursor at = iov_start(chain->iov, chain->out);
    struct virtio_net_header h;
    size_t taken;
    iov_copy_out(&at, &h, sizeof(h));
    struct iov_cursor begin = at;
    p->iov = iov;
    p->iov_count = iov_take(&at, p->size, iov, NET_IOV_MAX, &taken);
    if (taken < p->size) {
        iov_copy_out(&begin, n->frame, p->size);
        iov[0] = (struct iovec){n->frame, p->size};
        p->iov_count = 1;
    }
}

/* Only with several pairs has anybody a choice. */
static void note_flow(struct virtio_net *n, unsigned pair, const struct virtq_chain *chain)
{
    uint8_t head[NET_STEER_HEAD] = {0};
    if (n->pairs < 2)
        return;
    virtq_chain_read(chain, sizeof(struct virtio_net_header), head, sizeof(head));
    net_steer_sent(&n->steer, head, pair);
}

/* false: the network takes no more now. A frame that makes no sense counts as sent. */
static bool send_chain(struct virtio_net *n, unsigned pair, const struct virtq_chain *chain)
{
    struct net_packet packet = {0};
    struct iovec iov[NET_IOV_MAX];
    const char *why = NULL;
    if (!take_header(n, chain, &packet, &why)) {
        virtio_log_guest(n->virtio, "a frame that is not sent: %s", why);
        return true;
    }
    take_pieces(n, chain, iov, &packet);
    if (!net_send(n->net, &packet))
        return false;
    note_flow(n, pair, chain);
    return true;
}

/* false: there is nothing to send, or it has to wait. */
static bool send_next(struct virtio_net *n, unsigned pair, struct virtio_queue *q)
{
    struct virtq_chain chain = {.iov = n->iov, .iov_max = VIRTQ_IOV_MAX};
    if (!virtio_pop(q, &chain))
        return false;
    if (send_chain(n, pair, &chain)) {
        virtio_push(q, &chain, 0);
        return true;
    }
    virtio_unpop(q, &chain);
    n->blocked |= UINT64_C(1) << pair;
    return false;
}

void virtio_net_transmit(struct virtio_net *n, unsigned pair)
{
    const uint64_t bit = UINT64_C(1) << pair;
    unsigned budget = ROUND;
    struct virtio_queue *q = virtio_net_begin(n, 2 * pair + 1);
    if (!q)
        return;
    n->blocked &= ~bit;
    virtio_notify_off(q);
    do {
        while (budget && send_next(n, pair, q))
            budget--;
    } while (budget && !(n->blocked & bit) && virtio_notify_on(q));
    net_flush(n->net);
    virtio_end(q);
    if (!budget)
        virtio_net_kick(n, 2 * pair + 1);
}
