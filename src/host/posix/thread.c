/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Threads: see thread.h. Faults stay deliverable: a thread that blocks SIGSEGV would be killed
 * without its handler (the terminal's restorer) being run.
 */
#include "host/thread.h"

#include "host/posix/thread_signals.h"
#include "host/thread_system.h"
#include <time.h>

int thread_create(pthread_t *thread, void *(*run)(void *), void *arg)
{
    /* The new thread inherits the mask, so that no signal slips in before it could set its own. */
    sigset_t before;
    thread_block_signals(&before);
    int e = pthread_create(thread, NULL, run, arg);
    thread_restore_signals(&before);
    return e;
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
