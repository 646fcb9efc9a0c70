/* SPDX-License-Identifier: MPL-2.0 */
/* Virtio network device: see virtio_net_parts.h. */
#include "dev/virtio/virtio_net.h"

#include "dev/virtio/virtio_net_parts.h"
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define FEATURES \
    (NET_F_CSUM | NET_F_GUEST_CSUM | NET_F_CTRL_GUEST_OFFLOADS | NET_F_MTU | NET_F_MAC | \
     NET_F_GUEST_TSO4 | NET_F_GUEST_TSO6 | NET_F_GUEST_ECN | NET_F_HOST_TSO4 | NET_F_HOST_TSO6 | \
     NET_F_HOST_ECN | NET_F_MRG_RXBUF | NET_F_STATUS | NET_F_CTRL_VQ | NET_F_CTRL_RX | \
     NET_F_CTRL_VLAN | NET_F_CTRL_RX_EXTRA | NET_F_GUEST_ANNOUNCE | NET_F_CTRL_MAC_ADDR | \
     NET_F_GUEST_USO4 | NET_F_GUEST_USO6 | NET_F_HOST_USO | NET_F_SPEED_DUPLEX)

/* 5.1.4, struct virtio_net_config as far as it is of use here. */
struct net_layout {
    uint8_t mac[NET_ADDRESS_SIZE];
    uint16_t status, max_virtqueue_pairs, mtu;
    uint32_t speed; /* Mbit/s */
    uint8_t duplex, unused[3];
};
_Static_assert(offsetof(struct net_layout, speed) == 12 &&
                   offsetof(struct net_layout, duplex) == 16,
               "as the specification lays it out");
enum { S_LINK_UP = 1, S_ANNOUNCE = 2 };
enum { SPEED = 10000, FULL_DUPLEX = 1 }; /* programs ask, and nothing follows from it */

/*
 * What harts leave for the network's thread.
 */

void virtio_net_kick(struct virtio_net *n, unsigned queue)
{
    atomic_fetch_or(&n->kicked[queue / 64], UINT64_C(1) << queue % 64);
    event_call_post(&n->call);
}

static void notify(void *state, unsigned queue)
{
    virtio_net_kick(state, queue);
}

static void renew(struct virtio_net *n, uint64_t features)
{
    atomic_store(&n->agreed, features);
    atomic_store(&n->renewed, true);
    event_call_post(&n->call);
}

static void agreed(void *state, uint64_t features, uint8_t *config)
{
    (void)config;
    renew(state, features);
}

static void reset(void *state)
{
    renew(state, 0);
}

/*
 * The network's thread.
 */

/*
 * Without ECN no segments with CWR may come (5.1.3.1), and the network does not tell these apart. It
 * does tell the kinds of TCP, but not those of UDP.
 */
void virtio_net_tell_offloads(struct virtio_net *n)
{
    const uint64_t o = n->offloads, uso = NET_F_GUEST_USO4 | NET_F_GUEST_USO6;
    unsigned features = 0;
    if (o & NET_F_GUEST_CSUM) {
        features = NET_CSUM;
        if (o & NET_F_GUEST_ECN)
            features |=
                (o & NET_F_GUEST_TSO4 ? NET_TSO4 : 0) | (o & NET_F_GUEST_TSO6 ? NET_TSO6 : 0);
        features |= (o & uso) == uso ? NET_USO : 0;
    }
    net_set_features(n->net, features);
}

void virtio_net_tell_status(struct virtio_net *n)
{
    uint16_t status = (n->link ? S_LINK_UP : 0) | (n->announce ? S_ANNOUNCE : 0);
    virtio_set_config(n->virtio, offsetof(struct net_layout, status), &status, sizeof(status));
}

void virtio_net_tell_address(struct virtio_net *n)
{
    virtio_set_drivers_config(n->virtio, offsetof(struct net_layout, mac), n->filter.mac,
                              sizeof(n->filter.mac));
}

/* The driver is another one. */
static void begin_driver(struct virtio_net *n)
{
    n->features = atomic_load(&n->agreed);
    n->offloads = n->features & NET_F_GUEST_OFFLOADS;
    n->pairs = 1;
    net_filter_reset(&n->filter, n->mac, n->features & NET_F_CTRL_VLAN);
    net_steer_reset(&n->steer);
    n->untold = n->blocked = 0;
    bool announce = n->announce;
    n->announce = false;
    if (announce)
        virtio_net_tell_status(n);
    virtio_net_tell_offloads(n);
}

struct virtio_queue *virtio_net_begin(struct virtio_net *n, unsigned queue)
{
    struct virtio_queue *q = virtio_begin(n->virtio, queue);
    if (!q || !atomic_load(&n->renewed))
        return q;
    virtio_end(q);
    virtio_net_kick(n, queue);
    return NULL;
}

