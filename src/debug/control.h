/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The control socket: programs drive a machine with lines of JSON. A request is an object with the member
 * "command"; it gets one answer, with "ok" and, when that is false, "error". What has "id" in it gets
 * the same back. Lines with "event" come in between, for those who have asked for them.
 *
 *     {"command":"pause","id":1}
 *     {"id":1,"ok":true,"state":"paused"}
 *
 * rvvm-ctl(1) lists the commands. A client is trusted as the user is who started the machine.
 */
#ifndef RVVM_DEBUG_CONTROL_H
#define RVVM_DEBUG_CONTROL_H

#include "base/log.h"
#include "host/event_loop.h"
#include <stdbool.h>

struct control;
struct machine;
struct tap;

/* What only those can do who put the machine together. */
struct control_actions {
    bool (*forward)(void *ctx, const char *what, bool add, struct error *err);
    bool (*set_link)(void *ctx, unsigned network, bool up);
    void *ctx;
};

struct control_config {
    struct machine *machine; /* outlives it; complete */
    const char *where;       /* unix:PATH */
    struct tap *tap;         /* on the serial line; NULL: none is heard. Outlives it */
    struct event_loop *loop; /* not the machine's: its thread may wait for harts. Outlives it */
    struct log *log;         /* may be NULL; outlives it */
    struct control_actions actions;
};

struct control *control_new(const struct control_config *config, struct error *err);
/* The loop has been stopped. */
void control_free(struct control *control);

#endif
