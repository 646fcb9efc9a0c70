/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The GDB stub: a debugger's way into a machine, by GDB's remote serial protocol ("Remote Protocol" in
 * GDB's manual). Harts are threads, numbered from 1; all stop when one does.
 *
 * The machine pauses when a debugger attaches. When it detaches or goes away, what it set is taken
 * back and the machine goes on.
 */
#ifndef RVVM_DEBUG_GDB_H
#define RVVM_DEBUG_GDB_H

#include "base/log.h"
#include "host/event_loop.h"
#include <stdbool.h>

struct gdb;
struct machine;

struct gdb_config {
    struct machine *machine; /* outlives it; complete */
    const char *where;       /* tcp:HOST:PORT or unix:PATH */
    struct event_loop *loop; /* not the machine's: its thread may wait for harts. Outlives it */
    struct log *log;         /* may be NULL; outlives it */
};

struct gdb *gdb_new(const struct gdb_config *config, struct error *err);
/* The loop has been stopped. */
void gdb_free(struct gdb *gdb);

/* Any thread: the machine has ended with that exit status; a debugger is told. */
void gdb_machine_ended(struct gdb *gdb, int status);

#endif
