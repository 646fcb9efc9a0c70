/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What event loops sleep with, by ppoll(): see event_wait.h. poll rather than epoll: a machine has a dozen
 * descriptors, some of them regular files, which epoll refuses, and it is the same on every Unix.
 */
#define _GNU_SOURCE
#include "host/event_wait.h"

#include "host/clock.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define ROOM_AT_FIRST 16

struct event_wait {
    int pipe[2];
    struct pollfd *fds; /* [0] is the pipe */
    size_t count, room;
};

struct event_wait *event_wait_new(struct error *err)
{
    struct event_wait *w = calloc(1, sizeof(*w));
    struct pollfd *fds = calloc(ROOM_AT_FIRST, sizeof(*fds));
    if (!w || !fds) {
        error_set(err, "not enough memory for an event loop");
    } else if (pipe2(w->pipe, O_CLOEXEC | O_NONBLOCK) < 0) {
        error_set(err, "cannot make a pipe: %s", strerror(errno));
    } else {
        w->fds = fds;
        w->room = ROOM_AT_FIRST;
        event_wait_clear(w);
        return w;
    }
    free(fds);
    free(w);
    return NULL;
}

void event_wait_free(struct event_wait *w)
{
    if (!w)
        return;
    close(w->pipe[0]);
    close(w->pipe[1]);
    free(w->fds);
    free(w);
}

void event_wait_wake(struct event_wait *w)
{
    char byte = 0;
    /* A full pipe wakes as well as one byte more. */
    while (write(w->pipe[1], &byte, 1) < 0 && errno == EINTR) {
    }
}

void event_wait_clear(struct event_wait *w)
{
    w->fds[0] = (struct pollfd){.fd = w->pipe[0], .events = POLLIN};
    w->count = 1;
}

int event_wait_add(struct event_wait *w, int fd, unsigned wanted)
{
    if (w->count == w->room) {
        struct pollfd *more = realloc(w->fds, 2 * w->room * sizeof(*more));
        if (!more)
            return -1;
        w->fds = more;
        w->room *= 2;
    }
    short events =
        (short)((wanted & EVENT_READ ? POLLIN : 0) | (wanted & EVENT_WRITE ? POLLOUT : 0) |
                (wanted & EVENT_URGENT ? POLLPRI : 0));
    w->fds[w->count] = (struct pollfd){.fd = fd, .events = events};
    return (int)w->count++;
}

static void drain_pipe(const struct event_wait *w)
{
    char bytes[64];
    while (read(w->pipe[0], bytes, sizeof(bytes)) == (ssize_t)sizeof(bytes)) {
    }
}

void event_wait_sleep(struct event_wait *w, uint64_t deadline)
{
    struct timespec timeout = {0};
    uint64_t now = deadline == EVENT_NEVER ? 0 : clock_monotonic_ns();
    if (deadline != EVENT_NEVER && deadline > now) {
        timeout.tv_sec = (time_t)((deadline - now) / 1000000000u);
        timeout.tv_nsec = (long)((deadline - now) % 1000000000u);
    }
    if (ppoll(w->fds, w->count, deadline == EVENT_NEVER ? NULL : &timeout, NULL) < 0)
        for (size_t i = 0; i < w->count; i++)
            w->fds[i].revents = 0;
    if (w->fds[0].revents)
        drain_pipe(w);
}

unsigned event_wait_result(const struct event_wait *w, int index)
{
    short got = index < 0 ? 0 : w->fds[index].revents;
    return (got & POLLIN ? EVENT_READ : 0u) | (got & POLLOUT ? EVENT_WRITE : 0u) |
           (got & POLLPRI ? EVENT_URGENT : 0u) | (got & POLLHUP ? EVENT_HANGUP : 0u) |
           (got & (POLLERR | POLLNVAL) ? EVENT_ERROR : 0u);
}
