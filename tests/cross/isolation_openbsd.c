/* SPDX-License-Identifier: GPL-3.0-only */
/* For tests/cross/bsd.test: what src/host/openbsd/isolation.c asks of a system that only takes notes. */
#include "host/isolation.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static char notes[1000];
static int unveil_errno, pledge_errno;

static int note(int error, const char *what, const char *first, const char *second)
{
    size_t used = strlen(notes);
    snprintf(notes + used, sizeof(notes) - used, "%s(%s,%s) ", what, first, second);
    errno = error;
    return error ? -1 : 0;
}

int pledge(const char *promises, const char *execpromises)
{
    return note(pledge_errno, "pledge", promises, execpromises);
}

int unveil(const char *path, const char *permissions)
{
    return note(unveil_errno, "unveil", path, permissions);
}

static char logged[1000];

static void take_line(void *ctx, enum log_level level, const char *text)
{
    (void)ctx;
    (void)level;
    snprintf(logged, sizeof(logged), "%s", text);
}

static struct log sink = {.sink = take_line, .level = LOG_INFO};

/* What the process asks for after these needs. */
static void expect(const char *notes_expected, bool whole_process, void (*need)(void))
{
    struct isolation *iso = isolation_new(&sink, whole_process, NULL);
    assert(iso && !isolation_enter(iso));
    need();
    notes[0] = '\0';
    isolation_apply(THREAD_HART); /* of a thread there is nothing to restrict */
    assert(!notes[0]);
    isolation_apply(THREAD_CALLER);
    printf("%s\n  %s\n", notes, logged);
    assert(!strcmp(notes, notes_expected));
    assert(isolation_enter(NULL) == iso);
    isolation_free(iso);
}

static void nothing(void)
{
}

static void user_network(void)
{
    isolation_need_sockets(ISOLATION_INET);
    isolation_need_reading("/etc/resolv.conf");
}

static void control_socket(void)
{
    isolation_need_removal("ctl");
}

static void network_by_a_socket(void)
{
    isolation_need_sockets(ISOLATION_UNIX);
}

static void debugger_by_tcp(void)
{
    isolation_need_clients();
}

int main(void)
{
    expect("pledge(stdio error tty,) ", true, nothing);
    expect("unveil(/etc/resolv.conf,r) pledge(stdio error tty inet rpath,) ", true, user_network);
    expect("unveil(ctl,c) pledge(stdio error tty unix cpath recvfd flock,) ", true, control_socket);
    expect("unveil(/,w) pledge(stdio error tty unix,) ", true, network_by_a_socket);
    expect("pledge(stdio error tty inet,) ", true, debugger_by_tcp);
    expect("", false, user_network); /* a program's machine: the program stays as it is */
    assert(strstr(logged, "isolation: none"));
    unveil_errno = ENOENT; /* a file that is not there keeps nobody from pledging */
    expect("unveil(/etc/resolv.conf,r) pledge(stdio error tty inet rpath,) ", true, user_network);
    unveil_errno = EPERM;
    expect("unveil(/etc/resolv.conf,r) ", true, user_network);
    assert(strstr(logged, "incomplete"));
    unveil_errno = 0;
    pledge_errno = EINVAL;
    expect("pledge(stdio error tty,) ", true, nothing);
    assert(strstr(logged, "incomplete"));
    return 0;
}
