/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The platform-level interrupt controller (RISC-V PLIC specification 1.0) in the layout of SiFive's
 * parts: for each hart a context for M-mode and one for S-mode.
 */
#ifndef RVVM_DEV_PLIC_H
#define RVVM_DEV_PLIC_H

#include "dev/hart_wires.h"
#include "machine/device.h"

#define PLIC_BASE 0x0c000000
#define PLIC_SIZE 0x600000
#define PLIC_SOURCES 95 /* inputs 1 to 95 */

struct plic_config {
    struct hart_wires wires; /* MEIP, SEIP */
};

struct device *plic_new(const struct plic_config *config, struct error *err);

/* An input for a device. */
struct irq_line plic_line(struct device *dev, unsigned number);

#endif
