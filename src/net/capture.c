/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A file of the frames that pass a cable: see capture.h. Written through a buffer, which goes out when
 * it is full and a quarter of a second after something came, so that one may look on.
 */
#include "net/capture.h"

#include "host/clock.h"
#include "host/iov.h"
#include "host/stream.h"
#include <stdlib.h>
#include <string.h>

#define BUFFER_SIZE (256u << 10) /* more than two of the largest frames */
#define FLUSH_NS 250000000u
#define PATIENCE_MS 1000 /* with the reader of a pipe */

/* pcap-savefile(5): numbers in the host's order, which the magic number tells. */
struct file_header {
    uint32_t magic;
    uint16_t major, minor;
    uint32_t reserved[2];
    uint32_t snapshot_size; /* no frame is longer */
    uint32_t link_type;
};
#define MAGIC 0xa1b2c3d4 /* microseconds */
#define LINK_ETHERNET 1

struct frame_header {
    uint32_t seconds, microseconds;
    uint32_t size_here, size;
};

struct capture {
    int fd;
    bool failed;
    struct log *log;
    char *path;
    struct event_timer timer;
    bool timer_set;
    size_t used;
    uint8_t buffer[BUFFER_SIZE];
};

static void write_out(struct capture *capture)
{
    size_t at = 0, done;
    while (at < capture->used && !capture->failed) {
        enum stream_result result =
            stream_write(capture->fd, capture->buffer + at, capture->used - at, &done);
        if (result == STREAM_OK) {
            at += done;
        } else if (result != STREAM_AGAIN || !stream_wait_writable(capture->fd, PATIENCE_MS)) {
            capture->failed = true;
            log_line(capture->log, LOG_ERROR, "%s: cannot be written; the capture ends",
                     capture->path);
        }
    }
    capture->used = 0;
}

static void flush_in_time(void *ctx)
{
    struct capture *capture = ctx;
    capture->timer_set = false;
    write_out(capture);
}

static void put(struct capture *capture, const void *bytes, size_t size)
{
    memcpy(capture->buffer + capture->used, bytes, size);
    capture->used += size;
}

struct capture *capture_open(const char *path, struct event_loop *loop, struct log *log,
                             struct error *err)
{
    struct capture *capture = calloc(1, sizeof(*capture));
    if (!capture || !(capture->path = strdup(path))) {
        error_set(err, "%s: out of memory", path);
        free(capture);
        return NULL;
    }
    capture->log = log;
    capture->fd = stream_create(path, err);
    if (capture->fd < 0) {
        free(capture->path);
        free(capture);
        return NULL;
    }
    event_timer_init(&capture->timer, loop, flush_in_time, capture);
    const struct file_header header = {MAGIC, 2, 4, {0}, NET_FRAME_MAX, LINK_ETHERNET};
    put(capture, &header, sizeof(header));
    write_out(capture);
    return capture;
}

void capture_packet(struct capture *capture, const struct net_packet *packet)
{
    if (capture->failed)
        return;
    if (capture->used + sizeof(struct frame_header) + packet->size > BUFFER_SIZE)
        write_out(capture);
    uint64_t now = clock_realtime_ns();
    const struct frame_header header = {
        .seconds = (uint32_t)(now / 1000000000u),
        .microseconds = (uint32_t)(now % 1000000000u / 1000u),
        .size_here = (uint32_t)packet->size,
        .size = (uint32_t)packet->size,
    };
    put(capture, &header, sizeof(header));
    struct iov_cursor at = iov_start(packet->iov, packet->iov_count);
    iov_copy_out(&at, capture->buffer + capture->used, packet->size);
    capture->used += packet->size;
    if (!capture->timer_set) {
        capture->timer_set = true;
        event_timer_set(&capture->timer, clock_monotonic_ns() + FLUSH_NS);
    }
}

void capture_close(struct capture *capture)
{
    if (!capture)
        return;
    event_timer_remove(&capture->timer);
    write_out(capture);
    stream_close(capture->fd);
    free(capture->path);
    free(capture);
}
