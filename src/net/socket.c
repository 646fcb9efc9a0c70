/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A stream to another machine (framing.h): one listens, the other connects. While nobody is at the other
 * end frames go nowhere, as with a cable that hangs loose. Whoever connects tries again until there is
 * somebody; whoever listens takes the next one when the last has gone. What a peer sends is as hostile as
 * what a guest sends.
 */
#include "host/stream.h"

#include "host/clock.h"
#include "net/backend.h"
#include "net/framing.h"
#include "net/options.h"
#include <stdlib.h>
#include <string.h>

#define RETRY_NS 500000000u
#define ROUND 4 /* buffers of input in a row: the card wants the thread, too */

struct socket_net {
    struct net *net;
    struct stream_address address; /* to connect to */
    char *path;                    /* of the socket file that is ours, or NULL */
    int listener;                  /* -1: we connect */
    struct event_watch listen_watch;
    struct event_timer retry; /* connecting again; listening again when a peer could not be taken */

    int peer; /* -1: nobody */
    bool connecting;
    bool reading, writing; /* what peer_watch waits for; writing: the card waits, or bytes do */
    bool refused;          /* a send was refused */
    struct event_watch peer_watch;
    struct framing in, out;
};

static void watch_peer(struct socket_net *s)
{
    event_watch_set(&s->peer_watch,
                    (s->reading ? EVENT_READ : 0u) | (s->writing ? EVENT_WRITE : 0u));
}

static void drop_peer(struct socket_net *s, const char *why)
{
    if (s->peer < 0)
        return;
    event_watch_remove(&s->peer_watch);
    stream_close(s->peer);
    s->peer = -1;
    framing_clear(&s->in);
    framing_clear(&s->out);
    if (why)
        log_line(net_log(s->net), LOG_INFO, "%s: %s", net_name(s->net), why);
    if (s->listener >= 0)
        event_watch_set(&s->listen_watch, EVENT_READ);
    else
        event_timer_set(&s->retry, clock_monotonic_ns() + RETRY_NS);
    if (s->refused) {
        s->refused = false;
        net_writable(s->net);
    }
}

/*
 * Frames
 */

/* false: the peer has gone. */
static bool write_out(struct socket_net *s)
{
    enum stream_result result = STREAM_OK;
    size_t done;
    while (framing_used(&s->out) && result == STREAM_OK) {
        result = stream_write(s->peer, s->out.bytes + s->out.first, framing_used(&s->out), &done);
        if (result == STREAM_OK)
            framing_skip(&s->out, done);
    }
    if (result == STREAM_END || result == STREAM_ERROR) {
        drop_peer(s, "the other end has gone");
        return false;
    }
    bool writing = framing_used(&s->out);
    if (writing != s->writing) {
        s->writing = writing;
        watch_peer(s);
    }
    return true;
}

static bool socket_send(void *state, const struct net_packet *packet)
{
    struct socket_net *s = state;
    if (s->peer < 0 || s->connecting || framing_put(&s->out, packet))
        return true;
    s->refused = !s->writing && write_out(s) ? !framing_put(&s->out, packet) : s->peer >= 0;
    return !s->refused;
}

static void socket_flush(void *state)
{
    struct socket_net *s = state;
    if (s->peer >= 0 && !s->connecting && !s->writing)
        write_out(s);
}

/* What is in the buffer. false: no more for now; the peer or the room may have gone. */
static bool deliver_frames(struct socket_net *s)
{
    struct iovec iov;
    const uint8_t *frame;
    enum framing_result result = FRAMING_MORE;
    while (s->reading && (result = framing_next(&s->in, &frame, &iov.iov_len)) == FRAMING_FRAME) {
        iov.iov_base = (void *)frame;
        struct net_packet packet = {.iov = &iov, .iov_count = 1, .size = iov.iov_len};
        s->reading = net_deliver(s->net, &packet);
    }
    if (result == FRAMING_BAD)
        drop_peer(s, "the other end sends what is no frame");
    return s->peer >= 0 && s->reading;
}

static void read_in(struct socket_net *s)
{
    size_t room, done;
    enum stream_result result = STREAM_OK;
    bool more = deliver_frames(s);
    for (unsigned i = 0; i < ROUND && more && result == STREAM_OK; i++) {
        uint8_t *to = framing_room(&s->in, &room);
        result = stream_read(s->peer, to, room, &done);
        if (result == STREAM_OK) {
            framing_fill(&s->in, done);
            more = deliver_frames(s);
            if (done < room)
                break;
        }
    }
    if (result == STREAM_END || result == STREAM_ERROR)
        drop_peer(s, "the other end has gone");
    net_delivered(s->net);
    if (s->peer >= 0 && !s->reading)
        watch_peer(s);
}

