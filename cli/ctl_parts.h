/* SPDX-License-Identifier: GPL-3.0-only */
/* Between the parts of `rvvm ctl`: ctl.c knows the commands and speaks to the machine, ctl_drive.c brings drives. */
#ifndef RVVM_CLI_CTL_PARTS_H
#define RVVM_CLI_CTL_PARTS_H

#include "base/json.h"
#include "host/stream.h"
#include <stdbool.h>
#include <stdint.h>

struct ctl {
    int fd, in; /* the machine, standard input */
    bool failed;
    uint64_t deadline; /* clock_monotonic_ns() until which lines are waited for; 0: for ever */
    char *line;        /* what has come of the next one */
    size_t size;
    size_t used; /* bytes of the line before it, which is still there */
};

void ctl_complain(const char *what, const char *why);
/* Frees the request. Descriptors go along. */
bool ctl_send(struct ctl *ctl, struct json_text *request, const int *fds, unsigned count);
/* The next line, answer or event; it lies in ctl->line until the one after it. */
bool ctl_next(struct ctl *ctl, struct json_object *line);
/* The next answer; events are passed over. false: said that there is none, or that it is no. */
bool ctl_answer(struct ctl *ctl, const char *command, struct json_object *answer);

/* ctl_drive.c. false: said why. */
bool ctl_add_drive(struct ctl *ctl, const char *type, const char *drive);
bool ctl_remove_drive(struct ctl *ctl, const char *slot, bool force);

#endif
