/* SPDX-License-Identifier: MPL-2.0 */
/* The program's threads under a debugger: what has them stop, and that they wait. See debug.h. */
#define _GNU_SOURCE
#include "user/debug.h"

#include "user/process.h"
#include "user/signals.h"
#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { ECALL_SIZE = 4, X_A0 = 10, X_A7 = 17, LAST_WORDS_S = 5 };

/* NULL: nobody debugs this thread. A child of vfork is another process in this memory. */
static struct process_debug *debug_of(const struct user_thread *t)
{
    return t->signals->vforked ? NULL : t->process->debug;
}

void debug_wake(struct process_debug *d, enum debug_wake why)
{
    const char byte = (char)why;
    ssize_t written;
    do {
        written = write(d->wake, &byte, 1);
    } while (written < 0 && errno == EINTR);
}

/*
 * Waiting
 */

/* Lock is held. */
static void park(struct process_debug *d, struct user_thread *t)
{
    t->debug.parked = true;
    pthread_cond_broadcast(&d->changed);
    while (t->debug.parked)
        pthread_cond_wait(&d->changed, &d->lock);
}

/* The debugger hears of what the thread has found, and the thread waits. false: it has not heard of it, since it
 * has gone. */
static bool report(struct process_debug *d, struct user_thread *t)
{
    t->debug.found = true;
    t->debug.told = false;
    debug_wake(d, DEBUG_WAKE_FOUND);
    park(d, t);
    t->debug.found = false;
    return t->debug.told;
}

/* Whether a step has to go on: the debugger wants to hear of the first pc outside. */
static bool is_in_range(const struct user_thread *t)
{
    return t->hart->pc >= t->debug.go.first && t->hart->pc < t->debug.go.end;
}

/* Lock is held. What has happened since the debugger had it go on, one after the other. */
static void stop_for_reasons(struct process_debug *d, struct user_thread *t)
{
    for (;;) {
        struct debug_stop stop = t->hart->stop;
        t->hart->stop.kind = DEBUG_NONE;
        const bool has_stopped =
            stop.kind != DEBUG_NONE && !(stop.kind == DEBUG_STEP && is_in_range(t));
        if (d->attached && (has_stopped || t->debug.began_exec)) {
            t->debug.point = stop;
            t->debug.signal = SIGTRAP;
            report(d, t);
            t->debug.began_exec = false;
        } else if (d->stopping || t->debug.go.how == GDB_REST) {
            park(d, t);
        } else {
            return;
        }
    }
}

/* A signal that a debugger's user sends, and nobody else. */
static void make_info(siginfo_t *info, int signal)
{
    memset(info, 0, sizeof(*info));
    info->si_signo = signal;
    info->si_code = SI_USER;
    info->si_pid = getpid();
    info->si_uid = getuid();
}

void debug_event(struct user_thread *t)
{
    struct process_debug *d = debug_of(t);
    if (!d)
        return;
    pthread_mutex_lock(&d->lock);
    stop_for_reasons(d, t);
    const int signal = debug_signal_from_gdb(t->debug.go.signal);
    t->debug.go.signal = GDB_SIGNAL_NONE;
    pthread_mutex_unlock(&d->lock);
    if (signal) {
        siginfo_t info;
        make_info(&info, signal);
        signals_act(t, signal, &info);
        signals_force_mask(t, t->signals->mask);
    }
}

/*
 * Signals
 */

bool debug_catches(int signal)
{
    return !(signal_bit(signal) & (SIGNALS_OURS | SIGNALS_NEVER_BLOCKED)) && signal != SIGCHLD &&
           signal != SIGURG && signal != SIGWINCH && signal != SIGCONT;
}

int debug_signal(struct user_thread *t, int signal, siginfo_t *info)
{
    struct process_debug *d = debug_of(t);
    if (!d)
        return signal;
    pthread_mutex_lock(&d->lock);
    if (d->attached && !(d->passed & signal_bit(signal))) {
        t->debug.point = (struct debug_stop){.kind = DEBUG_NONE};
        t->debug.signal = signal;
        t->debug.info = *info;
        if (report(d, t)) {
            const int instead = debug_signal_from_gdb(t->debug.go.signal);
            t->debug.go.signal = GDB_SIGNAL_NONE;
            if (instead && instead != signal)
                make_info(info, instead);
            signal = instead;
        }
    }
    pthread_mutex_unlock(&d->lock);
    return signal;
}

bool debug_cuts_call(struct user_thread *t)
{
    if (!debug_of(t) || !atomic_load(&t->signals->pending))
        return false;
    t->debug.cut_short = true;
    t->debug.cut_pc = t->hart->pc - ECALL_SIZE;
    return true;
}

/* With SA_RESTART, the calls that the kernel makes again after a handler (signal(7)). Its answer does not say so
 * here, as the signal that it is for may be ours. */
