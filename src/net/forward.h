/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Ports of the host that lead into the guest, as a user writes them:
 *
 *     [tcp/|udp/][ADDRESS:]HOSTPORT=[ADDRESS:]GUESTPORT
 *
 * An IPv6 address stands in brackets. The host's address is 127.0.0.1 if none is said, so that nobody
 * else gets in by mistake; the guest's is the first that DHCP gives, or with an IPv6 address of the host
 * the one that follows from the card's address. Both sides are of one family.
 */
#ifndef RVVM_NET_FORWARD_H
#define RVVM_NET_FORWARD_H

#include "base/error.h"
#include "host/inet.h"
#include <stdbool.h>

struct net;

union net_address {
    struct sockaddr any; /* sa_family says which */
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

struct net_forward {
    bool udp;
    union net_address host, guest; /* guest: all zero bits when not said */
};

bool net_forward_parse(struct net_forward *forward, const char *text, struct error *err);

#define NET_FORWARD_NAME_SIZE 80
/* "tcp/127.0.0.1:2022", for messages. */
void net_forward_name(const struct net_forward *forward, char name[NET_FORWARD_NAME_SIZE]);

/* Whether a network has ports to forward. */
bool net_can_forward(const struct net *net);
/* Any thread. false: err says which port and why. */
bool net_add_forward(struct net *net, const struct net_forward *forward, struct error *err);
/* Connections that exist go on. */
bool net_remove_forward(struct net *net, const struct net_forward *forward, struct error *err);

#endif
