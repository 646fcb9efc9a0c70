/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The board's interrupt controllers, of which there is a choice: a PLIC, or an APLIC that tells harts
 * by wires or by messages to their IMSICs. Devices get lines and do not know which.
 */
#ifndef RVVM_DEV_INTERRUPTS_H
#define RVVM_DEV_INTERRUPTS_H

#include "dev/hart_wires.h"
#include "dev/pci/pci_host.h"
#include "machine/board.h"

#define INTERRUPTS_INPUTS 95 /* that each kind of controller has */

struct interrupts {
    enum board_aia kind;
    struct device *wired;    /* the PLIC, or the APLIC's root domain */
    struct device *messages; /* the IMSICs' pages; NULL: none */
};

/* Adds them to the machine. The struct is needed only as long as lines are made from it. */
bool interrupts_add(struct interrupts *all, struct machine *m, const struct hart_wires *wires,
                    enum board_aia kind, struct error *err);

/* An input: numbers 1 to 95 are there with each of them. */
struct irq_line interrupts_line(const struct interrupts *all, unsigned number);

/* Where PCI's interrupts and messages go. */
void interrupts_for_pci(const struct interrupts *all, struct pci_host_config *pci);

#endif
