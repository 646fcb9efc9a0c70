/* SPDX-License-Identifier: MPL-2.0 */
/*
 * QEMU's firmware configuration device (its documents, "QEMU Firmware Configuration Device"): small
 * files for firmware to read. There is one here, "bootorder": EDK2 tries the drives in that order,
 * whatever it remembers of earlier ones.
 */
#ifndef RVVM_DEV_FW_CFG_H
#define RVVM_DEV_FW_CFG_H

#include "machine/device.h"

struct machine;

#define FW_CFG_BASE 0x10100000
#define FW_CFG_SIZE 0x18

struct fw_cfg_config {
    struct machine *machine;
    const char *boot_order; /* copied: OpenFirmware paths, a line each */
};

struct device *fw_cfg_new(const struct fw_cfg_config *config, struct error *err);

#endif
