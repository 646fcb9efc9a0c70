/* SPDX-License-Identifier: MPL-2.0 */
/* A line to the program around the machine: serial_calls.h. */
#include "ui/serial_calls.h"

#include "base/ring.h"
#include <stdlib.h>

#define IN_SIZE 65536

struct serial_calls {
    struct chardev chardev;
    struct serial_calls_config config;
    pthread_mutex_t out_lock; /* held around config.output */
    pthread_mutex_t in_lock;  /* in */
    struct ring in;
    struct event_call tell; /* the front, that there is input */
};

static size_t calls_write(struct chardev *cd, const void *bytes, size_t size)
{
    struct serial_calls *s = (struct serial_calls *)cd;
    if (!s->config.output || !size)
        return size;
    pthread_mutex_lock(&s->out_lock);
    s->config.output(s->config.ctx, bytes, size);
    pthread_mutex_unlock(&s->out_lock);
    return size;
}

static size_t calls_read(struct chardev *cd, void *bytes, size_t size)
{
    struct serial_calls *s = (struct serial_calls *)cd;
    pthread_mutex_lock(&s->in_lock);
    size_t got = ring_get(&s->in, bytes, size);
    pthread_mutex_unlock(&s->in_lock);
    return got;
}

size_t serial_calls_input(struct chardev *cd, const void *bytes, size_t size)
{
    struct serial_calls *s = (struct serial_calls *)cd;
    pthread_mutex_lock(&s->in_lock);
    size_t taken = ring_put(&s->in, bytes, size);
    pthread_mutex_unlock(&s->in_lock);
    if (taken)
        event_call_post(&s->tell);
    return taken;
}

static void tell(void *ctx)
{
    chardev_notify_readable(ctx);
}

static void calls_drain(struct chardev *cd)
{
    (void)cd;
}

static void calls_attached(struct chardev *cd)
{
    event_call_post(&((struct serial_calls *)cd)->tell);
}

static void calls_free(struct chardev *cd)
{
    struct serial_calls *s = (struct serial_calls *)cd;
    event_call_remove(&s->tell);
    ring_free(&s->in);
    pthread_mutex_destroy(&s->in_lock);
    pthread_mutex_destroy(&s->out_lock);
    chardev_destroy(cd);
    free(s);
}

static const struct chardev_ops calls_ops = {
    .name = "calls",
    .write = calls_write,
    .read = calls_read,
    .drain = calls_drain,
    .attached = calls_attached,
    .free = calls_free,
};

struct chardev *serial_calls_open(const struct serial_calls_config *config, struct error *err)
{
    struct serial_calls *s = calloc(1, sizeof(*s));
    if (!s || !ring_init(&s->in, IN_SIZE)) {
        free(s);
        error_set(err, "out of memory");
        return NULL;
    }
    s->config = *config;
    pthread_mutex_init(&s->out_lock, NULL);
    pthread_mutex_init(&s->in_lock, NULL);
    event_call_init(&s->tell, config->loop, tell, s);
    chardev_init(&s->chardev, &calls_ops);
    return &s->chardev;
}
