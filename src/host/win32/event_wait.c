/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What event loops sleep with: see event_wait.h. The system waits for events (the kind that are handles), of which
 * all sockets share one: WSAEventSelect() says anew before each sleep when it is to be set, and sets it at once
 * where that is so already. Which sockets they were WSAPoll() tells, which could not have waited for the others.
 *
 * A timer ends the sleep at its deadline, since the milliseconds that waits are given are those of a clock that
 * ticks 64 times a second.
 */
#include "host/event_wait.h"

#include "host/clock.h"
#include "host/win32/sockets.h"
#include "host/win32/standard.h"
#include <stdlib.h>

#define ROOM_AT_FIRST 16
#define TICK_MS 1       /* asked of the system for as long as there are event loops */
#define TIMER_PRECISE 2 /* CREATE_WAITABLE_TIMER_HIGH_RESOLUTION, since Windows 10 1803 */

enum entry_kind { ENTRY_FILE, ENTRY_STANDARD, ENTRY_SOCKET };

struct entry {
    int fd;
    enum entry_kind kind;
    unsigned wanted, found; /* enum event_bits */
};

struct event_wait {
    HANDLE wake, timer, sockets; /* the first is reset by the sleep that it ends */
    struct entry *entries;
    WSAPOLLFD *polled; /* of the sockets among them, in their order */
    size_t count, room;
    ULONG socket_count;
};

static HANDLE new_timer(void)
{
    HANDLE timer = CreateWaitableTimerExW(NULL, NULL, TIMER_PRECISE, TIMER_ALL_ACCESS);
    return timer ? timer : CreateWaitableTimerExW(NULL, NULL, 0, TIMER_ALL_ACCESS);
}

struct event_wait *event_wait_new(struct error *err)
{
    struct event_wait *w = calloc(1, sizeof(*w));
    if (!w) {
        error_set(err, "not enough memory for an event loop");
        return NULL;
    }
    timeBeginPeriod(TICK_MS);
    w->room = ROOM_AT_FIRST;
    w->entries = calloc(w->room, sizeof(*w->entries));
    w->polled = calloc(w->room, sizeof(*w->polled));
    w->wake = CreateEventW(NULL, FALSE, FALSE, NULL);
    w->sockets = CreateEventW(NULL, TRUE, FALSE, NULL);
    w->timer = new_timer();
    if (w->entries && w->polled && w->wake && w->sockets && w->timer)
        return w;
    error_set(err, "cannot make an event loop: %s", system_message(GetLastError()).text);
    event_wait_free(w);
    return NULL;
}

void event_wait_free(struct event_wait *w)
{
    if (!w)
        return;
    timeEndPeriod(TICK_MS);
    const HANDLE handles[] = {w->wake, w->sockets, w->timer};
    for (unsigned n = 0; n < 3; n++)
        if (handles[n])
            CloseHandle(handles[n]);
    free(w->entries);
    free(w->polled);
    free(w);
}

void event_wait_wake(struct event_wait *w)
{
    SetEvent(w->wake);
}

void event_wait_clear(struct event_wait *w)
{
    w->count = 0;
    w->socket_count = 0;
}

static bool make_room(struct event_wait *w)
{
    if (w->count < w->room)
        return true;
    struct entry *entries = realloc(w->entries, 2 * w->room * sizeof(*entries));
    if (entries)
        w->entries = entries;
    WSAPOLLFD *polled = entries ? realloc(w->polled, 2 * w->room * sizeof(*polled)) : NULL;
    if (!polled)
        return false;
    w->polled = polled;
    w->room *= 2;
    return true;
}

int event_wait_add(struct event_wait *w, int fd, unsigned wanted)
{
    if (!make_room(w))
        return -1;
    struct entry *e = &w->entries[w->count];
    *e = (struct entry){fd, ENTRY_FILE, wanted, 0};
    if (fd == STANDARD_INPUT || fd == STANDARD_OUTPUT)
        e->kind = ENTRY_STANDARD;
    else if (fd == -1)
        e->wanted = 0;
    else if (socket_is(fd))
        e->kind = ENTRY_SOCKET;
    if (e->kind == ENTRY_SOCKET)
        w->polled[w->socket_count++] =
            (WSAPOLLFD){.fd = socket_of(fd),
                        .events = (short)((wanted & EVENT_READ ? POLLIN : 0) |
                                          (wanted & EVENT_WRITE ? POLLOUT : 0))};
    return (int)w->count++;
}

static unsigned found_by_poll(short got)
{
    return (got & POLLIN ? EVENT_READ : 0u) | (got & POLLOUT ? EVENT_WRITE : 0u) |
           (got & POLLHUP ? EVENT_HANGUP : 0u) | (got & (POLLERR | POLLNVAL) ? EVENT_ERROR : 0u);
}

/* Whether one of the list is ready. */
static bool look(struct event_wait *w)
{
    bool any = false;
    const WSAPOLLFD *polled = w->polled;
    bool answered = w->socket_count && WSAPoll(w->polled, w->socket_count, 0) >= 0;
    for (size_t n = 0; n < w->count; n++) {
        struct entry *e = &w->entries[n];
        if (e->kind == ENTRY_STANDARD)
            e->found = e->wanted && standard_ready(e->fd) ? e->wanted : 0;
        else if (e->kind == ENTRY_SOCKET)
            e->found = answered ? found_by_poll(polled->revents) : 0;
        else
            e->found = e->wanted;
        polled += e->kind == ENTRY_SOCKET;
        any |= e->found;
    }
    return any;
}

/* From here on what comes to a socket ends the next wait. */
static void select_sockets(struct event_wait *w)
{
    ResetEvent(w->sockets);
    for (ULONG n = 0; n < w->socket_count; n++) {
        const WSAPOLLFD *p = &w->polled[n];
        WSAEventSelect(p->fd, w->sockets,
                       (p->events & POLLIN ? FD_READ | FD_ACCEPT : 0) |
                           (p->events & POLLOUT ? FD_WRITE | FD_CONNECT : 0) | FD_CLOSE);
    }
}

static bool set_timer(struct event_wait *w, uint64_t deadline)
{
    uint64_t now = clock_monotonic_ns();
    /* Units of 100 ns; negative: from now on. */
    LARGE_INTEGER due = {.QuadPart = -(LONGLONG)((deadline - now) / 100 + 1)};
    return deadline > now && SetWaitableTimer(w->timer, &due, 0, NULL, NULL, FALSE);
}

void event_wait_sleep(struct event_wait *w, uint64_t deadline)
{
    HANDLE handles[5] = {w->wake};
    DWORD count = 1;
    if (deadline && w->socket_count) {
        select_sockets(w);
        handles[count++] = w->sockets;
    }
    if (look(w) || !deadline)
        return;
    for (size_t n = 0; n < w->count && count < 4; n++)
        if (w->entries[n].kind == ENTRY_STANDARD && w->entries[n].wanted)
            handles[count++] = standard_event(w->entries[n].fd);
    if (deadline != EVENT_NEVER) {
        if (!set_timer(w, deadline))
            return;
        handles[count++] = w->timer;
    }
    WaitForMultipleObjects(count, handles, FALSE, INFINITE);
    look(w);
}

unsigned event_wait_result(const struct event_wait *w, int index)
{
    return index < 0 ? 0 : w->entries[index].found;
}
