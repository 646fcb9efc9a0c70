/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Signals of the guest.
 *
 * The host's kernel does as much as it can: which signals are blocked, ignored or left to their default
 * action there is what the guest asked for, so queues, priorities, stops, deaths and the order of
 * real-time signals are the kernel's. Only what the guest has a handler for comes here. The host's
 * handler notes the signal, blocks all others on that thread and kicks the hart; between two of the
 * guest's instructions the signal is delivered, and what is blocked is the guest's mask again. So each
 * thread has one noted signal at most.
 *
 * SIGSEGV and SIGBUS are the emulator's own as well: they are never blocked on the host, and one that
 * somebody sent while the guest blocks it is kept here.
 *
 * Sets of signals are as in the kernel: bit n - 1 is signal n.
 */
#ifndef RVVM_USER_SIGNALS_H
#define RVVM_USER_SIGNALS_H

#include "user/abi.h"
#include "user/process.h"

static inline uint64_t signal_bit(int signal)
{
    return UINT64_C(1) << (signal - 1);
}

/* Never blocked on the host. */
#define SIGNALS_OURS (signal_bit(SIGSEGV) | signal_bit(SIGBUS))
/* Nor anywhere. */
#define SIGNALS_NEVER_BLOCKED (signal_bit(SIGKILL) | signal_bit(SIGSTOP))

/* The guest's handlers: one table for all threads; a child of vfork has a copy. */
struct signal_actions {
    pthread_mutex_t lock; /* not taken by the host's handler */
    bool caught;          /* what has no handler comes here, too: debug_catches() */
    struct guest_sigaction of[GUEST_SIGNALS + 1];
};

struct process_signals {
    struct signal_actions actions;
    /* process.lock: */
    unsigned living;  /* threads that have not ended */
    bool leader_left; /* the first thread has ended before others */
    int leader_status;
};

/* A signal that was sent and is not delivered yet. */
struct noted_signal {
    _Atomic uint32_t there;
    int signal;
    siginfo_t info;
};

struct thread_signals {
    _Atomic uint32_t pending; /* something was noted that is to be delivered: calls do not wait */
    struct noted_signal noted;
    struct noted_signal segv, bus; /* sent, not faults */
    uint64_t fault_pc;             /* of the host, where what may be a fault was; 0: nowhere */
    uint64_t mask;                 /* the guest's */
    bool waiting;                  /* a call has another mask while it waits (sigsuspend) */
    uint64_t wait_mask;
    struct guest_stack stack; /* sigaltstack */
    struct signal_actions *actions;
    uint64_t robust_list; /* set_robust_list, thread.c's */
    bool vforked;         /* the thread is a child of vfork */
    /* Of such a child: what an execve that went well has not freed. */
    void *exec_lists, *exec_self_list;
};

/* What is noted and not blocked is delivered. On the thread, in a callback. */
void signals_deliver(struct user_thread *t);
/* That signal acts on the thread, blocked or not. */
void signals_act(struct user_thread *t, int signal, const siginfo_t *info);

/*
 * The guest's mask becomes `mask` there and on the host. SYSCALL_RESTART, and nothing is changed, when a
 * signal is to be delivered first.
 */
int64_t signals_set_mask(struct user_thread *t, uint64_t mask);
/* The same without a way back: after a delivery, in a new thread or child. */
void signals_force_mask(struct user_thread *t, uint64_t mask);

/*
 * A call that waits with another mask: the mask at a guest address (0: none), in the form that the
 * host's kernel is to get. -errno.
 */
struct wait_mask {
    uint64_t host;    /* what the kernel is to use */
    uint64_t address; /* of that, for the kernel; 0: there is none */
};
int64_t signals_wait_begin(struct user_thread *t, uint64_t address, uint64_t size,
                           struct wait_mask *wait);
/* Takes the call's result and returns it. */
int64_t signals_wait_end(struct user_thread *t, int64_t result);

/* The host's C library installs a handler of its own for one of its two signals when it makes its first
 * thread; to the guest they are signals like others. */
void signals_take_back(struct signal_actions *actions);

/* Whether a debugger is to hear of what has no handler. */
void signals_catch(struct signal_actions *actions, bool caught);

/* What has a handler is left to its default action. */
void signals_clear_handlers(struct signal_actions *actions);

/* A signal that cannot be put off: the thread's next step is its handler or the end of the process. */
void signals_force(struct user_thread *t, int signal, int code, uint64_t addr);

/* The process ends as the signal's default action says. */
_Noreturn void signals_die(int signal);

/* sigframe.c: the stack frame of a handler. */
bool sigframe_push(struct user_thread *t, int signal, const siginfo_t *info,
                   const struct guest_sigaction *action, uint64_t mask);
/* The frame that the stack pointer points to; false: it is none. Its registers become the thread's. */
bool sigframe_read(struct user_thread *t, struct guest_sigframe *frame);
void sigframe_pop(struct user_thread *t, const struct guest_sigframe *frame);

/* sigaltstack's checks and what it answers. */
int64_t sigstack_set(struct user_thread *t, const struct guest_stack *stack);
struct guest_stack sigstack_get(const struct user_thread *t);

#endif
