/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Networks: see net.h. What stands between a card and a backend, on the network's thread:
 *
 *     net_send      counts, captures, does what the backend leaves undone, hands on
 *     net_deliver   the same towards the card, and keeps what the card has no room for
 *
 * A backend may answer a frame from within send. The card is in the middle of its transmit ring then and
 * is not called: such frames are held, and the rest is done by a call that comes after.
 */
#include "net/net.h"

#include "host/iov.h"
#include "net/backend.h"
#include "net/calls.h"
#include "net/capture.h"
#include "net/forward.h"
#include "net/offload.h"
#include "net/options.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Above this a backend is asked to wait, though the card has not refused anything yet. */
#define HELD_ENOUGH (256u << 10)
#define GSO_FEATURES (NET_TSO4 | NET_TSO6 | NET_USO)

/* A frame for the guest that the card has not taken yet. */
struct held {
    struct held *next;
    struct net_offload offload;
    size_t size;
    uint8_t bytes[];
};

struct net {
    struct event_loop *loop;
    struct log *log;
    char name[16];
    uint8_t mac[NET_ADDRESS_SIZE];
    struct net_backend backend;
    struct capture *capture;
    bool running; /* the loop's thread */
    _Atomic bool link_wanted;

    /* The rest is the network's thread's. */
    struct net_card card; /* ops is NULL: none */
    unsigned card_features;
    bool link_up;
    unsigned in_card; /* how deep we are in calls that the card has made */
    bool card_waits, backend_waits;
    bool received; /* the card is yet to be told that no more come */
    struct event_call link_call, drain_call;

    struct held *held, **held_end; /* oldest first */
    size_t held_bytes;

    /* A large packet on its way out: all of it, and the piece that the backend has not taken yet. */
    struct offload_cut cut;
    struct net_packet piece;
    bool cutting;
    uint8_t out[NET_FRAME_MAX], in[NET_FRAME_MAX];

    /* One thread writes, any may read. */
    _Atomic uint64_t frames_out, bytes_out, frames_in, bytes_in, dropped_out, dropped_in;
};

static void count(_Atomic uint64_t *counter, uint64_t more)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + more,
                          memory_order_relaxed);
}

static bool has_frame_size(const struct net_packet *packet)
{
    return packet->size >= NET_HEADER_SIZE && packet->size <= NET_FRAME_MAX;
}

/* The packet in one piece of memory that nobody else writes. */
static struct net_packet copy_packet(const struct net_packet *packet, uint8_t *bytes,
                                     struct iovec *iov)
{
    struct iov_cursor at = iov_start(packet->iov, packet->iov_count);
    iov_copy_out(&at, bytes, packet->size);
    *iov = (struct iovec){bytes, packet->size};
    return (struct net_packet){iov, 1, packet->size, packet->offload};
}

/*
 * From the card
 */

/* Sends what is left of a large packet. false: the backend takes no more just now. */
static bool send_pieces(struct net *net)
{
    while (net->cutting) {
        if (!net->backend.ops->send(net->backend.state, &net->piece))
            return false;
        net->cutting = offload_cut_next(&net->cut, &net->piece);
    }
    return true;
}

/* false: it stays with the card. */
static bool send_fitting(struct net *net, const struct net_packet *packet)
{
    unsigned missing = offload_needs(&packet->offload) & ~net->backend.features;
    if (!missing)
        return net->backend.ops->send(net->backend.state, packet);
    struct iovec iov;
    struct net_packet copy = copy_packet(packet, net->out, &iov);
    if (missing & GSO_FEATURES) {
        net->cutting = offload_cut_begin(&net->cut, net->out, copy.size, &copy.offload) &&
                       offload_cut_next(&net->cut, &net->piece);
        count(&net->dropped_out, !net->cutting);
        send_pieces(net);
        return true; /* it is ours now, all of it */
    }
    if (!offload_complete(net->out, copy.size, &copy.offload)) {
        count(&net->dropped_out, 1);
        return true;
    }
    copy.offload = (struct net_offload){.csum_valid = true};
    return net->backend.ops->send(net->backend.state, &copy);
}