/* Buffers to receive into: doorbells for more of them are of no use before these are used up. */
static void take_buffers(struct virtio_net *n, unsigned queue)
{
    struct virtio_queue *q = virtio_net_begin(n, queue);
    if (!q)
        return;
    virtio_notify_off(q);
    virtio_end(q);
}

static void serve_queue(struct virtio_net *n, unsigned queue, bool *received)
{
    if (queue == virtio_net_control_queue(n, n->features)) {
        virtio_net_control(n, queue);
    } else if (queue % 2) {
        virtio_net_transmit(n, queue / 2);
    } else {
        take_buffers(n, queue);
        *received = true;
    }
}

static void work(void *state)
{
    struct virtio_net *n = state;
    bool ready = atomic_exchange(&n->renewed, false);
    if (ready)
        begin_driver(n);
    for (unsigned word = 0; word < sizeof(n->kicked) / sizeof(n->kicked[0]); word++)
        for (uint64_t left = atomic_exchange(&n->kicked[word], 0); left; left &= left - 1)
            serve_queue(n, 64 * word + (unsigned)__builtin_ctzll(left), &ready);
    if (ready)
        net_ready(n->net);
}

static void writable(void *state)
{
    struct virtio_net *n = state;
    for (uint64_t left = n->blocked; left; left &= left - 1)
        virtio_net_transmit(n, (unsigned)__builtin_ctzll(left));
}

/* A cable that was plugged in may lead elsewhere: who is there shall hear of the guest (5.1.6.5.4). */
static void link_changed(void *state, bool up)
{
    struct virtio_net *n = state;
    if (n->link == up)
        return;
    n->link = up;
    n->announce = up && (n->features & NET_F_GUEST_ANNOUNCE);
    virtio_net_tell_status(n);
}

static const struct net_card_ops card_ops = {
    .name = "virtio-net",
    .receive = virtio_net_receive,
    .received = virtio_net_received,
    .writable = writable,
    .link = link_changed,
};

/*
 * Its life.
 */

static void remove_card(void *state)
{
    struct virtio_net *n = state;
    if (n->attached)
        net_detach(n->net); /* first: until then the network's callbacks may post the call */
    event_call_remove(&n->call);
    free(n);
}

static const struct virtio_ops net_ops = {
    .name = "virtio-net",
    .id = VIRTIO_ID_NET,
    .class_code = 0x020000, /* an Ethernet controller */
    .notify = notify,
    .agreed = agreed,
    .reset = reset,
    .remove = remove_card,
};

static struct net_layout layout(const struct virtio_net *n)
{
    unsigned mtu = net_mtu(n->net);
    struct net_layout l = {
        .status = S_LINK_UP,
        .max_virtqueue_pairs = (uint16_t)n->pairs_max,
        .mtu = (uint16_t)(mtu < UINT16_MAX ? mtu : UINT16_MAX),
        .speed = SPEED,
        .duplex = FULL_DUPLEX,
    };
    memcpy(l.mac, n->mac, sizeof(l.mac));
    return l;
}

static void init(struct virtio_net *n, const struct net_card_config *config)
{
    unsigned harts = config->harts;
    n->net = config->net;
    n->pairs_max = harts < 1 ? 1 : harts > VIRTIO_NET_PAIRS_MAX ? VIRTIO_NET_PAIRS_MAX : harts;
    memcpy(n->mac, config->mac, sizeof(n->mac));
    n->link = true;
    n->pairs = 1;
    net_filter_reset(&n->filter, n->mac, false);
    net_steer_reset(&n->steer);
    event_call_init(&n->call, net_loop(n->net), work, n);
}

struct pci_function *virtio_net_new(const struct net_card_config *config, struct error *err)
{
    struct virtio_net *n = calloc(1, sizeof(*n));
    if (!n) {
        error_set(err, "virtio-net: out of memory");
        return NULL;
    }
    init(n, config);
    struct net_layout bytes = layout(n);
    struct virtio_config virtio = {
        .ops = &net_ops,
        .state = n,
        .features = FEATURES | (n->pairs_max > 1 ? NET_F_MQ : 0),
        .queues = 2 * n->pairs_max + 1,
        .queue_size = NET_QUEUE_SIZE,
        .config = &bytes,
        .config_size = offsetof(struct net_layout, unused),
    };
    struct pci_function *pci = virtio_pci_new(&n->virtio, &virtio, err);
    if (!pci)
        return NULL;
    n->attached = net_attach(n->net, &(struct net_card){&card_ops, n}, err);
    if (n->attached)
        return pci;
    pci_function_free(pci);
    return NULL;
}
