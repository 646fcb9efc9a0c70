/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Between the parts of the GDB stub: gdb.c takes packets and sends answers, gdb_query.c answers what is
 * asked about the stub and the threads, gdb_state.c reads and writes registers and memory, gdb_run.c has
 * the machine go on and stop, gdb_monitor.c is for people.
 *
 * A packet's function gets the words behind its name, with the machine at rest and its load_lock held, and
 * writes the answer. Nothing written is the answer "not known".
 */
#ifndef RVVM_DEBUG_GDB_SESSION_H
#define RVVM_DEBUG_GDB_SESSION_H

#include "debug/gdb.h"
#include "debug/gdb_packet.h"
#include "debug/server.h"
#include "machine/machine.h"

/* Errors are two digits, of which nobody makes anything. */
#define GDB_ERROR_WORDS "E22" /* what the packet says is wrong */
#define GDB_ERROR_MEMORY "E14"
#define GDB_ERROR_FULL "E28"

struct gdb {
    struct gdb_config config;
    struct machine *m;
    struct server *server;
    struct event_call stopped, ended;
    _Atomic int end_status; /* -1: it has not ended */

    /* The loop's thread. */
    bool attached;                /* there is a debugger */
    struct server_client *client; /* its socket; NULL: what is sent goes nowhere (tests) */
    bool no_ack;
    bool running;        /* the debugger waits for a stop */
    bool physical;       /* addresses of memory are physical */
    bool tells_break;    /* it knows the stop reasons swbreak */
    bool tells_hard;     /* and hwbreak */
    unsigned hart;       /* that registers and memory are of */
    unsigned resumed;    /* that `c` and `s` are about, if they name none */
    bool resumed_is_all; /* they are about all */
    char *description;   /* target.xml */
    struct debug_points points;
    struct gdb_packets packets;
    struct gdb_reply reply;
    char frame[GDB_FRAME_SIZE]; /* of the last reply, for a debugger that did not get it */
    size_t frame_size;
};

static inline struct hart *gdb_hart(const struct gdb *gdb)
{
    return gdb->m->harts[gdb->hart].hart;
}

/* A thread of the protocol: "-1" all, "0" any, else a hart's number from 1 on. false: none such. */
enum { GDB_ALL = -1, GDB_ANY = -2 };
bool gdb_take_thread(const struct gdb *gdb, struct gdb_words *w, int *hart);

/* A debugger has come, and says something. gdb_detach: it has gone. */
void gdb_open(struct gdb *gdb, struct server_client *client);
void gdb_input(struct gdb *gdb, const uint8_t *bytes, size_t size);

/* Sends gdb->reply, which is empty then. */
void gdb_send(struct gdb *gdb);

typedef void gdb_packet_fn(struct gdb *gdb, struct gdb_words *w);

/* gdb_query.c */
gdb_packet_fn gdb_query, gdb_set, gdb_choose_thread, gdb_thread_alive;

/* gdb_state.c */
gdb_packet_fn gdb_read_registers, gdb_write_registers, gdb_read_register, gdb_write_register;
gdb_packet_fn gdb_read_memory, gdb_write_memory, gdb_write_binary;

/* gdb_run.c */
gdb_packet_fn gdb_add_point, gdb_remove_point, gdb_say_stop, gdb_continue, gdb_step, gdb_verbose;
/* A debugger has come; it wants the machine back; it has gone. */
void gdb_attach(struct gdb *gdb);
void gdb_interrupt(struct gdb *gdb);
void gdb_detach(struct gdb *gdb);
/* A hart has stopped. */
void gdb_tell_stop(struct gdb *gdb);
/* The debugger's points are those of the harts. load_lock is held. */
void gdb_apply_points(struct gdb *gdb);

/* gdb_monitor.c: a command as its user typed it. */
void gdb_monitor(struct gdb *gdb, const char *command);

#endif
