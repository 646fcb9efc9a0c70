/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Threads: see thread.h. Faults stay deliverable: a thread that blocks SIGSEGV would be killed
 * without its handler (the terminal's restorer) being run.
 *
 * Masks are set by the kernel's own call: the C library's leaves out its two signals (32 and 33), which a
 * program under rvvm-user may block and wait for in the thread that starts another one.
 */
#define _GNU_SOURCE
#include "host/thread.h"

#include "host/host_signal.h"
#include <sched.h>
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

/* What the C library talks to its threads by. */
#define LIBRARY_SIGNALS (UINT64_C(3) << (32 - 1))

/* All signals but those that a thread's own mistakes raise, and the library's. */
static uint64_t others_signals(void)
{
    static const int own[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT, SIGSYS};
    uint64_t set = ~LIBRARY_SIGNALS;
    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
        set &= ~(UINT64_C(1) << (own[i] - 1));
    return set;
}

static void *begin(void *arg)
{
    struct start start = *(struct start *)arg;
    free(arg);
    heritage = start.heritage;
    /* Not by its starter, for whom that is a file to open. */
    if (*start.name)
        pthread_setname_np(pthread_self(), start.name);
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
    uint64_t before = host_signal_mask(SIG_BLOCK, 0);
    host_signal_mask(SIG_SETMASK, (before & LIBRARY_SIGNALS) | others_signals());
    int e = pthread_create(thread, NULL, begin, start);
    host_signal_mask(SIG_SETMASK, before);
    if (e) {
        free(start);
        return error_set(err, "cannot start a thread: %s", strerror(e));
    }
    return true;
}

void thread_set_name(const char *name)
{
    char shown[16];
    snprintf(shown, sizeof(shown), "%s", name);
    pthread_setname_np(pthread_self(), shown);
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

unsigned thread_cpu_count(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof(set), &set) < 0)
        return 1;
    int n = CPU_COUNT(&set);
    return n > 0 ? (unsigned)n : 1;
}
