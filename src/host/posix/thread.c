/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Threads: see thread.h. Faults stay deliverable: a thread that blocks SIGSEGV would be killed
 * without its handler (the terminal's restorer) being run.
 */
#include "host/thread.h"

#include "host/posix/thread_system.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static _Thread_local struct thread_heritage *heritage;

struct thread_heritage *thread_heritage(void)
{
    return heritage;
}

void thread_set_heritage(struct thread_heritage *h)
{
    heritage = h;
}

/* What a new thread is given; it frees it. */
struct start {
    void *(*run)(void *);
    void *arg;
    struct thread_heritage *heritage;
    enum thread_kind kind;
    char name[16]; /* "": it gives itself one */
};

static void *begin(void *arg)
{
    struct start start = *(struct start *)arg;
    free(arg);
    heritage = start.heritage;
    /* Not by its starter, for whom that is a file to open. */
    if (*start.name)
        thread_set_name(start.name);
    if (heritage)
        heritage->begin(heritage, start.kind);
    return start.run(start.arg);
}

bool thread_start(pthread_t *thread, enum thread_kind kind, const char *name, void *(*run)(void *),
                  void *arg, struct error *err)
{
    struct start *start = malloc(sizeof(*start));
    if (!start)
        return error_set(err, "cannot start a thread: out of memory");
    *start = (struct start){run, arg, heritage, kind, ""};
    if (name)
        snprintf(start->name, sizeof(start->name), "%s", name);
    /* The new thread inherits the mask, so that no signal slips in before it could set its own. */
    sigset_t before;
    thread_block_signals(&before);
    int e = pthread_create(thread, NULL, begin, start);
    thread_restore_signals(&before);
    if (e) {
        free(start);
        return error_set(err, "cannot start a thread: %s", strerror(e));
    }
    return true;
}

void thread_cond_init(pthread_cond_t *condition)
{
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &attr);
    pthread_condattr_destroy(&attr);
}

bool thread_cond_wait_until(pthread_cond_t *condition, pthread_mutex_t *lock, uint64_t deadline)
{
    struct timespec until = {(time_t)(deadline / 1000000000u), (long)(deadline % 1000000000u)};
    return pthread_cond_timedwait(condition, lock, &until) == 0;
}
