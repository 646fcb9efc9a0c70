/* SPDX-License-Identifier: MPL-2.0 */
/*
 * TAP devices: Ethernet interfaces of the host whose cable ends in this process. Each frame has a header
 * before it, struct tap_header, which is the one of virtio (Virtual I/O Device 1.2, 5.1.6, without the
 * number of buffers) in the host's byte order: large packets and unfinished checksums pass as they are.
 */
#ifndef RVVM_HOST_TAP_H
#define RVVM_HOST_TAP_H

#include "base/error.h"
#include "host/stream.h"
#include "host/iovec.h"
#include <stddef.h>
#include <stdint.h>

enum tap_header_flags { TAP_NEEDS_CSUM = 1, TAP_DATA_VALID = 2 };
enum tap_gso {
    TAP_GSO_NONE = 0,
    TAP_GSO_TCP4 = 1,
    TAP_GSO_TCP6 = 4,
    TAP_GSO_UDP = 5,
    TAP_GSO_ECN = 0x80
};

struct tap_header {
    uint8_t flags, gso_type;
    uint16_t header_size, gso_size;
    uint16_t csum_start, csum_offset;
};

/* What a side takes: bits. */
enum tap_offload { TAP_CSUM = 1, TAP_TSO4 = 2, TAP_TSO6 = 4, TAP_USO = 8 };

struct tap_info {
    char name[16];
    unsigned mtu;
    unsigned offloads; /* that the host takes */
};

/* Opens the device, or makes it for as long as it is open. name: NULL or "" leaves the choice of one to the
 * host. A descriptor that never makes its thread wait, or -1. */
int tap_device_open(const char *name, struct tap_info *info, struct error *err);
/* What the host may send from now on. */
void tap_device_take(int fd, unsigned offloads);

/* One frame. STREAM_END: the device has gone. */
enum stream_result tap_device_read(int fd, struct tap_header *header, void *frame, size_t room,
                                   size_t *size);
/* Up to TAP_IOV_MAX pieces. STREAM_ERROR: this one is lost (the interface is down, its header is wrong). */
enum stream_result tap_device_write(int fd, const struct tap_header *header,
                                    const struct iovec *iov, unsigned count);
#define TAP_IOV_MAX 64

#endif
