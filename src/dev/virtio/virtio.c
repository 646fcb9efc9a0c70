/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Virtio devices: status, features and the life of queues, whatever the transport. See virtio.h for
 * devices and virtio_transport.h for transports.
 */
#include "dev/virtio/virtio.h"

#include "dev/virtio/virtio_transport.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FEATURES_OF_ALL \
    (VIRTIO_F_INDIRECT_DESC | VIRTIO_F_EVENT_IDX | VIRTIO_F_VERSION_1 | VIRTIO_F_RING_PACKED | \
     VIRTIO_F_RING_RESET)

void virtio_log_guest(struct virtio *v, const char *format, ...)
{
    char text[160];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    log_line(v->transport.log(v->transport.ctx), LOG_GUEST, "%s: %s", v->ops->name, text);
}

/*
 * Broken queues.
 */

/* 2.1.2: the driver is told, if it has come so far that it can be. */
static void needs_reset(struct virtio *v, unsigned queue, const char *why)
{
    virtio_log_guest(v, "queue %u: %s", queue, why);
    atomic_store(&v->live, false);
    v->status |= VIRTIO_S_NEEDS_RESET;
    if (v->status & VIRTIO_S_DRIVER_OK)
        v->transport.config_interrupt(v->transport.ctx);
}

/*
 * Resets, of queues and of the device.
 */

static void set_queue_to_power_on(struct virtio *v, struct virtio_queue *q)
{
    q->size = v->queue_size;
    q->desc = q->driver = q->device = 0;
    q->enabled = q->resetting = false;
    atomic_store(&q->vector, VIRTIO_NO_VECTOR);
}

static void finish_reset(struct virtio *v)
{
    for (unsigned i = 0; i < v->queue_count; i++)
        set_queue_to_power_on(v, &v->queues[i]);
    memcpy(v->config, v->config_reset, sizeof(v->config));
    v->config_changed = true;
    atomic_fetch_add(&v->resets, 1);
    v->driver_features = 0;
    v->status = 0;
    v->resetting = false;
    v->transport.reset(v->transport.ctx);
    if (v->ops->reset)
        v->ops->reset(v->state);
    pthread_cond_broadcast(&v->settled);
}

/* A queue that was stopping has nothing under way any more. */
static void queue_stopped(struct virtio *v, struct virtio_queue *q)
{
    v->stopping--;
    if (v->resetting) {
        if (!v->stopping)
            finish_reset(v);
    } else if (q->resetting) {
        uint16_t vector = atomic_load(&q->vector); /* 2.6.1: all but what is no part of the queue */
        set_queue_to_power_on(v, q);
        atomic_store(&q->vector, vector);
    }
}

/* Under the queue's lock. */
static bool is_idle_now(struct virtio_queue *q)
{
    if (q->state != VIRTIO_QUEUE_STOPPING || q->ring.popped)
        return false;
    q->state = VIRTIO_QUEUE_IDLE;
    virtq_stop(&q->ring);
    return true;
}

/* false: it has buffers under way, and queue_stopped() will be called. */
static bool stop_queue(struct virtio *v, struct virtio_queue *q)
{
    pthread_mutex_lock(&q->lock);
    if (q->state == VIRTIO_QUEUE_RUNNING) {
        q->state = VIRTIO_QUEUE_STOPPING;
        v->stopping++;
        if (v->ops->stop)
            v->ops->stop(v->state, q);
        if (is_idle_now(q))
            v->stopping--;
    }
    bool idle = q->state == VIRTIO_QUEUE_IDLE;
    pthread_mutex_unlock(&q->lock);
    return idle;
}

static void begin_reset(struct virtio *v)
{
    if (v->resetting)
        return;
    atomic_store(&v->live, false);
    v->resetting = true;
    for (unsigned i = 0; i < v->queue_count; i++)
        stop_queue(v, &v->queues[i]);
    if (!v->stopping)
        finish_reset(v);
}

void virtio_reset(struct virtio *v)
{
    pthread_mutex_lock(&v->lock);
    begin_reset(v);
    while (v->resetting)
        pthread_cond_wait(&v->settled, &v->lock);
    pthread_mutex_unlock(&v->lock);
}

void virtio_reset_queue(struct virtio *v, struct virtio_queue *q)
{
    if (!q->enabled || q->resetting || v->resetting)
        return;
    q->resetting = true;
    if (stop_queue(v, q)) {
        v->stopping++; /* as if it had stopped later */
        queue_stopped(v, q);
    }
}

/*
 * Queues, from the device's side.
 */

struct virtio_queue *virtio_begin(struct virtio *v, unsigned index)
{
    struct virtio_queue *q = &v->queues[index];
    pthread_mutex_lock(&q->lock);
    if (q->state != VIRTIO_QUEUE_IDLE)
        return q;
    pthread_mutex_unlock(&q->lock);
    return NULL;
}

