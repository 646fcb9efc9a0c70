/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A backend of a network: what is at the other end of the cable. Inside src/net/ only; net.c stands
 * between it and the card.
 *
 * All callbacks run on the network's thread, but that open and close run before and after it, with the
 * loop there to hang things into. Frames to the guest:
 *
 *     while (there is one && net_deliver(net, &packet))
 *         ...
 *     net_delivered(net);
 */
#ifndef RVVM_NET_BACKEND_H
#define RVVM_NET_BACKEND_H

#include "net/net.h"

struct net_options;
struct net_forward;

struct net_backend_ops {
    const char *name;
    /* A frame of 14 bytes and more with no more to do than backend.features says. false: none just now,
     * and nothing of it was sent; net_writable follows. Counterpart of net_send. */
    bool (*send)(void *state, const struct net_packet *packet);
    /* Behind the last of a number of send. May be NULL. */
    void (*flush)(void *state);
    /* After a net_deliver that returned false. */
    void (*ready)(void *state);
    /* What the card takes has changed: enum net_feature. May be NULL. */
    void (*take_features)(void *state, unsigned features);
    /* NULL: it has no ports to forward. */
    bool (*forward)(void *state, const struct net_forward *forward, bool add, struct error *err);
    void (*close)(void *state);
};

struct net_backend {
    const struct net_backend_ops *ops;
    void *state;
    unsigned features; /* what send takes: enum net_feature */
    unsigned mtu;      /* 0: 1500 */
};

/* Each kind has one of these. It fills the struct in. false: err says why not. */
typedef bool net_backend_open_fn(struct net_backend *backend, struct net *net,
                                 const struct net_options *options, struct error *err);

net_backend_open_fn user_open;   /* user mode: NAT by libslirp */
net_backend_open_fn tap_open;    /* a TAP device of the host */
net_backend_open_fn socket_open; /* a stream to another machine */

/*
 * A frame for the guest. It is taken in any case, or dropped as a wire would. false: the card has no
 * room; ready comes when it has. What comes before that is kept as far as NET_HELD_MAX reaches.
 */
bool net_deliver(struct net *net, const struct net_packet *packet);
#define NET_HELD_MAX (4u << 20) /* bytes */
/* Behind the last of a number of net_deliver. */
void net_delivered(struct net *net);
/* After a send that returned false. */
void net_writable(struct net *net);

struct log *net_log(const struct net *net);
const char *net_name(const struct net *net);
const uint8_t *net_mac(const struct net *net);

#endif
