/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A virtqueue (Virtual I/O Device 1.2, 2.6 to 2.8): the ring by which a driver hands buffers to a
 * device and gets them back. Split and packed rings look the same here.
 *
 *     struct iovec iov[VIRTQ_IOV_MAX];
 *     struct virtq_chain chain = {.iov = iov, .iov_max = VIRTQ_IOV_MAX};
 *
 *     virtq_notify_off(vq);
 *     do {
 *         while (virtq_pop(vq, &chain)) {        the next buffer that the driver has made available
 *             ...                                read what iov[0 .. out) name, write what follows
 *             virtq_push(vq, &chain, written);   now or much later, in any order
 *         }
 *     } while (virtq_notify_on(vq));             true: one more has come meanwhile
 *     if (virtq_publish(vq))                     the driver sees all that was pushed, at once
 *         raise_interrupt();
 *
 * The rings are the guest's memory and it may write there at any time: every field is read once and
 * checked before it is used. What no driver does (a descriptor outside its table, a chain in a
 * circle, memory that is none, more buffers than the ring has) breaks the queue: pop then gives
 * nothing more, pushes write nothing, and broken says what it was. The device needs a reset.
 *
 * A virtqueue has no lock: its owner sees to it that one thread uses it at a time. Devices reach
 * theirs through virtio.h, which has the lock.
 */
#ifndef RVVM_DEV_VIRTIO_VIRTQUEUE_H
#define RVVM_DEV_VIRTIO_VIRTQUEUE_H

#include "host/iovec.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VIRTQ_SIZE_MAX 1024
#define VIRTQ_IOV_MAX 1024 /* a chain has no more descriptors than the largest queue has */

/* The way to guest memory. */
struct virtq_memory {
    void *(*map)(void *ctx, uint64_t address, size_t size); /* NULL: not all of it is memory */
    void (*written)(void *ctx, const void *bytes, size_t size);
    void *ctx;
};

/* What driver and device have agreed on, and where the ring lies. */
struct virtq_layout {
    bool packed;
    bool indirect;  /* VIRTIO_F_INDIRECT_DESC */
    bool event_idx; /* VIRTIO_F_EVENT_IDX */
    uint16_t size;
    uint64_t desc, driver, device; /* the three areas; split: table, available and used ring */
};

/* A buffer: memory for the device to read, and then some for it to write. */
struct virtq_chain {
    /* Whoever pops gives room. */
    struct iovec *iov;
    unsigned iov_max;
    /* Of virtq_pop. */
    unsigned out, in; /* entries of iov that are to be read, and that follow, to be written */
    uint64_t out_size, in_size; /* their bytes */
    /* The ring's. */
    uint16_t id;    /* by which the driver knows it */
    uint16_t slots; /* descriptors of the ring that it takes: an indirect table is one */
};

struct virtq_ops; /* virtq_ring.h: one for each kind of ring */

struct virtq {
    const struct virtq_ops *ops; /* NULL: not started */
    struct virtq_memory memory;
    bool indirect, event_idx;
    uint16_t size;
    const char *broken; /* what the driver did wrong; NULL: nothing */
    unsigned popped;    /* chains that have been popped and not pushed */
    unsigned busy;      /* slots of these */

    uint16_t next_avail; /* where the next buffer will be: split: counts on, packed: a slot */
    uint16_t next_used;  /* likewise, where the next is given back */
    union {
        struct {
            struct virtq_split_desc *desc;
            uint16_t *avail; /* flags, idx, ring[size], used_event */
            uint16_t *used;  /* flags, idx, ring[size] of 8 bytes each, avail_event */
            uint16_t seen;   /* avail's idx as it was last read */
            uint16_t published;
        } split;
        struct {
            struct virtq_packed_desc *desc;
            uint32_t *driver_event, *device_event; /* off_wrap and flags */
            bool avail_wrap, used_wrap;            /* the wrap counters */
            uint16_t first;       /* slot of the first chain that is not published yet */
            uint16_t first_flags; /* and what its flags will be */
            bool first_wrap;
            bool unpublished; /* there is one */
        } packed;
    };
};

/*
 * Starts at the beginning of a ring whose areas are mapped now. false: vq->broken says what is wrong
 * with the layout. Sizes: 1 to VIRTQ_SIZE_MAX, a power of two for a split ring.
 */
bool virtq_start(struct virtq *vq, const struct virtq_memory *memory,
                 const struct virtq_layout *layout);
void virtq_stop(struct virtq *vq);

/*
 * The next available buffer; false: there is none. Descriptors of no bytes have no entry in iov, so
 * that out and in may both be 0.
 */
bool virtq_pop(struct virtq *vq, struct virtq_chain *chain);

/*
 * As if the buffer had not been popped: the next virtq_pop gets it again, and reads anew what the
 * driver says of it. Of several the last one comes first. For a device that finds it cannot use it now.
 */
void virtq_unpop(struct virtq *vq, const struct virtq_chain *chain);

/*
 * Whether the driver can put nothing in before it gets something back: each of the ring's descriptors
 * is in a buffer that was popped.
 */
bool virtq_is_exhausted(const struct virtq *vq);

/*
 * Gives a buffer back, of which the first `written` bytes to be written were; the machine is told of
 * these. The driver does not see it yet.
 */
void virtq_push(struct virtq *vq, const struct virtq_chain *chain, uint32_t written);

/* Makes what was pushed visible. true: the driver wants an interrupt for it. */
bool virtq_publish(struct virtq *vq);

/* Says that the device looks by itself and needs no doorbell. A hint: doorbells may still come. */
void virtq_notify_off(struct virtq *vq);
/* Asks for a doorbell with the next buffer. true: there is one now, that may have had none. */
bool virtq_notify_on(struct virtq *vq);

/*
 * Copies from a chain's memory to read, or to its memory to write, from `offset` bytes into it on.
 * The number of bytes that there were.
 */
size_t virtq_chain_read(const struct virtq_chain *chain, uint64_t offset, void *bytes, size_t size);
size_t virtq_chain_write(const struct virtq_chain *chain, uint64_t offset, const void *bytes,
                         size_t size);

#endif
