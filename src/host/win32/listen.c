/* SPDX-License-Identifier: MPL-2.0 */
/* Listening sockets: see stream.h. Those that are files are there since Windows 10 1803. */
#include "host/stream.h"

#include "host/win32/sockets.h"
#include <afunix.h>
#include <stdio.h>
#include <string.h>
#include <ws2tcpip.h>

/* Removes a socket that refuses connections; what is none bind() complains about. */
static void clear_stale(const struct sockaddr_un *address)
{
    int fd = socket_new(AF_UNIX);
    if (fd == -1)
        return;
    /* A connection to this machine that makes nobody wait is made or refused at once. */
    bool refused = connect(socket_of(fd), (const struct sockaddr *)address, sizeof(*address)) &&
                   WSAGetLastError() == WSAECONNREFUSED;
    closesocket(socket_of(fd));
    if (refused)
        stream_unlink(address->sun_path);
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
    clear_stale(&address);
    int fd = socket_new(AF_UNIX);
    /* The folder says who may connect. */
    if (fd != -1 && bind(socket_of(fd), (const struct sockaddr *)&address, sizeof(address)) == 0 &&
        listen(socket_of(fd), 1) == 0)
        return fd;
    error_set(err, "%s: cannot listen: %s", path, system_message((DWORD)WSAGetLastError()).text);
    if (fd != -1)
        closesocket(socket_of(fd));
    return -1;
}

static int try_listen(const struct addrinfo *a)
{
    int fd = socket_new(a->ai_family);
    if (fd == -1)
        return -1;
    /* Without it others may take the port over; it does not keep a port from being used again soon. */
    BOOL yes = TRUE;
    setsockopt(socket_of(fd), SOL_SOCKET, SO_EXCLUSIVEADDRUSE, (const char *)&yes, sizeof(yes));
    if (bind(socket_of(fd), a->ai_addr, (int)a->ai_addrlen) == 0 && listen(socket_of(fd), 1) == 0)
        return fd;
    int e = WSAGetLastError();
    closesocket(socket_of(fd));
    WSASetLastError(e);
    return -1;
}

static void name_socket(int fd, char *name, size_t size)
{
    struct sockaddr_storage bound;
    socklen_t length = sizeof(bound);
    char host[INET6_ADDRSTRLEN + 16] = "?", port[8] = "?";
    if (getsockname(socket_of(fd), (struct sockaddr *)&bound, &length) == 0)
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
    const struct addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    struct addrinfo *found;
    sockets_start();
    int e = getaddrinfo(host, port, &hints, &found);
    if (e) {
        error_set(err, "%s: %s", address, system_message((DWORD)e).text);
        return -1;
    }
    int fd = -1;
    for (const struct addrinfo *a = found; a && fd == -1; a = a->ai_next)
        fd = try_listen(a);
    if (fd == -1)
        error_set(err, "%s: cannot listen: %s", address,
                  system_message((DWORD)WSAGetLastError()).text);
    else
        name_socket(fd, name, size);
    freeaddrinfo(found);
    return fd;
}

int stream_accept(int listener)
{
    int fd = socket_adopt(accept(socket_of(listener), NULL, NULL));
    if (fd != -1)
        socket_make_lively(fd);
    return fd;
}
