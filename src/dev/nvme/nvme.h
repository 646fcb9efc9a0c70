/* SPDX-License-Identifier: MPL-2.0 */
/*
 * An NVM Express 1.4 controller with one or more namespaces, as a PCI function.
 *
 *     struct nvme_config config = {.namespaces = {{.disk = disk}}, .namespace_count = 1};
 *     pci_plug(bus, nvme_new(&config, err), err);
 */
#ifndef RVVM_DEV_NVME_NVME_H
#define RVVM_DEV_NVME_NVME_H

#include "base/error.h"
#include <stdint.h>

struct disk;
struct pci_function;

#define NVME_NAMESPACES_MAX 16

struct nvme_namespace_config {
    struct disk *disk;
    unsigned block_size; /* bytes a logical block: 512 or 4096; 0: 512 */
};

struct nvme_config {
    struct nvme_namespace_config namespaces[NVME_NAMESPACES_MAX]; /* numbered from 1 */
    unsigned namespace_count;                                     /* at least one */
    const char *serial; /* up to DRIVE_SERIAL_MAX characters; more are cut */
};

/* Takes over the disks when it succeeds. NULL: they are still the caller's. */
struct pci_function *nvme_new(const struct nvme_config *config, struct error *err);

#endif
