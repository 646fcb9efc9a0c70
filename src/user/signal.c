/* SPDX-License-Identifier: MPL-2.0 */
/* Signals from the host's handler to the guest's: see signals.h. The calls are in syscall_signal.c. */
#define _GNU_SOURCE
#include "user/signals.h"
#include "host/fault_context.h"
#include "host/host_call.h"
#include "host/host_signal.h"
#include "user/strace.h"
#include "user/syscall.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * In the host's handler
 */

static void note(struct noted_signal *slot, int signal, const siginfo_t *info)
{
    slot->signal = signal;
    slot->info = *info;
    atomic_store(&slot->there, 1);
}

static bool is_fault(int signal, const siginfo_t *info)
{
    bool can_be = signal == SIGSEGV || signal == SIGBUS || signal == SIGILL || signal == SIGFPE ||
                  signal == SIGTRAP;
    return can_be && info->si_code > 0;
}

/* The emulator's own mistake. A program may send itself what looks like one; but a fault comes again at once, at the
 * same place. */
static bool is_mistake(struct thread_signals *s, int signal, const siginfo_t *info,
                       const void *context)
{
    if (!is_fault(signal, info))
        return false;
    const uint64_t pc = fault_pc(context), before = s->fault_pc;
    s->fault_pc = pc;
    return pc == before;
}

void user_host_signal(int signal, siginfo_t *info, void *context)
{
    struct user_thread *t = user_thread_self();
    if (t && debug_is_call(t->process, signal, info)) {
        atomic_store(&t->signals->pending, 1);
        user_thread_kick(t);
        host_call_interrupt(context);
        return;
    }
    if (!t || is_mistake(t->signals, signal, info, context)) {
        /* The instruction is tried again and ends the process. */
        const struct host_action by_default = {.handler = (void *)SIG_DFL};
        host_signal_action(signal, &by_default, NULL);
        return;
    }
    struct thread_signals *s = t->signals;
    if (signal == SIGSEGV) {
        note(&s->segv, signal, info);
    } else if (signal == SIGBUS) {
        note(&s->bus, signal, info);
    } else {
        note(&s->noted, signal, info);
        host_signal_mask_after(context, ~SIGNALS_OURS);
    }
    atomic_store(&s->pending, 1);
    user_thread_kick(t);
    host_call_interrupt(context);
}

/*
 * Masks
 */

static int64_t set_host_mask(struct user_thread *t)
{
    uint64_t host = t->signals->mask & ~SIGNALS_OURS;
    return syscall_host(t, SYS_rt_sigprocmask, SIG_SETMASK, (uint64_t)&host, 0, GUEST_SIGSET_SIZE,
                        0, 0);
}

/* A signal that was kept because it was blocked may not be so any more. */
static void look_at_kept(struct thread_signals *s)
{
    if ((atomic_load(&s->segv.there) && !(s->mask & signal_bit(SIGSEGV))) ||
        (atomic_load(&s->bus.there) && !(s->mask & signal_bit(SIGBUS))))
        atomic_store(&s->pending, 1);
}

int64_t signals_set_mask(struct user_thread *t, uint64_t mask)
{
    struct thread_signals *s = t->signals;
    uint64_t before = s->mask;
    s->mask = mask & ~SIGNALS_NEVER_BLOCKED;
    if (set_host_mask(t) == SYSCALL_RESTART) {
        s->mask = before;
        return SYSCALL_RESTART;
    }
    look_at_kept(s);
    return 0;
}

void signals_force_mask(struct user_thread *t, uint64_t mask)
{
    t->signals->mask = mask & ~SIGNALS_NEVER_BLOCKED;
    /* With a signal pending the host's mask is set when that has been delivered. */
    set_host_mask(t);
    look_at_kept(t->signals);
}

int64_t signals_wait_begin(struct user_thread *t, uint64_t address, uint64_t size,
                           struct wait_mask *wait)
{
    struct thread_signals *s = t->signals;
    wait->address = 0;
    if (!address)
        return 0;
    if (size != GUEST_SIGSET_SIZE)
        return -EINVAL;
    uint64_t mask;
    if (!space_read(&t->process->space, &mask, address, sizeof(mask)))
        return -EFAULT;
    mask &= ~SIGNALS_NEVER_BLOCKED;
    s->waiting = true;
    s->wait_mask = mask;
    wait->host = mask & ~SIGNALS_OURS;
    wait->address = (uint64_t)&wait->host;
    if ((atomic_load(&s->segv.there) && !(mask & signal_bit(SIGSEGV))) ||
        (atomic_load(&s->bus.there) && !(mask & signal_bit(SIGBUS))))
        atomic_store(&s->pending, 1);
    return 0;
}

