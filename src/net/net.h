/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A network as a card sees it: somewhere to send frames to, and where some come from. Behind it is one
 * of the backends (user-mode NAT, TAP, a socket to another machine); between them what the card and the
 * backend can do is made to match: checksums, segmentation, a packet capture, the state of the link.
 *
 *     struct net *net = net_open("user,restrict=on", &config, err);
 *
 *     net_attach(net, &(struct net_card){.ops = &card_ops, .state = card});
 *     event_call_init(&card->work, net_loop(net), card_work, card);
 *     ...
 *     event_call_post(&card->work);              a hart has rung a doorbell
 *
 *     static void card_work(void *state)         on the network's thread
 *     {
 *         while (there is a frame in the ring && net_send(card->net, &packet))
 *             take it from the ring;             false: it stays there until card_ops.writable
 *         net_flush(card->net);
 *         give descriptors back, one interrupt for all
 *     }
 *
 * Threads: each network has a thread with an event loop of its own, and everything happens there:
 * the backend's IO, what a card does with its rings, the card's callbacks. So there is no lock between
 * card and backend, and frames go from guest memory to the host and back without a copy in between. A
 * hart only posts a call. Functions that may be called from other threads say so.
 *
 * Frames are Ethernet's without the check sequence, 14 to NET_FRAME_MAX bytes. Those with more to do
 * (struct net_offload) may be longer than any wire would take.
 */
#ifndef RVVM_NET_NET_H
#define RVVM_NET_NET_H

#include "base/error.h"
#include "base/log.h"
#include "host/event_loop.h"
#include "host/iovec.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct net;

#define NET_ADDRESS_SIZE 6
#define NET_HEADER_SIZE 14             /* destination, source, type */
#define NET_FRAME_MAX (65535 + 14 + 4) /* an IP packet of any size, and a VLAN tag */
#define NET_IOV_MAX 64                 /* pieces of a packet */

/* How a large packet is cut before it goes on a wire. */
enum net_gso {
    NET_GSO_NONE,
    NET_GSO_TCP4, /* TCP over IPv4 */
    NET_GSO_TCP6, /* TCP over IPv6 */
    NET_GSO_UDP,  /* UDP over either, into datagrams of gso_size ("USO") */
};

/* What is left to do to a packet, or has been done already. All zero: a plain frame. */
struct net_offload {
    /*
     * The ones' complement sum from csum_start to the end is to be put at csum_start + csum_offset,
     * where the pseudo header's sum stands now. Offsets in bytes from the beginning of the frame.
     */
    bool csum_due;
    /* Received and checked, or never at risk: nobody need look at the TCP or UDP checksum again. */
    bool csum_valid;
    uint16_t csum_start, csum_offset;

    enum net_gso gso;  /* not NONE: csum_due holds too */
    bool ecn;          /* a TCP segment with CWR set, which only the first piece keeps */
    uint16_t gso_size; /* payload bytes of each piece */
    uint16_t
        header_size; /* bytes that each piece begins with: Ethernet, IP and TCP or UDP headers */
};

struct net_packet {
    const struct iovec *iov; /* may be guest memory: read each byte once if it decides anything */
    unsigned iov_count;      /* up to NET_IOV_MAX */
    size_t size;             /* bytes in all */
    struct net_offload offload;
};

/* What a card, or a backend, takes of struct net_offload in packets given to it: bits. */
enum net_feature {
    NET_CSUM = 1, /* csum_due; csum_valid needs no bit */
    NET_TSO4 = 2,
    NET_TSO6 = 4,
    NET_USO = 8,
};

/* A card's side. All on the network's thread, none from within net_send, net_flush or net_ready. */
struct net_card_ops {
    const char *name; /* "virtio-net" */
    /*
     * A frame has come. true: taken, or dropped for a reason of the card's (its filter; too long).
     * false: there is no room; it is kept, and comes again after net_ready. packet is the caller's.
     */
    bool (*receive)(void *state, const struct net_packet *packet);
    /* No more for now: time to tell the guest of what was received. */
    void (*received)(void *state);
    /* After a net_send that returned false: it may succeed now. */
    void (*writable)(void *state);
    /* The cable was plugged in or out. Once too for the state at net_attach. */
    void (*link)(void *state, bool up);
};

struct net_card {
    const struct net_card_ops *ops;
    void *state;
};

struct net_calls_config; /* net/calls.h */

struct net_config {
    const struct net_calls_config
        *calls;       /* the backend, in place of the one that text names; may be NULL */
    struct log *log;  /* may be NULL */
    const char *name; /* for log lines and thread names: "net0"; copied */
    uint8_t mac[NET_ADDRESS_SIZE]; /* the card's: from it follow the guest's IPv6 addresses */
};

/*
 * text: what a user writes behind `-net CARD,`: BACKEND[=WHERE][,WORD]... with the words of rvvm(1),
 * NETWORK. An empty text is user mode. Its thread starts when a card is attached. NULL: err says which
 * word is wrong or what the host refused.
 */
struct net *net_open(const char *text, const struct net_config *config, struct error *err);
/* Whether these are words that net_open knows. It may still fail. */
bool net_check(const char *text, struct error *err);
/* Whether user mode was built in. */
bool net_has_user_mode(void);
/* After net_detach. net may be NULL. */
void net_close(struct net *net);

/*
 * From here on the card's callbacks may be called. One card a network. false: the thread could not be
 * started.
 */
bool net_attach(struct net *net, const struct net_card *card, struct error *err);
/*
 * Returns when no callback is running and none will, nor any call or timer of the card's, which are to be
 * removed then: until it returns a callback may post them. Any thread but the network's; hold no lock that
 * a callback takes.
 */
void net_detach(struct net *net);

/* The network's thread: for a card's calls and timers (event_call_init, event_timer_init). */
struct event_loop *net_loop(struct net *net);

/*
 * Runs a function on the network's thread and returns when it has run: for what a hart may not do
 * beside it, such as a card's reset. Any thread; hold no lock that a callback takes.
 */
void net_run(struct net *net, void (*run)(void *state), void *state);

/*
 * Sends a frame; its memory is the caller's again when this returns. true: sent, or lost as on a wire
 * (the link is down, it is malformed). false: the backend takes none just now; writable follows.
 */
bool net_send(struct net *net, const struct net_packet *packet);
/* Behind the last of a number of net_send. */
void net_flush(struct net *net);
/* The card has room again after a receive that returned false, or has been enabled. */
void net_ready(struct net *net);
/* What the card takes from now on: enum net_feature. 0 at net_attach. Packets with more to do are made
 * to fit before receive sees them. */
void net_set_features(struct net *net, unsigned features);

/* Any thread. Plugs the cable in or out; card_ops.link follows. At net_open it is in unless said. */
void net_set_link(struct net *net, bool up);

/* Largest IP packet that the backend passes on (bytes): 1500 unless it says otherwise. */
unsigned net_mtu(const struct net *net);

struct net_counters {
    uint64_t frames_out, bytes_out; /* from the guest */
    uint64_t frames_in, bytes_in;   /* to the guest */
    uint64_t dropped_out, dropped_in;
};
/* Any thread. */
void net_get_counters(struct net *net, struct net_counters *counters);

#endif
