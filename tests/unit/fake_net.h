/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * A network (src/net/net.h) whose other end is a test: what the card sends is kept, what the test
 * gives is received, each with everything that is left to do to it. It takes the library's place.
 *
 *     struct net *net = fake_net_new();
 *     ... a card is made with it ...
 *     fake_net_give(net, frame, size, &offload);
 *     fake_net_sync(net);                          everything that can happen has happened
 *     net->sent[0].bytes ...
 */
#ifndef RVVM_TESTS_FAKE_NET_H
#define RVVM_TESTS_FAKE_NET_H

#include "net/net.h"
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>

#define FAKE_FRAMES 512 /* the oldest are forgotten */

struct fake_frame {
    uint8_t *bytes;
    size_t size;
    unsigned pieces;
    struct net_offload offload;
};

struct net {
    struct event_loop *loop;
    struct net_card card;
    struct event_call deliver, call;
    sem_t called;
    unsigned mtu;

    /* For the test to change, when nothing goes on. */
    unsigned takes;                 /* frames that net_send takes before it takes none */
    void (*on_features)(void *ctx); /* by the next net_set_features; NULL: nothing */
    void *ctx;
    unsigned refused, flushes;
    /* For it to read. */
    struct fake_frame sent[FAKE_FRAMES];
    unsigned sent_count;
    unsigned features, features_set;
    unsigned rounds; /* of received */

    struct fake_frame given[FAKE_FRAMES];
    unsigned given_first, given_count;
    bool link;
};

static inline struct fake_frame fake_frame_new(const struct iovec *iov, unsigned count, size_t size,
                                               const struct net_offload *offload)
{
    struct fake_frame f = {.bytes = malloc(size ? size : 1), .size = size, .pieces = count};
    size_t at = 0;
    for (unsigned i = 0; i < count; i++) {
        memcpy(f.bytes + at, iov[i].iov_base, iov[i].iov_len);
        at += iov[i].iov_len;
    }
    if (at != size)
        abort();
    if (offload)
        f.offload = *offload;
    return f;
}

static inline void fake_net_deliver(void *ctx)
{
    struct net *net = ctx;
    bool any = false;
    while (net->card.ops && net->given_count) {
        struct fake_frame *f = &net->given[net->given_first % FAKE_FRAMES];
        /* In two pieces, as from a ring. */
        size_t first = f->size / 3;
        struct iovec iov[2] = {{f->bytes, first}, {f->bytes + first, f->size - first}};
        struct net_packet packet = {
            .iov = iov, .iov_count = 2, .size = f->size, .offload = f->offload};
        any = true;
        if (!net->card.ops->receive(net->card.state, &packet))
            break;
        free(f->bytes);
        net->given_first++;
        net->given_count--;
    }
    if (any) {
        net->rounds++;
        net->card.ops->received(net->card.state);
    }
}

static inline void fake_net_called(void *ctx)
{
    struct net *net = ctx;
    sem_post(&net->called);
}

static inline struct net *fake_net_new(void)
{
    struct net *net = calloc(1, sizeof(*net));
    net->loop = event_loop_new(NULL);
    net->takes = UINT32_MAX;
    net->mtu = 1500;
    net->link = true;
    sem_init(&net->called, 0, 0);
    event_call_init(&net->deliver, net->loop, fake_net_deliver, net);
    event_call_init(&net->call, net->loop, fake_net_called, net);
    return net;
}

/* Three times, since what a call posts runs in the round after it: a doorbell, a frame, an answer. */
static inline void fake_net_sync(struct net *net)
{
    for (unsigned i = 0; i < 3; i++) {
        event_call_post(&net->call);
        while (sem_wait(&net->called))
            ;
    }
}

static inline void fake_net_forget_sent(void *ctx)
{
    struct net *net = ctx;
    for (unsigned i = 0; i < net->sent_count && i < FAKE_FRAMES; i++)
        free(net->sent[i].bytes);
    net->sent_count = 0;
}

static inline void fake_net_forget_all(void *ctx)
{
    struct net *net = ctx;
    fake_net_forget_sent(net);
    for (; net->given_count; net->given_first++, net->given_count--)
        free(net->given[net->given_first % FAKE_FRAMES].bytes);
}

