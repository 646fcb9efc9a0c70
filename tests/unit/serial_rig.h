/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * A serial back on its own event loop with a guest in front of it, for the tests of src/ui/. The
 * guest's two sides are functions that move a number of bytes and wait, as a driver does, for what
 * the channel tells its front; each gives up after PATIENCE seconds.
 *
 *     rig_open(&rig, "pty");
 *     rig_attach(&rig);
 *     guest_write(&rig, "login: ", 7);
 *     ...
 *     rig_close(&rig);
 */
#ifndef RVVM_TESTS_SERIAL_RIG_H
#define RVVM_TESTS_SERIAL_RIG_H

#include "host/event_loop.h"
#include "ui/serial.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#define PATIENCE 30 /* seconds; sanitized builds on a busy machine are slow */
#define MEGABYTE (1u << 20)

struct rig {
    struct event_loop *loop;
    struct log log;
    struct chardev *cd;
    pthread_mutex_t lock; /* all below */
    pthread_cond_t news;
    unsigned readable, writable, breaks, quits; /* calls so far */
    unsigned lines;                             /* logged */
    char line[512];                             /* the last of them */
};

static inline void rig_count(struct rig *rig, unsigned *count)
{
    pthread_mutex_lock(&rig->lock);
    ++*count;
    pthread_cond_broadcast(&rig->news);
    pthread_mutex_unlock(&rig->lock);
}

static inline void rig_on_readable(void *ctx)
{
    rig_count(ctx, &((struct rig *)ctx)->readable);
}

static inline void rig_on_writable(void *ctx)
{
    rig_count(ctx, &((struct rig *)ctx)->writable);
}

static inline void rig_on_break(void *ctx)
{
    rig_count(ctx, &((struct rig *)ctx)->breaks);
}

static inline void rig_on_quit(void *ctx)
{
    rig_count(ctx, &((struct rig *)ctx)->quits);
}

static inline void rig_on_log(void *ctx, enum log_level level, const char *line)
{
    (void)level;
    struct rig *rig = ctx;
    pthread_mutex_lock(&rig->lock);
    snprintf(rig->line, sizeof(rig->line), "%s", line);
    pthread_mutex_unlock(&rig->lock);
    rig_count(rig, &rig->lines);
}

static inline unsigned rig_counted(struct rig *rig, const unsigned *count)
{
    pthread_mutex_lock(&rig->lock);
    unsigned n = *count;
    pthread_mutex_unlock(&rig->lock);
    return n;
}

/* Waits until *count is no longer `seen`. false: it stays. */
static inline bool rig_wait(struct rig *rig, const unsigned *count, unsigned seen)
{
    struct timespec until;
    int e = 0;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE;
    pthread_mutex_lock(&rig->lock);
    while (*count == seen && e == 0)
        e = pthread_cond_timedwait(&rig->news, &rig->lock, &until);
    bool changed = *count != seen;
    pthread_mutex_unlock(&rig->lock);
    return changed;
}

static inline void rig_init(struct rig *rig)
{
    struct error err;
    memset(rig, 0, sizeof(*rig));
    pthread_mutex_init(&rig->lock, NULL);
    pthread_cond_init(&rig->news, NULL);
    rig->log = (struct log){.sink = rig_on_log, .ctx = rig, .level = LOG_WARN};
    rig->loop = event_loop_new(&err);
    assert_non_null(rig->loop);
    assert_true(event_loop_start(rig->loop, &err));
}

static inline bool rig_try_open(struct rig *rig, const char *spec, struct error *err)
{
    rig_init(rig);
    const struct serial_config config = {
        .loop = rig->loop, .log = &rig->log, .quit = rig_on_quit, .quit_ctx = rig};
    *err = (struct error){0};
    rig->cd = chardev_open(spec, &config, err);
    return rig->cd;
}

static inline void rig_open(struct rig *rig, const char *spec)
{
    struct error err;
    if (!rig_try_open(rig, spec, &err))
        fail_msg("%s: %s", spec, err.text);
}

static inline void rig_attach(struct rig *rig)
{
    const struct chardev_front front = {rig_on_readable, rig_on_writable, rig_on_break, rig};
    chardev_attach(rig->cd, &front);
}

static inline void rig_close(struct rig *rig)
{
    if (rig->cd)
        chardev_attach(rig->cd, NULL);
    chardev_free(rig->cd);
    event_loop_free(rig->loop);
    pthread_cond_destroy(&rig->news);
    pthread_mutex_destroy(&rig->lock);
}

/* Returns how many bytes came before patience was at an end. */
static inline size_t guest_read(struct rig *rig, void *bytes, size_t size)
{
    size_t done = 0;
    while (done < size) {
        unsigned seen = rig_counted(rig, &rig->readable);
        size_t part = size - done < 16 ? size - done : 16; /* what a UART's FIFO holds */
        size_t n = chardev_read(rig->cd, (uint8_t *)bytes + done, part);
        if (n == 0 && !rig_wait(rig, &rig->readable, seen))
            break;
        done += n;
    }
    return done;
}

