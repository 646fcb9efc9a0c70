/* SPDX-License-Identifier: MPL-2.0 */
/* M-mode firmware: where it goes, and what OpenSBI's fw_dynamic is told about the next stage. */
#ifndef RVVM_MACHINE_BOOT_FIRMWARE_H
#define RVVM_MACHINE_BOOT_FIRMWARE_H

#include "machine/boot/boot.h"
#include "machine/boot/plan.h"

/* Whether the file can be firmware for that width: says why not. */
bool firmware_check(const struct boot_file *file, unsigned xlen, struct error *err);

bool firmware_plan(struct plan *plan, const struct boot_file *file, unsigned xlen, uint64_t *entry,
                   struct error *err);

#define FIRMWARE_INFO_SIZE 48

/* next: where the kernel begins, 0: none. Returns the size. */
size_t firmware_info(uint8_t info[FIRMWARE_INFO_SIZE], unsigned xlen, uint64_t next);

#endif
