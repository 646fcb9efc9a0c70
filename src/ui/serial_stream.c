/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Serial backs over descriptors: see serial_stream.h.
 *
 * The lock is held for moves of memory only, never around a system call on a descriptor or a call
 * of the front, so that a slow disk or terminal does not hold up a hart.
 *
 * The watches are made once. The loop does not look at one that wants nothing, so its descriptor may
 * change then; and only the loop's thread changes it, as only that thread closes descriptors.
 */
#include "ui/serial_stream.h"

#include "host/clock.h"
#include "host/thread.h"
#include <string.h>

#define OUT_SIZE 65536
#define OUT_RESERVE 1024        /* kept free of the guest's output, for serial_stream_say() */
#define CHUNK 4096              /* bytes read at a time */
#define FLUSH_SHARE OUT_SIZE    /* written in one turn of the loop, others wait meanwhile */
#define GATHER_NS 500000        /* too short to be seen, long enough for a line */
#define PATIENCE_NS 2000000000u /* a receiver that takes nothing for so long is stuck */

static struct serial_stream *stream_of(struct chardev *cd)
{
    return (struct serial_stream *)cd;
}

/*
 * Output.
 */

/* Lock held. */
static void put_out(struct serial_stream *s, const void *bytes, size_t size)
{
    bool idle = s->out.count == 0;
    ring_put(&s->out, bytes, size);
    if (idle && s->out.count)
        event_timer_set(&s->flush, clock_monotonic_ns() + GATHER_NS);
}

size_t serial_stream_write(struct chardev *cd, const void *bytes, size_t size)
{
    struct serial_stream *s = stream_of(cd);
    size_t taken = size;
    pthread_mutex_lock(&s->lock);
    if (s->out_connected) {
        size_t room = ring_room(&s->out);
        room = room > OUT_RESERVE ? room - OUT_RESERVE : 0;
        if (taken > room) {
            taken = room;
            s->refused = true;
        }
        put_out(s, bytes, taken);
    }
    pthread_mutex_unlock(&s->lock);
    return taken;
}

void serial_stream_say(struct serial_stream *s, const char *text)
{
    pthread_mutex_lock(&s->lock);
    if (s->out_connected && ring_room(&s->out) >= strlen(text))
        put_out(s, text, strlen(text));
    pthread_mutex_unlock(&s->lock);
}

/* Tells a front whose write was refused, if there is room now. */
static void tell_writable(struct serial_stream *s)
{
    pthread_mutex_lock(&s->lock);
    bool due = s->refused && ring_room(&s->out) > OUT_RESERVE;
    if (due) {
        s->refused = false;
        s->telling = true;
    }
    pthread_mutex_unlock(&s->lock);
    if (!due)
        return;
    chardev_notify_writable(&s->chardev);
    pthread_mutex_lock(&s->lock);
    s->telling = false;
    pthread_cond_broadcast(&s->moved);
    pthread_mutex_unlock(&s->lock);
}

static void drop_output(struct serial_stream *s)
{
    event_watch_set(&s->out_watch, 0);
    pthread_mutex_lock(&s->lock);
    s->out_connected = false;
    ring_drop(&s->out, s->out.count);
    pthread_cond_broadcast(&s->moved);
    pthread_mutex_unlock(&s->lock);
    tell_writable(s);
}

/* Writes until the ring is empty (STREAM_OK), the receiver is full or enough was done in one turn
 * (STREAM_AGAIN). The bytes shown by ring_peek() are safe without the lock: only this thread drops
 * them. */
static enum stream_result send_out(struct serial_stream *s)
{
    size_t turn = 0;
    for (;;) {
        size_t size, done;
        pthread_mutex_lock(&s->lock);
        const uint8_t *bytes = ring_peek(&s->out, &size);
        if (!s->out_connected)
            size = 0;
        pthread_mutex_unlock(&s->lock);
        if (size == 0)
            return STREAM_OK;
        if (turn >= FLUSH_SHARE)
            return STREAM_AGAIN;
        enum stream_result result = stream_write(s->out_watch.fd, bytes, size, &done);
        if (result != STREAM_OK)
            return result;
        turn += done;
        pthread_mutex_lock(&s->lock);
        ring_drop(&s->out, done);
        s->sent += done;
        pthread_cond_broadcast(&s->moved);
        pthread_mutex_unlock(&s->lock);
    }
}

static void flush_out(struct serial_stream *s)
{
    enum stream_result result = send_out(s);
    if (result == STREAM_END || result == STREAM_ERROR) {
        drop_output(s);
        if (s->hooks->output_ended)
            s->hooks->output_ended(s);
        return;
    }
    event_watch_set(&s->out_watch, result == STREAM_AGAIN ? EVENT_WRITE : 0);
    tell_writable(s);
}

static void on_flush(void *ctx)
{
    flush_out(ctx);
}

static void on_out_ready(void *ctx, unsigned events)
{
    (void)events;
    flush_out(ctx);
}

/* Waits at most PATIENCE_NS from the last byte that moved. The front may hold bytes that it was
 * refused: they count as output, too. */
void serial_stream_drain(struct chardev *cd)
{
    struct serial_stream *s = stream_of(cd);
    uint64_t sent = 0, deadline = 0;
    pthread_mutex_lock(&s->lock);
    while (s->sent != s->stuck_at &&
           ((s->out_connected && s->out.count) || s->refused || s->telling)) {
        if (deadline == 0 || s->sent != sent) {
            sent = s->sent;
            deadline = clock_monotonic_ns() + PATIENCE_NS;
            event_timer_set(&s->flush, 0);
        }
        if (!thread_cond_wait_until(&s->moved, &s->lock, deadline) && s->sent == sent)
            s->stuck_at = sent;
    }
    pthread_mutex_unlock(&s->lock);
}

