/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Listening sockets: see stream.h.
 */
#define _GNU_SOURCE
#include "host/stream.h"

#include "host/isolation.h"
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

int stream_listen_unix(const char *path, struct error *err)
{
    int fd = stream_listen_file(path, err);
    if (fd >= 0)
        isolation_need_removal(path);
    return fd;
}

int stream_listen_tcp(const char *address, char *name, size_t size, struct error *err)
{
    char text[300], *host, *port;
    if ((size_t)snprintf(text, sizeof(text), "%s", address) >= sizeof(text) ||
        !stream_split_address(text, &host, &port)) {
        error_set(err, "%s: not HOST:PORT", address);
        return -1;
    }
    const struct addrinfo hints = {.ai_family = AF_UNSPEC,
                                   .ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *found;
    int e = getaddrinfo(host, port, &hints, &found);
    if (e) {
        error_set(err, "%s: %s", address, gai_strerror(e));
        return -1;
    }
    int fd = -1;
    for (const struct addrinfo *a = found; a && fd < 0; a = a->ai_next)
        fd = stream_listen_bound(a->ai_addr, a->ai_addrlen);
    if (fd >= 0) {
        stream_name_bound(fd, name, size);
        isolation_need_clients();
    } else {
        error_set(err, "%s: cannot listen: %s", address, strerror(errno));
    }
    freeaddrinfo(found);
    return fd;
}
