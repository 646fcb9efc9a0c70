/* SPDX-License-Identifier: MPL-2.0 */
/* Other programs, started as children of this process. */
#ifndef RVVM_HOST_CHILD_H
#define RVVM_HOST_CHILD_H

#include "base/error.h"
#include <stdint.h>

struct child_config {
    const char *program; /* looked for in PATH unless it has a slash */
    char *const *argv;
    char *const *envp; /* NULL: this process's */
    const int *files;  /* three, for 0, 1 and 2; one that is negative stays as it is here */
};

/* Any thread. false: it was not started. */
bool child_start(const struct child_config *config, int64_t *id, struct error *err);

/* *status: 0 to 255, or minus a signal. false: it is not this process's to wait for. */
bool child_wait(int64_t id, int *status, struct error *err);

#endif
