/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The power button: a virtio input device with one key. Not a GPIO's "gpio-keys", since Debian's kernels for
 * RISC-V have no driver for these, and not ACPI's, since machines here have a device tree.
 */
#ifndef RVVM_DEV_VIRTIO_VIRTIO_BUTTON_H
#define RVVM_DEV_VIRTIO_VIRTIO_BUTTON_H

#include "dev/pci/pci.h"

struct virtio_button;

struct virtio_button_config {
    uint64_t
        features_off; /* enum virtio_feature bits not to be offered: for tests and old drivers */
};

/* *button lives as long as the function. NULL: err says why. */
struct pci_function *virtio_button_new(struct virtio_button **button,
                                       const struct virtio_button_config *config,
                                       struct error *err);

/* Pressed and let go. Any thread. false: err says why nobody has felt it. */
bool virtio_button_press(struct virtio_button *button, struct error *err);

#endif
