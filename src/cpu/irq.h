/* SPDX-License-Identifier: MPL-2.0 */
/* Interrupts of a hart, between trap.c, the CSRs and irq.c. What others call is in hart.h. */
#ifndef RVVM_CPU_IRQ_H
#define RVVM_CPU_IRQ_H

#include "cpu/hart.h"

/* The number of the interrupt to take now, or -1. */
int irq_choose(const struct hart *h);

/* Of the interrupts in a mask the one that goes first, or -1. */
int irq_highest(uint64_t pending);

/*
 * After anything that may enable an interrupt: when one can be taken, sets HART_EV_IRQ so that the
 * next block boundary takes it, and is true.
 */
bool irq_recheck(struct hart *h);

#endif
