/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A virtio block device.
 *
 *     struct virtio_blk_config config = {.disk = disk, .queues = harts};
 *     pci_plug(bus, virtio_blk_new(&config, err), err);
 */
#ifndef RVVM_DEV_VIRTIO_VIRTIO_BLK_H
#define RVVM_DEV_VIRTIO_VIRTIO_BLK_H

#include "base/error.h"
#include "dev/pci/pci.h"

struct disk;

#define VIRTIO_BLK_QUEUES_MAX 64
#define VIRTIO_BLK_SERIAL_MAX 20 /* characters */

struct virtio_blk_config {
    struct disk *disk;
    unsigned queues;    /* 1 to VIRTIO_BLK_QUEUES_MAX; more are cut, 0 is 1: one a hart is best */
    const char *serial; /* cut to fit; NULL: made from the image's name */
    uint64_t features_off; /* virtio.h */
};

/* Takes over the disk when it succeeds. NULL: it is still the caller's, and err says why. */
struct pci_function *virtio_blk_new(const struct virtio_blk_config *config, struct error *err);

#endif
