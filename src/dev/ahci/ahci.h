/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A SATA controller with the Advanced Host Controller Interface, a disk a port, as a PCI function.
 *
 *     struct ahci_config config = {.ports = {{.disk = disk}}, .port_count = 1};
 *     pci_plug(bus, ahci_new(&config, err), err);
 */
#ifndef RVVM_DEV_AHCI_AHCI_H
#define RVVM_DEV_AHCI_AHCI_H

#include "base/error.h"

struct disk;
struct pci_function;

#define AHCI_PORTS_MAX 32

struct ahci_port_config {
    struct disk *disk;
    const char *serial; /* up to DRIVE_SERIAL_MAX characters; more are cut */
};

struct ahci_config {
    struct ahci_port_config ports[AHCI_PORTS_MAX];
    unsigned port_count; /* at least one */
};

/* Takes over the disks when it succeeds. NULL: they are still the caller's. */
struct pci_function *ahci_new(const struct ahci_config *config, struct error *err);

#endif
