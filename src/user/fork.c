/* SPDX-License-Identifier: MPL-2.0 */
/* Processes that the guest makes: clone, clone3, and what they come down to. See threads.h. */
#define _GNU_SOURCE
#include "host/host_signal.h"
#include "user/abi.h"
#include "user/copy.h"
#include "user/signals.h"
#include "user/syscall.h"
#include "user/threads.h"
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef CLONE_CLEAR_SIGHAND
#define CLONE_CLEAR_SIGHAND 0x100000000ULL
#endif
#define VFORK_STACK (1u << 20)

/* What is done here, not by the host's clone. */
#define OUR_FLAGS \
    (CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | \
     CLONE_PIDFD | CLONE_CLEAR_SIGHAND | CLONE_DETACHED)
#define THREAD_FLAGS (CLONE_VM | CLONE_SIGHAND | CLONE_THREAD)

static int64_t give_pidfd(const struct user_thread *t, const struct clone_request *request,
                          int64_t pid)
{
    if (pid <= 0 || !(request->flags & CLONE_PIDFD))
        return pid;
    int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (fd >= 0)
        space_write(&t->process->space, request->pidfd, &fd, sizeof(fd));
    return pid;
}

static void give_parent_tid(const struct user_thread *t, const struct clone_request *request,
                            int64_t pid)
{
    pid_t tid = (pid_t)pid;
    if (pid > 0 && request->flags & CLONE_PARENT_SETTID)
        space_write(&t->process->space, request->parent_tid, &tid, sizeof(tid));
}

static void begin_child(struct user_thread *t, const struct clone_request *request)
{
    const struct space *space = &t->process->space;
    if (request->flags & CLONE_CHILD_SETTID)
        space_write(space, request->child_tid, &t->tid, sizeof(t->tid));
    if (request->flags & CLONE_CLEAR_SIGHAND)
        signals_clear_handlers(t->signals->actions);
}

int64_t clone_fork(struct user_thread *t, const struct clone_request *request)
{
    uint64_t flags = (request->flags & ~OUR_FLAGS) | (uint64_t)request->exit_signal;
    int64_t pid = process_fork(t, flags);
    if (pid == 0) {
        t->process->signals->living = 1;
        t->process->signals->leader_left = false;
        clone_set_registers(t, request);
        begin_child(t, request);
        return 0;
    }
    give_parent_tid(t, request, pid);
    return give_pidfd(t, request, pid);
}

/*
 * vfork
 */

struct vfork_child {
    struct user_thread *thread;
    const struct clone_request *request;
};

static int run_child(void *arg)
{
    struct vfork_child *child = arg;
    struct user_thread *t = child->thread;
    t->tid = (pid_t)syscall(SYS_gettid);
    user_thread_set_self(t);
    begin_child(t, child->request);
    if (t->signals->actions != &t->process->signals->actions)
        signals_catch(t->signals->actions, false);
    signals_force_mask(t, t->signals->mask);
    user_thread_run(t);
    return 0;
}

/* The child changes handlers, and its parent's stay. */
static bool copy_actions(struct user_thread *child)
{
    struct signal_actions *from = child->signals->actions, *to = malloc(sizeof(*to));
    if (!to)
        return false;
    pthread_mutex_lock(&from->lock);
    *to = *from;
    pthread_mutex_unlock(&from->lock);
    pthread_mutex_init(&to->lock, NULL);
    child->signals->actions = to;
    return true;
}

/* The parent goes on: nothing of the child is left, wherever it was when it ended. */
static void clean_up(struct user_thread *t, struct user_thread *child, void *stack)
{
    user_thread_set_self(t);
    signals_force_mask(t, t->signals->mask);
    thread_abandon(child);
    if (child->signals->actions != t->signals->actions)
        free(child->signals->actions);
    free(child->signals->exec_lists);
    free(child->signals->exec_self_list);
    user_thread_free(child);
    free(stack);
}

