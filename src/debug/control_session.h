/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Between the parts of the control socket: control.c takes lines and sends answers and events,
 * control_commands.c and control_drives.c do what they ask for.
 */
#ifndef RVVM_DEBUG_CONTROL_SESSION_H
#define RVVM_DEBUG_CONTROL_SESSION_H

#include "base/json.h"
#include "debug/control.h"
#include "debug/server.h"
#include "host/stream.h"

#define CONTROL_LINE_MAX 65536  /* bytes of a request */
#define CONTROL_DRIVE_SIZE 4200 /* of what says which drive is in a slot */

struct control_client {
    struct control *control;
    struct server_client *client; /* NULL: nobody; whose output goes nowhere */
    bool used;
    bool events, terminal; /* what it wants to hear */
    bool too_long;         /* the rest of a line is being skipped */
    size_t size;
    char line[CONTROL_LINE_MAX + 1];
    /* Descriptors that came with the line, for the first command that wants some. */
    int passed[STREAM_PASSED_MAX];
    unsigned passed_count;
};

/* What events tell. */
struct control_state {
    const char *name; /* "off", "running", "paused", "stopped" */
    unsigned resets;
    int status; /* when off: that the guest has ended with */
};

struct control {
    struct control_config config;
    struct machine *m;
    struct server *server;
    struct event_call changed, heard, drives;
    struct control_state told; /* the last event */
    bool drives_told[CONTROL_SLOTS_MAX + 1];
    struct control_client clients[SERVER_CLIENTS_MAX];
};

struct control_state control_state(struct control *control);

/* Somebody wants to hear the serial line, or nobody does any more. */
void control_listen(struct control *control);

/* Input as it comes. Tests and fuzzers have no client for the answer, which is dropped. */
void control_input(struct control_client *c, const char *bytes, size_t size);

/* control_drives.c: commands, as control_run's. */
bool control_add_drive(struct control_client *c, const struct json_object *request,
                       struct json_text *answer, struct error *err);
bool control_remove_drive(struct control_client *c, const struct json_object *request,
                          struct json_text *answer, struct error *err);
bool control_show_drives(struct control_client *c, const struct json_object *request,
                         struct json_text *answer, struct error *err);

/* The client's descriptors, closed. */
void control_drop_passed(struct control_client *c);

/* Does what the request says. What is put into `answer` follows "ok". false: err says why not, and nothing
 * was put. */
bool control_run(struct control_client *c, const struct json_object *request,
                 struct json_text *answer, struct error *err);

#endif
