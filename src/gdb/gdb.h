/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A debugger's way in, by GDB's remote serial protocol ("Remote Protocol" in GDB's manual). What is debugged
 * is a target: threads, each of which has a hart, and memory. Two things are one, a machine
 * (debug/gdb_machine.c), whose threads are its harts, and a Linux program (user/debug.c).
 *
 * All threads stop when one does. The target pauses when a debugger attaches. When it detaches or goes away,
 * what it set is taken back and the target goes on.
 *
 *     struct gdb *gdb = gdb_new(&target);
 *     gdb_open(gdb)                    a debugger has come
 *     gdb_input(gdb, bytes, size)      it says something
 *     gdb_found(gdb)                   a thread has found something to stop for
 *     gdb_close(gdb)                   the debugger has gone
 *
 * All of these are called on one thread, which is none of the target's.
 */
#ifndef RVVM_GDB_GDB_H
#define RVVM_GDB_GDB_H

#include "base/log.h"
#include "cpu/debug.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gdb;
struct gdb_reply;
struct gdb_words;

/* Signals by GDB's numbers, which are nobody's but GDB's. */
enum { GDB_SIGNAL_NONE = 0, GDB_SIGNAL_INT = 2, GDB_SIGNAL_TRAP = 5 };

/* What a thread does when the target goes on. */
enum gdb_how {
    GDB_RUN,
    GDB_RUN_ALONE, /* the debugger means one step of it, while all others rest */
    GDB_STEP,      /* one instruction; then all stop */
    GDB_REST,      /* nothing */
};

struct gdb_go {
    enum gdb_how how;
    uint64_t first, end; /* GDB_STEP: steps are taken while pc is in here */
    unsigned signal;     /* that it gets first; GDB_SIGNAL_NONE */
};

/* Why all have stopped. */
struct gdb_stop {
    uint64_t thread;
    unsigned signal;
    struct debug_stop point; /* kind DEBUG_NONE: it is none of the debugger's */
    const char *exec;        /* the program is another now, that one; else NULL */
};

/*
 * A thread is known by a number other than 0, which stays. `h` is a thread's hart. All functions but send and
 * hang_up are called while no debugger waits for a stop, or to make that so.
 */
struct gdb_target_ops {
    /* To the debugger; and that it has to go, when it has got what was sent. */
    void (*send)(void *ctx, const void *bytes, size_t size);
    void (*hang_up)(void *ctx);

    /* Around the answer to a packet: the target stays as it is. */
    void (*lock)(void *ctx);
    void (*unlock)(void *ctx);

    /* The n-th thread's hart; NULL: there are not so many. */
    struct hart *(*thread)(void *ctx, unsigned n, uint64_t *id);
    void (*describe_thread)(void *ctx, uint64_t id, char *text, size_t size);

    /* How many bytes could be read or written, from the first one on. */
    size_t (*read)(void *ctx, struct hart *h, uint64_t va, void *bytes, size_t size);
    size_t (*write)(void *ctx, struct hart *h, uint64_t va, const void *bytes, size_t size);

    /* These are the points of all harts from now on, of which `added` (NULL: none) is new; NULL: no points. */
    void (*set_points)(void *ctx, const struct debug_points *points,
                       const struct debug_point *added);

    /* pause returns when all threads rest. set_go says what one does at the next resume, and what it has found
     * is past; id 0: those that begin meanwhile. resume: asked if the debugger means all to go on, whoever else
     * had paused it, else that it was paused is undone. */
    void (*pause)(void *ctx);
    void (*set_go)(void *ctx, uint64_t id, const struct gdb_go *go);
    void (*resume)(void *ctx, bool asked);
    /* What a thread has found, of several that of thread `first`. false: none has. */
    bool (*find_stop)(void *ctx, uint64_t first, struct gdb_stop *stop);

    void (*attached)(void *ctx); /* before it is paused; may be NULL */
    /* The debugger has gone, and all is as if it had not been; the target goes on next. May be NULL. */
    void (*detached)(void *ctx);
    void (*kill)(void *ctx);

    /* Packets that only this target has: what begins with that letter (q, Q or v). The answer goes to `reply`; it
     * stays empty when it is not known. */
    void (*other)(void *ctx, char letter, struct gdb_words *w, struct gdb_reply *reply);
};

struct gdb_target {
    const struct gdb_target_ops *ops;
    void *ctx;
    const char *features; /* what qSupported says besides, each with a ';' before it */
    bool was_there;       /* before the debugger: it leaves it alone when it ends */
    struct log *log;      /* may be NULL; outlives the stub */
};

/* NULL: out of memory. */
struct gdb *gdb_new(const struct gdb_target *target);
void gdb_free(struct gdb *gdb); /* no debugger is there */

void gdb_open(struct gdb *gdb);
void gdb_input(struct gdb *gdb, const uint8_t *bytes, size_t size);
void gdb_found(struct gdb *gdb);
void gdb_close(struct gdb *gdb);

/* The target has ended, with an exit status or (GDB's number) by a signal: a debugger that waits is told. */
void gdb_ended(struct gdb *gdb, unsigned status, unsigned signal);

/* All threads that were to go on have ended, and the others rest: a debugger that waits is told. */
void gdb_none_left(struct gdb *gdb);

/* A debugger is there; it waits for a stop. */
bool gdb_is_attached(const struct gdb *gdb);
bool gdb_is_running(const struct gdb *gdb);

/*
 * What is known of the debugger, for a stub that takes over from another: in a few letters, which gdb_adopt takes
 * in gdb_open's place. The debugger waits for a stop, and nothing is paused.
 */
#define GDB_MANNERS_SIZE 8
void gdb_manners(const struct gdb *gdb, char manners[GDB_MANNERS_SIZE]);
void gdb_adopt(struct gdb *gdb, const char *manners);

#endif
