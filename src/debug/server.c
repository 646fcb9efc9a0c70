/* SPDX-License-Identifier: MPL-2.0 */
/* Clients, and the bytes that wait for them. */
#include "debug/server.h"

#include "host/clock.h"
#include "host/stream.h"
#include <stdlib.h>
#include <string.h>

#define INPUT_SIZE 16384
#define RETRY_NS 1000000000u
#define LAST_WORDS_MS 200 /* for a client to take the rest */

struct server_client {
    struct server *server;
    void *session;
    int fd; /* -1: nobody */
    struct event_watch watch;
    uint8_t *out; /* out_size bytes wait */
    size_t out_size, out_room;
    bool leaving; /* hung up on as soon as its output has gone */
};

struct server {
    struct server_config config;
    int listener;
    char *path; /* of a Unix socket, or NULL */
    struct event_watch arrival;
    struct event_timer retry; /* a client could not be taken */
    struct event_call leave;  /* somebody is leaving */
    struct server_client clients[SERVER_CLIENTS_MAX];
};

/*
 * Output
 */

static unsigned wanted(const struct server_client *c)
{
    return EVENT_READ | (c->out_size ? EVENT_WRITE : 0);
}

/* false: it has gone. */
static bool flush(struct server_client *c)
{
    size_t sent = 0, done;
    enum stream_result result = STREAM_OK;
    while (sent < c->out_size && result == STREAM_OK) {
        result = stream_write(c->fd, c->out + sent, c->out_size - sent, &done);
        sent += done;
    }
    if (sent)
        memmove(c->out, c->out + sent, c->out_size - sent);
    c->out_size -= sent;
    return result == STREAM_OK || result == STREAM_AGAIN;
}

static bool make_room(struct server_client *c, size_t size)
{
    size_t room = c->out_room ? c->out_room : 4096;
    if (size > SERVER_OUTPUT_MAX - c->out_size)
        return false;
    while (room < c->out_size + size)
        room *= 2;
    if (room == c->out_room)
        return true;
    uint8_t *more = realloc(c->out, room);
    if (!more)
        return false;
    c->out = more;
    c->out_room = room;
    return true;
}

void server_hang_up(struct server_client *c)
{
    c->leaving = true;
    event_call_post(&c->server->leave);
}

void server_send(struct server_client *c, const void *bytes, size_t size)
{
    if (c->fd < 0 || c->leaving)
        return;
    if (!make_room(c, size)) {
        log_line(c->server->config.log, LOG_WARN, "%s: a client does not read: hung up",
                 c->server->config.name);
        c->out_size = 0;
        server_hang_up(c);
        return;
    }
    memcpy(c->out + c->out_size, bytes, size);
    c->out_size += size;
    if (!flush(c))
        server_hang_up(c);
    else
        event_watch_set(&c->watch, wanted(c));
}

/*
 * Coming and going
 */

static bool is_full(const struct server *s)
{
    unsigned count = 0;
    for (unsigned i = 0; i < SERVER_CLIENTS_MAX; i++)
        count += s->clients[i].fd >= 0;
    return count >= s->config.clients;
}

static void drop(struct server_client *c)
{
    struct server *s = c->server;
    if (c->session)
        s->config.ops->closed(c->session);
    event_watch_remove(&c->watch);
    stream_close(c->fd);
    free(c->out);
    *c = (struct server_client){.server = s, .fd = -1};
}

static void on_leave(void *ctx)
{
    struct server *s = ctx;
    for (unsigned i = 0; i < SERVER_CLIENTS_MAX; i++)
        if (s->clients[i].fd >= 0 && s->clients[i].leaving && !s->clients[i].out_size)
            drop(&s->clients[i]);
    event_watch_set(&s->arrival, is_full(s) ? 0 : EVENT_READ);
}

/* true: it is still there. */
static bool take_input(struct server_client *c)
{
    const struct server_ops *ops = c->server->config.ops;
    uint8_t bytes[INPUT_SIZE];
    int fds[STREAM_PASSED_MAX];
    unsigned count = STREAM_PASSED_MAX;
    size_t done;
    enum stream_result result;
    if (ops->passed) {
        result = stream_read_passed(c->fd, bytes, sizeof(bytes), &done, fds, &count);
        for (unsigned i = 0; i < count; i++)
            ops->passed(c->session, fds[i]);
    } else {
        result = stream_read(c->fd, bytes, sizeof(bytes), &done);
    }
    if (done)
        ops->input(c->session, bytes, done);
    return result == STREAM_OK || result == STREAM_AGAIN;
}

