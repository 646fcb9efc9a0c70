/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The host bridge: a PCI Express root complex of the generic kind ("pci-host-ecam-generic"), at the
 * addresses of QEMU's `virt` machine. Config space is memory (ECAM, Express Base 7.2.2); three windows
 * lead to BARs. An address on a bus is the same address of the machine.
 *
 *     struct pci_host_config config = {.machine = m, .intx = {...}, .msi = {...}};
 *     struct pci_bus *root = pci_host_add(&config, err);
 *     pci_plug(root, nvme_new(...), err);
 */
#ifndef RVVM_DEV_PCI_PCI_HOST_H
#define RVVM_DEV_PCI_PCI_HOST_H

#include "dev/pci/pci.h"
#include "machine/machine.h"

#define PCI_IO_WINDOW_BASE 0x03000000
#define PCI_IO_WINDOW_SIZE 0x10000
#define PCI_ECAM_BASE 0x30000000
#define PCI_ECAM_SIZE 0x10000000 /* 256 buses */
#define PCI_LOW_WINDOW_BASE 0x40000000
#define PCI_LOW_WINDOW_SIZE 0x40000000
#define PCI_INTX_IRQ 32 /* to 35: inputs of the interrupt controller */

/*
 * Who takes messages for harts. true: the address was its own. Other messages go to main memory, as a
 * write of four bytes; elsewhere they get lost. Any thread.
 */
struct pci_msi_target {
    bool (*send)(void *ctx, uint64_t address, uint32_t data);
    void *ctx;
};

struct pci_host_config {
    struct machine *machine;
    struct irq_line intx[4];
    struct pci_msi_target msi; /* send NULL: nobody does */
    uint32_t msi_parent;       /* phandle of the MSI controller in the device tree; 0: none */
    uint32_t intx_parent;      /* phandle of the interrupt controller */
    unsigned intx_cells;       /* that its inputs take: 1 the number, 2 the number and the kind */
};

/* Adds the bridge's windows to the machine, whose main memory must be there. The root bus, or NULL. */
struct pci_bus *pci_host_add(const struct pci_host_config *config, struct error *err);

#endif