int64_t clone_vfork(struct user_thread *t, const struct clone_request *request)
{
    struct user_thread *thread = user_thread_new(t->process, t);
    if (!thread)
        return -ENOMEM;
    void *stack = malloc(VFORK_STACK);
    bool shares = request->flags & CLONE_SIGHAND;
    if (!stack || (!shares && !copy_actions(thread))) {
        free(stack);
        user_thread_free(thread);
        return -ENOMEM;
    }
    thread->signals->vforked = true;
    thread->signals->stack = t->signals->stack;
    clone_set_registers(thread, request);
    struct vfork_child child = {.thread = thread, .request = request};
    int flags = (int)(request->flags & ~OUR_FLAGS) | request->exit_signal;
    /* No signal may find the child before it is somebody. */
    host_signal_mask(SIG_BLOCK, ~SIGNALS_OURS);
    int64_t pid = clone(run_child, (char *)stack + VFORK_STACK, flags, &child);
    if (pid < 0)
        pid = -errno;
    clean_up(t, thread, stack);
    give_parent_tid(t, request, pid);
    return give_pidfd(t, request, pid);
}

/*
 * The calls
 */

static int64_t clone_any(struct user_thread *t, const struct clone_request *request)
{
    uint64_t flags = request->flags;
    if (atomic_load(&t->signals->pending))
        return SYSCALL_RESTART;
    if ((flags & CLONE_THREAD && !(flags & CLONE_SIGHAND)) ||
        (flags & CLONE_SIGHAND && !(flags & CLONE_VM)) ||
        (flags & CLONE_SIGHAND && flags & CLONE_CLEAR_SIGHAND) ||
        (flags & CLONE_FS && flags & (CLONE_NEWNS | CLONE_NEWUSER)) ||
        request->exit_signal > GUEST_SIGNALS)
        return -EINVAL;
    if (flags & CLONE_THREAD)
        return flags & (CLONE_NEWUSER | CLONE_NEWPID | CLONE_PIDFD | CLONE_VFORK)
                   ? -EINVAL
                   : clone_thread(t, request);
    if (!(flags & CLONE_VM))
        return clone_fork(t, request);
    /* A process that shares memory and goes on beside its parent would share the emulator's with it. */
    return flags & CLONE_VFORK ? clone_vfork(t, request) : -EINVAL;
}

int64_t sys_clone(struct user_thread *t, const uint64_t *arg)
{
    const struct clone_request request = {
        .flags = arg[0] & UINT32_MAX & ~(uint64_t)CSIGNAL,
        .exit_signal = (int)(arg[0] & CSIGNAL),
        .stack = arg[1],
        .parent_tid = arg[2],
        .pidfd = arg[2],
        .tls = arg[3],
        .child_tid = arg[4],
    };
    if (request.flags & CLONE_PIDFD && request.flags & (CLONE_PARENT_SETTID | CLONE_DETACHED))
        return -EINVAL;
    return clone_any(t, &request);
}

int64_t sys_clone3(struct user_thread *t, const uint64_t *arg)
{
    enum { FIRST_VERSION = 64, PAGE = 4096 };
    struct guest_clone_args given = {0};
    if (arg[1] > PAGE)
        return -E2BIG;
    if (arg[1] < FIRST_VERSION)
        return -EINVAL;
    size_t size = arg[1] < sizeof(given) ? arg[1] : sizeof(given);
    if (!space_read(&t->process->space, &given, arg[0], size))
        return -EFAULT;
    for (uint64_t n = size; n < arg[1]; n++) {
        uint8_t more;
        if (!space_read(&t->process->space, &more, arg[0] + n, 1))
            return -EFAULT;
        if (more)
            return -E2BIG;
    }
    /* Choosing ids and control groups is for those who have the host's rights for it. */
    if (given.set_tid || given.set_tid_size || given.flags >> 33 || given.flags & CSIGNAL ||
        given.exit_signal > CSIGNAL || !given.stack != !given.stack_size ||
        !space_is_guest(&t->process->space, given.stack, given.stack_size))
        return -EINVAL;
    if (given.flags & CLONE_THREAD && given.exit_signal)
        return -EINVAL;
    const struct clone_request request = {
        .flags = given.flags,
        .exit_signal = (int)given.exit_signal,
        .stack = given.stack + given.stack_size,
        .parent_tid = given.parent_tid,
        .pidfd = given.pidfd,
        .tls = given.tls,
        .child_tid = given.child_tid,
    };
    return clone_any(t, &request);
}
