/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A debugger on the program (-gdb): the target (gdb/gdb.h) whose threads are the program's, with Linux's ids.
 *
 * The stub runs on a thread of its own, which has descriptors of its own: the program cannot see or close the
 * debugger's socket, and its children do not inherit it (debug_socket.c). The program's threads stop by
 * themselves, between instructions or in a callback, and wait there until the debugger has them go on
 * (debug.c). One that waits in a system call is called out of it by a signal and makes the call again when it
 * goes on. One that cannot be called out (it waits for a child of vfork) counts as stopped: it stops when it
 * comes back.
 *
 * While a debugger is there, signals that would end or stop the process come here first. What the program
 * ignores or what is ignored unless it says otherwise stays the kernel's, and no debugger hears of it.
 *
 * A child of fork or vfork runs on without a debugger. A program that replaces this one by execve keeps it.
 */
#ifndef RVVM_USER_DEBUG_H
#define RVVM_USER_DEBUG_H

#include "base/error.h"
#include "gdb/gdb.h"
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

struct process;
struct user_thread;

/* Of a thread; under process_debug.lock, but for cut_short. */
struct thread_debug {
    bool parked;     /* it waits for the debugger */
    bool found;      /* it has found something, */
    bool told;       /* of which the debugger knows */
    bool cut_short;  /* its own: its system call was answered EINTR and is made again: cut_pc */
    uint64_t cut_pc; /* where the call is */
    bool began_exec; /* it is the first one of a program that an execve began */
    struct debug_stop point; /* what it has found; kind DEBUG_NONE: a signal */
    int signal;
    siginfo_t info;
    struct gdb_go go;
};

/* Checks the words without opening anything. */
bool debug_check(const char *where, struct error *err);
/* config.gdb is not NULL: listens, and has the first thread wait for a debugger. */
bool debug_start(struct process *p, struct error *err);

/*
 * On the program's threads. All do nothing without a debugger.
 */

/* It is in the list now. */
void debug_thread_begins(struct user_thread *t);
/* It is about to leave the list, or to become another program: while all rest it does, too. */
void debug_thread_waits(struct user_thread *t);
/* It has left the list. */
void debug_thread_gone(struct user_thread *t);

/* Between instructions: it stops, if there is a reason to. */
void debug_event(struct user_thread *t);

/* A signal is about to act on the thread: the one that does instead, and *info of it; 0: none. */
int debug_signal(struct user_thread *t, int signal, siginfo_t *info);

/* The signals that come here for a debugger's sake. */
bool debug_catches(int signal);

/* The system call before pc was answered EINTR. true: as it may be for a debugger's sake, it is to be made again,
 * unless a handler begins. */
bool debug_cuts_call(struct user_thread *t);
/* A handler is about to begin; restarts: it has SA_RESTART. */
void debug_handler_begins(struct user_thread *t, bool restarts);

/* In a handler: the signal is the stub's own, to call a thread out of a system call. */
#define DEBUG_CALL_SIGNAL SIGBUS /* never blocked (signals.h) */
#define DEBUG_CALL_CODE (-77)    /* of nobody else's */
bool debug_is_call(const struct process *p, int signal, const siginfo_t *info);

/* In a child of fork. */
void debug_forked(struct process *p);

/* The process is about to end, with a status or by a signal. */
void debug_ended(struct process *p, int status, int signal);

/*
 * An execve hands the debugger over: options for the emulator that is started next, which live until
 * debug_keep; that has failed. count 0: there is nothing to hand over.
 */
struct debug_heirloom {
    int listener, client; /* -1: there is none */
    unsigned count;
    char *options[4];
    char text[128];
};
void debug_hand_over(const struct process *p, struct debug_heirloom *heirloom);
void debug_keep(struct debug_heirloom *heirloom);

/*
 * Between its parts.
 */

#define DEBUG_FILES 16

struct process_debug {
    struct process *process;

    pthread_mutex_t exec_lock; /* one execve at a time is handed something over; before lock */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* Under lock: */
    bool attached;
    bool has_begun;  /* the first thread is there */
    bool stopping;   /* threads shall park */
    bool rest_new;   /* those that begin shall rest */
    bool began_exec; /* the first one is to tell that it is of another program */
    uint64_t
        passed; /* signals of which the debugger does not want to hear, as a set of signals.h */
    const struct debug_points *points; /* NULL: none */
    bool ended, ended_told;
    int end_status, end_signal;

    /* The program's threads wake the stub's by a byte here (enum debug_wake); an emulator's own descriptor. */
    int wake;

    /* The stub's thread. */
    struct gdb *gdb;
    pthread_t thread;
    int woken;            /* the other end of wake */
    int listener, client; /* -1: nobody */
    uint8_t *out;         /* out_size bytes wait for the client */
    size_t out_size, out_room;
    int memory;             /* /proc/self/mem; -1: there is none */
    bool killed, leaving;   /* what is to be done when the packet has been answered */
    bool due;               /* the same: a thread has found something that was not told yet */
    const char *socket;     /* path of a Unix socket, to be removed; NULL */
    int files[DEBUG_FILES]; /* that the debugger has open; -1: none */
};

enum debug_wake {
    DEBUG_WAKE_FOUND = 'f',
    DEBUG_WAKE_NONE_LEFT = 'n', /* of the threads that were to go on */
    DEBUG_WAKE_ENDED = 'e',
    DEBUG_WAKE_EXEC = 'x',
};

/* debug.c, lock is held: the stub's thread is to look. */
void debug_wake(struct process_debug *d, enum debug_wake why);

/* debug_target.c. The first one: where threads are found, under process.lock; not those of vfork. */
struct user_thread *debug_next_thread(struct user_thread *t);
extern const struct gdb_target_ops debug_target_ops;
extern const char debug_features[];

/* debug_socket.c: gdb_target_ops.send and hang_up. */
void debug_send(void *ctx, const void *bytes, size_t size);
void debug_hang_up(void *ctx);

/* debug_packets.c: gdb_target_ops.other, and that the debugger has gone. */
void debug_other_packet(void *ctx, char letter, struct gdb_words *w, struct gdb_reply *reply);
void debug_close_files(struct process_debug *d);

/* debug_signals.c: Linux's numbers and GDB's; 0: there is none. */
unsigned debug_signal_to_gdb(int signal);
int debug_signal_from_gdb(unsigned number);

#endif
