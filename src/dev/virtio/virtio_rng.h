/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A virtio entropy device: the host's random generator for the guest's.
 */
#ifndef RVVM_DEV_VIRTIO_VIRTIO_RNG_H
#define RVVM_DEV_VIRTIO_VIRTIO_RNG_H

#include "base/error.h"
#include "dev/pci/pci.h"

struct event_loop;

struct virtio_rng_config {
    struct event_loop *loop; /* outlives the device */
    uint64_t features_off;   /* virtio.h */
};

/* NULL: err says why. */
struct pci_function *virtio_rng_new(const struct virtio_rng_config *config, struct error *err);

#endif
