/* SPDX-License-Identifier: MPL-2.0 */
/* Byte streams that never make the event loop wait: see stream.h, and standard.h for how standard input does it. */
#include "host/stream.h"

#include "host/event_wait.h"
#include "host/win32/sockets.h"
#include "host/win32/standard.h"
#include <limits.h>
#include <stdlib.h>

int stream_stdin(void)
{
    standard_begin(STANDARD_INPUT);
    return STANDARD_INPUT;
}

int stream_stdout(void)
{
    standard_begin(STANDARD_OUTPUT);
    return STANDARD_OUTPUT;
}

int stream_create(const char *path, struct error *err)
{
    HANDLE file =
        system_open(path, GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_DELETE, CREATE_ALWAYS, 0);
    if (file == INVALID_HANDLE_VALUE)
        error_set(err, "%s: cannot create: %s", path, system_message(GetLastError()).text);
    return system_fd(file);
}

int stream_pty(char *name, size_t size, struct error *err)
{
    (void)name, (void)size;
    error_set(err, "this system has no pseudo terminals that other programs could open");
    return -1;
}

bool stream_pty_connected(int fd)
{
    (void)fd;
    return false;
}

static enum stream_result socket_failed(void)
{
    switch (WSAGetLastError()) {
    case WSAEWOULDBLOCK:
    case WSAEINTR:
        return STREAM_AGAIN;
    case WSAECONNRESET:
    case WSAECONNABORTED:
    case WSAESHUTDOWN:
    case WSAENETRESET:
        return STREAM_END;
    default:
        return STREAM_ERROR;
    }
}

static int part_of(size_t size)
{
    return size < INT_MAX ? (int)size : INT_MAX;
}

enum stream_result stream_read(int fd, void *bytes, size_t size, size_t *done)
{
    *done = 0;
    if (fd == STANDARD_INPUT)
        return standard_read(bytes, size, done);
    int n = recv(socket_of(fd), bytes, part_of(size), 0);
    if (n >= 0) {
        *done = (size_t)n;
        return n ? STREAM_OK : STREAM_END;
    }
    if (WSAGetLastError() != WSAENOTSOCK && WSAGetLastError() != WSANOTINITIALISED)
        return socket_failed();
    DWORD got;
    if (!ReadFile(system_handle(fd), bytes, (DWORD)part_of(size), &got, NULL))
        return GetLastError() == ERROR_BROKEN_PIPE ? STREAM_END : STREAM_ERROR;
    *done = got;
    return got ? STREAM_OK : STREAM_END;
}

enum stream_result stream_write(int fd, const void *bytes, size_t size, size_t *done)
{
    *done = 0;
    if (fd == STANDARD_OUTPUT)
        return standard_write(bytes, size, done);
    int n = send(socket_of(fd), bytes, part_of(size), 0);
    if (n >= 0) {
        *done = (size_t)n;
        return n ? STREAM_OK : STREAM_AGAIN;
    }
    if (WSAGetLastError() != WSAENOTSOCK && WSAGetLastError() != WSANOTINITIALISED)
        return socket_failed();
    DWORD put;
    if (!WriteFile(system_handle(fd), bytes, (DWORD)part_of(size), &put, NULL))
        return STREAM_ERROR;
    *done = put;
    return put ? STREAM_OK : STREAM_AGAIN;
}

bool stream_wait_writable(int fd, int milliseconds)
{
    if (fd == STANDARD_OUTPUT)
        return WaitForSingleObject(standard_event(fd), (DWORD)milliseconds) != WAIT_TIMEOUT;
    WSAPOLLFD p = {.fd = socket_of(fd), .events = POLLOUT};
    return !socket_is(fd) || WSAPoll(&p, 1, milliseconds) != 0;
}

bool stream_wait_readable(int a, int b)
{
    struct event_wait *wait = event_wait_new(NULL);
    if (!wait)
        return false;
    event_wait_add(wait, a, EVENT_READ);
    int index = event_wait_add(wait, b, EVENT_READ);
    event_wait_sleep(wait, EVENT_NEVER);
    bool ready = event_wait_result(wait, index);
    event_wait_free(wait);
    return ready;
}

void stream_close(int fd)
{
    if (fd == STANDARD_OUTPUT)
        standard_flush();
    if (fd <= STANDARD_ERROR)
        return;
    if (socket_is(fd))
        closesocket(socket_of(fd));
    else
        CloseHandle(system_handle(fd));
}

/* What a socket's file is to the system: a reparse point of this kind. */
#ifndef IO_REPARSE_TAG_AF_UNIX
#define IO_REPARSE_TAG_AF_UNIX 0x80000023
#endif

void stream_unlink(const char *path)
{
    wchar_t *wide = system_wide(path);
    WIN32_FIND_DATAW found;
    HANDLE search = wide ? FindFirstFileW(wide, &found) : INVALID_HANDLE_VALUE;
    if (search != INVALID_HANDLE_VALUE) {
        FindClose(search);
        if ((found.dwFileAttributes & FILE_ATTRIBUTE_REPARSE_POINT) &&
            found.dwReserved0 == IO_REPARSE_TAG_AF_UNIX)
            DeleteFileW(wide);
    }
    free(wide);
}
