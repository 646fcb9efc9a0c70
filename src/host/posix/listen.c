/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Listening sockets: see stream.h.
 */
#define _GNU_SOURCE
#include "host/stream.h"

#include "host/isolation.h"
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* Makes room for a socket at path: removes one that refuses connections. */
static bool clear_stale(const struct sockaddr_un *address, struct error *err)
{
    const char *path = address->sun_path;
    struct stat st;
    if (lstat(path, &st) < 0)
        return true; /* absent, or bind() will say what is wrong */
    if (!S_ISSOCK(st.st_mode))
        return error_set(err, "%s: exists and is not a socket", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return error_set(err, "cannot make a socket: %s", strerror(errno));
    int n = connect(fd, (const struct sockaddr *)address, sizeof(*address));
    int e = errno;
    close(fd);
    if (n == 0 || e != ECONNREFUSED)
        return error_set(err, "%s: in use by another process", path);
    if (unlink(path) < 0)
        return error_set(err, "%s: cannot remove the stale socket: %s", path, strerror(errno));
    return true;
}

int stream_listen_unix(const char *path, struct error *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = strlen(path);
    if (length == 0 || length >= sizeof(address.sun_path)) {
        error_set(err, "%s: a socket's name has 1 to %zu bytes", path,
                  sizeof(address.sun_path) - 1);
        return -1;
    }
    memcpy(address.sun_path, path, length + 1);
    if (!clear_stale(&address, err))
        return -1;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    /* Nobody can connect before listen(), so that the console is never open to other users. */
    bool bound = fd >= 0 && bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0;
    if (bound && chmod(path, 0600) == 0 && listen(fd, 1) == 0) {
        isolation_need_removal(path);
        return fd;
    }
    error_set(err, "%s: cannot listen: %s", path, strerror(errno));
    if (bound)
        unlink(path);
    if (fd >= 0)
        close(fd);
    return -1;
}

static int try_listen(const struct addrinfo *a)
{
    int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    int one = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (bind(fd, a->ai_addr, a->ai_addrlen) == 0 && listen(fd, 1) == 0)
        return fd;
    int e = errno;
    close(fd);
    errno = e;
    return -1;
}

static void name_socket(int fd, char *name, size_t size)
{
    struct sockaddr_storage bound;
    socklen_t length = sizeof(bound);
    char host[INET6_ADDRSTRLEN + 16] = "?", port[8] = "?";
    if (getsockname(fd, (struct sockaddr *)&bound, &length) == 0)
        getnameinfo((struct sockaddr *)&bound, length, host, sizeof(host), port, sizeof(port),
                    NI_NUMERICHOST | NI_NUMERICSERV);
    snprintf(name, size, strchr(host, ':') ? "[%s]:%s" : "%s:%s", host, port);
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
        fd = try_listen(a);
    if (fd < 0)
        error_set(err, "%s: cannot listen: %s", address, strerror(errno));
    else
        name_socket(fd, name, size);
    freeaddrinfo(found);
    return fd;
}

int stream_accept(int listener)
{
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd >= 0) {
        /* Both fail on what is no TCP socket, which is as well. Keep-alive frees the place of a
         * client that has vanished. */
        int one = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
        setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
    }
    return fd;
}
