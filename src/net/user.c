/* SPDX-License-Identifier: MPL-2.0 */
/*
 * User mode: the guest is behind a NAT that needs no rights on the host, and finds DHCP, DNS, TFTP and a
 * router there. libslirp (4.7) does the work: it speaks TCP with the guest and uses ordinary sockets of
 * this process on the other side.
 *
 * What the library is, and what follows from it:
 * - It is for one thread at a time: all calls are on the network's. Only that instances are made and freed
 *   on several at once is not foreseen there, since they are in one list.
 * - Before each sleep it says what it waits for: struct event_poller.
 * - It takes TCP segments of any size from the guest, so that large packets need not be cut; it verifies
 *   each checksum, so they are completed here, in the copy that it wants in one piece anyway.
 * - Its reassembly of IPv4 is not safe: it gets datagrams whole (reassembly.h).
 * - It sends the guest segments no larger than the guest asked for: they are merged again (gro.h) when
 *   the card takes that.
 * - What it thinks of a guest's packets it says through GLib, which would print it.
 * - It cannot be told to wait while it has something to send. So while the card has no room its sockets
 *   are not looked at, and TCP's windows slow the senders down.
 */
#include "net/backend.h"
#include "net/forward.h"
#include "net/options.h"

#ifdef HAVE_SLIRP

#include "host/clock.h"
#include "host/iov.h"
#include "host/isolation.h"
#include "net/gro.h"
#include "net/offload.h"
#include "net/reassembly.h"
#include <errno.h>
#include <glib.h>
#include <libslirp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct user {
    struct net *net;
    Slirp *slirp;
    struct gro *gro;
    struct reassembly *reassembly;
    bool merge;   /* the card takes large packets */
    bool blocked; /* the card has no room */
    struct event_poller poller;
    struct event_call deliver_call; /* merged packets wait for it */
    bool has_poller;
    bool restricted;
    struct in6_addr guest6; /* the guest's address as its kernel makes it from the card's */
    uint8_t out[NET_FRAME_MAX];
};

struct user_timer {
    struct event_timer timer;
    struct user *user;
    SlirpTimerId id;
    void *opaque;
};

/*
 * What libslirp calls
 */

/* Whose packets this thread is busy with. */
static _Thread_local struct user *current;

/* Called for all of the process that use libslirp: what is none of ours goes where it would have gone. */
static void slirp_says(const gchar *domain, GLogLevelFlags level, const gchar *message,
                       gpointer data)
{
    if (current)
        log_line(net_log(current->net), LOG_GUEST, "%s: %s", net_name(current->net), message);
    else
        g_log_default_handler(domain, level, message, data);
}

static void deliver(void *ctx, const struct net_packet *packet)
{
    struct user *user = ctx;
    if (!net_deliver(user->net, packet))
        user->blocked = true;
}

static void deliver_merged(void *ctx)
{
    struct user *user = ctx;
    gro_flush(user->gro);
    net_delivered(user->net);
}

static ssize_t slirp_sends(const void *frame, size_t size, void *opaque)
{
    struct user *user = opaque;
    if (user->merge && gro_add(user->gro, frame, size)) {
        event_call_post(&user->deliver_call);
        return (ssize_t)size;
    }
    struct iovec iov = {(void *)frame, size};
    struct net_packet packet = {
        .iov = &iov, .iov_count = 1, .size = size, .offload.csum_valid = true};
    deliver(user, &packet);
    /* Nothing is to be told while there is a round to come. */
    event_call_post(&user->deliver_call);
    return (ssize_t)size;
}

static void slirp_blames_guest(const char *message, void *opaque)
{
    struct user *user = opaque;
    log_line(net_log(user->net), LOG_GUEST, "%s: %s", net_name(user->net), message);
}

static int64_t slirp_asks_time(void *opaque)
{
    (void)opaque;
    return (int64_t)clock_monotonic_ns();
}

static void timer_fired(void *ctx)
{
    struct user_timer *t = ctx;
    current = t->user;
    slirp_handle_timer(t->user->slirp, t->id, t->opaque);
    current = NULL;
}

static void *slirp_wants_timer(SlirpTimerId id, void *timer_opaque, void *opaque)
{
    struct user *user = opaque;
    struct user_timer *t = calloc(1, sizeof(*t));
    if (t) {
        t->user = user;
        t->id = id;
        t->opaque = timer_opaque;
        event_timer_init(&t->timer, net_loop(user->net), timer_fired, t);
    }
    return t;
}

static void slirp_frees_timer(void *timer, void *opaque)
{
    (void)opaque;
    struct user_timer *t = timer;
    if (t) {
        event_timer_remove(&t->timer);
        free(t);
    }
}

