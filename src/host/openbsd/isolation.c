/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Isolation by pledge(2) and unveil(2). They are the process's and not a thread's, so only a process that is the
 * machine's is isolated: when the thread that runs it is, which is the last to be. What is not promised fails
 * with ENOSYS ("error"), as it fails on Linux.
 */
#include "host/isolation.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATHS_MAX 64

struct isolation {
    struct log *log;
    bool whole_process;
    unsigned sockets; /* enum isolation_sockets */
    bool clients;     /* by TCP */
    unsigned path_count;
    struct isolation_path {
        char *path;
        const char *permissions; /* of unveil() */
    } paths[PATHS_MAX];
};

static _Thread_local struct isolation *current;

struct isolation *isolation_new(struct log *log, bool whole_process, struct error *err)
{
    struct isolation *iso = calloc(1, sizeof(*iso));
    if (!iso) {
        error_set(err, "out of memory");
        return NULL;
    }
    iso->log = log;
    iso->whole_process = whole_process;
    if (!whole_process)
        log_line(
            log, LOG_INFO,
            "isolation: none: pledge() would restrict all of the program, and not the machine");
    return iso;
}

void isolation_free(struct isolation *iso)
{
    if (!iso)
        return;
    if (current == iso)
        current = NULL;
    while (iso->path_count)
        free(iso->paths[--iso->path_count].path);
    free(iso);
}

struct isolation *isolation_enter(struct isolation *iso)
{
    struct isolation *before = current;
    current = iso;
    return before;
}

/* Nobody is told of refusals; with "error" the system notes them for accounting only. */
void isolation_watch(struct isolation *iso, struct event_loop *loop)
{
    (void)iso;
    (void)loop;
}

/*
 * Needs
 */

void isolation_need_sockets(unsigned sockets)
{
    if (current)
        current->sockets |= sockets;
}

/* There are no promises of one port. */
void isolation_need_port(uint16_t port)
{
    (void)port;
    isolation_need_sockets(ISOLATION_TCP);
}

void isolation_need_clients(void)
{
    if (current)
        current->clients = true;
}

static void need_path(const char *path, const char *permissions)
{
    char *copy = current && current->path_count < PATHS_MAX ? strdup(path) : NULL;
    if (copy)
        current->paths[current->path_count++] = (struct isolation_path){copy, permissions};
}

void isolation_need_reading(const char *path)
{
    need_path(path, "r");
}

void isolation_need_removal(const char *path)
{
    need_path(path, "c");
}

/*
 * Giving up
 */

static bool has_paths(const struct isolation *iso, const char *permissions)
{
    for (unsigned i = 0; i < iso->path_count; i++)
        if (!strcmp(iso->paths[i].permissions, permissions))
            return true;
    return false;
}

/* Nothing else has a name. To connect to a socket is to write to where it is, which may be anywhere. */
static bool unveil_paths(const struct isolation *iso, struct error *err)
{
    if ((iso->sockets & ISOLATION_UNIX) && unveil("/", "w") < 0)
        return error_set(err, "unveil: /: %s", strerror(errno));
    for (unsigned i = 0; i < iso->path_count; i++) {
        const struct isolation_path *p = &iso->paths[i];
        /* What is not there needs not be seen. */
        if (unveil(p->path, p->permissions) < 0 && errno != ENOENT)
            return error_set(err, "unveil: %s: %s", p->path, strerror(errno));
    }
    return true;
}

/*
 * "tty": raw mode is taken back and, after a stop, set again. "unix": also to accept clients where a socket has
 * been bound, which those are that will be removed; what such a client may bring is files with their locks.
 */
static bool make_promises(const struct isolation *iso, struct error *err)
{
    bool removes = has_paths(iso, "c");
    char promises[128];
    snprintf(promises, sizeof(promises), "stdio error tty%s%s%s%s",
             iso->clients || iso->sockets & (ISOLATION_INET | ISOLATION_TCP) ? " inet" : "",
             removes || iso->sockets & ISOLATION_UNIX ? " unix" : "",
             has_paths(iso, "r") ? " rpath" : "", removes ? " cpath recvfd flock" : "");
    /* No program is started, so it has no promises either. */
    if (pledge(promises, "") < 0)
        return error_set(err, "pledge: %s", strerror(errno));
    log_line(iso->log, LOG_INFO, "isolation: the process pledges \"%s\"", promises);
    return true;
}

void isolation_apply(enum thread_kind kind)
{
    struct isolation *iso = current;
    struct error err = {0};
    if (!iso || !iso->whole_process || kind != THREAD_CALLER)
        return;
    if (!unveil_paths(iso, &err) || !make_promises(iso, &err))
        log_line(iso->log, LOG_INFO, "isolation: incomplete: %s", err.text);
}
