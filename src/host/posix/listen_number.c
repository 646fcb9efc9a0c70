/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Listening sockets at addresses that are known as numbers: without the C library's ways to resolve names, which
 * a program that is linked statically has not got. See stream.h.
 */
#define _GNU_SOURCE
#include "host/stream.h"

#include <arpa/inet.h>
#include <errno.h>
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

int stream_listen_file(const char *path, struct error *err)
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
    if (bound && chmod(path, 0600) == 0 && listen(fd, 1) == 0)
        return fd;
    error_set(err, "%s: cannot listen: %s", path, strerror(errno));
    if (bound)
        unlink(path);
    if (fd >= 0)
        close(fd);
    return -1;
}

int stream_listen_bound(const struct sockaddr *address, size_t size)
{
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    int one = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (bind(fd, address, (socklen_t)size) == 0 && listen(fd, 1) == 0)
        return fd;
    int e = errno;
    close(fd);
    errno = e;
    return -1;
}

void stream_name_bound(int fd, char *name, size_t size)
{
    struct sockaddr_storage bound = {0};
    socklen_t length = sizeof(bound);
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)&bound;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&bound;
    char host[INET6_ADDRSTRLEN] = "?";
    getsockname(fd, (struct sockaddr *)&bound, &length);
    const bool is_v6 = bound.ss_family == AF_INET6;
    inet_ntop(bound.ss_family, is_v6 ? (const void *)&v6->sin6_addr : &v4->sin_addr, host,
              sizeof(host));
    snprintf(name, size, is_v6 ? "[%s]:%u" : "%s:%u", host,
             ntohs(is_v6 ? v6->sin6_port : v4->sin_port));
}

/* A host by number, or the one that all have. */
static size_t parse_address(const char *host, const char *port, struct sockaddr_storage *address)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)address;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)address;
    memset(address, 0, sizeof(*address));
    if (inet_pton(AF_INET, strcmp(host, "localhost") ? host : "127.0.0.1", &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons((uint16_t)atoi(port));
        return sizeof(*v4);
    }
    if (inet_pton(AF_INET6, host, &v6->sin6_addr) != 1)
        return 0;
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons((uint16_t)atoi(port));
    return sizeof(*v6);
}

int stream_listen_number(const char *address, char *name, size_t size, struct error *err)
{
    struct sockaddr_storage at;
    char text[300], *host, *port;
    if ((size_t)snprintf(text, sizeof(text), "%s", address) >= sizeof(text) ||
        !stream_split_address(text, &host, &port)) {
        error_set(err, "%s: not HOST:PORT", address);
        return -1;
    }
    const size_t at_size = parse_address(host, port, &at);
    if (!at_size) {
        error_set(err, "%s: a host by number, or localhost, is wanted", address);
        return -1;
    }
    int fd = stream_listen_bound((const struct sockaddr *)&at, at_size);
    if (fd < 0)
        error_set(err, "%s: cannot listen: %s", address, strerror(errno));
    else
        stream_name_bound(fd, name, size);
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
