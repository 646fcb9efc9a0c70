/* SPDX-License-Identifier: MPL-2.0 */
/* A process and its threads: making them, running them, fork. See process.h. */
#define _GNU_SOURCE
#include "user/process.h"

#include "host/clock.h"
#include "host/memory.h"
#include "jit/direct.h"
#include "user/copy.h"
#include "user/loader.h"
#include "user/vdso.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { X_SP = 2 };
#define TIMEBASE_NS 100 /* the time CSR counts these, as a machine's does */

/*
 * What a hart asks for
 */

static struct user_thread *thread_of(const struct hart *h)
{
    return h->owner;
}

static void on_ecall(struct hart *h)
{
    if (vdso_is_call(h))
        vdso_call(h, &thread_of(h)->process->space);
    else
        user_syscall(thread_of(h));
}

static void on_fault(struct hart *h, const struct direct_fault *fault)
{
    user_fault(thread_of(h), fault);
}

static void on_event(struct hart *h)
{
    user_event(thread_of(h));
}

static enum direct_code may_run(struct hart *h, uint64_t va, unsigned size,
                                struct direct_fault *fault)
{
    struct space *s = &thread_of(h)->process->space;
    enum direct_code result = DIRECT_FIXED;
    for (uint64_t at = va; at < va + size; at = (at | ~PAGE_MASK) + 1) {
        bool writable = false;
        int prot = at < s->end ? space_rights(s, at, &writable) : -1;
        if (writable)
            result = DIRECT_WRITABLE;
        if (prot >= 0 && prot & PROT_EXEC)
            continue;
        *fault = (struct direct_fault){SIGSEGV, prot < 0 ? SEGV_MAPERR : SEGV_ACCERR, at};
        return DIRECT_NOT;
    }
    /* What lies behind the end of a file has rights and is not there. */
    uint8_t bytes[4];
    if (space_read(s, bytes, va, size < sizeof(bytes) ? size : sizeof(bytes)))
        return result;
    *fault = (struct direct_fault){SIGBUS, BUS_ADRERR, va};
    return DIRECT_NOT;
}

static void on_fence_i(struct hart *h)
{
    space_flush_code(&thread_of(h)->process->space, 0, 0);
}

/* Interpreters look when they next enter a block that they are not in; without a translator, at once. */
static void on_code_changed(void *ctx)
{
    struct process *p = ctx;
    atomic_fetch_add(&p->direct.code_version, 1);
    if (p->jit)
        return;
    pthread_mutex_lock(&p->lock);
    for (struct user_thread *t = p->threads; t; t = t->next)
        hart_fence_ask(t->hart, HART_FENCE_FETCH);
    pthread_mutex_unlock(&p->lock);
}

static uint64_t read_time(void *ctx)
{
    (void)ctx;
    return clock_monotonic_ns() / TIMEBASE_NS;
}

/*
 * Threads
 */

/* What a program sees of a hart; the rest is the engine's and each has its own. */
static void copy_registers(struct hart *to, const struct hart *from)
{
    memcpy(to->x, from->x, sizeof(to->x));
    memcpy(to->f, from->f, sizeof(to->f));
    to->fp.flags = from->fp.flags;
    to->frm = from->frm;
    to->pc = from->pc;
}

struct user_thread *user_thread_new(struct process *p, const struct user_thread *like)
{
    struct user_thread *t = calloc(1, sizeof(*t));
    if (!t)
        return NULL;
    t->process = p;
    t->hart = hart_new(&(struct hart_config){.isa = p->config.isa,
                                             .bus = &p->bus,
                                             .log = p->config.log,
                                             .direct = &p->direct,
                                             .owner = t},
                       NULL);
    if (!t->hart || (p->jit && !jit_attach(p->jit, t->hart, NULL))) {
        user_thread_free(t);
        return NULL;
    }
    if (like)
        copy_registers(t->hart, like->hart);
    if (!user_signals_thread_init(t, like)) {
        user_thread_free(t);
        return NULL;
    }
    return t;
}

void user_thread_free(struct user_thread *t)
{
    if (!t)
        return;
    if (t->signals)
        user_signals_thread_free(t);
    if (t->hart && t->process->jit)
        jit_detach(t->process->jit, t->hart);
    hart_free(t->hart);
    free(t);
}

static void enter_list(struct user_thread *t)
{
    struct process *p = t->process;
    pthread_mutex_lock(&p->lock);
    t->next = p->threads;
    p->threads = t;
    p->thread_count++;
    pthread_mutex_unlock(&p->lock);
}

void user_thread_leave_list(struct user_thread *t)
{
    struct process *p = t->process;
    debug_thread_waits(t);
    pthread_mutex_lock(&p->lock);
    struct user_thread **at = &p->threads;
    while (*at && *at != t)
        at = &(*at)->next;
    if (*at) {
        *at = t->next;
        p->thread_count--;
    }
    pthread_mutex_unlock(&p->lock);
    debug_thread_gone(t);
}

