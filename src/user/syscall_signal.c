/* SPDX-License-Identifier: MPL-2.0 */
/* System calls about signals, and those that wait with another mask. */
#define _GNU_SOURCE
#include "host/host_signal.h"
#include "user/signals.h"
#include "user/syscall.h"
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>

/* What the host is told about a signal whose handler the guest has: that ours is to run, and what the
 * kernel does by itself with such a signal. */
static struct host_action host_action_for(const struct guest_sigaction *action, bool caught)
{
    struct host_action host = {.flags = action->flags & (GUEST_SA_NOCLDSTOP | GUEST_SA_NOCLDWAIT)};
    if (action->handler == GUEST_SIG_DFL && caught) {
        host.handler = user_host_signal;
        host.flags |= SA_SIGINFO | SA_RESTART;
        host.mask = ~SIGNALS_OURS;
    } else if (action->handler == GUEST_SIG_DFL) {
        host.handler = (void *)SIG_DFL;
    } else if (action->handler == GUEST_SIG_IGN) {
        host.handler = (void *)SIG_IGN;
    } else {
        host.handler = user_host_signal;
        host.flags |= SA_SIGINFO | (action->flags & (GUEST_SA_RESTART | GUEST_SA_RESETHAND));
        host.mask = ~SIGNALS_OURS;
    }
    return host;
}

static struct host_action host_action_of(const struct signal_actions *actions, int signal,
                                         const struct guest_sigaction *action)
{
    return host_action_for(action, actions->caught && debug_catches(signal));
}

static int64_t set_action(struct signal_actions *actions, int signal,
                          const struct guest_sigaction *set, struct guest_sigaction *old)
{
    int64_t result = 0;
    pthread_mutex_lock(&actions->lock);
    *old = actions->of[signal];
    if (set) {
        struct host_action host = host_action_of(actions, signal, set);
        if (!(SIGNALS_OURS & signal_bit(signal)))
            result = host_signal_action(signal, &host, NULL);
        if (result == 0)
            actions->of[signal] = *set;
    }
    pthread_mutex_unlock(&actions->lock);
    return result;
}

void signals_take_back(struct signal_actions *actions)
{
    enum { FIRST = 32, LAST = 33 };
    pthread_mutex_lock(&actions->lock);
    for (int signal = FIRST; signal <= LAST; signal++) {
        struct host_action host = host_action_of(actions, signal, &actions->of[signal]), now;
        /* Not when nothing was taken: to ignore a signal anew throws away what waits of it. */
        if (host_signal_action(signal, NULL, &now) == 0 && now.handler != host.handler)
            host_signal_action(signal, &host, NULL);
    }
    pthread_mutex_unlock(&actions->lock);
}

void signals_catch(struct signal_actions *actions, bool caught)
{
    pthread_mutex_lock(&actions->lock);
    actions->caught = caught;
    for (int signal = 1; signal <= GUEST_SIGNALS; signal++) {
        const struct guest_sigaction *action = &actions->of[signal];
        struct host_action host = host_action_of(actions, signal, action);
        if (action->handler == GUEST_SIG_DFL && debug_catches(signal))
            host_signal_action(signal, &host, NULL);
    }
    pthread_mutex_unlock(&actions->lock);
}

void signals_clear_handlers(struct signal_actions *actions)
{
    const struct guest_sigaction by_default = {.handler = GUEST_SIG_DFL};
    struct guest_sigaction old;
    for (int signal = 1; signal <= GUEST_SIGNALS; signal++) {
        uint64_t handler = actions->of[signal].handler;
        if (handler != GUEST_SIG_DFL && handler != GUEST_SIG_IGN)
            set_action(actions, signal, &by_default, &old);
    }
}

