/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A virtio console device with one or more ports, each in front of a character channel. A port
 * without a name is a console (Linux: /dev/hvc0, ...), one with a name a serial port for programs
 * (/dev/virtio-ports/NAME).
 */
#ifndef RVVM_DEV_VIRTIO_VIRTIO_CONSOLE_H
#define RVVM_DEV_VIRTIO_VIRTIO_CONSOLE_H

#include "base/error.h"
#include "dev/pci/pci.h"
#include "machine/chardev.h"

struct event_loop;

#define VIRTIO_CONSOLE_PORTS_MAX 31
#define VIRTIO_CONSOLE_NAME_MAX 63 /* bytes */

struct virtio_console_port {
    struct chardev *chardev; /* outlives the device */
    const char *name;        /* copied; NULL: a console */
};

struct virtio_console_config {
    struct event_loop *loop; /* outlives the device */
    const struct virtio_console_port *ports;
    unsigned port_count;   /* 1 to VIRTIO_CONSOLE_PORTS_MAX */
    uint64_t features_off; /* virtio.h */
};

/* NULL: err says why. */
struct pci_function *virtio_console_new(const struct virtio_console_config *config,
                                        struct error *err);

#endif