void user_thread_run(struct user_thread *t)
{
    t->tid = (pid_t)syscall(SYS_gettid);
    user_thread_set_self(t);
    enter_list(t);
    debug_thread_begins(t);
    direct_run(t->hart);
    user_thread_leave_list(t);
    user_thread_set_self(NULL);
}

void user_thread_stop(struct user_thread *t)
{
    atomic_fetch_or(&t->hart->events, HART_EV_STOP);
}

/*
 * fork
 */

/* Nothing of the emulator's is half done while these are held. */
static void take_locks(struct process *p)
{
    pthread_mutex_lock(&p->space.lock);
    pthread_mutex_lock(&p->lock);
    if (p->jit)
        jit_direct_before_fork(p->jit);
}

static void give_locks(struct process *p)
{
    if (p->jit)
        jit_direct_after_fork(p->jit);
    pthread_mutex_unlock(&p->lock);
    pthread_mutex_unlock(&p->space.lock);
}

/* The other threads are not in the child: what they are made of is memory that was never given back. */
static void become_child(struct process *p, struct user_thread *t)
{
    for (struct user_thread *other = p->threads, *next; other; other = next) {
        next = other->next;
        if (other != t && p->jit)
            jit_direct_forget_hart(p->jit, other->hart);
    }
    t->next = NULL;
    p->threads = t;
    p->thread_count = 1;
    t->tid = (pid_t)syscall(SYS_gettid);
    if (p->jit)
        jit_direct_forked(p->jit);
}

pid_t process_fork(struct user_thread *t, uint64_t flags)
{
    struct process *p = t->process;
    take_locks(p);
    /* Not fork(3), whose handlers are for an embedding program's; the C library's own are in it. */
    pid_t pid = (flags & ~(uint64_t)CSIGNAL) || (flags & CSIGNAL) != SIGCHLD
                    ? (pid_t)syscall(SYS_clone, flags, NULL, NULL, NULL, NULL)
                    : fork();
    int e = errno;
    if (pid == 0)
        become_child(p, t);
    give_locks(p);
    if (pid == 0) {
        user_signals_forked(t);
        debug_forked(p);
    }
    return pid < 0 ? -e : pid;
}

void process_be_alone(struct process *p)
{
    if (p->jit)
        jit_direct_be_alone(p->jit);
}

/*
 * The whole
 */

struct process *process_new(const struct process_config *config, struct error *err)
{
    struct process *p = calloc(1, sizeof(*p));
    if (!p) {
        error_set(err, "out of memory for a process");
        return NULL;
    }
    p->config = *config;
    p->exe_fd = p->self_fd = -1;
    p->bus = (struct bus){.ctx = p,
                          .read = bus_no_read,
                          .write = bus_no_write,
                          .time = read_time,
                          .set_stimer = bus_no_stimer,
                          .entropy = bus_host_entropy};
    p->direct = (struct direct){.ecall = on_ecall,
                                .fault = on_fault,
                                .event = on_event,
                                .may_run = may_run,
                                .fence_i = on_fence_i};
    pthread_mutex_init(&p->lock, NULL);
    return p;
}

void process_free(struct process *p)
{
    if (!p)
        return;
    while (p->threads) {
        struct user_thread *t = p->threads;
        p->threads = t->next;
        user_thread_free(t);
    }
    jit_free(p->jit);
    space_free(&p->space);
    if (p->exe_fd >= 0)
        close(p->exe_fd);
    if (p->self_fd >= 0)
        close(p->self_fd);
    free(p->exe);
    free(p->script_argv);
    free(p->script_path);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

static bool make_jit(struct process *p, struct error *err)
{
    const struct process_config *c = &p->config;
    if (c->no_jit || !jit_available())
        return true;
    p->jit = jit_new(&(struct jit_config){.isa = &c->isa,
                                          .bus = &p->bus,
                                          .harts = 1,
                                          .cache_size = c->code_cache,
                                          .direct = true,
                                          .log = c->log,
                                          .tiers = c->tiers,
                                          .dump = c->dump,
                                          .dump_line = c->dump_line,
                                          .dump_ctx = c->dump_ctx},
                     err);
    p->space.jit = p->jit;
    return p->jit;
}

bool process_load(struct process *p, struct error *err)
{
    if (!user_catch_faults(err) || !loader_load(p, err) || !make_jit(p, err) ||
        !user_signals_init(p, err))
        return false;
    p->space.code_changed = on_code_changed;
    p->space.code_changed_ctx = p;
    struct user_thread *t = user_thread_new(p, NULL);
    if (!t)
        return error_set(err, "out of memory for a thread");
    memory_populate(t->hart->tlb.data->jumps, sizeof(t->hart->tlb.data->jumps));
    const char *name = strrchr(p->config.path, '/');
    prctl(PR_SET_NAME, name ? name + 1 : p->config.path);
    t->hart->pc = p->entry;
    user_thread_set(t, X_SP, p->stack);
    p->first = t;
    return !p->config.gdb || debug_start(p, err);
}

void process_run(struct process *p)
{
    struct user_thread *t = p->first;
    p->first = NULL;
    user_thread_run(t);
    user_thread_free(t);
}
