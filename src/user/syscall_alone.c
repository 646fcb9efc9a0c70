/* SPDX-License-Identifier: MPL-2.0 */
/*
 * System calls that only a process of one thread may make. A program that has one thread has two here, when
 * the translator looks for loops: that one goes first, and comes back later.
 */
#define _GNU_SOURCE
#include "user/syscall.h"
#include <errno.h>
#include <sched.h>
#include <sys/syscall.h>

#define TRIES 1000 /* a thread that has ended is one for a moment longer */

static int64_t call_alone(struct user_thread *t, long number, uint64_t a, uint64_t b)
{
    struct process *p = t->process;
    pthread_mutex_lock(&p->lock);
    bool alone = p->thread_count == 1;
    pthread_mutex_unlock(&p->lock);
    if (alone)
        process_be_alone(p);
    int64_t result = syscall_host(t, number, a, b, 0, 0, 0, 0);
    for (unsigned n = 0; n < TRIES && alone && result == -EINVAL; n++) {
        sched_yield();
        result = syscall_host(t, number, a, b, 0, 0, 0, 0);
    }
    return result;
}

int64_t sys_unshare(struct user_thread *t, const uint64_t *arg)
{
    const uint64_t needs = CLONE_NEWUSER | CLONE_THREAD | CLONE_SIGHAND | CLONE_VM;
    if (!(arg[0] & needs))
        return syscall_host(t, SYS_unshare, arg[0], 0, 0, 0, 0, 0);
    return call_alone(t, SYS_unshare, arg[0], 0);
}

int64_t sys_setns(struct user_thread *t, const uint64_t *arg)
{
    if (syscall_fd_is_ours(t->process, arg[0]))
        return -EBADF;
    return call_alone(t, SYS_setns, arg[0], arg[1]);
}
