/* SPDX-License-Identifier: MPL-2.0 */
/*
 * librvvm: RISC-V machines inside a program.
 *
 *     struct rvvm_config config;
 *     rvvm_config_init(&config);
 *     config.kernel = "Image";
 *     config.append = "console=ttyS0";
 *
 *     struct rvvm_error error;
 *     struct rvvm_machine *machine = rvvm_machine_new(&config, &error);
 *     int status;
 *     if (!machine || !rvvm_machine_run(machine, &status, &error))
 *         fprintf(stderr, "%s\n", error.text);
 *     rvvm_machine_free(machine);
 *
 * A header a subject: base.h (errors, the log), config.h (what a machine is made of), machine.h (its
 * life), hart.h (memory and registers), device.h and pci.h (devices of one's own), fdt.h (the device
 * tree), backend.h (the program as what a port leads to); and, without a machine, process.h (Linux
 * programs) and sandbox.h (functions of a RISC-V program).
 *
 * Any number of machines live side by side in one process; they share nothing. The library prints
 * nothing but through the log callback, installs no signal handler and never ends the process.
 * Unless a function says otherwise, calls for one machine come from one thread at a time.
 */
#ifndef RVVM_RVVM_H
#define RVVM_RVVM_H

#include <rvvm/backend.h>
#include <rvvm/base.h>
#include <rvvm/config.h>
#include <rvvm/device.h>
#include <rvvm/fdt.h>
#include <rvvm/hart.h>
#include <rvvm/machine.h>
#include <rvvm/pci.h>
#include <rvvm/process.h>
#include <rvvm/sandbox.h>

#endif
