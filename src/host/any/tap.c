/* SPDX-License-Identifier: MPL-2.0 */
/*
 * TAP devices: none. Every system has its own; Windows has those only that others sell or give away, which speak
 * in ways of their own.
 */
#include "host/tap.h"

int tap_device_open(const char *name, struct tap_info *info, struct error *err)
{
    (void)info;
    error_set(err, "%s: TAP devices are not used on this system", name && *name ? name : "tap");
    return -1;
}

void tap_device_take(int fd, unsigned offloads)
{
    (void)fd;
    (void)offloads;
}

enum stream_result tap_device_read(int fd, struct tap_header *header, void *frame, size_t room,
                                   size_t *size)
{
    (void)fd;
    (void)header;
    (void)frame;
    (void)room;
    *size = 0;
    return STREAM_END;
}

enum stream_result tap_device_write(int fd, const struct tap_header *header,
                                    const struct iovec *iov, unsigned count)
{
    (void)fd;
    (void)header;
    (void)iov;
    (void)count;
    return STREAM_ERROR;
}
