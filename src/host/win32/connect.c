/* SPDX-License-Identifier: MPL-2.0 */
/* Sockets that connect: see stream.h. */
#include "host/stream.h"

#include "host/win32/sockets.h"
#include <afunix.h>
#include <stdio.h>
#include <string.h>
#include <ws2tcpip.h>

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
    return true;
}

static bool resolve_tcp(const char *where, struct stream_address *address, struct error *err)
{
    char text[300], *host, *port;
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found;
    if ((size_t)snprintf(text, sizeof(text), "%s", where) >= sizeof(text) ||
        !stream_split_address(text, &host, &port))
        return error_set(err, "%s: not HOST:PORT", where);
    sockets_start();
    int e = getaddrinfo(host, port, &hints, &found);
    if (e)
        return error_set(err, "%s: %s", where, system_message((DWORD)e).text);
    memcpy(address->bytes, found->ai_addr, found->ai_addrlen);
    address->size = found->ai_addrlen;
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
    int fd = socket_new(to.ss_family);
    if (fd == -1)
        return -1;
    socket_make_lively(fd);
    if (connect(socket_of(fd), (struct sockaddr *)&to, (int)address->size) == 0 ||
        WSAGetLastError() == WSAEWOULDBLOCK)
        return fd;
    closesocket(socket_of(fd));
    return -1;
}

bool stream_connected(int fd)
{
    int e = 0, size = sizeof(e);
    return getsockopt(socket_of(fd), SOL_SOCKET, SO_ERROR, (char *)&e, &size) == 0 && e == 0;
}