int64_t signals_wait_end(struct user_thread *t, int64_t result)
{
    struct thread_signals *s = t->signals;
    /* A signal that came before the call comes before its mask, too; but for those that were kept,
     * for which the call would not wait. */
    if (result == SYSCALL_RESTART && s->waiting && !atomic_load(&s->noted.there))
        return -EINTR;
    /* Some calls are answered EINTR when the process has been stopped and goes on: no handler begins. */
    if (result != -EINTR || !atomic_load(&s->pending))
        s->waiting = false;
    return result;
}

/*
 * Delivery
 */

void signals_die(int signal)
{
    const struct host_action by_default = {.handler = (void *)SIG_DFL};
    debug_ended(user_thread_self()->process, 0, signal);
    host_signal_action(signal, &by_default, NULL);
    host_signal_mask(SIG_UNBLOCK, signal_bit(signal));
    host_signal_raise(signal);
    /* The first process of a namespace does not die of its own signals. */
    _exit(128 + signal);
}

static struct guest_sigaction take_action(struct signal_actions *actions, int signal)
{
    pthread_mutex_lock(&actions->lock);
    struct guest_sigaction action = actions->of[signal];
    bool has_handler = action.handler != GUEST_SIG_DFL && action.handler != GUEST_SIG_IGN;
    if (has_handler && action.flags & GUEST_SA_RESETHAND)
        actions->of[signal].handler = GUEST_SIG_DFL;
    pthread_mutex_unlock(&actions->lock);
    return action;
}

/* false: the frame has no place. */
static bool enter_handler(struct user_thread *t, int signal, const siginfo_t *info,
                          const struct guest_sigaction *action)
{
    struct thread_signals *s = t->signals;
    debug_handler_begins(t, action->flags & GUEST_SA_RESTART);
    if (!sigframe_push(t, signal, info, action, s->mask))
        return false;
    uint64_t base = s->waiting ? s->wait_mask : s->mask;
    s->waiting = false;
    s->mask = (base | action->mask) & ~SIGNALS_NEVER_BLOCKED;
    if (!(action->flags & GUEST_SA_NODEFER))
        s->mask |= signal_bit(signal);
    return true;
}

void signals_force(struct user_thread *t, int signal, int code, uint64_t addr)
{
    struct thread_signals *s = t->signals;
    siginfo_t info;
    memset(&info, 0, sizeof(info));
    info.si_signo = signal;
    info.si_code = code;
    info.si_addr = (void *)addr;
    strace_signal(t, signal, &info);
    signal = debug_signal(t, signal, &info);
    if (!signal)
        return;
    struct guest_sigaction action = take_action(s->actions, signal);
    if (s->mask & signal_bit(signal) || action.handler == GUEST_SIG_DFL ||
        action.handler == GUEST_SIG_IGN || !enter_handler(t, signal, &info, &action))
        signals_die(signal);
    signals_force_mask(t, s->mask);
}

static bool is_ignored_by_default(int signal)
{
    return signal == SIGCHLD || signal == SIGURG || signal == SIGWINCH || signal == SIGCONT;
}

/* The host's action is not the default one, for a debugger's sake. false: the signal is nothing special. */
static bool act_though_caught(struct signal_actions *actions, int signal)
{
    if (!debug_catches(signal))
        return false;
    if (signal != SIGTSTP && signal != SIGTTIN && signal != SIGTTOU)
        signals_die(signal);
    /* The whole process stops here, the debugger's thread included, and goes on with SIGCONT. */
    const struct host_action by_default = {.handler = (void *)SIG_DFL};
    host_signal_action(signal, &by_default, NULL);
    const uint64_t mask = host_signal_mask(SIG_UNBLOCK, signal_bit(signal));
    host_signal_raise(signal);
    host_signal_mask(SIG_SETMASK, mask);
    signals_catch(actions, actions->caught);
    return true;
}

