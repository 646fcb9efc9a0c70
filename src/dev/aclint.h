/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Timer and software interrupts of the harts: a CLINT in SiFive's layout, which the ACLINT
 * specification keeps as MSWI at 0 and MTIMER at 0x4000. It is also the machine's time.
 */
#ifndef RVVM_DEV_ACLINT_H
#define RVVM_DEV_ACLINT_H

#include "dev/hart_wires.h"
#include "machine/device.h"

#define ACLINT_BASE 0x02000000
#define ACLINT_SIZE 0x10000
#define ACLINT_TIMEBASE_HZ 10000000

struct event_loop;

struct aclint_config {
    struct hart_wires wires; /* MSIP, MTIP, and the Sstc service */
    struct event_loop *loop; /* outlives the device */
};

struct device *aclint_new(const struct aclint_config *config, struct error *err);

/* For struct bus: any thread, no lock. */
uint64_t aclint_time(const struct device *dev);
void aclint_set_stimer(struct device *dev, unsigned hart, uint64_t when);

#endif
