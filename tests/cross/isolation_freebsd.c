/* SPDX-License-Identifier: GPL-3.0-only */
/* For tests/cross/bsd.test: what src/host/freebsd/isolation.c asks of a system that only takes notes. */
#include "host/isolation.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/capsicum.h>
#include <sys/socket.h>
#include <unistd.h>

#define FDS 64

static uint64_t rights_of[FDS]; /* 0: all */
static int entered, enter_errno;
static char logged[1000];

cap_rights_t *fake_rights_set(cap_rights_t *rights, ...)
{
    va_list list;
    va_start(list, rights);
    for (uint64_t bit; (bit = va_arg(list, uint64_t));)
        rights->bits |= bit;
    va_end(list);
    return rights;
}

int cap_rights_limit(int fd, const cap_rights_t *rights)
{
    if (fd < FDS)
        rights_of[fd] = rights->bits;
    return 0;
}

int cap_enter(void)
{
    entered++;
    errno = enter_errno;
    return enter_errno ? -1 : 0;
}

static void take_line(void *ctx, enum log_level level, const char *text)
{
    (void)ctx;
    (void)level;
    snprintf(logged, sizeof(logged), "%s", text);
}

static struct log sink = {.sink = take_line, .level = LOG_INFO};

static void isolate(bool whole_process, void (*need)(void))
{
    struct isolation *iso = isolation_new(&sink, whole_process, NULL);
    assert(iso && !isolation_enter(iso));
    need();
    entered = 0;
    memset(rights_of, 0, sizeof(rights_of));
    isolation_apply(THREAD_HART);
    assert(!entered);
    isolation_apply(THREAD_CALLER);
    puts(logged);
    assert(isolation_enter(NULL) == iso);
    isolation_free(iso);
}

static void nothing(void)
{
}

static void user_network(void)
{
    isolation_need_sockets(ISOLATION_INET);
}

static void network_by_tcp(void)
{
    isolation_need_port(80);
}

static void control_socket(void)
{
    isolation_need_removal("ctl");
}

int main(int argc, char **argv)
{
    int file = open(argv[argc - 1], O_RDONLY), device = open("/dev/null", O_RDWR);
    int listener = socket(AF_UNIX, SOCK_STREAM, 0), pipes[2];
    assert(file >= 0 && device >= 0 && listener >= 0 && pipe(pipes) == 0 && pipes[1] < FDS);

    isolate(true, nothing);
    assert(entered == 1 && strstr(logged, "in capability mode"));
    assert(rights_of[file] & CAP_SEEK && rights_of[file] & CAP_FSYNC);
    assert(!(rights_of[file] & CAP_ACCEPT));
    assert(rights_of[listener] & CAP_ACCEPT && !(rights_of[listener] & CAP_SEEK));
    assert(rights_of[pipes[0]] & CAP_EVENT && !(rights_of[pipes[0]] & CAP_SEEK));
    assert(!rights_of[device]); /* keeps all of them */

    isolate(true, control_socket);
    assert(entered == 1 && strstr(logged, "names stay"));
    isolate(true, user_network);
    assert(!entered && !rights_of[file] && strstr(logged, "isolation: none"));
    isolate(true, network_by_tcp);
    assert(!entered && strstr(logged, "isolation: none"));
    isolate(false, nothing); /* a program's machine: the program stays as it is */
    assert(!entered && strstr(logged, "isolation: none"));
    enter_errno = ENOSYS; /* a kernel without it: descriptors stay as they are as well */
    isolate(true, nothing);
    assert(entered == 1 && !rights_of[file] && strstr(logged, "incomplete"));
    return 0;
}
