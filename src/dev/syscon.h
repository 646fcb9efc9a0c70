/* SPDX-License-Identifier: MPL-2.0 */
/*
 * SiFive's test finisher: one register that ends or restarts the machine.
 */
#ifndef RVVM_DEV_SYSCON_H
#define RVVM_DEV_SYSCON_H

#include "machine/device.h"
#include "machine/request.h"

#define SYSCON_BASE 0x00100000
#define SYSCON_SIZE 0x1000

/* requests must allow calls from any hart's thread. */
struct device *syscon_new(struct machine_requests requests, struct error *err);

#endif
