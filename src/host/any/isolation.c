/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Isolation: none. POSIX has no means for it, and a thread of Windows cannot give up what its process may do.
 */
#include "host/isolation.h"

#include <stdlib.h>

struct isolation {
    char none;
};

struct isolation *isolation_new(struct log *log, bool whole_process, struct error *err)
{
    (void)whole_process;
    struct isolation *iso = calloc(1, sizeof(*iso));
    if (iso)
        log_line(log, LOG_INFO,
                 "isolation: none: rvvm knows no means of this system for it: what breaks out of "
                 "the guest may do all that you may do");
    else
        error_set(err, "out of memory");
    return iso;
}

void isolation_free(struct isolation *iso)
{
    free(iso);
}

struct isolation *isolation_enter(struct isolation *iso)
{
    (void)iso;
    return NULL;
}

void isolation_watch(struct isolation *iso, struct event_loop *loop)
{
    (void)iso;
    (void)loop;
}

void isolation_apply(enum thread_kind kind)
{
    (void)kind;
}

void isolation_need_sockets(unsigned sockets)
{
    (void)sockets;
}

void isolation_need_port(uint16_t port)
{
    (void)port;
}

void isolation_need_clients(void)
{
}

void isolation_need_reading(const char *path)
{
    (void)path;
}

void isolation_need_removal(const char *path)
{
    (void)path;
}
