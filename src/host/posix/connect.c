/* SPDX-License-Identifier: MPL-2.0 */
/* Sockets that connect: see stream.h. */
#define _GNU_SOURCE
#include "host/stream.h"

#include "host/isolation.h"
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

_Static_assert(sizeof(((struct stream_address *)0)->bytes) >= sizeof(struct sockaddr_storage),
               "it fits");

static bool resolve_unix(const char *path, struct stream_address *address, struct error *err)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    size_t length = strlen(path);
    if (length == 0 || length >= sizeof(un.sun_path))
        return error_set(err, "%s: a socket's name has 1 to %zu bytes", path,
                         sizeof(un.sun_path) - 1);
    memcpy(un.sun_path, path, length + 1);
    memcpy(address->bytes, &un, sizeof(un));
    address->size = sizeof(un);
    isolation_need_sockets(ISOLATION_UNIX);
    return true;
}

static bool resolve_tcp(const char *where, struct stream_address *address, struct error *err)
{
    char text[300], *host, *port;
    const struct addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *found;
    if ((size_t)snprintf(text, sizeof(text), "%s", where) >= sizeof(text) ||
        !stream_split_address(text, &host, &port))
        return error_set(err, "%s: not HOST:PORT", where);
    int e = getaddrinfo(host, port, &hints, &found);
    if (e)
        return error_set(err, "%s: %s", where, gai_strerror(e));
    memcpy(address->bytes, found->ai_addr, found->ai_addrlen);
    address->size = found->ai_addrlen;
    isolation_need_port((uint16_t)strtoul(port, NULL, 10));
    freeaddrinfo(found);
    return true;
}

bool stream_resolve(const char *where, struct stream_address *address, struct error *err)
{
    if (!strncmp(where, "unix:", 5))
        return resolve_unix(where + 5, address, err);
    if (!strncmp(where, "tcp:", 4))
        return resolve_tcp(where + 4, address, err);
    return error_set(err, "%s: not unix:PATH or tcp:HOST:PORT", where);
}

int stream_connect(const struct stream_address *address)
{
    struct sockaddr_storage to;
    memcpy(&to, address->bytes, address->size);
    int fd = socket(to.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    /* Fails on what is no TCP socket, which is as well. */
    int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
    if (connect(fd, (struct sockaddr *)&to, (socklen_t)address->size) == 0 || errno == EINPROGRESS)
        return fd;
    close(fd);
    return -1;
}

bool stream_connected(int fd)
{
    int e = 0;
    socklen_t size = sizeof(e);
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &e, &size) == 0 && e == 0;
}
