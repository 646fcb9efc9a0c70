/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Between the parts of the GDB stub: gdb.c takes packets and sends answers, query.c answers what is asked about
 * the stub and the threads, state.c reads and writes registers and memory, run.c has the target go on and
 * stop.
 *
 * A packet's function gets the words behind its name, with the target at rest and locked, and writes the
 * answer. Nothing written is the answer "not known".
 */
#ifndef RVVM_GDB_SESSION_H
#define RVVM_GDB_SESSION_H

#include "gdb/gdb.h"
#include "gdb/packet.h"

/* Errors are two digits, of which nobody makes anything. */
#define GDB_ERROR_WORDS "E22" /* what the packet says is wrong */
#define GDB_ERROR_MEMORY "E14"
#define GDB_ERROR_FULL "E28"

struct gdb {
    struct gdb_target target;
    bool attached; /* there is a debugger */
    bool no_ack;
    bool running;         /* the debugger waits for a stop */
    bool tells_break;     /* it knows the stop reasons swbreak, */
    bool tells_hard;      /* hwbreak */
    bool tells_exec;      /* exec, */
    bool tells_none;      /* and that no thread is left to stop */
    uint64_t thread;      /* that registers and memory are of */
    uint64_t resumed;     /* that `c` and `s` are about, if they name none */
    bool resumed_is_all;  /* they are about all */
    unsigned listed;      /* threads that were told, of a list in several packets */
    struct gdb_stop stop; /* the last one */
    char *description;    /* target.xml */
    struct debug_points points;
    struct gdb_packets packets;
    struct gdb_reply reply;
    char frame[GDB_FRAME_SIZE]; /* of the last reply, for a debugger that did not get it */
    size_t frame_size;
};

/* A thread's hart; NULL: there is none of that number. The chosen one is another if it has ended; NULL: there are
 * no threads any more. */
struct hart *gdb_hart_of(const struct gdb *gdb, uint64_t thread);
struct hart *gdb_hart(struct gdb *gdb);

/* A thread of the protocol: "-1" all, "0" any, else its number. false: none such. */
#define GDB_ALL UINT64_MAX
#define GDB_ANY 0
bool gdb_take_thread(const struct gdb *gdb, struct gdb_words *w, uint64_t *thread);

/* Sends gdb->reply, which is empty then. */
void gdb_send(struct gdb *gdb);

typedef void gdb_packet_fn(struct gdb *gdb, struct gdb_words *w);

/* query.c */
gdb_packet_fn gdb_query, gdb_set, gdb_choose_thread, gdb_thread_alive;

/* state.c */
gdb_packet_fn gdb_read_registers, gdb_write_registers, gdb_read_register, gdb_write_register;
gdb_packet_fn gdb_read_memory, gdb_write_memory, gdb_write_binary;

/* run.c */
gdb_packet_fn gdb_add_point, gdb_remove_point, gdb_say_stop, gdb_verbose;
gdb_packet_fn gdb_continue, gdb_step, gdb_continue_with, gdb_step_with;
/* The debugger wants the target back. */
void gdb_interrupt(struct gdb *gdb);
/* It has taken leave (asked), or gone. */
void gdb_detach(struct gdb *gdb, bool asked);

#endif
