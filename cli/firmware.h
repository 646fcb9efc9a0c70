/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Firmware by name: -bios opensbi|u-boot|edk2. Looks where Debian's packages (and some others) put it
 * and in the folder that tools/guest fills.
 */
#ifndef RVVM_CLI_FIRMWARE_H
#define RVVM_CLI_FIRMWARE_H

#include "base/error.h"
#include <rvvm/rvvm.h>

/* What was chosen, before the width of the processor is known; strings are the command line's. */
struct firmware_choice {
    bool opensbi, u_boot, edk2;
    const char *edk2_vars; /* file of EDK2's variables; NULL: they are lost at the end */
};

/* A word of -bios. false and no message: it is no name, but a file. */
bool firmware_is_name(struct firmware_choice *choice, const char *word);

/* Files for what was chosen, into config; strings live as long as the process. */
bool firmware_find(const struct firmware_choice *choice, struct rvvm_config *config,
                   struct error *err);

#endif
