/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Isolation: what a guest gets that breaks out of its machine into a thread of this process. Each of the
 * machine's threads gives up, before it does anything for a guest, what its kind does not need: privileges,
 * system calls, files. For good: nothing here can be taken back.
 *
 *     struct isolation *isolation = isolation_new(log, false, err);
 *     struct isolation *outer = isolation_enter(isolation);
 *     ... open files, start threads: those are isolated, as are all that they start ...
 *     isolation_enter(outer);
 *     ... when the threads have ended ...
 *     isolation_free(isolation);
 *
 * A thread belongs to the isolation of the thread that starts it, as it does with the kernel's own means.
 * So parts need not hand it to each other; they only say what they will still want when they are isolated
 * (isolation_need_...), which outside of an isolation does nothing.
 *
 * What the host's system cannot do is logged as LOG_INFO, and the machine runs all the same.
 */
#ifndef RVVM_HOST_ISOLATION_H
#define RVVM_HOST_ISOLATION_H

#include "base/error.h"
#include "base/log.h"
#include "host/thread.h"
#include <stdint.h>

struct isolation;
struct event_loop;

/*
 * whole_process: the process is the machine's. Then refusals are logged (which takes a signal handler), and
 * isolation_apply may be used on a thread that the machine did not start. NULL: err says why.
 */
struct isolation *isolation_new(struct log *log, bool whole_process, struct error *err);
/* Its threads have ended. isolation may be NULL. */
void isolation_free(struct isolation *isolation);

/* The calling thread belongs to it from now on; what it belonged to before. NULL: to none. */
struct isolation *isolation_enter(struct isolation *isolation);

/* Refusals are logged on this loop's thread; before it is freed, NULL. */
void isolation_watch(struct isolation *isolation, struct event_loop *loop);

/* Isolates the calling thread, if it belongs to an isolation. */
void isolation_apply(enum thread_kind kind);

/*
 * What the threads of a kind will still want. Before those are started, and of the calling thread's
 * isolation; without one nothing happens.
 */
enum isolation_sockets {
    ISOLATION_INET = 1, /* IPv4 and IPv6, to and from anywhere: TCP, UDP, echo requests */
    ISOLATION_UNIX = 2, /* to connect */
    ISOLATION_TCP = 4,  /* to connect, by IPv4 and IPv6 */
};
void isolation_need_sockets(unsigned sockets); /* THREAD_NET makes some */
void isolation_need_port(uint16_t port); /* THREAD_NET connects to it, by TCP and at any host */
void isolation_need_clients(void);       /* sockets that listen by TCP already take clients */
/*
 * THREAD_NET reads a file, or all in a folder. A file that another replaces is another one, and is not read; but
 * for where the path leads to a folder of some service below /run: that is its to write.
 */
void isolation_need_reading(const char *path);
void isolation_need_removal(const char *path); /* THREAD_CALLER removes it at the end */

#endif