/* The default action of a signal that the guest had a handler for when it came. */
static void act_by_default(struct user_thread *t, int signal)
{
    if (is_ignored_by_default(signal))
        return;
    if (SIGNALS_OURS & signal_bit(signal))
        signals_die(signal);
    if (t->signals->actions->caught && act_though_caught(t->signals->actions, signal))
        return;
    /* The host's action is the default by now, and the signal is not blocked. */
    uint64_t host = t->signals->mask & ~SIGNALS_OURS & ~signal_bit(signal);
    host_signal_mask(SIG_SETMASK, host);
    host_signal_raise(signal);
}

void signals_act(struct user_thread *t, int signal, const siginfo_t *info)
{
    struct guest_sigaction action = take_action(t->signals->actions, signal);
    if (action.handler == GUEST_SIG_IGN)
        return;
    if (action.handler == GUEST_SIG_DFL)
        act_by_default(t, signal);
    else if (!enter_handler(t, signal, info, &action))
        signals_force(t, SIGSEGV, SI_KERNEL, 0);
}

static void deliver(struct user_thread *t, struct noted_signal *slot)
{
    int signal = slot->signal;
    siginfo_t info = slot->info;
    atomic_store(&slot->there, 0);
    strace_signal(t, signal, &info);
    signal = debug_signal(t, signal, &info);
    if (signal)
        signals_act(t, signal, &info);
}

static void deliver_kept(struct user_thread *t, struct noted_signal *slot, int signal)
{
    const struct thread_signals *s = t->signals;
    uint64_t mask = s->waiting ? s->wait_mask : s->mask;
    if (atomic_load(&slot->there) && !(mask & signal_bit(signal)))
        deliver(t, slot);
}

void signals_deliver(struct user_thread *t)
{
    struct thread_signals *s = t->signals;
    s->fault_pc = 0;
    while (atomic_exchange(&s->pending, 0)) {
        if (atomic_load(&s->noted.there))
            deliver(t, &s->noted);
        deliver_kept(t, &s->segv, SIGSEGV);
        deliver_kept(t, &s->bus, SIGBUS);
        s->waiting = false;
        signals_force_mask(t, s->mask);
    }
}

void user_event(struct user_thread *t)
{
    signals_deliver(t);
    debug_event(t);
}

void user_fault(struct user_thread *t, const struct direct_fault *fault)
{
    signals_force(t, fault->signal, fault->code, fault->addr);
}

/*
 * Life
 */

bool user_signals_init(struct process *p, struct error *err)
{
    p->signals = calloc(1, sizeof(*p->signals));
    if (!p->signals)
        return error_set(err, "no memory for the signals' handlers");
    pthread_mutex_init(&p->signals->actions.lock, NULL);
    p->signals->living = 1;
    strace_init(p);
    for (int signal = 1; signal <= GUEST_SIGNALS; signal++) {
        struct host_action action = {0};
        if (host_signal_action(signal, NULL, &action) == 0 && action.handler == (void *)SIG_IGN)
            p->signals->actions.of[signal].handler = GUEST_SIG_IGN;
    }
    return true;
}

bool user_signals_thread_init(struct user_thread *t, const struct user_thread *like)
{
    struct thread_signals *s = t->signals = calloc(1, sizeof(*s));
    if (!s)
        return false;
    s->stack.flags = GUEST_SS_DISABLE;
    if (like) {
        s->mask = like->signals->mask;
        s->actions = like->signals->actions;
    } else {
        s->mask = host_signal_mask(SIG_BLOCK, 0);
        s->actions = &t->process->signals->actions;
        host_signal_mask(SIG_UNBLOCK, SIGNALS_OURS);
    }
    return true;
}

void user_signals_thread_free(struct user_thread *t)
{
    free(t->signals);
    t->signals = NULL;
}

void user_signals_forked(struct user_thread *t)
{
    struct thread_signals *s = t->signals;
    /* What was noted is the parent's to deliver. */
    atomic_store(&s->noted.there, 0);
    atomic_store(&s->segv.there, 0);
    atomic_store(&s->bus.there, 0);
    atomic_store(&s->pending, 0);
    s->waiting = false;
    s->robust_list = 0;
    pthread_mutex_init(&s->actions->lock, NULL);
    signals_force_mask(t, s->mask);
}
