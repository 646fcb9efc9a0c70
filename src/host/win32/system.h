/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What the files of this folder share.
 *
 * A descriptor, which is an int everywhere else, is a handle here: handles are 32-bit numbers on 64-bit
 * Windows, too, for the sake of programs of both widths that share them, and multiples of 4. So 0, 1 and 2 are
 * free to mean the standard streams, and -1 is INVALID_HANDLE_VALUE.
 */
#ifndef RVVM_HOST_WIN32_SYSTEM_H
#define RVVM_HOST_WIN32_SYSTEM_H

#include "base/error.h"
/* Before windows.h, which would include the sockets of old. */
#include <winsock2.h>
#include <windows.h>

#include <stdint.h>

static inline HANDLE system_handle(int fd)
{
    return (HANDLE)(intptr_t)fd;
}

static inline int system_fd(HANDLE handle)
{
    return (int)(intptr_t)handle;
}

/* An error of GetLastError() or WSAGetLastError(), in words. */
struct system_message {
    char text[256];
};
struct system_message system_message(DWORD error);

/* The errno that stands for it; EIO for what has none. */
int system_errno(DWORD error);

/* Names are UTF-8 in the library and UTF-16 in the system. NULL: no memory, or no UTF-8; to be freed. */
wchar_t *system_wide(const char *text);
char *system_narrow(const wchar_t *text);

/* CreateFileW() for a name in UTF-8, for this process alone. */
HANDLE system_open(const char *path, DWORD access, DWORD share, DWORD how, DWORD flags);

#endif
