/* SPDX-License-Identifier: MPL-2.0 */
/* The program as GDB's target: what the stub's thread does to it. See debug.h. */
#define _GNU_SOURCE
#include "user/debug.h"

#include "host/host_call.h"
#include "jit/direct.h"
#include "user/process.h"
#include "user/signals.h"
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define ASK_AGAIN_NS 10000000 /* threads that have not stopped are asked to again */
#define ASKS_MAX 50           /* and then left where they are */

static void lock_nothing(void *ctx)
{
    (void)ctx; /* while all rest nothing changes: threads neither run nor go */
}

/*
 * Threads
 */

struct user_thread *debug_next_thread(struct user_thread *t)
{
    while (t && t->signals->vforked)
        t = t->next;
    return t;
}

#define EACH_THREAD(p, t) \
    for (struct user_thread *t = debug_next_thread((p)->threads); t; t = debug_next_thread(t->next))

static struct user_thread *thread_of(const struct process_debug *d, uint64_t id)
{
    struct process *p = d->process;
    struct user_thread *found = NULL;
    pthread_mutex_lock(&p->lock);
    EACH_THREAD (p, t)
        if ((uint64_t)t->tid == id)
            found = t;
    pthread_mutex_unlock(&p->lock);
    return found;
}

/* New ones are at the list's head: the debugger sees the oldest first. */
static struct hart *thread_at(void *ctx, unsigned n, uint64_t *id)
{
    const struct process_debug *d = ctx;
    struct process *p = d->process;
    struct hart *found = NULL;
    unsigned count = 0;
    pthread_mutex_lock(&p->lock);
    EACH_THREAD (p, t)
        count++;
    EACH_THREAD (p, t)
        if (count-- == n + 1) {
            found = t->hart;
            *id = (uint64_t)t->tid;
        }
    pthread_mutex_unlock(&p->lock);
    return found;
}

/* Its name, as the kernel knows it. */
static void describe_thread(void *ctx, uint64_t id, char *text, size_t size)
{
    const struct process_debug *d = ctx;
    const struct user_thread *t = thread_of(d, id);
    char path[64];
    snprintf(path, sizeof(path), "/proc/self/task/%" PRIu64 "/comm", id);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, size - 1);
    if (fd >= 0)
        close(fd);
    text[n > 0 ? n : 0] = '\0';
    text[strcspn(text, "\n")] = '\0';
    if (t && !t->debug.parked && strlen(text) + 24 < size)
        strcat(text, " (in a system call)");
}

/*
 * Memory, as the kernel gives it to debuggers: page rights do not matter.
 */

static size_t clip(const struct process_debug *d, uint64_t va, size_t size)
{
    const uint64_t end = d->process->space.end;
    if (va < SPACE_FIRST || va >= end)
        return 0;
    return size < end - va ? size : end - va;
}

static size_t read_memory(void *ctx, struct hart *h, uint64_t va, void *bytes, size_t size)
{
    const struct process_debug *d = ctx;
    (void)h;
    size = clip(d, va, size);
    ssize_t done = size && d->memory >= 0 ? pread(d->memory, bytes, size, (off_t)va) : 0;
    if (d->memory < 0 && size && space_read(&d->process->space, bytes, va, size))
        return size;
    return done > 0 ? (size_t)done : 0;
}

/* What was made from code there is made anew. */
static void change_code(struct process *p, uint64_t first, uint64_t end)
{
    if (p->jit)
        jit_direct_drop(p->jit, first, end);
    p->space.code_changed(p->space.code_changed_ctx);
}

static size_t write_memory(void *ctx, struct hart *h, uint64_t va, const void *bytes, size_t size)
{
    const struct process_debug *d = ctx;
    (void)h;
    size = clip(d, va, size);
    ssize_t done = size && d->memory >= 0 ? pwrite(d->memory, bytes, size, (off_t)va) : 0;
    if (d->memory < 0 && size && space_write(&d->process->space, va, bytes, size))
        done = (ssize_t)size;
    if (done > 0)
        change_code(d->process, va, va + (uint64_t)done);
    return done > 0 ? (size_t)done : 0;
}

/*
 * Points. Instructions are run one by one where they are (cpu/direct_points.c); so nothing that was made before
 * may be run there.
 */
static void set_points(void *ctx, const struct debug_points *points,
                       const struct debug_point *added)
{
    struct process_debug *d = ctx;
    struct process *p = d->process;
    if (added && debug_is_break(added->kind))
        change_code(p, added->va & PAGE_MASK, (added->va & PAGE_MASK) + PAGE_SIZE);
    else if (added)
        change_code(p, 0, p->space.end);
    pthread_mutex_lock(&d->lock);
    d->points = points;
    pthread_mutex_lock(&p->lock);
    EACH_THREAD (p, t)
        debug_set_points(t->hart, points);
    pthread_mutex_unlock(&p->lock);
    pthread_mutex_unlock(&d->lock);
}

/*
 * Stopping and going on
 */