void virtio_end(struct virtio_queue *q)
{
    struct virtio *v = q->virtio;
    /* Under the lock, for which a reset waits: no interrupt comes after one (2.4.1). */
    if (virtq_publish(&q->ring))
        v->transport.queue_interrupt(v->transport.ctx, q);
    bool stopped = is_idle_now(q);
    bool broken = q->ring.broken && !q->break_told;
    q->break_told |= broken;
    const char *why = q->ring.broken;
    unsigned resets = atomic_load(&v->resets); /* none can end before the lock is let go */
    pthread_mutex_unlock(&q->lock);
    if (!broken && !stopped)
        return;
    pthread_mutex_lock(&v->lock);
    if (broken && !v->resetting && resets == atomic_load(&v->resets))
        needs_reset(v, q->index, why);
    if (stopped)
        queue_stopped(v, q);
    pthread_mutex_unlock(&v->lock);
}

void virtio_pause(struct virtio_queue *q)
{
    pthread_mutex_unlock(&q->lock);
}

bool virtio_pop(struct virtio_queue *q, struct virtq_chain *chain)
{
    return q->state == VIRTIO_QUEUE_RUNNING && atomic_load(&q->virtio->live) &&
           virtq_pop(&q->ring, chain);
}

void virtio_unpop(struct virtio_queue *q, const struct virtq_chain *chain)
{
    virtq_unpop(&q->ring, chain);
}

bool virtio_is_exhausted(const struct virtio_queue *q)
{
    return virtq_is_exhausted(&q->ring);
}

void virtio_push(struct virtio_queue *q, const struct virtq_chain *chain, uint32_t written)
{
    virtq_push(&q->ring, chain, written);
}

void virtio_notify_off(struct virtio_queue *q)
{
    virtq_notify_off(&q->ring);
}

bool virtio_notify_on(struct virtio_queue *q)
{
    return q->state == VIRTIO_QUEUE_RUNNING && atomic_load(&q->virtio->live) &&
           virtq_notify_on(&q->ring);
}

unsigned virtio_queue_index(const struct virtio_queue *q)
{
    return q->index;
}

/*
 * Queues, from the driver's side.
 */

void virtio_enable_queue(struct virtio *v, struct virtio_queue *q)
{
    if (q->enabled || v->resetting)
        return;
    if (!(v->status & VIRTIO_S_FEATURES_OK)) {
        virtio_log_guest(v, "queue %u: enabled before features are agreed on", q->index);
        return;
    }
    struct virtq_layout layout = {
        .packed = v->driver_features & VIRTIO_F_RING_PACKED,
        .indirect = v->driver_features & VIRTIO_F_INDIRECT_DESC,
        .event_idx = v->driver_features & VIRTIO_F_EVENT_IDX,
        .size = q->size,
        .desc = q->desc,
        .driver = q->driver,
        .device = q->device,
    };
    q->enabled = true;
    pthread_mutex_lock(&q->lock);
    bool ok = virtq_start(&q->ring, &v->transport.memory, &layout);
    const char *why = q->ring.broken;
    q->break_told = !ok;
    q->state = VIRTIO_QUEUE_RUNNING;
    pthread_mutex_unlock(&q->lock);
    if (!ok)
        needs_reset(v, q->index, why);
}

/* Some drivers put buffers in before they say DRIVER_OK and ring no bell for them after it. */
static void notify_of_all(struct virtio *v)
{
    for (unsigned i = 0; i < v->queue_count; i++)
        v->ops->notify(v->state, i);
}

void virtio_kick(struct virtio *v, unsigned queue)
{
    if (queue >= v->queue_count)
        virtio_log_guest(v, "doorbell of queue %u: there are %u", queue, v->queue_count);
    else if (atomic_load(&v->live))
        v->ops->notify(v->state, queue);
}

/*
 * Status and features.
 */

void virtio_set_features(struct virtio *v, unsigned select, uint32_t value)
{
    if (select > 1)
        return;
    if (v->status & VIRTIO_S_FEATURES_OK) {
        virtio_log_guest(v, "features written after they were agreed on");
        return;
    }
    unsigned shift = 32 * select;
    v->driver_features &= ~((uint64_t)UINT32_MAX << shift);
    v->driver_features |= (uint64_t)value << shift;
}

/* 3.1.1, step 5: the driver reads the status again to see whether FEATURES_OK has stayed. */
static bool accept_features(struct virtio *v)
{
    uint64_t unknown = v->driver_features & ~v->features;
    if (unknown)
        virtio_log_guest(v, "features 0x%llx are not offered", (unsigned long long)unknown);
    else if (!(v->driver_features & VIRTIO_F_VERSION_1))
        virtio_log_guest(v, "the driver does not know VERSION_1");
    else {
        v->config_changed = true;
        if (v->ops->agreed)
            v->ops->agreed(v->state, v->driver_features, v->config);
        return true;
    }
    return false;
}

