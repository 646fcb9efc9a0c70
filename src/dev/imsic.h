/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Where messages for the harts' interrupt files are written (Advanced Interrupt Architecture 1.0, 3.5
 * and 3.6): a page for each hart, those for M-mode and those for S-mode apart. The files themselves are
 * the harts': cpu/imsic.h.
 */
#ifndef RVVM_DEV_IMSIC_H
#define RVVM_DEV_IMSIC_H

#include "dev/hart_wires.h"
#include "machine/device.h"

#define IMSIC_M_BASE 0x24000000
#define IMSIC_S_BASE 0x28000000
#define IMSIC_PAGE 0x1000

/* Devices for the pages of the two levels; the removal of M-mode's frees both. NULL: none was made. */
struct device *imsic_new(const struct hart_wires *wires, struct error *err);
struct device *imsic_supervisor(struct device *machine_level);

/* For struct pci_msi_target: a message of a device. false: the address is in no page. Any thread. */
bool imsic_send(void *machine_level, uint64_t address, uint32_t data);

#endif
