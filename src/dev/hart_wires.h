/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The interrupt inputs of the harts, as an interrupt controller drives them.
 *
 *     struct hart_wires wires = { .ctx = harts, .count = n, .set = hart_wires_set,
 *                                 .stimer_expired = hart_wires_stimer_expired,
 *                                 .message = hart_wires_message };
 *
 * All may be called with the controller's lock held: a hart calls no device under its own lock.
 */
#ifndef RVVM_DEV_HART_WIRES_H
#define RVVM_DEV_HART_WIRES_H

#include "cpu/hart.h"

#define HART_WIRES_MAX 64 /* harts */

struct hart_wires {
    void *ctx;
    unsigned count;                                                   /* up to HART_WIRES_MAX */
    void (*set)(void *ctx, unsigned hart, uint64_t bits, bool level); /* bits: 1 << IRQ_x */
    void (*stimer_expired)(void *ctx, unsigned hart);                 /* Sstc */
    /* To the hart's interrupt file of that level: an external interrupt's identity. */
    void (*message)(void *ctx, unsigned hart, enum imsic_level level, uint32_t identity);
};

/* For real harts: ctx is an array of struct hart *. */
static inline void hart_wires_set(void *ctx, unsigned hart, uint64_t bits, bool level)
{
    hart_set_irq(((struct hart **)ctx)[hart], bits, level);
}

static inline void hart_wires_stimer_expired(void *ctx, unsigned hart)
{
    hart_stimer_expired(((struct hart **)ctx)[hart]);
}

static inline void hart_wires_message(void *ctx, unsigned hart, enum imsic_level level,
                                      uint32_t identity)
{
    hart_message(((struct hart **)ctx)[hart], level, identity);
}

#endif
