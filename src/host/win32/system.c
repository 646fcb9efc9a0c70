/* SPDX-License-Identifier: MPL-2.0 */
/* Errors and names of Windows: see system.h. */
#include "host/win32/system.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The system's sentences end with a period and a new line. */
static void trim(char *text)
{
    size_t length = strlen(text);
    while (length && strchr(". \r\n", text[length - 1]))
        text[--length] = '\0';
    for (char *at = text; *at; at++)
        if (*at == '\r' || *at == '\n')
            *at = ' ';
}

struct system_message system_message(DWORD error)
{
    struct system_message message;
    wchar_t wide[sizeof(message.text) / 4];
    DWORD length = FormatMessageW(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS, NULL,
                                  error, 0, wide, sizeof(wide) / sizeof(*wide), NULL);
    int size = length ? WideCharToMultiByte(CP_UTF8, 0, wide, (int)length, message.text,
                                            sizeof(message.text) - 1, NULL, NULL)
                      : 0;
    message.text[size > 0 ? size : 0] = '\0';
    trim(message.text);
    if (!*message.text)
        snprintf(message.text, sizeof(message.text), "error %lu of Windows", error);
    return message;
}

int system_errno(DWORD error)
{
    switch (error) {
    case ERROR_SUCCESS:
        return 0;
    case ERROR_FILE_NOT_FOUND:
    case ERROR_PATH_NOT_FOUND:
    case ERROR_INVALID_DRIVE:
        return ENOENT;
    case ERROR_ACCESS_DENIED:
        return EACCES;
    case ERROR_SHARING_VIOLATION:
    case ERROR_LOCK_VIOLATION:
        return EBUSY;
    case ERROR_NOT_ENOUGH_MEMORY:
    case ERROR_OUTOFMEMORY:
    case ERROR_COMMITMENT_LIMIT:
        return ENOMEM;
    case ERROR_DISK_FULL:
    case ERROR_HANDLE_DISK_FULL:
        return ENOSPC;
    case ERROR_FILE_TOO_LARGE:
        return EFBIG;
    case ERROR_WRITE_PROTECT:
        return EROFS;
    case ERROR_INVALID_PARAMETER:
    case ERROR_NEGATIVE_SEEK:
        return EINVAL;
    case ERROR_INVALID_HANDLE:
        return EBADF;
    case ERROR_NOT_SUPPORTED:
    case ERROR_INVALID_FUNCTION:
    case ERROR_CALL_NOT_IMPLEMENTED:
        return EOPNOTSUPP;
    default:
        return EIO;
    }
}

wchar_t *system_wide(const char *text)
{
    int length = MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, NULL, 0);
    wchar_t *wide = length > 0 ? malloc((size_t)length * sizeof(*wide)) : NULL;
    if (wide)
        MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, wide, length);
    else
        SetLastError(length > 0 ? ERROR_NOT_ENOUGH_MEMORY : ERROR_INVALID_NAME);
    return wide;
}

char *system_narrow(const wchar_t *text)
{
    int length = WideCharToMultiByte(CP_UTF8, 0, text, -1, NULL, 0, NULL, NULL);
    char *narrow = length > 0 ? malloc((size_t)length) : NULL;
    if (narrow)
        WideCharToMultiByte(CP_UTF8, 0, text, -1, narrow, length, NULL, NULL);
    return narrow;
}

HANDLE system_open(const char *path, DWORD access, DWORD share, DWORD how, DWORD flags)
{
    wchar_t *wide = system_wide(path);
    if (!wide)
        return INVALID_HANDLE_VALUE;
    HANDLE file = CreateFileW(wide, access, share, NULL, how, flags, NULL);
    DWORD error = GetLastError();
    free(wide);
    SetLastError(error);
    return file;
}
