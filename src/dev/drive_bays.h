/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Drives that come and go while the machine runs: slots of PCI Express (dev/pci/slot.h), each for one.
 *
 *     struct drive_bays *bays = drive_bays_new(&config, err);
 *     drive_bays_add(bays, &drive, &number, err)
 *     drive_bays_remove(bays, number, false, &gone, err)      gone, or config.changed tells when it is
 *     drive_bays_free(bays);                                  before the machine is freed
 *
 * Any thread may call these but a hart's, whom they may wait for.
 */
#ifndef RVVM_DEV_DRIVE_BAYS_H
#define RVVM_DEV_DRIVE_BAYS_H

#include "dev/drive.h"
#include "host/event_loop.h"
#include "machine/machine.h"

#define DRIVE_BAYS_MAX 32

struct drive_bays;

struct drive_bays_config {
    struct machine *machine; /* outlives it */
    unsigned count;          /* 1 to DRIVE_BAYS_MAX */
    struct event_loop *loop; /* not the machine's: its thread may wait for harts. Outlives it */
    struct drives_config drives;
    void (*changed)(void *ctx); /* a drive has come or gone; any thread */
    void *ctx;
};

/* The slots are the root bus's, numbered from 1. NULL: err says why. */
struct drive_bays *drive_bays_new(const struct drive_bays_config *config, struct error *err);
/* The loop has been stopped. Drives that are in stay in. bays may be NULL. */
void drive_bays_free(struct drive_bays *bays);

/* Opens the image and puts it into an empty slot. */
bool drive_bays_add(struct drive_bays *bays, const struct drive *drive, unsigned *number,
                    struct error *err);

/*
 * Has the guest let go of the drive, then takes it out and closes its image, with all that the guest was told
 * is written. *gone: that has been done already. With force it is pulled out at once, whoever uses it. false:
 * there is no drive, or the guest cannot be asked.
 */
bool drive_bays_remove(struct drive_bays *bays, unsigned number, bool force, bool *gone,
                       struct error *err);

#define DRIVE_BAY_TEXT_SIZE 4200
/* The kind and the image of the drive in a slot, "nvme FILE"; empty: there is none. false: no such slot. */
bool drive_bays_show(struct drive_bays *bays, unsigned number, char text[DRIVE_BAY_TEXT_SIZE]);

#endif