bool net_send(struct net *net, const struct net_packet *packet)
{
    if (!net->link_up || !has_frame_size(packet)) {
        count(&net->dropped_out, 1);
        return true;
    }
    net->in_card++;
    bool sent = send_pieces(net) && send_fitting(net, packet);
    net->in_card--;
    if (!sent) {
        net->card_waits = true;
        return false;
    }
    count(&net->frames_out, 1);
    count(&net->bytes_out, packet->size);
    if (net->capture)
        capture_packet(net->capture, packet);
    return true;
}

void net_flush(struct net *net)
{
    net->in_card++;
    if (net->backend.ops->flush)
        net->backend.ops->flush(net->backend.state);
    net->in_card--;
}

void net_writable(struct net *net)
{
    if (!send_pieces(net) || !net->card_waits || !net->card.ops)
        return;
    net->card_waits = false;
    net->card.ops->writable(net->card.state);
}

/*
 * To the card
 */

static void hold(struct net *net, const struct net_packet *packet)
{
    struct held *held = NULL;
    if (net->held_bytes + packet->size <= NET_HELD_MAX)
        held = malloc(sizeof(*held) + packet->size);
    if (!held) {
        count(&net->dropped_in, 1);
        return;
    }
    struct iov_cursor at = iov_start(packet->iov, packet->iov_count);
    iov_copy_out(&at, held->bytes, packet->size);
    held->next = NULL;
    held->size = packet->size;
    held->offload = packet->offload;
    net->held_bytes += held->size;
    *net->held_end = held;
    net->held_end = &held->next;
}

static void drop_first_held(struct net *net)
{
    struct held *held = net->held;
    net->held = held->next;
    if (!net->held)
        net->held_end = &net->held;
    net->held_bytes -= held->size;
    free(held);
}

static bool give_to_card(struct net *net, const struct net_packet *packet)
{
    if (!net->card.ops->receive(net->card.state, packet))
        return false;
    net->received = true;
    count(&net->frames_in, 1);
    count(&net->bytes_in, packet->size);
    if (net->capture)
        capture_packet(net->capture, packet);
    return true;
}

/* A packet that the card can take. false: no more for now. */
static bool hand_over(struct net *net, const struct net_packet *packet)
{
    if (!net->held && !net->in_card && give_to_card(net, packet))
        return true;
    if (net->in_card)
        event_call_post(&net->drain_call);
    hold(net, packet);
    /* Until it is told to go on: what it was told once holds for frames that come from elsewhere, too. */
    net->backend_waits |= !net->in_card || net->held_bytes > HELD_ENOUGH;
    return !net->backend_waits;
}

static bool deliver_pieces(struct net *net, const struct net_packet *packet)
{
    struct offload_cut cut;
    struct net_packet piece;
    struct iovec iov;
    bool more = true;
    struct net_packet copy = copy_packet(packet, net->in, &iov);
    if (!offload_cut_begin(&cut, net->in, copy.size, &copy.offload)) {
        count(&net->dropped_in, 1);
        return true;
    }
    while (offload_cut_next(&cut, &piece))
        more = hand_over(net, &piece);
    return more;
}

bool net_deliver(struct net *net, const struct net_packet *packet)
{
    if (!net->link_up || !net->card.ops || !has_frame_size(packet)) {
        count(&net->dropped_in, 1);
        return true;
    }
    unsigned missing = offload_needs(&packet->offload) & ~net->card_features;
    if (!missing)
        return hand_over(net, packet);
    if (missing & GSO_FEATURES)
        return deliver_pieces(net, packet);
    struct iovec iov;
    struct net_packet copy = copy_packet(packet, net->in, &iov);
    if (!offload_complete(net->in, copy.size, &copy.offload)) {
        count(&net->dropped_in, 1);
        return true;
    }
    copy.offload = (struct net_offload){.csum_valid = true};
    return hand_over(net, &copy);
}

