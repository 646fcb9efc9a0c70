/* SPDX-License-Identifier: MPL-2.0 */
/* Those who look at a machine and drive it from outside: the GDB stub and the control socket. */
#ifndef RVVM_API_DEBUGGER_H
#define RVVM_API_DEBUGGER_H

#include "base/error.h"
#include <stdbool.h>

struct chardev;
struct rvvm_config;
struct rvvm_machine;

/* The serial line as the board gets it: with a control socket, a tap is on it. NULL: err says why, and the
 * line is gone. */
struct chardev *debugger_tap(struct rvvm_machine *rv, const struct rvvm_config *config,
                             struct chardev *line, struct error *err);
/* When all is there that can be looked at. What was opened is debugger_close's, also when it fails. */
bool debugger_open(struct rvvm_machine *rv, const struct rvvm_config *config, struct error *err);
/* Before anything of the machine goes. */
void debugger_close(struct rvvm_machine *rv);

#endif