/*
 * Input.
 */

size_t serial_stream_read(struct chardev *cd, void *bytes, size_t size)
{
    struct serial_stream *s = stream_of(cd);
    pthread_mutex_lock(&s->lock);
    size_t done = ring_get(&s->in, bytes, size);
    bool resume = s->in_paused && s->in.count <= s->in.size / 2;
    if (resume)
        s->in_paused = false;
    pthread_mutex_unlock(&s->lock);
    if (resume)
        event_call_post(&s->wakeup);
    return done;
}

void serial_stream_receive(struct serial_stream *s, const uint8_t *bytes, size_t size)
{
    if (size == 0)
        return;
    pthread_mutex_lock(&s->lock);
    ring_put(&s->in, bytes, size); /* fits: serial_stream_fetch() asked for no more */
    pthread_mutex_unlock(&s->lock);
    chardev_notify_readable(&s->chardev);
}

enum stream_result serial_stream_fetch(struct serial_stream *s, int fd)
{
    uint8_t bytes[CHUNK];
    size_t size = 0, done;
    pthread_mutex_lock(&s->lock);
    if (ring_room(&s->in) > 1) /* the hook may add a byte */
        size = ring_room(&s->in) - 1;
    s->in_paused = size == 0;
    pthread_mutex_unlock(&s->lock);
    if (size == 0)
        return STREAM_AGAIN;
    if (size > sizeof(bytes))
        size = sizeof(bytes);
    enum stream_result result = stream_read(fd, bytes, size, &done);
    if (result == STREAM_OK && s->hooks->input)
        s->hooks->input(s, bytes, done);
    else if (result == STREAM_OK)
        serial_stream_receive(s, bytes, done);
    return result;
}

/* Reads when it is time to: input is connected and the ring has room. */
static void watch_in(struct serial_stream *s)
{
    pthread_mutex_lock(&s->lock);
    bool paused = s->in_paused;
    pthread_mutex_unlock(&s->lock);
    event_watch_set(&s->in_watch, s->in_watch.fd >= 0 && !paused ? EVENT_READ : 0);
}

static void on_in_ready(void *ctx, unsigned events)
{
    (void)events;
    struct serial_stream *s = ctx;
    enum stream_result result = serial_stream_fetch(s, s->in_watch.fd);
    if (result == STREAM_OK)
        return;
    if (result == STREAM_AGAIN) {
        watch_in(s);
        return;
    }
    event_watch_set(&s->in_watch, 0);
    s->in_watch.fd = -1;
    if (s->hooks->input_ended)
        s->hooks->input_ended(s, result);
}

static void on_wakeup(void *ctx)
{
    struct serial_stream *s = ctx;
    watch_in(s);
    pthread_mutex_lock(&s->lock);
    bool waits = s->in.count != 0;
    pthread_mutex_unlock(&s->lock);
    if (waits)
        chardev_notify_readable(&s->chardev);
    tell_writable(s);
}

void serial_stream_attached(struct chardev *cd)
{
    event_call_post(&stream_of(cd)->wakeup);
}

/*
 * Both.
 */

void serial_stream_connect_input(struct serial_stream *s, int in_fd)
{
    s->in_watch.fd = in_fd;
    watch_in(s);
}

void serial_stream_connect(struct serial_stream *s, int in_fd, int out_fd)
{
    s->out_watch.fd = out_fd;
    pthread_mutex_lock(&s->lock);
    s->out_connected = out_fd >= 0;
    pthread_mutex_unlock(&s->lock);
    serial_stream_connect_input(s, in_fd);
}

void serial_stream_disconnect(struct serial_stream *s)
{
    event_watch_set(&s->in_watch, 0);
    s->in_watch.fd = -1;
    drop_output(s);
    s->out_watch.fd = -1;
}

bool serial_stream_init(struct serial_stream *s, const struct chardev_ops *ops,
                        const struct serial_hooks *hooks, const struct serial_config *config,
                        size_t in_size, struct error *err)
{
    if (!ring_init(&s->in, in_size) || !ring_init(&s->out, OUT_SIZE)) {
        ring_free(&s->in);
        return error_set(err, "out of memory");
    }
    s->hooks = hooks;
    s->config = *config;
    s->stuck_at = UINT64_MAX;
    chardev_init(&s->chardev, ops);
    pthread_mutex_init(&s->lock, NULL);
    thread_cond_init(&s->moved);
    event_timer_init(&s->flush, config->loop, on_flush, s);
    event_call_init(&s->wakeup, config->loop, on_wakeup, s);
    event_watch_init(&s->in_watch, config->loop, -1, 0, on_in_ready, s);
    event_watch_init(&s->out_watch, config->loop, -1, 0, on_out_ready, s);
    return true;
}

void serial_stream_destroy(struct serial_stream *s)
{
    event_watch_remove(&s->in_watch);
    event_watch_remove(&s->out_watch);
    event_timer_remove(&s->flush);
    event_call_remove(&s->wakeup);
    pthread_cond_destroy(&s->moved);
    pthread_mutex_destroy(&s->lock);
    chardev_destroy(&s->chardev);
    ring_free(&s->in);
    ring_free(&s->out);
}
