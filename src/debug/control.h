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
struct image_files;

/* What only those can do who put the machine together. */
struct control_actions {
    bool (*forward)(void *ctx, const char *what, bool add, struct error *err);
    /* The n-th forward as behind -portfwd; false: there are fewer. */
    bool (*show_forward)(void *ctx, unsigned n, char *text, size_t size);
    bool (*set_link)(void *ctx, unsigned network, bool up);
    /*
     * Drives in slots, numbered from 1; NULL: there are none. kind as options name it; files: what the client has
     * opened, NULL: nothing. *gone: removed already, otherwise control_drives_changed will tell.
     */
    bool (*add_drive)(void *ctx, const char *kind, const char *drive, struct image_files *files,
                      unsigned *slot, struct error *err);
    bool (*remove_drive)(void *ctx, unsigned slot, bool force, bool *gone, struct error *err);
    /* "nvme FILE", or empty. false: no such slot. */
    bool (*show_drive)(void *ctx, unsigned slot, char *text, size_t size);
    void *ctx;
};

#define CONTROL_SLOTS_MAX 32

struct control_config {
    struct machine *machine; /* outlives it; complete */
    const char *where;       /* unix:PATH */
    struct tap *tap;         /* on the serial line; NULL: none is heard. Outlives it */
    struct event_loop *loop; /* not the machine's: its thread may wait for harts. Outlives it */
    struct log *log;         /* may be NULL; outlives it */
    struct control_actions actions;
};

struct control *control_new(const struct control_config *config, struct error *err);
/* Any thread: a drive has come or gone. */
void control_drives_changed(struct control *control);
/* The loop has been stopped. */
void control_free(struct control *control);

#endif