/* What was sent, and what was given and not received: the card may ask for that at any time. */
static inline void fake_net_forget(struct net *net)
{
    net_run(net, fake_net_forget_all, net);
}

/* After the card is gone. */
static inline void fake_net_free(struct net *net)
{
    fake_net_forget_all(net);
    event_call_remove(&net->deliver);
    event_call_remove(&net->call);
    event_loop_free(net->loop);
    sem_destroy(&net->called);
    free(net);
}

/* Runs on the network's thread, which does nothing else meanwhile. */
struct fake_run {
    void (*run)(void *state);
    void *state;
    sem_t done;
};

static inline void fake_net_run_it(void *ctx)
{
    struct fake_run *r = ctx;
    r->run(r->state);
    sem_post(&r->done);
}

void net_run(struct net *net, void (*run)(void *state), void *state)
{
    struct fake_run r = {.run = run, .state = state};
    struct event_call call;
    sem_init(&r.done, 0, 0);
    event_call_init(&call, net->loop, fake_net_run_it, &r);
    event_call_post(&call);
    while (sem_wait(&r.done))
        ;
    event_call_remove(&call);
    sem_destroy(&r.done);
}

struct fake_give {
    struct net *net;
    struct fake_frame frame;
};

static inline void fake_net_give_it(void *ctx)
{
    struct fake_give *g = ctx;
    struct net *net = g->net;
    if (net->given_count == FAKE_FRAMES) {
        free(g->frame.bytes);
        return;
    }
    net->given[(net->given_first + net->given_count++) % FAKE_FRAMES] = g->frame;
    event_call_post(&net->deliver);
}

/* A frame for the card. */
static inline void fake_net_give(struct net *net, const void *bytes, size_t size,
                                 const struct net_offload *offload)
{
    struct iovec iov = {(void *)(uintptr_t)bytes, size};
    struct fake_give g = {net, fake_frame_new(&iov, 1, size, offload)};
    net_run(net, fake_net_give_it, &g);
}

static inline void fake_net_make_writable(void *ctx)
{
    struct net *net = ctx;
    net->takes = UINT32_MAX;
    net->card.ops->writable(net->card.state);
}

/* After `takes` were taken. */
static inline void fake_net_take_more(struct net *net)
{
    net_run(net, fake_net_make_writable, net);
}

static inline void fake_net_tell_link(void *ctx)
{
    struct net *net = ctx;
    net->card.ops->link(net->card.state, net->link);
}

/*
 * net.h, the card's side.
 */

bool net_attach(struct net *net, const struct net_card *card, struct error *err)
{
    net->card = *card;
    net->features = 0;
    if (!event_loop_start(net->loop, err))
        return false;
    net_run(net, fake_net_tell_link, net);
    return true;
}

/* The last that happens is a callback, from which the card may post calls that nobody runs any more. */
void net_detach(struct net *net)
{
    event_loop_stop(net->loop);
    fake_net_make_writable(net);
    net->card = (struct net_card){0};
}

struct event_loop *net_loop(struct net *net)
{
    return net->loop;
}

bool net_send(struct net *net, const struct net_packet *packet)
{
    if (!net->takes) {
        net->refused++;
        return false;
    }
    net->takes--;
    struct fake_frame *f = &net->sent[net->sent_count % FAKE_FRAMES];
    if (net->sent_count >= FAKE_FRAMES)
        free(f->bytes);
    *f = fake_frame_new(packet->iov, packet->iov_count, packet->size, &packet->offload);
    net->sent_count++;
    return true;
}

void net_flush(struct net *net)
{
    net->flushes++;
}

void net_ready(struct net *net)
{
    event_call_post(&net->deliver);
}

void net_set_features(struct net *net, unsigned features)
{
    void (*on_features)(void *ctx) = net->on_features;
    net->features = features;
    net->features_set++;
    net->on_features = NULL;
    if (on_features)
        on_features(net->ctx);
}

void net_set_link(struct net *net, bool up)
{
    net->link = up;
    net_run(net, fake_net_tell_link, net);
}

unsigned net_mtu(const struct net *net)
{
    return net->mtu;
}

#endif
