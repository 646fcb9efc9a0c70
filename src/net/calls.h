/* SPDX-License-Identifier: MPL-2.0 */
/* A network by callbacks: calls.c. What a machine's user has; cards see a network as any other. */
#ifndef RVVM_NET_CALLS_H
#define RVVM_NET_CALLS_H

#include "base/error.h"
#include <stdbool.h>
#include <stddef.h>

struct event_loop;
struct net;
struct net_backend;
struct net_calls;

/* On the network's thread. The frame is only there during the call. */
typedef void net_calls_fn(void *ctx, const void *frame, size_t size);

struct net_calls_config {
    net_calls_fn *send; /* NULL: nobody hears the guest */
    void *ctx;
    struct net_calls **opened; /* is set to the handle, which ends with the network */
};

/* Any thread. false: it is no frame, or too many wait already. */
bool net_calls_deliver(struct net_calls *calls, const void *frame, size_t size);

/* For net.c. */
bool net_calls_open(struct net_backend *backend, struct net *net, struct event_loop *loop,
                    const struct net_calls_config *config, struct error *err);

#endif