static void slirp_sets_timer(void *timer, int64_t milliseconds, void *opaque)
{
    (void)opaque;
    struct user_timer *t = timer;
    if (t)
        event_timer_set(&t->timer, milliseconds > 0 ? (uint64_t)milliseconds * 1000000u : 0);
}

/* It names its descriptors before each sleep anyway, and a sleep follows whatever it does. */
static void slirp_changes_descriptor(int fd, void *opaque)
{
    (void)fd, (void)opaque;
}

static void slirp_notifies(void *opaque)
{
    (void)opaque;
}

static const SlirpCb slirp_callbacks = {
    .send_packet = slirp_sends,
    .guest_error = slirp_blames_guest,
    .clock_get_ns = slirp_asks_time,
    .timer_new_opaque = slirp_wants_timer,
    .timer_free = slirp_frees_timer,
    .timer_mod = slirp_sets_timer,
    .register_poll_fd = slirp_changes_descriptor,
    .unregister_poll_fd = slirp_changes_descriptor,
    .notify = slirp_notifies,
};

/*
 * Its descriptors
 */

static int slirp_adds_descriptor(int fd, int events, void *opaque)
{
    unsigned wanted = (events & SLIRP_POLL_IN ? EVENT_READ : 0u) |
                      (events & SLIRP_POLL_OUT ? EVENT_WRITE : 0u) |
                      (events & SLIRP_POLL_PRI ? EVENT_URGENT : 0u);
    return event_poll_add(opaque, fd, wanted);
}

static int slirp_asks_events(int index, void *opaque)
{
    unsigned got = event_poll_result(opaque, index);
    return (got & EVENT_READ ? SLIRP_POLL_IN : 0) | (got & EVENT_WRITE ? SLIRP_POLL_OUT : 0) |
           (got & EVENT_URGENT ? SLIRP_POLL_PRI : 0) | (got & EVENT_HANGUP ? SLIRP_POLL_HUP : 0) |
           (got & EVENT_ERROR ? SLIRP_POLL_ERR : 0);
}

static void before_sleep(void *ctx, struct event_poll *poll)
{
    struct user *user = ctx;
    uint32_t milliseconds = UINT32_MAX;
    if (user->blocked)
        return;
    slirp_pollfds_fill(user->slirp, &milliseconds, slirp_adds_descriptor, poll);
    if (milliseconds != UINT32_MAX)
        event_poll_until(poll, clock_monotonic_ns() + milliseconds * UINT64_C(1000000));
}

static void after_sleep(void *ctx, const struct event_poll *poll)
{
    struct user *user = ctx;
    if (user->blocked)
        return;
    current = user;
    slirp_pollfds_poll(user->slirp, 0, slirp_asks_events, (void *)poll);
    current = NULL;
    deliver_merged(user);
}

/*
 * What net.c calls
 */

static bool user_send(void *state, const struct net_packet *packet)
{
    struct user *user = state;
    struct iov_cursor at = iov_start(packet->iov, packet->iov_count);
    iov_copy_out(&at, user->out, packet->size);
    if (packet->offload.csum_due && !offload_complete(user->out, packet->size, &packet->offload))
        return true;
    const uint8_t *frame = user->out;
    size_t size = packet->size;
    if (reassembly_is_fragment(frame, size))
        frame = reassembly_add(user->reassembly, frame, size, clock_monotonic_ns(), &size);
    if (frame) {
        current = user;
        slirp_input(user->slirp, frame, (int)size);
        current = NULL;
    }
    return true;
}

static void user_ready(void *state)
{
    struct user *user = state;
    user->blocked = false;
}

static void user_take_features(void *state, unsigned features)
{
    struct user *user = state;
    const unsigned needed = NET_CSUM | NET_TSO4 | NET_TSO6;
    user->merge = (features & needed) == needed;
    gro_flush(user->gro);
}

/* A guest's address that was not said, for IPv6; libslirp knows what DHCP gives. */
static void default_guest(const struct user *user, union net_address *guest)
{
    if (guest->any.sa_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&guest->v6.sin6_addr))
        guest->v6.sin6_addr = user->guest6;
}

static bool user_forward(void *state, const struct net_forward *forward, bool add,
                         struct error *err)
{
    struct user *user = state;
    union net_address host = forward->host, guest = forward->guest;
    const bool v6 = host.any.sa_family == AF_INET6;
    socklen_t size = v6 ? sizeof(host.v6) : sizeof(host.v4);
    int flags = (forward->udp ? SLIRP_HOSTFWD_UDP : 0) | (v6 ? SLIRP_HOSTFWD_V6ONLY : 0);
    char name[NET_FORWARD_NAME_SIZE];
    default_guest(user, &guest);
    net_forward_name(forward, name);
    if (add && forward->udp && user->restricted)
        return error_set(err, "%s: cannot be forwarded: restrict=on lets no datagram out", name);
    if ((add ? slirp_add_hostxfwd(user->slirp, &host.any, size, &guest.any, size, flags)
             : slirp_remove_hostxfwd(user->slirp, &host.any, size, flags)) == 0)
        return true;
    int e = errno;
    if (!add)
        return error_set(err, "%s: is not forwarded", name);
    return error_set(err, "%s: cannot be forwarded: %s", name,
                     e == EADDRINUSE ? "in use" : strerror(e));
}

