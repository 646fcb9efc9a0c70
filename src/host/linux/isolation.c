/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Isolation on Linux: see isolation.h. Each thread restricts itself, since privileges, Landlock domains and
 * filters of system calls are all a thread's own there.
 */
#define _GNU_SOURCE
#include "host/linux/isolation_parts.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What threads pass on: to be restricted, or that they are so already, which the kernel passes on itself. */
struct isolation_heritage {
    struct thread_heritage thread;
    struct isolation *isolation;
};

struct isolation {
    struct isolation_heritage to_come, done;
    struct log *log;
    pthread_mutex_t lock; /* libseccomp and the list of needs are for one thread at a time */
    struct isolation_needs needs;
    struct refusals *refusals; /* NULL: nobody is told */
    bool whole_process;
    bool filters; /* system calls are filtered */
    bool files;   /* Landlock works */
};

static struct isolation *current(void)
{
    struct thread_heritage *heritage = thread_heritage();
    return heritage ? ((struct isolation_heritage *)heritage)->isolation : NULL;
}

static void begin_unrestricted(struct thread_heritage *heritage, enum thread_kind kind)
{
    struct isolation *iso = ((struct isolation_heritage *)heritage)->isolation;
    isolation_apply(kind);
    thread_set_heritage(&iso->done.thread);
}

static void begin_restricted(struct thread_heritage *heritage, enum thread_kind kind)
{
    struct isolation *iso = ((struct isolation_heritage *)heritage)->isolation;
    (void)kind;
    if (iso->refusals)
        refusals_enter(iso->refusals);
}

static void say_what_there_is(const struct isolation *iso, const char *obstacle)
{
    if (obstacle)
        log_line(iso->log, LOG_INFO, "isolation: system calls are not filtered: %s", obstacle);
    if (!iso->files)
        log_line(iso->log, LOG_INFO,
                 "isolation: files are not restricted: the kernel has no "
                 "Landlock, or it is off");
    if (iso->files && landlock_version() < 6)
        log_line(iso->log, LOG_INFO,
                 "isolation: Landlock of version %d: sockets are restricted by system calls only",
                 landlock_version());
    log_line(iso->log, LOG_INFO, "isolation: privileges%s%s are given up by each thread",
             iso->filters ? ", system calls" : "", iso->files ? ", files" : "");
}

/*
 * When a thread gives back much of its heap for the first time in a process, glibc opens a file in /proc to learn
 * how, and goes without when it may not. So that nobody is refused anything then, it is asked beforehand.
 */
static void *give_back_much(void *arg)
{
    /* Together more than its M_TRIM_THRESHOLD, each less than its M_MMAP_THRESHOLD. */
    enum { BLOCKS = 32, SIZE = 100 << 10 };
    void *volatile blocks[BLOCKS]; /* or a compiler might do without */
    for (unsigned i = 0; i < BLOCKS; i++)
        blocks[i] = malloc(SIZE);
    for (unsigned i = 0; i < BLOCKS; i++)
        free(blocks[i]);
    return arg;
}

static void settle_heap(void)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, give_back_much, NULL) == 0)
        pthread_join(thread, NULL);
}

struct isolation *isolation_new(struct log *log, bool whole_process, struct error *err)
{
    struct isolation *iso = calloc(1, sizeof(*iso));
    if (!iso) {
        error_set(err, "out of memory");
        return NULL;
    }
    const char *obstacle = system_calls_obstacle();
    iso->to_come = (struct isolation_heritage){{begin_unrestricted}, iso};
    iso->done = (struct isolation_heritage){{begin_restricted}, iso};
    iso->log = log;
    iso->whole_process = whole_process;
    iso->filters = !obstacle;
    iso->files = landlock_version() > 0;
    pthread_mutex_init(&iso->lock, NULL);
    if (iso->filters)
        settle_heap();
    if (ISOLATION_SANITIZED)
        log_line(log, LOG_INFO, "isolation: none: built with a sanitizer, which needs the host");
    else
        say_what_there_is(iso, obstacle);
    if (whole_process && iso->filters && !(iso->refusals = refusals_new(log, err))) {
        isolation_free(iso);
        return NULL;
    }
    return iso;
}

