/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Virtio entropy device (Virtual I/O Device 1.2, 5.4): one queue of buffers to fill.
 *
 * The device may leave a buffer partly filled, and the driver has to put it in again for more. So a
 * guest gets at most 4 KiB a buffer, and 64 KiB in 10 ms: far more than a kernel wants, and too little
 * to keep the event loop's thread busy.
 */
#include "dev/virtio/virtio_rng.h"

#include "dev/virtio/virtio.h"
#include "host/clock.h"
#include "host/event_loop.h"
#include "host/random.h"
#include <stdlib.h>

#define QUEUE_SIZE 8
#define BUFFER_MAX 4096
#define BUFFER_COST_MIN 64 /* bytes that a smaller buffer counts as: it takes as long */
#define PERIOD_NS 10000000
#define PERIOD_BYTES 65536

struct rng {
    struct virtio *virtio;
    struct event_call kicked; /* there may be buffers */
    struct event_timer timer; /* the next period begins */
    /* Event loop's thread. */
    uint64_t period_end;
    size_t left; /* bytes of this period */
};

static size_t fill(struct rng *rng, const struct virtq_chain *chain)
{
    uint8_t bytes[BUFFER_MAX];
    size_t size = chain->in_size < sizeof(bytes) ? (size_t)chain->in_size : sizeof(bytes);
    if (size > rng->left)
        size = rng->left;
    random_bytes(bytes, size);
    size_t cost = size < BUFFER_COST_MIN ? BUFFER_COST_MIN : size;
    rng->left -= cost < rng->left ? cost : rng->left;
    return virtq_chain_write(chain, 0, bytes, size);
}

static void begin_period(struct rng *rng)
{
    uint64_t now = clock_monotonic_ns();
    if (now < rng->period_end)
        return;
    rng->period_end = now + PERIOD_NS;
    rng->left = PERIOD_BYTES;
}

/* Event loop's thread. */
static void serve(void *ctx)
{
    struct rng *rng = ctx;
    struct iovec iov[QUEUE_SIZE];
    struct virtq_chain chain = {.iov = iov, .iov_max = QUEUE_SIZE};
    begin_period(rng);
    struct virtio_queue *q = virtio_begin(rng->virtio, 0);
    if (!q)
        return;
    do {
        while (rng->left && virtio_pop(q, &chain))
            virtio_push(q, &chain, (uint32_t)fill(rng, &chain));
    } while (rng->left && virtio_notify_on(q));
    virtio_end(q);
    if (!rng->left)
        event_timer_set(&rng->timer, rng->period_end);
}

static void rng_notify(void *state, unsigned queue)
{
    (void)queue;
    struct rng *rng = state;
    event_call_post(&rng->kicked);
}

static void rng_remove(void *state)
{
    struct rng *rng = state;
    event_call_remove(&rng->kicked);
    event_timer_remove(&rng->timer);
    free(rng);
}

static const struct virtio_ops rng_ops = {
    .name = "virtio-rng",
    .id = VIRTIO_ID_ENTROPY,
    .class_code = 0x00ff00,
    .notify = rng_notify,
    .remove = rng_remove,
};

struct pci_function *virtio_rng_new(const struct virtio_rng_config *config, struct error *err)
{
    struct rng *rng = calloc(1, sizeof(*rng));
    if (!rng) {
        error_set(err, "virtio-rng: out of memory");
        return NULL;
    }
    event_call_init(&rng->kicked, config->loop, serve, rng);
    event_timer_init(&rng->timer, config->loop, serve, rng);
    struct virtio_config virtio = {
        .ops = &rng_ops,
        .state = rng,
        .features_off = config->features_off,
        .queues = 1,
        .queue_size = QUEUE_SIZE,
    };
    return virtio_pci_new(&rng->virtio, &virtio, err);
}
