/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Character channels: what all backs share. See chardev.h.
 */
#include "machine/chardev.h"

void chardev_init(struct chardev *cd, const struct chardev_ops *ops)
{
    cd->ops = ops;
    cd->front = (struct chardev_front){0};
    pthread_mutex_init(&cd->front_lock, NULL);
}

void chardev_destroy(struct chardev *cd)
{
    pthread_mutex_destroy(&cd->front_lock);
}

void chardev_free(struct chardev *cd)
{
    if (!cd)
        return;
    chardev_drain(cd);
    cd->ops->free(cd);
}

void chardev_attach(struct chardev *cd, const struct chardev_front *front)
{
    pthread_mutex_lock(&cd->front_lock);
    cd->front = front ? *front : (struct chardev_front){0};
    pthread_mutex_unlock(&cd->front_lock);
    if (front)
        cd->ops->attached(cd);
}

/* The callback runs with the lock held: that is what makes chardev_attach() wait for it. */

void chardev_notify_readable(struct chardev *cd)
{
    pthread_mutex_lock(&cd->front_lock);
    if (cd->front.on_readable)
        cd->front.on_readable(cd->front.ctx);
    pthread_mutex_unlock(&cd->front_lock);
}

void chardev_notify_writable(struct chardev *cd)
{
    pthread_mutex_lock(&cd->front_lock);
    if (cd->front.on_writable)
        cd->front.on_writable(cd->front.ctx);
    pthread_mutex_unlock(&cd->front_lock);
}

void chardev_notify_break(struct chardev *cd)
{
    pthread_mutex_lock(&cd->front_lock);
    if (cd->front.on_break)
        cd->front.on_break(cd->front.ctx);
    pthread_mutex_unlock(&cd->front_lock);
}
