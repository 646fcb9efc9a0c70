/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A network whose other end is the program that has the machine: frames of the guest's go to a function,
 * frames for it are put in by net_calls_deliver from any thread.
 */
#include "net/backend.h"
#include "net/calls.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct waiting {
    struct waiting *next;
    size_t size;
    uint8_t bytes[];
};

struct net_calls {
    struct net *net;
    net_calls_fn *send;
    void *ctx;
    uint8_t frame[NET_FRAME_MAX]; /* network's thread: a guest's, in one piece */
    struct event_call work;
    pthread_mutex_t lock; /* all below */
    struct waiting *first, **end;
    size_t waiting_bytes;
};

static bool calls_send(void *state, const struct net_packet *packet)
{
    struct net_calls *c = state;
    size_t size = 0;
    for (unsigned i = 0; i < packet->iov_count; i++) {
        size_t part = packet->iov[i].iov_len;
        if (part > sizeof(c->frame) - size)
            return true; /* longer than any wire takes */
        if (part)
            memcpy(c->frame + size, packet->iov[i].iov_base, part);
        size += part;
    }
    if (c->send)
        c->send(c->ctx, c->frame, size);
    return true;
}

static struct waiting *take(struct net_calls *c)
{
    pthread_mutex_lock(&c->lock);
    struct waiting *w = c->first;
    if (w) {
        c->first = w->next;
        c->end = c->first ? c->end : &c->first;
        c->waiting_bytes -= w->size;
    }
    pthread_mutex_unlock(&c->lock);
    return w;
}

static void deliver(void *state)
{
    struct net_calls *c = state;
    struct waiting *w;
    bool more = true;
    while (more && (w = take(c))) {
        struct iovec iov = {w->bytes, w->size};
        struct net_packet packet = {.iov = &iov, .iov_count = 1, .size = w->size};
        more = net_deliver(c->net, &packet);
        free(w);
    }
    net_delivered(c->net);
}

bool net_calls_deliver(struct net_calls *c, const void *frame, size_t size)
{
    struct waiting *w = NULL;
    if (size < NET_HEADER_SIZE || size > NET_FRAME_MAX)
        return false;
    pthread_mutex_lock(&c->lock);
    if (size <= NET_HELD_MAX - c->waiting_bytes && (w = malloc(sizeof(*w) + size))) {
        w->next = NULL;
        w->size = size;
        memcpy(w->bytes, frame, size);
        *c->end = w;
        c->end = &w->next;
        c->waiting_bytes += size;
    }
    pthread_mutex_unlock(&c->lock);
    if (w)
        event_call_post(&c->work);
    return w;
}

static void calls_close(void *state)
{
    struct net_calls *c = state;
    struct waiting *w;
    event_call_remove(&c->work);
    while ((w = take(c)))
        free(w);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

bool net_calls_open(struct net_backend *backend, struct net *net, struct event_loop *loop,
                    const struct net_calls_config *config, struct error *err)
{
    static const struct net_backend_ops ops = {
        .name = "callbacks",
        .send = calls_send,
        .ready = deliver,
        .close = calls_close,
    };
    struct net_calls *c = calloc(1, sizeof(*c));
    if (!c)
        return error_set(err, "out of memory");
    c->net = net;
    c->send = config->send;
    c->ctx = config->ctx;
    c->end = &c->first;
    pthread_mutex_init(&c->lock, NULL);
    event_call_init(&c->work, loop, deliver, c);
    *backend = (struct net_backend){.ops = &ops, .state = c};
    *config->opened = c;
    return true;
}
