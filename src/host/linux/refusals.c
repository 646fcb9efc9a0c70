/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Refused system calls are heard of by SIGSYS (seccomp(2), SECCOMP_RET_TRAP): the kernel has refused for good
 * before the handler runs, which only makes up the call's result and takes a note. Why not a notification
 * to a supervisor (SECCOMP_RET_USER_NOTIF): whoever takes over that thread could allow everything.
 *
 * The handler may run in the middle of anything, so the note is a few words in a ring and a write to an
 * eventfd; the line is made by the event loop, or at the end.
 */
#define _GNU_SOURCE
#include "host/linux/isolation_parts.h"

#include "host/event_loop.h"
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <ucontext.h>
#include <unistd.h>

#define NOTES 64   /* a thread that tries more before they are logged is only counted */
#define LINES 1000 /* then no more: it could fill a disk through them */

#ifndef SYS_SECCOMP
#define SYS_SECCOMP 1 /* of si_code: not in every C library */
#endif

struct note {
    atomic_bool ready;
    int number; /* of the system call */
    char thread[16];
};

struct refusals {
    struct log *log;
    int event;
    atomic_uint taken; /* notes ever begun */
    atomic_uint lost;
    unsigned logged;
    struct note notes[NOTES];
    atomic_uint freed; /* notes that may be begun: ever logged, plus NOTES */
    bool watched;
    struct event_watch watch;
};

static _Thread_local struct refusals *current __attribute__((tls_model("initial-exec")));

static void take_note(struct refusals *r, int number)
{
    const uint64_t one = 1;
    unsigned at = atomic_load(&r->taken);
    do {
        if (at == atomic_load(&r->freed)) {
            atomic_fetch_add(&r->lost, 1);
            return;
        }
    } while (!atomic_compare_exchange_weak(&r->taken, &at, at + 1));
    struct note *note = &r->notes[at % NOTES];
    note->number = number;
    prctl(PR_GET_NAME, note->thread);
    atomic_store(&note->ready, true);
    ssize_t n = write(r->event, &one, sizeof(one));
    (void)n;
}

/* EPERM, where the system call leaves its result. */
static void fail_call(ucontext_t *context)
{
#if defined(__x86_64__)
    context->uc_mcontext.gregs[REG_RAX] = -EPERM;
#elif defined(__i386__)
    context->uc_mcontext.gregs[REG_EAX] = -EPERM;
#elif defined(__aarch64__)
    context->uc_mcontext.regs[0] = (uint64_t)-EPERM;
#elif defined(__riscv)
    context->uc_mcontext.__gregs[REG_A0] = (unsigned long)-EPERM;
#else
    (void)context;
#endif
}

static void on_refusal(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    int saved = errno;
    if (info->si_code != SYS_SECCOMP)
        return; /* sent by somebody: nothing was refused */
    fail_call(context);
    if (current)
        take_note(current, info->si_syscall);
    errno = saved;
}

static bool install_handler(struct error *err)
{
    struct sigaction action = {.sa_sigaction = on_refusal, .sa_flags = SA_SIGINFO | SA_RESTART};
    sigemptyset(&action.sa_mask);
    return sigaction(SIGSYS, &action, NULL) == 0 ||
           error_set(err, "cannot hear of refused system calls: %s", strerror(errno));
}

static void log_notes(struct refusals *r)
{
    for (;;) {
        struct note *note = &r->notes[r->logged % NOTES];
        char name[64];
        if (!atomic_load(&note->ready))
            break;
        system_calls_name(note->number, name, sizeof(name));
        if (r->logged < LINES)
            log_line(r->log, LOG_WARN, "isolation: thread \"%s\" was refused the system call %s",
                     note->thread, name);
        atomic_store(&note->ready, false);
        r->logged++;
        atomic_fetch_add(&r->freed, 1);
    }
    unsigned lost = atomic_exchange(&r->lost, 0);
    if (lost && r->logged < LINES)
        log_line(r->log, LOG_WARN, "isolation: %u more system calls were refused", lost);
}

static void on_event(void *ctx, unsigned events)
{
    struct refusals *r = ctx;
    uint64_t count;
    (void)events;
    ssize_t n = read(r->event, &count, sizeof(count));
    (void)n;
    log_notes(r);
}

struct refusals *refusals_new(struct log *log, struct error *err)
{
    struct refusals *r = calloc(1, sizeof(*r));
    if (!r) {
        error_set(err, "out of memory");
        return NULL;
    }
    r->log = log;
    r->freed = NOTES;
    r->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (r->event < 0)
        error_set(err, "cannot make an event counter: %s", strerror(errno));
    else if (install_handler(err))
        return r;
    refusals_free(r);
    return NULL;
}

void refusals_free(struct refusals *r)
{
    if (!r)
        return;
    refusals_watch(r, NULL);
    if (current == r)
        current = NULL;
    log_notes(r);
    if (r->event >= 0)
        close(r->event);
    free(r);
}

void refusals_watch(struct refusals *r, struct event_loop *loop)
{
    if (r->watched)
        event_watch_remove(&r->watch);
    r->watched = loop;
    if (loop)
        event_watch_init(&r->watch, loop, r->event, EVENT_READ, on_event, r);
}

void refusals_enter(struct refusals *r)
{
    sigset_t set;
    current = r;
    if (!r)
        return;
    sigemptyset(&set);
    sigaddset(&set, SIGSYS);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}