void net_delivered(struct net *net)
{
    if (!net->received || net->in_card)
        return;
    net->received = false;
    net->card.ops->received(net->card.state);
}

/* The card has room, or is no longer busy. */
static void drain(void *state)
{
    struct net *net = state;
    struct iovec iov;
    bool room = net->card.ops;
    while (room && net->held) {
        iov = (struct iovec){net->held->bytes, net->held->size};
        struct net_packet packet = {&iov, 1, net->held->size, net->held->offload};
        room = give_to_card(net, &packet);
        if (room)
            drop_first_held(net);
    }
    net_delivered(net);
    if (room && net->backend_waits) {
        net->backend_waits = false;
        net->backend.ops->ready(net->backend.state);
    }
}

void net_ready(struct net *net)
{
    if (net->held || net->backend_waits)
        event_call_post(&net->drain_call);
}

/* What is held was made to fit the card as it was. */
static void drop_held(struct net *net)
{
    while (net->held) {
        drop_first_held(net);
        count(&net->dropped_in, 1);
    }
    net_ready(net);
}

void net_set_features(struct net *net, unsigned features)
{
    if (net->card_features & ~features)
        drop_held(net);
    net->card_features = features;
    net->in_card++;
    if (net->backend.ops->take_features)
        net->backend.ops->take_features(net->backend.state, features);
    net->in_card--;
}

/*
 * The cable
 */

static void change_link(void *state)
{
    struct net *net = state;
    net->link_up = atomic_load(&net->link_wanted);
    if (!net->link_up)
        drop_held(net);
    if (net->card.ops)
        net->card.ops->link(net->card.state, net->link_up);
}

void net_set_link(struct net *net, bool up)
{
    atomic_store(&net->link_wanted, up);
    event_call_post(&net->link_call);
}

unsigned net_mtu(const struct net *net)
{
    return net->backend.mtu ? net->backend.mtu : 1500;
}

void net_get_counters(struct net *net, struct net_counters *counters)
{
    *counters = (struct net_counters){
        .frames_out = atomic_load_explicit(&net->frames_out, memory_order_relaxed),
        .bytes_out = atomic_load_explicit(&net->bytes_out, memory_order_relaxed),
        .frames_in = atomic_load_explicit(&net->frames_in, memory_order_relaxed),
        .bytes_in = atomic_load_explicit(&net->bytes_in, memory_order_relaxed),
        .dropped_out = atomic_load_explicit(&net->dropped_out, memory_order_relaxed),
        .dropped_in = atomic_load_explicit(&net->dropped_in, memory_order_relaxed),
    };
}

/*
 * Calls from other threads
 */

struct errand {
    void (*run)(void *state);
    void *state;
    pthread_mutex_t lock;
    pthread_cond_t ended;
    bool done;
};

static void run_errand(void *ctx)
{
    struct errand *errand = ctx;
    errand->run(errand->state);
    pthread_mutex_lock(&errand->lock);
    errand->done = true;
    pthread_cond_signal(&errand->ended);
    pthread_mutex_unlock(&errand->lock);
}

void net_run(struct net *net, void (*run)(void *state), void *state)
{
    if (!net->running || event_loop_is_current(net->loop)) {
        run(state);
        return;
    }
    struct errand errand = {.run = run, .state = state};
    struct event_call call;
    pthread_mutex_init(&errand.lock, NULL);
    pthread_cond_init(&errand.ended, NULL);
    event_call_init(&call, net->loop, run_errand, &errand);
    event_call_post(&call);
    pthread_mutex_lock(&errand.lock);
    while (!errand.done)
        pthread_cond_wait(&errand.ended, &errand.lock);
    pthread_mutex_unlock(&errand.lock);
    event_call_remove(&call);
    pthread_cond_destroy(&errand.ended);
    pthread_mutex_destroy(&errand.lock);
}

struct forward_errand {
    struct net *net;
    const struct net_forward *forward;
    bool add, ok;
    struct error *err;
};

