/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The virtio network device (Virtual I/O Device 1.2, 5.1; USO: 1.3) from the inside.
 *
 *     virtio_net.c            what is offered, configuration, doorbells, the link, its life
 *     virtio_net_transmit.c   frames from the guest
 *     virtio_net_receive.c    frames to the guest
 *     virtio_net_control.c    commands of the driver
 *     virtio_net_filter.h     which frames the driver wants
 *     virtio_net_steer.h      which queue a received frame goes to
 *
 * Everything is done on the network's thread, so there are no locks but the queues'. Harts leave two
 * things for that thread: which queues had a doorbell, and that the driver is another one (it was reset,
 * or has agreed on features). The latter is looked at with a queue's lock held: a reset needs that lock,
 * so while it is held the driver stays the one that it is.
 */
#ifndef RVVM_DEV_VIRTIO_VIRTIO_NET_PARTS_H
#define RVVM_DEV_VIRTIO_VIRTIO_NET_PARTS_H

#include "dev/virtio/virtio.h"
#include "dev/virtio/virtio_net_filter.h"
#include "dev/virtio/virtio_net_steer.h"
#include "net/net.h"
#include <stdatomic.h>

#define NET_QUEUE_SIZE 256

/* 5.1.3, feature bits */
#define NET_F(bit) (UINT64_C(1) << (bit))
#define NET_F_CSUM NET_F(0)
#define NET_F_GUEST_CSUM NET_F(1)
#define NET_F_CTRL_GUEST_OFFLOADS NET_F(2)
#define NET_F_MTU NET_F(3)
#define NET_F_MAC NET_F(5)
#define NET_F_GUEST_TSO4 NET_F(7)
#define NET_F_GUEST_TSO6 NET_F(8)
#define NET_F_GUEST_ECN NET_F(9)
#define NET_F_HOST_TSO4 NET_F(11)
#define NET_F_HOST_TSO6 NET_F(12)
#define NET_F_HOST_ECN NET_F(13)
#define NET_F_MRG_RXBUF NET_F(15)
#define NET_F_STATUS NET_F(16)
#define NET_F_CTRL_VQ NET_F(17)
#define NET_F_CTRL_RX NET_F(18)
#define NET_F_CTRL_VLAN NET_F(19)
#define NET_F_CTRL_RX_EXTRA NET_F(20)
#define NET_F_GUEST_ANNOUNCE NET_F(21)
#define NET_F_MQ NET_F(22)
#define NET_F_CTRL_MAC_ADDR NET_F(23)
#define NET_F_GUEST_USO4 NET_F(54)
#define NET_F_GUEST_USO6 NET_F(55)
#define NET_F_HOST_USO NET_F(56)
#define NET_F_SPEED_DUPLEX NET_F(63)

/* What the driver takes: what it may change while it runs (5.1.6.5.6.1). */
#define NET_F_GUEST_OFFLOADS \
    (NET_F_GUEST_CSUM | NET_F_GUEST_TSO4 | NET_F_GUEST_TSO6 | NET_F_GUEST_ECN | NET_F_GUEST_USO4 | \
     NET_F_GUEST_USO6)

/* 5.1.6, in front of each frame. */
struct virtio_net_header {
    uint8_t flags, gso_type;
    uint16_t hdr_len, gso_size, csum_start, csum_offset;
    uint16_t num_buffers; /* of received frames: how many buffers one takes */
};
enum { HEADER_F_NEEDS_CSUM = 1, HEADER_F_DATA_VALID = 2 };
enum { GSO_NONE = 0, GSO_TCPV4 = 1, GSO_TCPV6 = 4, GSO_UDP_L4 = 5, GSO_ECN = 0x80 };

struct virtio_net {
    struct virtio *virtio;
    struct net *net;
    struct event_call call;
    uint8_t mac[NET_ADDRESS_SIZE]; /* at power-on */
    unsigned pairs_max;            /* of queues */
    bool attached;

    /* Of any thread. */
    _Atomic uint64_t kicked[VIRTIO_QUEUES_MAX / 64]; /* bits: queues to look at */
    _Atomic uint64_t agreed;                         /* features */
    _Atomic bool renewed; /* the driver has changed, what follows is the old one's */

    /* The network's thread's, of the driver. */
    uint64_t features; /* agreed on */
    uint64_t offloads; /* those of NET_F_GUEST_OFFLOADS that are on */
    unsigned pairs;    /* in use */
    struct net_filter filter;
    struct net_steer steer;
    uint64_t untold;  /* bits: pairs with received frames that the driver has not been told of */
    uint64_t blocked; /* bits: pairs whose next frame the network did not take */
    bool announce;    /* the driver is asked to make itself known on the network */

    /* The network's thread's. */
    bool link;
    struct virtq_chain chains[NET_QUEUE_SIZE]; /* of one frame */
    struct iovec iov[2 * VIRTQ_IOV_MAX];
    uint8_t frame[NET_FRAME_MAX]; /* one in more pieces than the network takes */
};

/* The queue of control commands: behind all others that the driver knows of (5.1.2). */
static inline unsigned virtio_net_control_queue(const struct virtio_net *n, uint64_t features)
{
    return features & NET_F_MQ ? 2 * n->pairs_max : 2;
}

/* Has a queue looked at (again). Any thread. */
void virtio_net_kick(struct virtio_net *n, unsigned queue);

/*
 * The queue, locked, of the driver that the thread knows. NULL: there is none; or the driver is new, and
 * the queue is looked at again when that has been taken note of.
 */
struct virtio_queue *virtio_net_begin(struct virtio_net *n, unsigned queue);

/* Sends what there is in a pair's transmit queue. */
void virtio_net_transmit(struct virtio_net *n, unsigned pair);

/* card_ops.receive and received. */
bool virtio_net_receive(void *state, const struct net_packet *packet);
void virtio_net_received(void *state);

void virtio_net_control(struct virtio_net *n, unsigned queue);

/* What the driver takes, to the network. */
void virtio_net_tell_offloads(struct virtio_net *n);
/* Link and announcement, to the driver. Not between virtio_begin and virtio_end. */
void virtio_net_tell_status(struct virtio_net *n);
/* Likewise the address that it has chosen. */
void virtio_net_tell_address(struct virtio_net *n);

#endif
