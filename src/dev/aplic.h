/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The advanced platform-level interrupt controller (Advanced Interrupt Architecture 1.0, chapter 4):
 * an interrupt domain for M-mode at the root and one below it for S-mode, which the same wires lead
 * to. A domain tells harts by wires (direct delivery) or, where they have IMSICs, by messages.
 */
#ifndef RVVM_DEV_APLIC_H
#define RVVM_DEV_APLIC_H

#include "dev/hart_wires.h"
#include "machine/device.h"

#define APLIC_M_BASE 0x0c000000
#define APLIC_S_BASE 0x0d000000
#define APLIC_SIZE 0x8000
#define APLIC_SOURCES 96 /* 1 to 96 */

struct aplic_config {
    struct hart_wires wires; /* MEIP, SEIP, messages */
    bool messages;           /* the harts have IMSICs */
};

/* Devices for the two domains, of which the root's removal frees both. NULL: none was made. */
struct device *aplic_new(const struct aplic_config *config, struct error *err);
struct device *aplic_supervisor(struct device *root);

/* An input for a device. */
struct irq_line aplic_line(struct device *root, unsigned number);

/*
 * What firmware does before it starts a kernel: all sources to the S-mode domain. After a reset, for a
 * kernel that has no firmware below it.
 */
void aplic_delegate(struct device *root);

#endif