static void change_forward(void *state)
{
    struct forward_errand *e = state;
    const struct net_backend *backend = &e->net->backend;
    e->ok = backend->ops->forward(backend->state, e->forward, e->add, e->err);
}

static bool run_forward(struct net *net, const struct net_forward *forward, bool add,
                        struct error *err)
{
    if (!net_can_forward(net))
        return error_set(err, "%s: forwards of ports are user mode's only", net->name);
    struct forward_errand errand = {net, forward, add, false, err};
    net_run(net, change_forward, &errand);
    return errand.ok;
}

bool net_can_forward(const struct net *net)
{
    return net->backend.ops->forward;
}

bool net_add_forward(struct net *net, const struct net_forward *forward, struct error *err)
{
    return run_forward(net, forward, true, err);
}

bool net_remove_forward(struct net *net, const struct net_forward *forward, struct error *err)
{
    return run_forward(net, forward, false, err);
}

/*
 * From beginning to end
 */

static bool open_backend(struct net *net, const struct net_options *options,
                         const struct net_calls_config *calls, struct error *err)
{
    static net_backend_open_fn *const open[] = {
        [NET_KIND_USER] = user_open,
        [NET_KIND_TAP] = tap_open,
        [NET_KIND_SOCKET] = socket_open,
    };
    if (options->dump) {
        net->capture = capture_open(options->dump, net->loop, net->log, err);
        if (!net->capture)
            return false;
    }
    net->link_up = !options->link_down;
    atomic_init(&net->link_wanted, net->link_up);
    if (calls)
        return net_calls_open(&net->backend, net, net->loop, calls, err);
    return open[options->kind](&net->backend, net, options, err);
}

bool net_check(const char *text, struct error *err)
{
    struct net_options options;
    bool ok = net_options_parse(&options, text, err);
    if (ok)
        net_options_free(&options);
    return ok;
}

struct net *net_open(const char *text, const struct net_config *config, struct error *err)
{
    struct net_options options;
    if (!net_options_parse(&options, text, err))
        return NULL;
    struct net *net = calloc(1, sizeof(*net));
    bool ok = net || error_set(err, "out of memory");
    if (ok) {
        net->log = config->log;
        snprintf(net->name, sizeof(net->name), "%s", config->name ? config->name : "net");
        memcpy(net->mac, config->mac, sizeof(net->mac));
        net->held_end = &net->held;
        net->loop = event_loop_new(err);
        ok = net->loop;
    }
    if (ok) {
        event_loop_set_kind(net->loop, THREAD_NET);
        event_call_init(&net->link_call, net->loop, change_link, net);
        event_call_init(&net->drain_call, net->loop, drain, net);
        ok = open_backend(net, &options, config->calls, err);
    }
    net_options_free(&options);
    if (ok)
        return net;
    net_close(net);
    return NULL;
}

void net_close(struct net *net)
{
    if (!net)
        return;
    if (net->backend.ops)
        net->backend.ops->close(net->backend.state);
    capture_close(net->capture);
    while (net->held)
        drop_first_held(net);
    if (net->loop) {
        event_call_remove(&net->link_call);
        event_call_remove(&net->drain_call);
    }
    event_loop_free(net->loop);
    free(net);
}

bool net_attach(struct net *net, const struct net_card *card, struct error *err)
{
    net->card = *card;
    net_set_features(net, 0);
    event_call_post(&net->link_call);
    net->running = event_loop_start(net->loop, err);
    if (!net->running)
        net->card = (struct net_card){0};
    return net->running;
}

void net_detach(struct net *net)
{
    event_loop_stop(net->loop);
    net->running = false;
    net->card = (struct net_card){0};
    net->card_waits = net->received = false;
    drop_held(net);
}

struct event_loop *net_loop(struct net *net)
{
    return net->loop;
}

struct log *net_log(const struct net *net)
{
    return net->log;
}

const char *net_name(const struct net *net)
{
    return net->name;
}

const uint8_t *net_mac(const struct net *net)
{
    return net->mac;
}
