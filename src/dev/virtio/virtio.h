/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What a virtio device is to whatever brings it to the guest (Virtual I/O Device 1.2), and how the
 * device gets at its queues. The transport, features, status, resets and interrupts are done here and
 * in virtio_pci.c; a device says what it is, and processes buffers:
 *
 *     static void serve(struct rng *rng)           on a thread of its own choice, not the hart's
 *     {
 *         struct virtio_queue *q = virtio_begin(rng->virtio, 0);
 *         if (!q)
 *             return;                              the driver does not use it (any more)
 *         virtio_notify_off(q);
 *         do {
 *             while (virtio_pop(q, &chain))
 *                 virtio_push(q, &chain, fill(&chain));
 *         } while (virtio_notify_on(q));
 *         virtio_end(q);                           one interrupt for all, if the driver wants it
 *     }
 *
 * A chain may be kept and pushed in a later pair of begin and end, in any order. The driver may reset
 * a queue or the device at any time: then nothing more is popped, the guest waits until everything
 * that was popped has been pushed, and no doorbell is needed for that. So a device does not deal with
 * resets, unless it keeps chains for as long as it likes (stop) or has a state (reset).
 *
 * Locks: virtio_begin takes the queue's, virtio_end lets it go. Take none of the device's around
 * them that notify, stop or reset take, and only one queue's at a time.
 */
#ifndef RVVM_DEV_VIRTIO_VIRTIO_H
#define RVVM_DEV_VIRTIO_VIRTIO_H

#include "base/error.h"
#include "base/log.h"
#include "dev/pci/pci.h"
#include "dev/virtio/virtqueue.h"

struct virtio;
struct virtio_queue;

#define VIRTIO_QUEUES_MAX 128
#define VIRTIO_CONFIG_MAX 136 /* bytes of a device's configuration */

/* Feature bits that belong to no kind of device (6). Those offered here are offered by all. */
#define VIRTIO_F_INDIRECT_DESC (UINT64_C(1) << 28)
#define VIRTIO_F_EVENT_IDX (UINT64_C(1) << 29)
#define VIRTIO_F_VERSION_1 (UINT64_C(1) << 32)
#define VIRTIO_F_RING_PACKED (UINT64_C(1) << 34)
#define VIRTIO_F_RING_RESET (UINT64_C(1) << 40)

enum virtio_id { /* 5 */
                 VIRTIO_ID_NET = 1,
                 VIRTIO_ID_BLOCK = 2,
                 VIRTIO_ID_CONSOLE = 3,
                 VIRTIO_ID_ENTROPY = 4,
                 VIRTIO_ID_INPUT = 18,
};

struct virtio_ops {
    const char *name; /* "virtio-blk" */
    enum virtio_id id;
    uint32_t class_code; /* PCI's */
    /* There may be buffers in the queue. Mostly on a hart's thread, no lock held: wake somebody. */
    void (*notify)(void *state, unsigned queue);
    /*
     * The queue is taken away: push the chains that no other thread is about to push. Between begin
     * and end, so to speak. May be NULL.
     */
    void (*stop)(void *state, struct virtio_queue *q);
    /*
     * The driver has written a part of the configuration, which is in bytes now (2.5). May be NULL:
     * there is nothing to write. false: it may not, and the bytes are as they were.
     */
    bool (*config_written)(void *state, uint8_t *bytes, unsigned offset, unsigned size);
    /* The driver has agreed on these features (FEATURES_OK), and config is what they make it. May be NULL. */
    void (*agreed)(void *state, uint64_t features, uint8_t *config);
    /* To the state of power-on; all queues have stopped. May be NULL. */
    void (*reset)(void *state);
    /* Frees state: nothing of it is used any more. */
    void (*remove)(void *state);
};

struct virtio_config {
    const struct virtio_ops *ops;
    void *state;
    uint64_t features;     /* of this kind of device */
    uint64_t features_off; /* of all that would be offered: for tests and old drivers */
    unsigned queues;
    uint16_t queue_size; /* the most that a driver may choose; a power of two */
    const void *config;  /* at power-on */
    unsigned config_size;
};

/*
 * A PCI function with the device in it, whose removal calls ops->remove; *virtio is set before any of
 * ops is called. NULL: err says why, and ops->remove has been called.
 */
struct pci_function *virtio_pci_new(struct virtio **virtio, const struct virtio_config *config,
                                    struct error *err);

/* The queue, locked; NULL: the driver does not use it, or has reset it and all has been pushed. */
struct virtio_queue *virtio_begin(struct virtio *v, unsigned index);
void virtio_end(struct virtio_queue *q);
/*
 * Instead of virtio_end, with no chain kept: the driver is told of nothing yet. A later pair of begin
 * and end does that, for all; the device sees to it that there is one.
 */
void virtio_pause(struct virtio_queue *q);

/* virtqueue.h's, for the queue between begin and end. */
bool virtio_pop(struct virtio_queue *q, struct virtq_chain *chain);
void virtio_unpop(struct virtio_queue *q, const struct virtq_chain *chain);
bool virtio_is_exhausted(const struct virtio_queue *q);
void virtio_push(struct virtio_queue *q, const struct virtq_chain *chain, uint32_t written);
void virtio_notify_off(struct virtio_queue *q);
bool virtio_notify_on(struct virtio_queue *q);

unsigned virtio_queue_index(const struct virtio_queue *q);

/*
 * Changes the configuration, also for drivers after this one, and tells this one. Not between begin
 * and end.
 */
void virtio_set_config(struct virtio *v, unsigned offset, const void *bytes, unsigned size);
/*
 * Changes it for this driver alone, who has asked for it and is not told. Keep the chain with its wish
 * meanwhile, so that no other driver comes.
 */
void virtio_set_drivers_config(struct virtio *v, unsigned offset, const void *bytes, unsigned size);

/* Any thread. What a guest does wrong, with the device's name in front. */
void virtio_log_guest(struct virtio *v, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
