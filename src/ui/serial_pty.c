/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A new pseudo terminal. Its other side is opened and closed by whoever likes.
 *
 * While nobody has it open the master reports a hang-up without end, which no poll can wait out, so
 * it is looked at ten times a second. What a program wrote that came and went in between is there to
 * be read all the same.
 */
#include "host/clock.h"
#include "ui/serial_backs.h"
#include "ui/serial_stream.h"
#include <stdlib.h>

#define LOOK_NS 100000000u

struct serial_pty {
    struct serial_stream stream;
    int fd;
    struct event_timer look; /* armed while nobody is connected */
};

static void look_later(struct serial_pty *b)
{
    event_timer_set(&b->look, clock_monotonic_ns() + LOOK_NS);
}

static void on_look(void *ctx)
{
    struct serial_pty *b = ctx;
    if (!stream_pty_connected(b->fd))
        serial_stream_fetch(&b->stream, b->fd);
    if (stream_pty_connected(b->fd))
        serial_stream_connect(&b->stream, b->fd, b->fd);
    else
        look_later(b);
}

static void on_output_ended(struct serial_stream *s)
{
    serial_stream_disconnect(s);
    look_later((struct serial_pty *)s);
}

static void on_input_ended(struct serial_stream *s, enum stream_result why)
{
    (void)why;
    on_output_ended(s);
}

static const struct serial_hooks hooks = {
    .input_ended = on_input_ended,
    .output_ended = on_output_ended,
};

static void pty_free(struct chardev *cd)
{
    struct serial_pty *b = (struct serial_pty *)cd;
    event_timer_remove(&b->look);
    serial_stream_destroy(&b->stream);
    stream_close(b->fd);
    free(b);
}

static const struct chardev_ops ops = {
    .name = "pty",
    .write = serial_stream_write,
    .read = serial_stream_read,
    .drain = serial_stream_drain,
    .attached = serial_stream_attached,
    .free = pty_free,
};

struct chardev *serial_pty_open(const char *rest, const struct serial_config *config,
                                struct error *err)
{
    (void)rest;
    char name[128];
    int fd = stream_pty(name, sizeof(name), err);
    if (fd < 0)
        return NULL;
    struct serial_pty *b = calloc(1, sizeof(*b));
    if (!b)
        error_set(err, "out of memory");
    if (!b || !serial_stream_init(&b->stream, &ops, &hooks, config, SERIAL_IN_SIZE, err)) {
        stream_close(fd);
        free(b);
        return NULL;
    }
    b->fd = fd;
    event_timer_init(&b->look, config->loop, on_look, b);
    look_later(b);
    /* A warning, as nobody could guess the name without it. */
    log_line(config->log, LOG_WARN, "%s is %s", config->name, name);
    return &b->stream.chardev;
}
