/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * The virtio console and entropy devices and their transport (virtio_fuzz.h). Each port's channel takes
 * a few bytes and then none for a while, and has input now and then.
 */
#include "dev/virtio/virtio_console.h"
#include "dev/virtio/virtio_rng.h"
#include "host/event_loop.h"
#include "virtio_fuzz.h"
#include <semaphore.h>

#define PORTS 3

struct line {
    struct chardev cd;
    unsigned room; /* event loop's thread */
};

static struct event_loop *loop;
static struct line lines[PORTS];
static struct event_call call;
static sem_t called;

static size_t line_write(struct chardev *cd, const void *bytes, size_t size)
{
    struct line *l = (struct line *)cd;
    const volatile uint8_t *from = bytes;
    size_t n = size < l->room ? size : l->room;
    for (size_t i = 0; i < n; i++) /* all of it can be read */
        (void)from[i];
    l->room = size > n ? 0 : l->room - (unsigned)n;
    return n;
}

static size_t line_read(struct chardev *cd, void *bytes, size_t size)
{
    struct line *l = (struct line *)cd;
    size_t n = l->room % 40 < size ? l->room % 40 : size;
    memset(bytes, 'x', n);
    l->room = l->room > 7 ? l->room - 7 : 0;
    return n;
}

static void line_attached(struct chardev *cd)
{
    (void)cd;
}

static const struct chardev_ops line_ops = {
    .name = "line", .write = line_write, .read = line_read, .attached = line_attached};

static void on_call(void *ctx)
{
    (void)ctx;
    for (unsigned i = 0; i < PORTS; i++) {
        lines[i].room = 50;
        chardev_notify_writable(&lines[i].cd);
        chardev_notify_readable(&lines[i].cd);
    }
    sem_post(&called);
}

/* Twice: what was posted before the first call has run before the second. */
static void sync_loop(void)
{
    for (unsigned i = 0; i < 2; i++) {
        event_call_post(&call);
        while (sem_wait(&called))
            ;
    }
}

static void start_loop(void)
{
    struct error err = {0};
    loop = event_loop_new(&err);
    fuzz_check(loop);
    sem_init(&called, 0, 0);
    event_call_init(&call, loop, on_call, NULL);
    for (unsigned i = 0; i < PORTS; i++)
        chardev_init(&lines[i].cd, &line_ops);
    fuzz_check(event_loop_start(loop, &err));
}

/* The first byte of an input chooses the device. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct fuzz_device *console, *rng;
    if (!loop) {
        start_loop();
        struct virtio_console_port ports[PORTS] = {
            {&lines[0].cd, NULL}, {&lines[1].cd, "port"}, {&lines[2].cd, NULL}};
        struct virtio_console_config config = {.loop = loop, .ports = ports, .port_count = PORTS};
        struct virtio_rng_config entropy = {.loop = loop};
        console = fuzz_device_new(virtio_console_new(&config, NULL), 2 * (PORTS + 1), sync_loop);
        rng = fuzz_device_new(virtio_rng_new(&entropy, NULL), 1, sync_loop);
    }
    if (size)
        fuzz_run(data[0] % 4 ? console : rng, data + 1, size - 1);
    return 0;
}