int64_t sys_rt_sigaction(struct user_thread *t, const uint64_t *arg)
{
    const struct space *space = &t->process->space;
    int signal = (int)arg[0];
    struct guest_sigaction set, old;
    if (arg[3] != GUEST_SIGSET_SIZE)
        return -EINVAL;
    if (arg[1] && !layout_read(space, LAYOUT_sigaction, &set, arg[1]))
        return -EFAULT;
    if (signal < 1 || signal > GUEST_SIGNALS ||
        (arg[1] && (signal == SIGKILL || signal == SIGSTOP)))
        return -EINVAL;
    set.flags &= GUEST_SA_ALL;
    set.mask &= ~SIGNALS_NEVER_BLOCKED;
    int64_t result = set_action(t->signals->actions, signal, arg[1] ? &set : NULL, &old);
    if (result == 0 && arg[2] && !layout_write(space, LAYOUT_sigaction, arg[2], &old))
        return -EFAULT;
    return result;
}

int64_t sys_rt_sigprocmask(struct user_thread *t, const uint64_t *arg)
{
    const struct space *space = &t->process->space;
    uint64_t old = t->signals->mask;
    if (arg[3] != GUEST_SIGSET_SIZE)
        return -EINVAL;
    if (arg[1]) {
        uint64_t set;
        if (!space_read(space, &set, arg[1], sizeof(set)))
            return -EFAULT;
        if ((int)arg[0] == SIG_BLOCK)
            set = old | set;
        else if ((int)arg[0] == SIG_UNBLOCK)
            set = old & ~set;
        else if ((int)arg[0] != SIG_SETMASK)
            return -EINVAL;
        if (signals_set_mask(t, set) == SYSCALL_RESTART)
            return SYSCALL_RESTART;
    }
    return arg[2] && !space_write(space, arg[2], &old, sizeof(old)) ? -EFAULT : 0;
}

int64_t sys_rt_sigpending(struct user_thread *t, const uint64_t *arg)
{
    struct thread_signals *s = t->signals;
    uint64_t set = 0;
    if (arg[1] > GUEST_SIGSET_SIZE)
        return -EINVAL;
    int64_t result =
        syscall_host(t, SYS_rt_sigpending, (uint64_t)&set, GUEST_SIGSET_SIZE, 0, 0, 0, 0);
    if (result)
        return result;
    if (atomic_load(&s->segv.there))
        set |= signal_bit(SIGSEGV);
    if (atomic_load(&s->bus.there))
        set |= signal_bit(SIGBUS);
    set &= s->mask;
    return space_write(&t->process->space, arg[0], &set, arg[1]) ? 0 : -EFAULT;
}

int64_t sys_rt_sigsuspend(struct user_thread *t, const uint64_t *arg)
{
    struct wait_mask wait;
    if (!arg[0])
        return -EFAULT;
    int64_t error = signals_wait_begin(t, arg[0], arg[1], &wait);
    if (error)
        return error;
    return signals_wait_end(
        t, syscall_host(t, SYS_rt_sigsuspend, wait.address, GUEST_SIGSET_SIZE, 0, 0, 0, 0));
}

/* A kept SIGSEGV or SIGBUS that the set asks for: the host does not know it. */
static bool take_kept(struct noted_signal *slot, uint64_t set, siginfo_t *info)
{
    if (!atomic_load(&slot->there) || !(set & signal_bit(slot->signal)))
        return false;
    *info = slot->info;
    atomic_store(&slot->there, 0);
    return true;
}

int64_t sys_rt_sigtimedwait(struct user_thread *t, const uint64_t *arg)
{
    const struct space *space = &t->process->space;
    struct thread_signals *s = t->signals;
    uint64_t set;
    siginfo_t info;
    struct time_argument time;
    if (arg[3] != GUEST_SIGSET_SIZE)
        return -EINVAL;
    if (!space_read(space, &set, arg[0], sizeof(set)) || !time_argument_read(t, arg[2], &time))
        return -EFAULT;
    int64_t result;
    if (take_kept(&s->segv, set, &info) || take_kept(&s->bus, set, &info)) {
        result = info.si_signo;
    } else {
        set &= ~SIGNALS_OURS;
        result = syscall_host(t, SYS_rt_sigtimedwait, (uint64_t)&set, (uint64_t)&info, time.address,
                              GUEST_SIGSET_SIZE, 0, 0);
    }
    if (result > 0 && arg[1] && !layout_write(space, LAYOUT_siginfo, arg[1], &info))
        return -EFAULT;
    return result;
}

