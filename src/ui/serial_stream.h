/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What the backs over descriptors share: a ring of bytes each way between the harts' threads and the
 * event loop's, which alone reads and writes the descriptors.
 *
 * Output is gathered for a moment before it is written, so that a guest which prints a character at
 * a time costs no system call each. Input is read only while the ring has room.
 *
 * A back embeds the struct first, and owns the descriptors: the stream closes none.
 *
 *     serial_stream_init(&b->stream, &ops, &hooks, config, err);
 *     serial_stream_connect(&b->stream, fd, fd);
 *     ...
 *     static void closed(struct serial_stream *s)   // a hook: the other side has gone
 *     {
 *         serial_stream_disconnect(s);
 *         stream_close(fd);
 *     }
 */
#ifndef RVVM_UI_SERIAL_STREAM_H
#define RVVM_UI_SERIAL_STREAM_H

#include "base/ring.h"
#include "host/event_loop.h"
#include "host/stream.h"
#include "machine/chardev.h"
#include "ui/serial.h"

#define SERIAL_IN_SIZE 65536 /* bytes of input held for a guest that does not read, usually */

struct serial_stream;

/* What only the back knows. On the event loop's thread, with no lock held. */
struct serial_hooks {
    /* Bytes came: passes what is for the guest to serial_stream_receive(), at most one byte more
     * than came. NULL: all is. */
    void (*input)(struct serial_stream *s, const uint8_t *bytes, size_t size);
    /* Nothing more can be read for now: STREAM_END or STREAM_ERROR. Output goes on. NULL: ignored. */
    void (*input_ended)(struct serial_stream *s, enum stream_result why);
    /* Writing failed; output is dropped from now on. NULL: ignored. */
    void (*output_ended)(struct serial_stream *s);
};

struct serial_stream {
    struct chardev chardev; /* first: ops get its address */
    const struct serial_hooks *hooks;
    struct serial_config config;
    struct event_watch in_watch, out_watch; /* the loop's thread; they sleep with fd -1 */
    struct event_timer flush;               /* output has been gathered long enough */
    struct event_call wakeup;               /* input has room again, or the front wants news */
    pthread_mutex_t lock;                   /* all below */
    pthread_cond_t moved;                   /* output has left, or will not */
    struct ring in, out;
    bool out_connected; /* false: what is written is dropped */
    bool in_paused;     /* the in ring was full: reading waits for room */
    bool refused;       /* a write took less than asked: on_writable is due */
    bool telling;       /* on_writable runs */
    uint64_t sent;      /* bytes that left, for drain */
    uint64_t stuck_at;  /* value of sent at which drain gave up: it does so once */
};

/* in_size: bytes of input to hold while the guest does not read. */
bool serial_stream_init(struct serial_stream *s, const struct chardev_ops *ops,
                        const struct serial_hooks *hooks, const struct serial_config *config,
                        size_t in_size, struct error *err);
/* Not on the loop's thread. The loop calls no hook any more when it returns. */
void serial_stream_destroy(struct serial_stream *s);

/* The loop's thread, or before anyone else knows the stream. A side that is -1 stays closed. */
void serial_stream_connect(struct serial_stream *s, int in_fd, int out_fd);
/* The loop's thread: reading goes on after input_ended. */
void serial_stream_connect_input(struct serial_stream *s, int in_fd);
/* The loop's thread. What was not written yet is dropped; input that has come stays. */
void serial_stream_disconnect(struct serial_stream *s);

/* The loop's thread, for the hook `input` and what is like it. */
void serial_stream_receive(struct serial_stream *s, const uint8_t *bytes, size_t size);
/* Reads once what there is room for, though fd may not be connected. */
enum stream_result serial_stream_fetch(struct serial_stream *s, int fd);
/* Puts a text of ours into the output, whole or not at all. */
void serial_stream_say(struct serial_stream *s, const char *text);

/* For struct chardev_ops. */
size_t serial_stream_write(struct chardev *cd, const void *bytes, size_t size);
size_t serial_stream_read(struct chardev *cd, void *bytes, size_t size);
void serial_stream_drain(struct chardev *cd);
void serial_stream_attached(struct chardev *cd);

#endif