static void on_client(void *ctx, unsigned events)
{
    struct server_client *c = ctx;
    bool here = true;
    if (events & EVENT_WRITE)
        here = flush(c);
    if (here && !c->leaving && events & EVENT_READ)
        here = take_input(c);
    if (!here) {
        c->out_size = 0;
        c->leaving = true;
    }
    if (c->leaving && !c->out_size) {
        event_watch_set(&c->watch, 0);
        event_call_post(&c->server->leave);
    } else {
        event_watch_set(&c->watch, c->leaving ? EVENT_WRITE : wanted(c));
    }
}

static void on_arrival(void *ctx, unsigned events)
{
    (void)events;
    struct server *s = ctx;
    int fd = is_full(s) ? -1 : stream_accept(s->listener);
    struct server_client *c = s->clients;
    if (fd < 0) {
        /* Perhaps the process has too many descriptors: asking at once would spin. */
        event_watch_set(&s->arrival, 0);
        event_timer_set(&s->retry, clock_monotonic_ns() + RETRY_NS);
        return;
    }
    while (c->fd >= 0)
        c++;
    c->fd = fd;
    event_watch_init(&c->watch, s->config.loop, fd, EVENT_READ, on_client, c);
    c->session = s->config.ops->opened(s->config.ctx, c);
    if (!c->session)
        drop(c);
    event_watch_set(&s->arrival, is_full(s) ? 0 : EVENT_READ);
}

static void on_retry(void *ctx)
{
    struct server *s = ctx;
    event_watch_set(&s->arrival, is_full(s) ? 0 : EVENT_READ);
}

/*
 * The server
 */

static const char *after(const char *text, const char *prefix)
{
    size_t length = strlen(prefix);
    return strncmp(text, prefix, length) ? NULL : text + length;
}

bool server_check(const char *where, bool tcp, struct error *err)
{
    const char *path = after(where, "unix:"), *address = tcp ? after(where, "tcp:") : NULL;
    if (path && *path)
        return true;
    if (address) {
        char copy[256], *host, *port;
        size_t length = strlen(address);
        if (length < sizeof(copy)) {
            memcpy(copy, address, length + 1);
            if (stream_split_address(copy, &host, &port) && *port)
                return true;
        }
        return error_set(err, "%s: not an address: HOST:PORT is one", where);
    }
    return error_set(err, "%s: there are: %sunix:PATH", where, tcp ? "tcp:HOST:PORT, " : "");
}

static bool start_listening(struct server *s, const char *where, struct error *err)
{
    const char *path = after(where, "unix:");
    char name[128];
    if (path) {
        s->path = strdup(path);
        s->listener = s->path ? stream_listen_unix(path, err) : -1;
        if (s->listener < 0) {
            free(s->path);
            s->path = NULL;
        }
        return s->listener >= 0;
    }
    const char *address = after(where, "tcp:");
    s->listener = stream_listen_tcp(address, name, sizeof(name), err);
    if (s->listener < 0)
        return false;
    /* With port 0 the port is the system's choice, which the user has to be told. */
    bool chosen = !strcmp(strrchr(address, ':'), ":0");
    log_line(s->config.log, chosen ? LOG_WARN : LOG_INFO, "%s listens on %s", s->config.name, name);
    return true;
}

struct server *server_new(const struct server_config *config, struct error *err)
{
    struct server *s = server_check(config->where, true, err) ? calloc(1, sizeof(*s)) : NULL;
    if (!s || !(s->config = *config, start_listening(s, config->where, err))) {
        free(s);
        return NULL;
    }
    for (unsigned i = 0; i < SERVER_CLIENTS_MAX; i++) {
        s->clients[i].server = s;
        s->clients[i].fd = -1;
    }
    event_timer_init(&s->retry, config->loop, on_retry, s);
    event_call_init(&s->leave, config->loop, on_leave, s);
    event_watch_init(&s->arrival, config->loop, s->listener, EVENT_READ, on_arrival, s);
    return s;
}

void server_free(struct server *s)
{
    if (!s)
        return;
    for (unsigned i = 0; i < SERVER_CLIENTS_MAX; i++) {
        struct server_client *c = &s->clients[i];
        if (c->fd < 0)
            continue;
        if (c->out_size && stream_wait_writable(c->fd, LAST_WORDS_MS))
            flush(c);
        drop(c);
    }
    event_watch_remove(&s->arrival);
    event_timer_remove(&s->retry);
    event_call_remove(&s->leave);
    if (s->path)
        stream_unlink(s->path);
    stream_close(s->listener);
    free(s->path);
    free(s);
}
