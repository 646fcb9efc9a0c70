/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What POSIX threads leave to each system. Mutexes and conditions are used as pthreads everywhere.
 */
#ifndef RVVM_HOST_THREAD_H
#define RVVM_HOST_THREAD_H

#include "base/error.h"
#include <pthread.h>
#include <stdint.h>

/* What a thread is for: so much it may do when it is isolated (host/isolation.h). */
enum thread_kind {
    THREAD_HART,   /* runs guest code, and devices' callbacks */
    THREAD_WORK,   /* computes */
    THREAD_DISK,   /* reads and writes files that are open */
    THREAD_EVENTS, /* an event loop with streams that are open, and with clients that come */
    THREAD_NET,    /* an event loop that makes sockets */
    THREAD_CONTROL, /* an event loop whose clients bring files, and threads of disks that it starts */
    THREAD_CALLER, /* none of the machine's: the thread that runs it */
};

/*
 * What the threads that a thread starts do first of all, before what they are for; they pass it on in turn. So
 * isolation (host/isolation.h) reaches all threads of a machine and nobody hands it around.
 */
struct thread_heritage {
    void (*begin)(struct thread_heritage *heritage, enum thread_kind kind);
};

/* The calling thread's; NULL: none. */
struct thread_heritage *thread_heritage(void);
void thread_set_heritage(struct thread_heritage *heritage);

/*
 * Starts a thread that takes none of the process's asynchronous signals (they belong to the
 * embedding program's own threads). name is cut to 15 characters; tools that list threads show it; NULL: the
 * thread gives itself one.
 */
bool thread_start(pthread_t *thread, enum thread_kind kind, const char *name, void *(*run)(void *),
                  void *arg, struct error *err);

/* The calling thread's name; opens no descriptor, as naming another one may. */
void thread_set_name(const char *name);

/* A condition to wait for with a deadline, by clock_monotonic_ns(). false: it has passed. */
void thread_cond_init(pthread_cond_t *condition);
bool thread_cond_wait_until(pthread_cond_t *condition, pthread_mutex_t *lock, uint64_t deadline);

/* Processors that this process may run on, at least 1. */
unsigned thread_cpu_count(void);

#endif