static void socket_ready(void *state)
{
    struct socket_net *s = state;
    s->reading = true;
    if (s->peer < 0)
        return;
    /* What is in the buffer already makes no event. */
    read_in(s);
    if (s->peer >= 0)
        watch_peer(s);
}

/*
 * Peers
 */

static void greet(struct socket_net *s)
{
    s->connecting = s->writing = false;
    log_line(net_log(s->net), LOG_INFO, "%s: connected", net_name(s->net));
    watch_peer(s);
}

static void peer_event(void *ctx, unsigned events)
{
    struct socket_net *s = ctx;
    if (s->connecting) {
        if (stream_connected(s->peer))
            greet(s);
        else
            drop_peer(s, NULL);
        return;
    }
    if (events & EVENT_WRITE && s->writing && write_out(s) && !s->writing && s->refused) {
        s->refused = false;
        net_writable(s->net);
    }
    if (s->peer >= 0 && events & EVENT_READ && s->reading)
        read_in(s);
}

static void take_peer(struct socket_net *s, int fd, bool connecting)
{
    s->peer = fd;
    s->reading = true;
    s->connecting = s->writing = connecting;
    event_watch_init(&s->peer_watch, net_loop(s->net), fd, connecting ? EVENT_WRITE : EVENT_READ,
                     peer_event, s);
    if (!connecting)
        greet(s);
}

static void listener_event(void *ctx, unsigned events)
{
    (void)events;
    struct socket_net *s = ctx;
    int fd = stream_accept(s->listener);
    event_watch_set(&s->listen_watch, 0);
    if (fd >= 0)
        take_peer(s, fd, false);
    else /* perhaps the process has too many descriptors: asking at once would spin */
        event_timer_set(&s->retry, clock_monotonic_ns() + RETRY_NS);
}

static void retry(void *ctx)
{
    struct socket_net *s = ctx;
    if (s->listener >= 0) {
        event_watch_set(&s->listen_watch, EVENT_READ);
        return;
    }
    int fd = stream_connect(&s->address);
    if (fd >= 0)
        take_peer(s, fd, true);
    else
        event_timer_set(&s->retry, clock_monotonic_ns() + RETRY_NS);
}

/*
 * From beginning to end
 */

static bool listen_at(struct socket_net *s, const char *where, struct error *err)
{
    char name[128];
    if (!strncmp(where, "unix:", 5)) {
        s->listener = stream_listen_unix(where + 5, err);
        s->path = s->listener >= 0 ? strdup(where + 5) : NULL;
    } else if (!strncmp(where, "tcp:", 4)) {
        s->listener = stream_listen_tcp(where + 4, name, sizeof(name), err);
        if (s->listener >= 0)
            log_line(net_log(s->net), LOG_INFO, "%s: listens at %s", net_name(s->net), name);
    } else {
        return error_set(err, "%s: not unix:PATH or tcp:HOST:PORT", where);
    }
    if (s->listener < 0)
        return false;
    event_watch_init(&s->listen_watch, net_loop(s->net), s->listener, EVENT_READ, listener_event,
                     s);
    return true;
}

static void socket_close(void *state)
{
    struct socket_net *s = state;
    if (s->peer >= 0) {
        event_watch_remove(&s->peer_watch);
        stream_close(s->peer);
    }
    if (s->listener >= 0) {
        event_watch_remove(&s->listen_watch);
        stream_close(s->listener);
    }
    event_timer_remove(&s->retry);
    if (s->path)
        stream_unlink(s->path);
    free(s->path);
    free(s);
}

bool socket_open(struct net_backend *backend, struct net *net, const struct net_options *options,
                 struct error *err)
{
    static const struct net_backend_ops ops = {
        .name = "socket",
        .send = socket_send,
        .flush = socket_flush,
        .ready = socket_ready,
        .close = socket_close,
    };
    struct socket_net *s = calloc(1, sizeof(*s));
    if (!s)
        return error_set(err, "out of memory");
    s->net = net;
    s->listener = s->peer = -1;
    s->reading = true;
    event_timer_init(&s->retry, net_loop(net), retry, s);
    if (options->listen ? !listen_at(s, options->listen, err)
                        : !stream_resolve(options->connect, &s->address, err)) {
        socket_close(s);
        return false;
    }
    if (options->connect)
        event_timer_set(&s->retry, 0);
    *backend = (struct net_backend){.ops = &ops, .state = s, .mtu = options->mtu};
    return true;
}
