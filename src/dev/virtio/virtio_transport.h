/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A virtio device from the transport's side: what the driver sets and asks through registers.
 *
 * Life of a queue: idle, running from its enabling on, stopping when a reset was asked for, and idle
 * again when the device has pushed all it had popped. The driver sees that it has to wait: the
 * device's status stays what it was, or queue_reset stays 1, until then. So no hart waits.
 *
 * Lock order: virtio.lock, then a queue's.
 */
#ifndef RVVM_DEV_VIRTIO_VIRTIO_TRANSPORT_H
#define RVVM_DEV_VIRTIO_VIRTIO_TRANSPORT_H

#include "dev/virtio/virtio.h"
#include <pthread.h>
#include <stdatomic.h>

#define VIRTIO_NO_VECTOR 0xffff

/* 2.1, device status. */
enum {
    VIRTIO_S_ACKNOWLEDGE = 1,
    VIRTIO_S_DRIVER = 2,
    VIRTIO_S_DRIVER_OK = 4,
    VIRTIO_S_FEATURES_OK = 8,
    VIRTIO_S_NEEDS_RESET = 64,
    VIRTIO_S_FAILED = 128,
};

enum virtio_queue_state { VIRTIO_QUEUE_IDLE, VIRTIO_QUEUE_RUNNING, VIRTIO_QUEUE_STOPPING };

struct virtio_queue {
    struct virtio *virtio;
    unsigned index;

    /* As the driver has written it. Under virtio.lock. */
    uint16_t size;
    uint64_t desc, driver, device;
    bool enabled;
    bool resetting;          /* by itself, not with the device */
    _Atomic uint16_t vector; /* MSI-X */

    pthread_mutex_t lock; /* all below */
    enum virtio_queue_state state;
    struct virtq ring;
    bool break_told;
};

/* What the transport does. Any thread. */
struct virtio_transport {
    void (*queue_interrupt)(void *ctx, struct virtio_queue *q); /* under the queue's lock */
    void (*config_interrupt)(void *ctx);                        /* under virtio.lock */
    void (*reset)(void *ctx); /* under virtio.lock: no interrupt is pending, none has a vector */
    struct log *(*log)(void *ctx);
    struct virtq_memory memory;
    void *ctx;
};

struct virtio {
    const struct virtio_ops *ops;
    void *state;
    struct virtio_transport transport;
    uint64_t features; /* offered */
    uint16_t queue_size;
    unsigned config_size;
    _Atomic unsigned resets; /* how many there were */
    _Atomic bool live;       /* DRIVER_OK and not NEEDS_RESET: buffers may be popped */

    pthread_mutex_t lock;   /* all below, but for the queues' own part */
    pthread_cond_t settled; /* a reset has ended */
    uint8_t status;
    bool resetting;
    unsigned stopping; /* queues */
    uint64_t driver_features;
    uint8_t config[VIRTIO_CONFIG_MAX];
    uint8_t config_reset[VIRTIO_CONFIG_MAX]; /* what config is after a reset */
    uint8_t generation;                      /* of config, as the driver knows it */
    bool config_changed; /* since the driver has read any of it: what it reads next is a new one */
    unsigned queue_count;
    struct virtio_queue queues[];
};

struct virtio *virtio_new(const struct virtio_config *config,
                          const struct virtio_transport *transport, struct error *err);
/* Not ops->remove. All is reset. */
void virtio_free(struct virtio *v);

/* Power-on state. Waits for buffers under way; not on a thread that the device needs for them. */
void virtio_reset(struct virtio *v);

/*
 * Registers. All are called with virtio.lock held but these two, which take it.
 */
void virtio_set_status(struct virtio *v, uint8_t value);
void virtio_kick(struct virtio *v, unsigned queue);

void virtio_set_features(struct virtio *v, unsigned select, uint32_t value);
void virtio_enable_queue(struct virtio *v, struct virtio_queue *q);
void virtio_reset_queue(struct virtio *v, struct virtio_queue *q);
/* size: 1, 2, 4 or 8, anywhere. */
uint64_t virtio_read_config(struct virtio *v, uint64_t offset, unsigned size);
void virtio_write_config(struct virtio *v, uint64_t offset, unsigned size, uint64_t value);

#endif