static inline size_t guest_write(struct rig *rig, const void *bytes, size_t size)
{
    size_t done = 0;
    while (done < size) {
        unsigned seen = rig_counted(rig, &rig->writable);
        size_t part = size - done < 61 ? size - done : 61;
        size_t n = chardev_write(rig->cd, (const uint8_t *)bytes + done, part);
        if (n < part && !rig_wait(rig, &rig->writable, seen))
            break;
        done += n;
    }
    return done;
}

/* The other end of the line; each waits at most PATIENCE for the next byte to move. */
static inline size_t peer_read(int fd, void *bytes, size_t size)
{
    size_t done = 0;
    struct pollfd p = {.fd = fd, .events = POLLIN};
    while (done < size && poll(&p, 1, PATIENCE * 1000) > 0) {
        ssize_t n = read(fd, (uint8_t *)bytes + done, size - done);
        if (n <= 0)
            break;
        done += (size_t)n;
    }
    return done;
}

static inline size_t peer_write(int fd, const void *bytes, size_t size)
{
    size_t done = 0;
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    while (done < size && poll(&p, 1, PATIENCE * 1000) > 0) {
        ssize_t n = write(fd, (const uint8_t *)bytes + done, size - done);
        if (n < 0 && errno != EAGAIN)
            break;
        done += n > 0 ? (size_t)n : 0;
    }
    return done;
}

/* Whether nothing comes for a while. */
static inline bool peer_is_silent(int fd, int milliseconds)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, milliseconds) == 0;
}

/* Waits until what the guest writes reaches the peer: the back knows that it is connected. */
static inline void peer_meets_guest(struct rig *rig, int fd)
{
    char marks[64];
    for (int i = 0; i < PATIENCE * 50 && peer_is_silent(fd, 20); i++)
        chardev_write(rig->cd, "?", 1);
    while (!peer_is_silent(fd, 20))
        assert_true(read(fd, marks, sizeof(marks)) > 0);
}

/* Bytes of every value but Ctrl-A, different for different seeds. */
static inline uint8_t *pattern(size_t size, uint32_t seed)
{
    uint8_t *bytes = malloc(size);
    assert_non_null(bytes);
    for (size_t i = 0; i < size; i++) {
        seed = seed * 1664525 + 1013904223;
        bytes[i] = (uint8_t)(seed >> 24);
        if (bytes[i] == 1)
            bytes[i] = 2;
    }
    return bytes;
}

struct transfer {
    struct rig *rig;
    int fd;
    uint8_t *bytes;
    size_t size, done;
};

static inline void *guest_reads(void *arg)
{
    struct transfer *t = arg;
    t->done = guest_read(t->rig, t->bytes, t->size);
    return NULL;
}

static inline void *guest_writes(void *arg)
{
    struct transfer *t = arg;
    t->done = guest_write(t->rig, t->bytes, t->size);
    return NULL;
}

static inline void *peer_writes(void *arg)
{
    struct transfer *t = arg;
    t->done = peer_write(t->fd, t->bytes, t->size);
    return NULL;
}

/* A megabyte each way at the same time, all of it in order. The peer reads from in, writes to out. */
static inline void exchange_a_megabyte(struct rig *rig, int in, int out)
{
    uint8_t *to_guest = pattern(MEGABYTE, 1), *from_guest = pattern(MEGABYTE, 2);
    uint8_t *got = malloc(MEGABYTE);
    struct transfer read = {.rig = rig, .bytes = malloc(MEGABYTE), .size = MEGABYTE};
    struct transfer write = {.rig = rig, .bytes = from_guest, .size = MEGABYTE};
    struct transfer sent = {.fd = out, .bytes = to_guest, .size = MEGABYTE};
    pthread_t threads[3];
    assert_int_equal(pthread_create(&threads[0], NULL, guest_reads, &read), 0);
    assert_int_equal(pthread_create(&threads[1], NULL, guest_writes, &write), 0);
    assert_int_equal(pthread_create(&threads[2], NULL, peer_writes, &sent), 0);
    size_t arrived = peer_read(in, got, MEGABYTE);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(sent.done, MEGABYTE);
    assert_int_equal(read.done, MEGABYTE);
    assert_memory_equal(read.bytes, to_guest, MEGABYTE);
    assert_int_equal(write.done, MEGABYTE);
    assert_int_equal(arrived, MEGABYTE);
    assert_memory_equal(got, from_guest, MEGABYTE);
    free(to_guest);
    free(from_guest);
    free(got);
    free(read.bytes);
}

#endif