int64_t sys_rt_sigreturn(struct user_thread *t, const uint64_t *arg)
{
    (void)arg;
    struct guest_sigframe frame;
    if (!sigframe_read(t, &frame)) {
        signals_force(t, SIGSEGV, SI_KERNEL, 0);
        return 0;
    }
    if (signals_set_mask(t, frame.context.sigmask) == SYSCALL_RESTART)
        return SYSCALL_RESTART;
    sigframe_pop(t, &frame);
    return 0;
}

int64_t sys_sigaltstack(struct user_thread *t, const uint64_t *arg)
{
    const struct space *space = &t->process->space;
    struct guest_stack old = sigstack_get(t), set;
    if (arg[0]) {
        if (!layout_read(space, LAYOUT_stack, &set, arg[0]))
            return -EFAULT;
        int64_t error = sigstack_set(t, &set);
        if (error)
            return error;
    }
    old.pad = 0;
    return arg[1] && !layout_write(space, LAYOUT_stack, arg[1], &old) ? -EFAULT : 0;
}

int64_t sys_signalfd4(struct user_thread *t, const uint64_t *arg)
{
    uint64_t set;
    if (arg[2] != GUEST_SIGSET_SIZE)
        return -EINVAL;
    if (syscall_fd_is_ours(t->process, arg[0]))
        return -EBADF;
    if (!space_read(&t->process->space, &set, arg[1], sizeof(set)))
        return -EFAULT;
    set &= ~SIGNALS_OURS;
    return syscall_host(t, SYS_signalfd4, arg[0], (uint64_t)&set, GUEST_SIGSET_SIZE, arg[3], 0, 0);
}

int64_t sys_ppoll(struct user_thread *t, const uint64_t *arg)
{
    const struct space *space = &t->process->space;
    struct wait_mask wait;
    struct time_argument time;
    if (!space_is_guest(space, arg[0], 1) || !time_argument_read(t, arg[2], &time))
        return -EFAULT;
    int64_t error = signals_wait_begin(t, arg[3], arg[4], &wait);
    if (error)
        return error;
    int64_t result = syscall_host(t, SYS_ppoll, arg[0], arg[1], time.address, wait.address,
                                  GUEST_SIGSET_SIZE, 0);
    time_argument_write(t, arg[2], &time);
    return signals_wait_end(t, result);
}

static int64_t mask_argument_begin(struct user_thread *t, uint64_t address,
                                   struct mask_argument *given, struct wait_mask *wait)
{
    *given = (struct mask_argument){0};
    if (address && !layout_read(&t->process->space, LAYOUT_mask_argument, given, address))
        return -EFAULT;
    int64_t error = signals_wait_begin(t, given->address, given->size, wait);
    given->address = wait->address;
    return error;
}

int64_t sys_pselect6(struct user_thread *t, const uint64_t *arg)
{
    const struct space *space = &t->process->space;
    struct mask_argument mask;
    struct wait_mask wait;
    struct time_argument time;
    for (unsigned n = 1; n < 4; n++) {
        if (!space_is_guest(space, arg[n], 1))
            return -EFAULT;
    }
    if (!time_argument_read(t, arg[4], &time))
        return -EFAULT;
    int64_t error = mask_argument_begin(t, arg[5], &mask, &wait);
    if (error)
        return error;
    int64_t result = syscall_host(t, SYS_pselect6, arg[0], arg[1], arg[2], arg[3], time.address,
                                  (uint64_t)&mask);
    time_argument_write(t, arg[4], &time);
    return signals_wait_end(t, result);
}

int64_t sys_io_pgetevents(struct user_thread *t, const uint64_t *arg)
{
    const struct space *space = &t->process->space;
    struct mask_argument mask;
    struct wait_mask wait;
    if (!space_is_guest(space, arg[3], 1) || !space_is_guest(space, arg[4], 1))
        return -EFAULT;
    int64_t error = mask_argument_begin(t, arg[5], &mask, &wait);
    if (error)
        return error;
    return signals_wait_end(t, syscall_host(t, SYS_io_pgetevents, arg[0], arg[1], arg[2], arg[3],
                                            arg[4], (uint64_t)&mask));
}
