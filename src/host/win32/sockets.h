/* SPDX-License-Identifier: MPL-2.0 */
/* Sockets of this process alone that make nobody wait. */
#ifndef RVVM_HOST_WIN32_SOCKETS_H
#define RVVM_HOST_WIN32_SOCKETS_H

#include "host/win32/system.h"
#include <stdbool.h>
#include <stddef.h>

/* The library of sockets wants to be started; before any that is called first. */
void sockets_start(void);

static inline SOCKET socket_of(int fd)
{
    return (SOCKET)(intptr_t)fd;
}

/* Whether a descriptor is one. */
bool socket_is(int fd);

/* A stream; -1: WSAGetLastError() says why. */
int socket_new(int family);
/* The same for one that accept() made; -1: closed. */
int socket_adopt(SOCKET socket);
/* Of a stream that is connected: sent at once; it is noticed that the other side has vanished. */
void socket_make_lively(int fd);

#endif