static bool is_restarted(uint64_t call)
{
    enum {
        FCNTL = 25,
        IOCTL = 29,
        FLOCK = 32,
        OPENAT = 56,
        READ = 63,
        WRITE = 64,
        READV = 65,
        WRITEV = 66,
        PREAD = 67,
        PWRITE = 68,
        WAITID = 95,
        FUTEX = 98,
        ACCEPT = 202,
        CONNECT = 203,
        SENDTO = 206,
        RECVFROM = 207,
        SENDMSG = 211,
        RECVMSG = 212,
        ACCEPT4 = 242,
        WAIT4 = 260,
        GETRANDOM = 278,
        FUTEX_TIME64 = 422,
    };
    static const uint16_t calls[] = {
        FCNTL,   IOCTL,   FLOCK,   OPENAT, READ,      WRITE,        READV,  WRITEV,
        PREAD,   PWRITE,  WAITID,  FUTEX,  ACCEPT,    CONNECT,      SENDTO, RECVFROM,
        SENDMSG, RECVMSG, ACCEPT4, WAIT4,  GETRANDOM, FUTEX_TIME64,
    };
    for (unsigned n = 0; n < sizeof(calls) / sizeof(*calls); n++)
        if (calls[n] == call)
            return true;
    return false;
}

void debug_handler_begins(struct user_thread *t, bool restarts)
{
    if (!debug_of(t))
        return;
    /* Into a handler is a step, too. */
    if (t->hart->steps && t->hart->stop.kind == DEBUG_NONE)
        debug_stop_hart(t->hart, DEBUG_STEP, t->hart->pc);
    /* A debugger that had it go on elsewhere knows what it does. */
    if (t->debug.cut_short && t->hart->pc == t->debug.cut_pc &&
        !(restarts && is_restarted(t->hart->x[X_A7]))) {
        t->hart->pc += ECALL_SIZE;
        t->hart->x[X_A0] = (uint64_t)-EINTR;
    }
    t->debug.cut_short = false;
}

bool debug_is_call(const struct process *p, int signal, const siginfo_t *info)
{
    return p->debug && signal == DEBUG_CALL_SIGNAL && info->si_code == DEBUG_CALL_CODE &&
           info->si_value.sival_ptr == p->debug;
}

/*
 * Coming and going
 */

void debug_thread_begins(struct user_thread *t)
{
    struct process_debug *d = debug_of(t);
    if (!d)
        return;
    pthread_mutex_lock(&d->lock);
    debug_set_points(t->hart, d->points);
    t->hart->stop.kind = DEBUG_NONE;
    t->debug.go = (struct gdb_go){.how = d->rest_new ? GDB_REST : GDB_RUN};
    t->debug.began_exec = d->began_exec;
    d->began_exec = false;
    d->has_begun = true;
    pthread_cond_broadcast(&d->changed);
    pthread_mutex_unlock(&d->lock);
    user_thread_kick(t);
}

/* While all rest nobody goes, so that who looks at them need not fear. */
void debug_thread_waits(struct user_thread *t)
{
    struct process_debug *d = debug_of(t);
    if (!d)
        return;
    pthread_mutex_lock(&d->lock);
    while (d->stopping)
        park(d, t);
    pthread_mutex_unlock(&d->lock);
}

void debug_thread_gone(struct user_thread *t)
{
    struct process_debug *d = debug_of(t);
    bool all_rest = true;
    if (!d)
        return;
    pthread_mutex_lock(&d->lock);
    pthread_mutex_lock(&d->process->lock);
    for (struct user_thread *other = debug_next_thread(d->process->threads); other;
         other = debug_next_thread(other->next))
        all_rest &= other->debug.go.how == GDB_REST;
    all_rest &= d->process->threads != NULL;
    pthread_mutex_unlock(&d->process->lock);
    if (d->attached && !d->stopping && all_rest)
        debug_wake(d, DEBUG_WAKE_NONE_LEFT);
    pthread_mutex_unlock(&d->lock);
}

void debug_forked(struct process *p)
{
    struct process_debug *d = p->debug;
    if (!d)
        return;
    p->debug = NULL; /* what it is made of was another thread's */
    close(d->wake);
    for (struct user_thread *t = p->threads; t; t = t->next) {
        debug_set_points(t->hart, NULL);
        t->hart->steps = false;
    }
    signals_catch(&p->signals->actions, false);
}

void debug_ended(struct process *p, int status, int signal)
{
    struct process_debug *d = p->debug;
    struct user_thread *t = user_thread_self();
    struct timespec end;
    if (!d || !t || t->signals->vforked)
        return;
    debug_thread_waits(t);
    pthread_mutex_lock(&d->lock);
    if (!d->ended) {
        d->ended = true;
        d->end_status = status;
        d->end_signal = signal;
        debug_wake(d, DEBUG_WAKE_ENDED);
    }
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += LAST_WORDS_S;
    while (!d->ended_told && !pthread_cond_timedwait(&d->changed, &d->lock, &end))
        ;
    pthread_mutex_unlock(&d->lock);
}
