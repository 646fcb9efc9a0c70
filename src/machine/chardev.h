/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A character channel between a device of the machine (its "front": a UART) and the world outside
 * (its "back": a terminal, a socket). Neither side ever waits for the other, and no byte is lost
 * while something is connected:
 *
 *   out: chardev_write() takes what there is room for; the front keeps the rest and shows its guest
 *        a busy transmitter until on_writable().
 *   in:  bytes wait in the channel, which stops reading the outside when it is full; on_readable()
 *        says that there are some, chardev_read() fetches as many as the front has room for.
 */
#ifndef RVVM_MACHINE_CHARDEV_H
#define RVVM_MACHINE_CHARDEV_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

struct chardev;

/* What the back does. */
struct chardev_ops {
    const char *name;
    size_t (*write)(struct chardev *cd, const void *bytes, size_t size);
    size_t (*read)(struct chardev *cd, void *bytes, size_t size);
    void (*drain)(struct chardev *cd);
    void (*attached)(struct chardev *cd); /* a front has come: tell it of input that waits */
    void (*free)(struct chardev *cd);
};

/* What the front is told, on the event loop's thread. NULL entries are allowed. */
struct chardev_front {
    void (*on_readable)(void *ctx); /* input has come */
    void (*on_writable)(void *ctx); /* room again after a write that took less than asked */
    void (*on_break)(void *ctx);    /* the user sent a break */
    void *ctx;
};

struct chardev {
    const struct chardev_ops *ops;
    pthread_mutex_t front_lock; /* held while the front is called and while it changes */
    struct chardev_front front;
};

/* Any thread. Returns how many bytes were taken, 0 to size. Bytes for a disconnected line are taken
 * and dropped. */
static inline size_t chardev_write(struct chardev *cd, const void *bytes, size_t size)
{
    return cd->ops->write(cd, bytes, size);
}

/* Any thread. Returns how many bytes were fetched, 0 to size. */
static inline size_t chardev_read(struct chardev *cd, void *bytes, size_t size)
{
    return cd->ops->read(cd, bytes, size);
}

/* Any thread but the event loop's: waits until output has left the process, or until a stuck
 * receiver has moved nothing for a while. Called when the machine has stopped. */
static inline void chardev_drain(struct chardev *cd)
{
    cd->ops->drain(cd);
}

/* Drains and frees. cd may be NULL. The front must have let go. */
void chardev_free(struct chardev *cd);

/*
 * Connects a front; NULL: lets go. Input that arrived before is announced at once by a call from the
 * event loop. After it returns the old front is not called any more. Take no lock around it that
 * the front's callbacks take.
 */
void chardev_attach(struct chardev *cd, const struct chardev_front *front);

/*
 * For backs.
 */
void chardev_init(struct chardev *cd, const struct chardev_ops *ops);
void chardev_destroy(struct chardev *cd);
void chardev_notify_readable(struct chardev *cd);
void chardev_notify_writable(struct chardev *cd);
void chardev_notify_break(struct chardev *cd);

#endif
