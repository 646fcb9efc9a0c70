/* SPDX-License-Identifier: MPL-2.0 */
/* The default board: the devices and the memory map of QEMU's `virt` machine, as far as they go. */
#ifndef RVVM_MACHINE_BOARD_H
#define RVVM_MACHINE_BOARD_H

#include "host/event_loop.h"
#include "machine/chardev.h"
#include "machine/machine.h"

/* Interrupt controllers. */
enum board_aia {
    BOARD_PLIC,
    BOARD_APLIC,       /* by wires */
    BOARD_APLIC_IMSIC, /* by messages; harts have Smaia and Ssaia */
};

struct board_config {
    enum board_aia aia;
    struct event_loop *loop; /* outlives the machine */
    struct chardev *serial;  /* outlives the machine */
};

/* Inputs of the interrupt controller up to this one are for what the board has itself. */
#define BOARD_IRQS 35

struct disk;

/*
 * Two banks of flash for a machine that has a rom for them. Takes the images over, also when it
 * fails; NULL: a blank bank.
 */
bool board_add_flash(struct machine *m, struct disk *const images[2], struct error *err);

/* Tells firmware in flash to try the drives in the order of their places. When all are plugged in. */
bool board_add_boot_order(struct machine *m, struct error *err);

bool board_build(struct machine *m, const struct board_config *config, struct error *err);

#endif
