/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Which of the frames on a network are for the guest: by address and by VLAN (Virtual I/O Device 1.2,
 * 5.1.6.5.1 to 5.1.6.5.3). Until its driver says something a card takes everything.
 */
#ifndef RVVM_DEV_VIRTIO_VIRTIO_NET_FILTER_H
#define RVVM_DEV_VIRTIO_VIRTIO_NET_FILTER_H

#include "net/net.h"

#define NET_FILTER_ADDRESSES 64 /* of each kind; with more, all of that kind pass */
#define NET_FILTER_HEAD 18      /* bytes of a frame that decide: addresses, type, VLAN tag */
#define NET_VLANS 4096

/* The commands of class RX, in their order (5.1.6.5.1). */
enum net_filter_mode {
    NET_FILTER_PROMISCUOUS,
    NET_FILTER_ALL_MULTICAST,
    NET_FILTER_ALL_UNICAST,
    NET_FILTER_NO_MULTICAST,
    NET_FILTER_NO_UNICAST,
    NET_FILTER_NO_BROADCAST,
    NET_FILTER_MODES
};

struct net_filter_table {
    bool overflow; /* there were more */
    unsigned count;
    uint8_t addresses[NET_FILTER_ADDRESSES][NET_ADDRESS_SIZE];
};

struct net_filter {
    bool modes[NET_FILTER_MODES];
    uint8_t mac[NET_ADDRESS_SIZE];
    struct net_filter_table unicast, multicast;
    bool by_vlan;
    uint64_t vlans[NET_VLANS / 64]; /* bits: those that pass */
};

void net_filter_reset(struct net_filter *f, const uint8_t mac[NET_ADDRESS_SIZE], bool by_vlan);

void net_filter_set_vlan(struct net_filter *f, unsigned vlan, bool passes);

/* head: the frame's first bytes; zeros behind its end if it is a short one. */
bool net_filter_passes(const struct net_filter *f, const uint8_t head[NET_FILTER_HEAD]);

#endif