static void free_paths(struct isolation_paths *list)
{
    while (list->count)
        free(list->paths[--list->count]);
}

void isolation_free(struct isolation *iso)
{
    if (!iso)
        return;
    if (current() == iso)
        isolation_enter(NULL);
    refusals_free(iso->refusals);
    free_paths(&iso->needs.reading);
    free_paths(&iso->needs.removal);
    pthread_mutex_destroy(&iso->lock);
    free(iso);
}

struct isolation *isolation_enter(struct isolation *iso)
{
    struct isolation *before = current();
    thread_set_heritage(iso ? &iso->to_come.thread : NULL);
    if (!iso || !iso->refusals)
        refusals_enter(NULL);
    return before;
}

void isolation_watch(struct isolation *iso, struct event_loop *loop)
{
    if (iso && iso->refusals)
        refusals_watch(iso->refusals, loop);
}

/*
 * Needs
 */

void isolation_need_sockets(unsigned sockets)
{
    struct isolation *iso = current();
    if (!iso)
        return;
    pthread_mutex_lock(&iso->lock);
    iso->needs.sockets |= sockets;
    pthread_mutex_unlock(&iso->lock);
}

void isolation_need_port(uint16_t port)
{
    struct isolation *iso = current();
    if (!iso)
        return;
    pthread_mutex_lock(&iso->lock);
    iso->needs.sockets |= ISOLATION_TCP;
    if (iso->needs.port_count < ISOLATION_PORTS_MAX)
        iso->needs.ports[iso->needs.port_count++] = port;
    pthread_mutex_unlock(&iso->lock);
}

static void add_path(struct isolation *iso, struct isolation_paths *list, const char *path)
{
    pthread_mutex_lock(&iso->lock);
    char *copy = list->count < ISOLATION_PATHS_MAX ? strdup(path) : NULL;
    if (copy)
        list->paths[list->count++] = copy;
    pthread_mutex_unlock(&iso->lock);
}

/* Every kind of thread with a loop may take them. */
void isolation_need_clients(void)
{
}

void isolation_need_reading(const char *path)
{
    struct isolation *iso = current();
    if (iso)
        add_path(iso, &iso->needs.reading, path);
}

void isolation_need_removal(const char *path)
{
    struct isolation *iso = current();
    if (iso)
        add_path(iso, &iso->needs.removal, path);
}

/*
 * Giving up
 */

/* All of them; without those that are permitted none can be had again (capabilities(7)). */
static bool drop_privileges(struct error *err)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return error_set(err, "no_new_privs: %s", strerror(errno));
    if (syscall(SYS_capset, &header, none) < 0)
        return error_set(err, "capabilities: %s", strerror(errno));
    return true;
}

/*
 * No core dump, which would be a file of the guest's making with all of its memory, or input for a program of
 * the host's with many privileges (core(5)); and other programs of the user cannot look into the process.
 */
static void hide_memory(void)
{
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

static void note(struct isolation *iso, bool done, const struct error *err)
{
    if (!done)
        log_line(iso->log, LOG_INFO, "isolation: incomplete: %s", err->text);
}

void isolation_apply(enum thread_kind kind)
{
    struct isolation *iso = current();
    struct error err = {0};
    if (!iso || ISOLATION_SANITIZED)
        return;
    if (iso->refusals)
        refusals_enter(iso->refusals);
    pthread_mutex_lock(&iso->lock);
    if (kind == THREAD_CALLER && iso->whole_process)
        hide_memory();
    note(iso, drop_privileges(&err), &err);
    if (iso->files)
        note(iso, landlock_restrict(kind, &iso->needs, &err), &err);
    /* Last, as it refuses all of the above. */
    if (iso->filters)
        note(iso, system_calls_restrict(kind, &iso->needs, iso->refusals, &err), &err);
    pthread_mutex_unlock(&iso->lock);
}
