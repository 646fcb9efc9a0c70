/* SPDX-License-Identifier: MPL-2.0 */
/* What was said comes before what the back has, so that neither is split by the other. */
#include "debug/tap.h"

#include "base/ring.h"
#include <stdlib.h>

#define TAP_SIZE 65536 /* bytes each way */

struct tap {
    struct chardev chardev; /* first: ops get its address */
    struct chardev *back;
    struct event_call wakeup; /* on the machine's loop: the device has input */
    pthread_mutex_t lock;     /* all below */
    struct ring in, out;
    uint64_t lost;            /* bytes of output since the last fetch */
    void (*heard)(void *ctx); /* NULL: nobody listens */
    void *ctx;
};

static size_t tap_write(struct chardev *cd, const void *bytes, size_t size)
{
    struct tap *t = (struct tap *)cd;
    size_t taken = chardev_write(t->back, bytes, size);
    pthread_mutex_lock(&t->lock);
    if (t->heard && taken) {
        bool first = !t->out.count;
        t->lost += taken - ring_put(&t->out, bytes, taken);
        if (first)
            t->heard(t->ctx);
    }
    pthread_mutex_unlock(&t->lock);
    return taken;
}

static size_t tap_read(struct chardev *cd, void *bytes, size_t size)
{
    struct tap *t = (struct tap *)cd;
    pthread_mutex_lock(&t->lock);
    size_t got = ring_get(&t->in, bytes, size);
    pthread_mutex_unlock(&t->lock);
    return got + (got < size ? chardev_read(t->back, (char *)bytes + got, size - got) : 0);
}

static void tap_drain(struct chardev *cd)
{
    chardev_drain(((struct tap *)cd)->back);
}

static void tap_attached(struct chardev *cd)
{
    struct tap *t = (struct tap *)cd;
    event_call_post(&t->wakeup);
}

static void tap_free(struct chardev *cd)
{
    struct tap *t = (struct tap *)cd;
    chardev_attach(t->back, NULL);
    event_call_remove(&t->wakeup);
    chardev_free(t->back);
    ring_free(&t->in);
    ring_free(&t->out);
    pthread_mutex_destroy(&t->lock);
    chardev_destroy(cd);
    free(t);
}

static const struct chardev_ops ops = {
    .name = "tap",
    .write = tap_write,
    .read = tap_read,
    .drain = tap_drain,
    .attached = tap_attached,
    .free = tap_free,
};

static void pass_readable(void *ctx)
{
    chardev_notify_readable(ctx);
}

static void pass_writable(void *ctx)
{
    chardev_notify_writable(ctx);
}

static void pass_break(void *ctx)
{
    chardev_notify_break(ctx);
}

struct tap *tap_new(struct chardev *back, struct event_loop *loop, struct error *err)
{
    struct tap *t = calloc(1, sizeof(*t));
    if (!t || !ring_init(&t->in, TAP_SIZE) || !ring_init(&t->out, TAP_SIZE)) {
        error_set(err, "out of memory");
        if (t)
            ring_free(&t->in);
        free(t);
        chardev_free(back);
        return NULL;
    }
    chardev_init(&t->chardev, &ops);
    t->back = back;
    pthread_mutex_init(&t->lock, NULL);
    event_call_init(&t->wakeup, loop, pass_readable, t);
    struct chardev_front front = {pass_readable, pass_writable, pass_break, t};
    chardev_attach(back, &front);
    return t;
}

struct chardev *tap_chardev(struct tap *t)
{
    return &t->chardev;
}

void tap_listen(struct tap *t, void (*heard)(void *ctx), void *ctx)
{
    pthread_mutex_lock(&t->lock);
    /* Who goes on listening has what waits. */
    if (!t->heard || !heard) {
        t->lost = 0;
        ring_drop(&t->out, t->out.count);
    }
    t->heard = heard;
    t->ctx = ctx;
    pthread_mutex_unlock(&t->lock);
}

size_t tap_fetch(struct tap *t, void *bytes, size_t size, uint64_t *lost)
{
    pthread_mutex_lock(&t->lock);
    size_t got = ring_get(&t->out, bytes, size);
    *lost = t->out.count ? 0 : t->lost; /* it comes behind what is still there */
    t->lost -= *lost;
    pthread_mutex_unlock(&t->lock);
    return got;
}

size_t tap_say(struct tap *t, const void *bytes, size_t size)
{
    pthread_mutex_lock(&t->lock);
    size_t taken = ring_put(&t->in, bytes, size);
    pthread_mutex_unlock(&t->lock);
    if (taken)
        event_call_post(&t->wakeup);
    return taken;
}
