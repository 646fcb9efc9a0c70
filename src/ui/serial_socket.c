/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A listening socket, Unix or TCP, for one client at a time; others wait in the queue.
 *
 * The end of a client's input looks the same whether it has gone or only has nothing more to say
 * and wants to read the answer. So it keeps getting output until that fails, or until another
 * client comes and takes its place.
 */
#include "host/clock.h"
#include "ui/serial_backs.h"
#include "ui/serial_stream.h"
#include <stdlib.h>
#include <string.h>

#define RETRY_NS 1000000000u

struct serial_socket {
    struct serial_stream stream;
    int listener;
    int client;                 /* or -1 */
    char *path;                 /* of a Unix socket, or NULL */
    struct event_watch arrival; /* sleeps while a client is there */
    struct event_timer retry;   /* a client could not be taken */
};

static void hang_up(struct serial_socket *b)
{
    if (b->client < 0)
        return;
    serial_stream_disconnect(&b->stream);
    stream_close(b->client);
    b->client = -1;
}

static void on_arrival(void *ctx, unsigned events)
{
    (void)events;
    struct serial_socket *b = ctx;
    int client = stream_accept(b->listener);
    if (client < 0) {
        /* Perhaps the process has too many descriptors: asking at once would spin. */
        event_watch_set(&b->arrival, 0);
        event_timer_set(&b->retry, clock_monotonic_ns() + RETRY_NS);
        return;
    }
    hang_up(b);
    b->client = client;
    event_watch_set(&b->arrival, 0);
    event_timer_set(&b->retry, EVENT_NEVER);
    serial_stream_connect(&b->stream, client, client);
}

static void on_retry(void *ctx)
{
    struct serial_socket *b = ctx;
    event_watch_set(&b->arrival, EVENT_READ);
}

static void on_output_ended(struct serial_stream *s)
{
    struct serial_socket *b = (struct serial_socket *)s;
    hang_up(b);
    event_watch_set(&b->arrival, EVENT_READ);
}

static void on_input_ended(struct serial_stream *s, enum stream_result why)
{
    struct serial_socket *b = (struct serial_socket *)s;
    if (why == STREAM_ERROR)
        hang_up(b);
    event_watch_set(&b->arrival, EVENT_READ);
}

static const struct serial_hooks hooks = {
    .input_ended = on_input_ended,
    .output_ended = on_output_ended,
};

static void socket_free(struct chardev *cd)
{
    struct serial_socket *b = (struct serial_socket *)cd;
    event_watch_remove(&b->arrival);
    event_timer_remove(&b->retry);
    serial_stream_destroy(&b->stream);
    if (b->path)
        stream_unlink(b->path);
    stream_close(b->client);
    stream_close(b->listener);
    free(b->path);
    free(b);
}

static const struct chardev_ops ops = {
    .name = "socket",
    .write = serial_stream_write,
    .read = serial_stream_read,
    .drain = serial_stream_drain,
    .attached = serial_stream_attached,
    .free = socket_free,
};

/* Takes over the listener; path may be NULL. */
static struct chardev *open_socket(int listener, const char *path,
                                   const struct serial_config *config, struct error *err)
{
    struct serial_socket *b = calloc(1, sizeof(*b));
    char *own = path ? strdup(path) : NULL;
    if (!b || (path && !own)) {
        error_set(err, "out of memory");
    } else if (serial_stream_init(&b->stream, &ops, &hooks, config, SERIAL_IN_SIZE, err)) {
        b->listener = listener;
        b->client = -1;
        b->path = own;
        event_timer_init(&b->retry, config->loop, on_retry, b);
        event_watch_init(&b->arrival, config->loop, listener, EVENT_READ, on_arrival, b);
        return &b->stream.chardev;
    }
    if (path)
        stream_unlink(path);
    stream_close(listener);
    free(own);
    free(b);
    return NULL;
}

struct chardev *serial_unix_open(const char *path, const struct serial_config *config,
                                 struct error *err)
{
    int listener = stream_listen_unix(path, err);
    if (listener < 0)
        return NULL;
    log_line(config->log, LOG_INFO, "%s listens on %s", config->name, path);
    return open_socket(listener, path, config, err);
}

struct chardev *serial_tcp_open(const char *address, const struct serial_config *config,
                                struct error *err)
{
    char name[128];
    int listener = stream_listen_tcp(address, name, sizeof(name), err);
    if (listener < 0)
        return NULL;
    /* With port 0 the port is the system's choice, which the user has to be told. */
    bool chosen = strcmp(strrchr(address, ':'), ":0") == 0;
    log_line(config->log, chosen ? LOG_WARN : LOG_INFO, "%s listens on %s", config->name, name);
    return open_socket(listener, NULL, config, err);
}