/* true: the device goes live. */
static bool change_status(struct virtio *v, uint8_t value)
{
    uint8_t set = value & ~v->status;
    if (v->status & ~value & ~VIRTIO_S_NEEDS_RESET)
        virtio_log_guest(v, "status 0x%02x after 0x%02x: bits stay until a reset", value,
                         v->status);
    if ((set & VIRTIO_S_FEATURES_OK) && !accept_features(v))
        set &= ~VIRTIO_S_FEATURES_OK;
    if ((set & VIRTIO_S_DRIVER_OK) && !((v->status | set) & VIRTIO_S_FEATURES_OK)) {
        virtio_log_guest(v, "DRIVER_OK before FEATURES_OK");
        set &= ~VIRTIO_S_DRIVER_OK;
    }
    v->status |= set & ~VIRTIO_S_NEEDS_RESET;
    bool live = (set & VIRTIO_S_DRIVER_OK) && !(v->status & VIRTIO_S_NEEDS_RESET);
    if (live)
        atomic_store(&v->live, true);
    return live;
}

void virtio_set_status(struct virtio *v, uint8_t value)
{
    bool live = false;
    pthread_mutex_lock(&v->lock);
    if (!value)
        begin_reset(v);
    else if (!v->resetting)
        live = change_status(v, value);
    pthread_mutex_unlock(&v->lock);
    if (live)
        notify_of_all(v);
}

/*
 * Configuration (2.5). Its generation counts changes that the driver may have seen, so that 8 bits do not
 * come round between two looks (4.1.4.3.1).
 */

uint64_t virtio_read_config(struct virtio *v, uint64_t offset, unsigned size)
{
    uint64_t value = 0;
    v->generation += v->config_changed;
    v->config_changed = false;
    for (unsigned i = 0; i < size; i++)
        if (offset + i < v->config_size)
            value |= (uint64_t)v->config[offset + i] << 8 * i;
    return value;
}

void virtio_write_config(struct virtio *v, uint64_t offset, unsigned size, uint64_t value)
{
    uint8_t bytes[VIRTIO_CONFIG_MAX];
    memcpy(bytes, v->config, sizeof(bytes));
    for (unsigned i = 0; i < size; i++)
        if (offset + i < v->config_size)
            bytes[offset + i] = (uint8_t)(value >> 8 * i);
    if (offset < v->config_size && v->ops->config_written &&
        v->ops->config_written(v->state, bytes, (unsigned)offset, size))
        memcpy(v->config, bytes, sizeof(bytes));
    else
        virtio_log_guest(v, "write to the configuration at %llu", (unsigned long long)offset);
}

void virtio_set_config(struct virtio *v, unsigned offset, const void *bytes, unsigned size)
{
    pthread_mutex_lock(&v->lock);
    memcpy(v->config + offset, bytes, size);
    memcpy(v->config_reset + offset, bytes, size);
    v->config_changed = true;
    if (v->status & VIRTIO_S_DRIVER_OK)
        v->transport.config_interrupt(v->transport.ctx);
    pthread_mutex_unlock(&v->lock);
}

void virtio_set_drivers_config(struct virtio *v, unsigned offset, const void *bytes, unsigned size)
{
    pthread_mutex_lock(&v->lock);
    memcpy(v->config + offset, bytes, size);
    v->config_changed = true;
    pthread_mutex_unlock(&v->lock);
}

/*
 * The whole.
 */

struct virtio *virtio_new(const struct virtio_config *config,
                          const struct virtio_transport *transport, struct error *err)
{
    struct virtio *v = calloc(1, sizeof(*v) + config->queues * sizeof(v->queues[0]));
    if (!v) {
        error_set(err, "%s: out of memory", config->ops->name);
        return NULL;
    }
    v->ops = config->ops;
    v->state = config->state;
    v->transport = *transport;
    v->features = (config->features | FEATURES_OF_ALL) & ~config->features_off;
    v->queue_size = config->queue_size;
    v->queue_count = config->queues;
    v->config_size = config->config_size;
    if (config->config_size) {
        memcpy(v->config_reset, config->config, config->config_size);
        memcpy(v->config, config->config, config->config_size);
    }
    pthread_mutex_init(&v->lock, NULL);
    pthread_cond_init(&v->settled, NULL);
    for (unsigned i = 0; i < v->queue_count; i++) {
        struct virtio_queue *q = &v->queues[i];
        q->virtio = v;
        q->index = i;
        pthread_mutex_init(&q->lock, NULL);
        set_queue_to_power_on(v, q);
    }
    return v;
}

void virtio_free(struct virtio *v)
{
    for (unsigned i = 0; i < v->queue_count; i++)
        pthread_mutex_destroy(&v->queues[i].lock);
    pthread_cond_destroy(&v->settled);
    pthread_mutex_destroy(&v->lock);
    free(v);
}
