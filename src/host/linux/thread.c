/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Threads: see thread.h. Faults stay deliverable: a thread that blocks SIGSEGV would be killed
 * without its handler (the terminal's restorer) being run.
 */
#define _GNU_SOURCE
#include "host/thread.h"
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

bool thread_start(pthread_t *thread, const char *name, void *(*run)(void *), void *arg,
                  struct error *err)
{
    sigset_t block, old;
    sigfillset(&block);
    sigdelset(&block, SIGSEGV);
    sigdelset(&block, SIGBUS);
    sigdelset(&block, SIGILL);
    sigdelset(&block, SIGFPE);
    sigdelset(&block, SIGTRAP);
    sigdelset(&block, SIGABRT);
    /* The new thread inherits the mask, so that no signal slips in before it could set its own. */
    pthread_sigmask(SIG_SETMASK, &block, &old);
    int e = pthread_create(thread, NULL, run, arg);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (e)
        return error_set(err, "cannot start a thread: %s", strerror(e));
    char shown[16];
    if (name) {
        snprintf(shown, sizeof(shown), "%s", name);
        pthread_setname_np(*thread, shown);
    }
    return true;
}

void thread_set_name(const char *name)
{
    char shown[16];
    snprintf(shown, sizeof(shown), "%s", name);
    pthread_setname_np(pthread_self(), shown);
}

unsigned thread_cpu_count(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof(set), &set) < 0)
        return 1;
    int n = CPU_COUNT(&set);
    return n > 0 ? (unsigned)n : 1;
}
