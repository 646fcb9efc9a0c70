/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Standard input and output. A terminal is put into raw mode and Ctrl-A is its escape key; pipes and
 * files carry every byte as it is.
 */
#include "host/clock.h"
#include "host/terminal.h"
#include "ui/serial_backs.h"
#include "ui/serial_stream.h"
#include <stdlib.h>
#include <string.h>

/* A guest that hangs reads nothing: behind all that was typed meanwhile Ctrl-A x must get through. */
#define IN_SIZE (4u << 20)
#define ESCAPE 1 /* Ctrl-A */
#define RETRY_NS 300000000u

static const char help[] = "\r\n"
                           "Ctrl-A x       end the machine\r\n"
                           "Ctrl-A b       send a break\r\n"
                           "Ctrl-A Ctrl-A  send Ctrl-A (so does Ctrl-A a)\r\n"
                           "Ctrl-A h       this help\r\n";

struct serial_stdio {
    struct serial_stream stream;
    int in, out;
    bool raw;                 /* input is a terminal, ours */
    bool escaped;             /* Ctrl-A was the last key */
    bool ended;               /* input was in the background's way */
    struct event_timer retry; /* while we are there */
};

static void show_help(struct serial_stdio *b)
{
    if (terminal_is_tty(b->out))
        serial_stream_say(&b->stream, help);
    else
        log_line(b->stream.config.log, LOG_WARN,
                 "Ctrl-A x ends the machine, b sends a break, Ctrl-A or a sends Ctrl-A");
}

/* What a key after Ctrl-A does. Returns what of it goes to the guest, in keys: 0 to 2 bytes. */
static size_t escape(struct serial_stdio *b, uint8_t key, uint8_t *keys)
{
    const struct serial_config *config = &b->stream.config;
    switch (key) {
    case 'x':
    case 'X':
        if (config->quit)
            config->quit(config->quit_ctx);
        return 0;
    case 'h':
    case 'H':
    case '?':
        show_help(b);
        return 0;
    case 'b':
    case 'B':
        chardev_notify_break(&b->stream.chardev);
        return 0;
    case 'a':
    case 'A':
    case ESCAPE:
        keys[0] = ESCAPE;
        return 1;
    default: /* no key of ours, so both were meant for the guest */
        keys[0] = ESCAPE;
        keys[1] = key;
        return 2;
    }
}

static void on_keys(struct serial_stream *s, const uint8_t *bytes, size_t size)
{
    struct serial_stdio *b = (struct serial_stdio *)s;
    const uint8_t *end = bytes + size;
    if (b->raw)
        terminal_resume();
    while (b->raw && bytes < end) {
        if (b->escaped) {
            uint8_t keys[2];
            b->escaped = false;
            serial_stream_receive(s, keys, escape(b, *bytes++, keys));
            continue;
        }
        const uint8_t *next = memchr(bytes, ESCAPE, (size_t)(end - bytes));
        serial_stream_receive(s, bytes, (size_t)((next ? next : end) - bytes));
        b->escaped = next != NULL;
        bytes = next ? next + 1 : end;
    }
    serial_stream_receive(s, bytes, (size_t)(end - bytes));
}

/* A terminal gives an error, not end of file, to a process in the background: it may come back. */
static void on_input_ended(struct serial_stream *s, enum stream_result why)
{
    struct serial_stdio *b = (struct serial_stdio *)s;
    if (b->raw && why == STREAM_ERROR) {
        b->ended = true;
        event_timer_set(&b->retry, clock_monotonic_ns() + RETRY_NS);
    }
}

static void on_retry(void *ctx)
{
    struct serial_stdio *b = ctx;
    terminal_resume();
    if (b->ended) {
        b->ended = false;
        serial_stream_connect_input(&b->stream, b->in);
    }
    if (!terminal_is_raw())
        event_timer_set(&b->retry, clock_monotonic_ns() + RETRY_NS);
}

/* In a signal handler, where setting a timer is allowed. */
static void on_background(void *ctx)
{
    struct serial_stdio *b = ctx;
    event_timer_set(&b->retry, clock_monotonic_ns() + RETRY_NS);
}

static void on_output_ended(struct serial_stream *s)
{
    log_line(s->config.log, LOG_WARN,
             "standard output takes no more: what the guest prints is dropped");
}

static const struct serial_hooks hooks = {
    .input = on_keys,
    .input_ended = on_input_ended,
    .output_ended = on_output_ended,
};

static void close_both(struct serial_stdio *b)
{
    if (b->raw)
        terminal_restore();
    stream_close(b->in);
    stream_close(b->out);
}

static void stdio_free(struct chardev *cd)
{
    struct serial_stdio *b = (struct serial_stdio *)cd;
    if (b->raw)
        terminal_when_background(NULL, NULL);
    event_timer_remove(&b->retry);
    serial_stream_destroy(&b->stream);
    close_both(b);
    free(b);
}

static const struct chardev_ops ops = {
    .name = "stdio",
    .write = serial_stream_write,
    .read = serial_stream_read,
    .drain = serial_stream_drain,
    .attached = serial_stream_attached,
    .free = stdio_free,
};

struct chardev *serial_stdio_open(const char *rest, const struct serial_config *config,
                                  struct error *err)
{
    (void)rest;
    struct serial_stdio *b = calloc(1, sizeof(*b));
    if (!b) {
        error_set(err, "out of memory");
        return NULL;
    }
    b->in = stream_stdin();
    b->out = stream_stdout();
    b->raw = terminal_is_tty(b->in);
    if (b->raw && !terminal_raw(b->in, err)) {
        b->raw = false;
        goto failed;
    }
    if (!serial_stream_init(&b->stream, &ops, &hooks, config, IN_SIZE, err))
        goto failed;
    event_timer_init(&b->retry, config->loop, on_retry, b);
    if (b->raw)
        terminal_when_background(on_background, b);
    serial_stream_connect(&b->stream, b->in, b->out);
    return &b->stream.chardev;

failed:
    close_both(b);
    free(b);
    return NULL;
}
