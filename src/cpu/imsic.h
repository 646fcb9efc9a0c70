/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The incoming MSI controller of a hart (Advanced Interrupt Architecture 1.0, chapter 3): an
 * interrupt file for M-mode and one for S-mode. A hart with Smaia or Ssaia has it.
 *
 * A message sets a pending bit, from any thread, and kicks. All else is the hart's own, and whether an
 * external interrupt is pending is looked up when mip is: there is no wire to keep up to date.
 */
#ifndef RVVM_CPU_IMSIC_H
#define RVVM_CPU_IMSIC_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct hart;

enum imsic_level { IMSIC_M, IMSIC_S, IMSIC_FILES };

#define IMSIC_IDENTITIES 255 /* 1 to 255; a lower number goes first */
#define IMSIC_WORDS 4

/* eidelivery */
#define IMSIC_DELIVER_NONE 0u
#define IMSIC_DELIVER_FILE 1u
#define IMSIC_DELIVER_WIRE 0x40000000u /* the wire of a PLIC or APLIC, at reset: see quirks.md */

struct imsic_file {
    _Atomic uint64_t pending[IMSIC_WORDS]; /* any thread: eip */
    uint64_t enabled[IMSIC_WORDS];         /* eie */
    uint32_t delivery, threshold;          /* eidelivery, eithreshold */
    unsigned seen; /* what xtopei was last read as: the one a write claims */
};

void imsic_reset(struct imsic_file *file);

/* The pending and enabled identity that goes first and is below the threshold; 0: none. */
unsigned imsic_top(const struct imsic_file *file);
void imsic_claim(struct imsic_file *file, unsigned identity);

/* The bits of mip with MEIP and SEIP as they are delivered, from those that wires hold up. */
uint64_t imsic_deliver(const struct imsic_file files[IMSIC_FILES], uint64_t wires);

/* Any thread: a message with that identity as its data. Others than 1 to 255 are ignored. */
void hart_message(struct hart *h, enum imsic_level level, uint32_t identity);

#endif