/* libslirp has one list of all instances, and GLib one of who hears what libraries say. */
static pthread_mutex_t instances = PTHREAD_MUTEX_INITIALIZER;
static bool hears_slirp;

static void user_close(void *state)
{
    struct user *user = state;
    if (user->has_poller)
        event_poller_remove(&user->poller);
    if (user->slirp) {
        pthread_mutex_lock(&instances);
        slirp_cleanup(user->slirp);
        pthread_mutex_unlock(&instances);
    }
    event_call_remove(&user->deliver_call);
    gro_free(user->gro);
    reassembly_free(user->reassembly);
    free(user);
}

/* RFC 4291, appendix A: what Linux and systemd-networkd do unless told otherwise. */
static struct in6_addr make_guest6(const struct net_user_options *options, const uint8_t *mac)
{
    struct in6_addr address = options->net6;
    const uint8_t id[8] = {mac[0] ^ 2, mac[1], mac[2], 0xff, 0xfe, mac[3], mac[4], mac[5]};
    memcpy(&address.s6_addr[8], id, sizeof(id));
    return address;
}

static Slirp *make_slirp(struct user *user, const struct net_options *options)
{
    const struct net_user_options *how = &options->user;
    SlirpConfig config = {
        .version = 4,
        .restricted = how->restricted,
        .in_enabled = true,
        .vnetwork = how->net,
        .vnetmask = how->mask,
        .vhost = how->host,
        .in6_enabled = !how->no_ipv6,
        .vprefix_addr6 = how->net6,
        .vprefix_len = (uint8_t)how->net6_bits,
        .vhost6 = how->net6,
        .vhostname = how->hostname,
        .tftp_path = how->tftp,
        .bootfile = how->bootfile,
        .vdhcp_start = how->dhcp,
        .vnameserver = how->dns,
        .vnameserver6 = how->net6,
        .vdomainname = how->domain,
        .if_mtu = options->mtu,
        .if_mru = options->mtu,
    };
    config.vhost6.s6_addr[15] = 2;
    config.vnameserver6.s6_addr[15] = 3;
    pthread_mutex_lock(&instances);
    if (!hears_slirp)
        g_log_set_handler("Slirp", G_LOG_LEVEL_MASK, slirp_says, NULL);
    hears_slirp = true;
    Slirp *slirp = slirp_new(&config, &slirp_callbacks, user);
    pthread_mutex_unlock(&instances);
    return slirp;
}

bool user_open(struct net_backend *backend, struct net *net, const struct net_options *options,
               struct error *err)
{
    static const struct net_backend_ops ops = {
        .name = "user",
        .send = user_send,
        .ready = user_ready,
        .take_features = user_take_features,
        .forward = user_forward,
        .close = user_close,
    };
    struct user *user = calloc(1, sizeof(*user));
    if (!user)
        return error_set(err, "out of memory");
    user->net = net;
    user->restricted = options->user.restricted;
    user->guest6 = make_guest6(&options->user, net_mac(net));
    event_call_init(&user->deliver_call, net_loop(net), deliver_merged, user);
    user->gro = gro_new(deliver, user);
    user->reassembly = reassembly_new();
    user->slirp = user->gro && user->reassembly ? make_slirp(user, options) : NULL;
    if (!user->slirp) {
        user_close(user);
        return error_set(err, "cannot make a user-mode network");
    }
    isolation_need_sockets(ISOLATION_INET);
    isolation_need_reading("/etc/resolv.conf"); /* for who answers the guest's questions of names */
    if (options->user.tftp)
        isolation_need_reading(options->user.tftp);
    event_poller_init(&user->poller, net_loop(net), before_sleep, after_sleep, user);
    user->has_poller = true;
    *backend = (struct net_backend){
        .ops = &ops,
        .state = user,
        .features = NET_CSUM | NET_TSO4 | NET_TSO6,
        .mtu = options->mtu,
    };
    return true;
}

bool net_has_user_mode(void)
{
    return true;
}

#else

bool net_has_user_mode(void)
{
    return false;
}

bool user_open(struct net_backend *backend, struct net *net, const struct net_options *options,
               struct error *err)
{
    (void)backend, (void)net, (void)options;
    return error_set(err, "user: this rvvm was built without libslirp");
}

#endif
