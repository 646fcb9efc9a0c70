/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Parallel NOR flash: two banks of 32 MiB side by side, each of two 16-bit chips with Intel's command
 * set 0001, found by the Common Flash Interface. Firmware lies there and keeps its variables there.
 * Code runs from it in place (bus.rom in cpu/bus.h).
 */
#ifndef RVVM_DEV_CFI_FLASH_H
#define RVVM_DEV_CFI_FLASH_H

#include "machine/device.h"

struct disk;
struct machine;

#define CFI_FLASH_BASE 0x20000000
#define CFI_FLASH_BANKS 2
#define CFI_FLASH_BANK_SIZE (32u << 20)

/* An image is what the bank holds from its first byte on; what it is too short for is erased flash, and
 * what is written there is lost at the end. */
struct cfi_flash_config {
    struct machine *machine;             /* whose bus.rom becomes the banks' bytes */
    struct disk *disks[CFI_FLASH_BANKS]; /* taken over, also on failure; NULL: a blank bank */
};

struct device *cfi_flash_new(const struct cfi_flash_config *config, struct error *err);

#endif
