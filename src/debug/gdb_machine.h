/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The GDB stub of a machine: a socket that a debugger comes to, and a target (gdb/gdb.h) whose threads are the
 * harts, numbered from 1. gdb_monitor.c is `monitor COMMAND`, for people.
 */
#ifndef RVVM_DEBUG_GDB_MACHINE_H
#define RVVM_DEBUG_GDB_MACHINE_H

#include "base/log.h"
#include "host/event_loop.h"

struct gdb_machine;
struct machine;

struct gdb_config {
    struct machine *machine; /* outlives it; complete */
    const char *where;       /* tcp:HOST:PORT or unix:PATH; NULL: nobody can come (tests) */
    struct event_loop *loop; /* not the machine's: its thread may wait for harts. Outlives it */
    struct log *log;         /* may be NULL; outlives it */
};

struct gdb_machine *gdb_machine_new(const struct gdb_config *config, struct error *err);
/* The loop has been stopped. */
void gdb_machine_free(struct gdb_machine *g);

/* Any thread: the machine has ended with that exit status; a debugger is told. */
void gdb_machine_ended(struct gdb_machine *g, int status);

/*
 * Between its parts.
 */

struct gdb;
struct gdb_reply;
struct server_client;

struct gdb_machine {
    struct gdb_config config;
    struct machine *m;
    struct gdb *gdb;
    struct server *server;
    struct event_call stopped, ended;
    _Atomic int end_status;       /* -1: it has not ended */
    struct server_client *client; /* the debugger; NULL: none, and what is sent goes nowhere */
    bool physical;                /* addresses of memory are physical */
};

/* gdb_monitor.c: a command as its user typed it. */
void gdb_monitor(struct gdb_machine *g, const char *command);

#endif
