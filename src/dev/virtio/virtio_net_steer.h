/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Which pair of queues a received frame goes to (Virtual I/O Device 1.2, 5.1.6.5.5): the one that the
 * driver last used to send in the other direction of the same connection, since that is where the
 * program is which waits for it. Connections share entries of a table when their hashes do: then a
 * frame may go to another queue, which is slower and not wrong.
 */
#ifndef RVVM_DEV_VIRTIO_VIRTIO_NET_STEER_H
#define RVVM_DEV_VIRTIO_VIRTIO_NET_STEER_H

#include <stdint.h>

#define NET_STEER_HEAD \
    96 /* bytes of a frame that decide: two VLAN tags, IPv4 with options, ports */
#define NET_STEER_ENTRIES 1024

struct net_steer {
    uint8_t pair[NET_STEER_ENTRIES];
};

void net_steer_reset(struct net_steer *s);

/* head: a frame's first bytes, with zeros behind its end. */
void net_steer_sent(struct net_steer *s, const uint8_t head[NET_STEER_HEAD], unsigned pair);
/* Below `pairs`. */
unsigned net_steer_received(const struct net_steer *s, const uint8_t head[NET_STEER_HEAD],
                            unsigned pairs);

#endif
