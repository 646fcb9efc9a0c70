/* SPDX-License-Identifier: MPL-2.0 */
/* Sockets: see sockets.h. */
#include "host/win32/sockets.h"

#include <pthread.h>
#include <ws2tcpip.h>

static void start(void)
{
    WSADATA data;
    WSAStartup(MAKEWORD(2, 2), &data); /* if not, the first socket is refused with a reason */
}

void sockets_start(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, start);
}

bool socket_is(int fd)
{
    int type, size = sizeof(type);
    return fd != -1 && getsockopt(socket_of(fd), SOL_SOCKET, SO_TYPE, (char *)&type, &size) == 0;
}

int socket_adopt(SOCKET socket)
{
    u_long yes = 1;
    if (socket == INVALID_SOCKET)
        return -1;
    SetHandleInformation((HANDLE)socket, HANDLE_FLAG_INHERIT, 0);
    if (ioctlsocket(socket, FIONBIO, &yes) == 0)
        return (int)socket;
    closesocket(socket);
    return -1;
}

int socket_new(int family)
{
    sockets_start();
    return socket_adopt(WSASocketW(family, SOCK_STREAM, 0, NULL, 0,
                                   WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT));
}

void socket_make_lively(int fd)
{
    /* Fails on what is no TCP socket, which is as well. */
    BOOL yes = TRUE;
    setsockopt(socket_of(fd), IPPROTO_TCP, TCP_NODELAY, (const char *)&yes, sizeof(yes));
    setsockopt(socket_of(fd), SOL_SOCKET, SO_KEEPALIVE, (const char *)&yes, sizeof(yes));
}