/* Out of the system call that it may wait in. */
static void call_out(const struct process_debug *d, const struct user_thread *t)
{
    siginfo_t info = {.si_signo = DEBUG_CALL_SIGNAL, .si_code = DEBUG_CALL_CODE};
    info.si_pid = getpid();
    info.si_value.sival_ptr = (void *)(uintptr_t)d;
    const uint64_t arg[6] = {(uint64_t)info.si_pid, (uint64_t)t->tid, DEBUG_CALL_SIGNAL,
                             (uint64_t)&info};
    host_call(SYS_rt_tgsigqueueinfo, arg);
}

/* Both locks are held. Whether all have stopped. */
static bool ask_to_stop(const struct process_debug *d)
{
    bool all = true;
    EACH_THREAD (d->process, t) {
        if (t->debug.parked)
            continue;
        all = false;
        user_thread_kick(t);
        if (atomic_load(&t->hart->outside))
            call_out(d, t);
    }
    return all;
}

static void pause_threads(void *ctx)
{
    struct process_debug *d = ctx;
    struct timespec until;
    pthread_mutex_lock(&d->lock);
    d->stopping = true;
    for (unsigned asked = 0; asked < ASKS_MAX; asked++) {
        pthread_mutex_lock(&d->process->lock);
        bool all = ask_to_stop(d);
        pthread_mutex_unlock(&d->process->lock);
        if (all)
            break;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += ASK_AGAIN_NS;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        pthread_cond_timedwait(&d->changed, &d->lock, &until);
    }
    pthread_mutex_unlock(&d->lock);
}

/* What a thread found and nobody was told of: a signal stays, and all else is found again when it goes on. */
static void set_go(void *ctx, uint64_t id, const struct gdb_go *go)
{
    struct process_debug *d = ctx;
    pthread_mutex_lock(&d->lock);
    struct user_thread *t = id ? thread_of(d, id) : NULL;
    if (!id)
        d->rest_new = go->how == GDB_REST;
    if (t) {
        t->debug.go = *go;
        t->debug.go.how = go->how == GDB_RUN_ALONE ? GDB_RUN : go->how;
        t->hart->steps = go->how == GDB_STEP;
        if (t->debug.found && !t->debug.told && t->debug.point.kind != DEBUG_NONE)
            t->debug.found = false;
    }
    pthread_mutex_unlock(&d->lock);
}

/* It waits for its turn to be told of. */
static bool is_due(const struct user_thread *t)
{
    return t->debug.found && !t->debug.told && t->debug.go.how != GDB_REST;
}

static void resume(void *ctx, bool asked)
{
    struct process_debug *d = ctx;
    (void)asked;
    if (d->killed)
        return;
    pthread_mutex_lock(&d->lock);
    pthread_mutex_lock(&d->process->lock);
    d->stopping = false;
    EACH_THREAD (d->process, t) {
        const bool waits = d->attached && (t->debug.go.how == GDB_REST || is_due(t));
        d->due |= d->attached && is_due(t);
        t->debug.parked &= waits;
    }
    pthread_mutex_unlock(&d->process->lock);
    pthread_cond_broadcast(&d->changed);
    pthread_mutex_unlock(&d->lock);
}

static bool find_stop(void *ctx, uint64_t first, struct gdb_stop *stop)
{
    struct process_debug *d = ctx;
    struct user_thread *found = NULL;
    pthread_mutex_lock(&d->lock);
    pthread_mutex_lock(&d->process->lock);
    EACH_THREAD (d->process, t)
        if (is_due(t) && (!found || (uint64_t)t->tid == first))
            found = t;
    pthread_mutex_unlock(&d->process->lock);
    if (found) {
        found->debug.told = true;
        *stop = (struct gdb_stop){
            .thread = (uint64_t)found->tid,
            .signal = debug_signal_to_gdb(found->debug.signal),
            .point = found->debug.point,
            .exec = found->debug.began_exec ? d->process->exe : NULL,
        };
    }
    pthread_mutex_unlock(&d->lock);
    return found;
}

/*
 * Coming and going
 */

static void set_attached(struct process_debug *d, bool attached)
{
    pthread_mutex_lock(&d->lock);
    d->attached = attached;
    d->passed = 0;
    pthread_mutex_unlock(&d->lock);
    signals_catch(&d->process->signals->actions, attached);
}

static void attached(void *ctx)
{
    set_attached(ctx, true);
}

static void detached(void *ctx)
{
    set_attached(ctx, false);
    debug_close_files(ctx);
}

static void kill_program(void *ctx)
{
    struct process_debug *d = ctx;
    d->killed = true; /* when the answer is on its way */
}

const struct gdb_target_ops debug_target_ops = {
    .send = debug_send,
    .hang_up = debug_hang_up,
    .lock = lock_nothing,
    .unlock = lock_nothing,
    .thread = thread_at,
    .describe_thread = describe_thread,
    .read = read_memory,
    .write = write_memory,
    .set_points = set_points,
    .pause = pause_threads,
    .set_go = set_go,
    .resume = resume,
    .find_stop = find_stop,
    .attached = attached,
    .detached = detached,
    .kill = kill_program,
    .other = debug_other_packet,
};
