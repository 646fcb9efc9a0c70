/* SPDX-License-Identifier: GPL-3.0-only */
/* `rvvm ctl`: drives a machine through its control socket. rvvm-ctl(1) is its manual. */
#ifndef RVVM_CLI_CTL_H
#define RVVM_CLI_CTL_H

#include <stddef.h>

/* Its commands, with spaces between. */
void ctl_list(char *text, size_t size);

/* argv[0] is "ctl". Returns the exit status. */
int ctl_main(int argc, char **argv);

#endif
