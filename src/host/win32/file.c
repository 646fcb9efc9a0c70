/* SPDX-License-Identifier: MPL-2.0 */
/* Whole files: see file.h. */
#include "host/file.h"

#include "host/win32/system.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define SHARE_ALL (FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE)
#define PART (1u << 30)

static bool is_directory(const char *path)
{
    wchar_t *wide = system_wide(path);
    DWORD attributes = wide ? GetFileAttributesW(wide) : INVALID_FILE_ATTRIBUTES;
    free(wide);
    return attributes != INVALID_FILE_ATTRIBUTES && (attributes & FILE_ATTRIBUTE_DIRECTORY);
}

static bool cannot(const char *path, const char *what, struct error *err)
{
    DWORD error = GetLastError();
    if (is_directory(path))
        return error_set(err, "%s: is a directory", path);
    return error_set(err, "%s: cannot %s: %s", path, what, system_message(error).text);
}

/* Reads until end of file or size bytes: a file may shrink while it is read. */
static bool read_all(HANDLE file, const char *path, struct file_data *data, size_t size,
                     struct error *err)
{
    while (data->size < size) {
        size_t left = size - data->size;
        DWORD done;
        if (!ReadFile(file, data->bytes + data->size, left < PART ? (DWORD)left : PART, &done,
                      NULL))
            return cannot(path, "read", err);
        if (!done)
            break;
        data->size += done;
    }
    return true;
}

bool file_read(const char *path, uint64_t limit, struct file_data *data, struct error *err)
{
    *data = (struct file_data){0};
    if (!*path)
        return error_set(err, "an empty file name");
    HANDLE file = system_open(path, GENERIC_READ, SHARE_ALL, OPEN_EXISTING, 0);
    if (file == INVALID_HANDLE_VALUE)
        return cannot(path, "open", err);
    LARGE_INTEGER size = {0};
    bool ok = false;
    if (GetFileType(file) != FILE_TYPE_DISK)
        error_set(err, "%s: is a device or a pipe, not a regular file", path);
    else if (!GetFileSizeEx(file, &size))
        cannot(path, "examine", err);
    else if ((uint64_t)size.QuadPart > limit || (uint64_t)size.QuadPart >= SIZE_MAX)
        error_set(err, "%s: too large: %" PRIu64 " bytes, at most %" PRIu64 " fit", path,
                  (uint64_t)size.QuadPart, limit);
    else if (!(data->bytes = malloc((size_t)size.QuadPart + 1)))
        error_set(err, "%s: not enough memory for %" PRIu64 " bytes", path,
                  (uint64_t)size.QuadPart);
    else
        ok = read_all(file, path, data, (size_t)size.QuadPart, err);
    CloseHandle(file);
    if (!ok)
        file_data_free(data);
    return ok;
}

void file_data_free(struct file_data *data)
{
    free(data->bytes);
    *data = (struct file_data){0};
}

bool file_write(const char *path, const void *bytes, size_t size, struct error *err)
{
    HANDLE file = system_open(path, GENERIC_WRITE, FILE_SHARE_READ, CREATE_ALWAYS, 0);
    if (file == INVALID_HANDLE_VALUE)
        return cannot(path, "create", err);
    const uint8_t *at = bytes;
    bool ok = true;
    while (ok && size) {
        DWORD done;
        ok = WriteFile(file, at, size < PART ? (DWORD)size : PART, &done, NULL) ||
             cannot(path, "write", err);
        at += ok ? done : 0;
        size -= ok ? done : 0;
    }
    CloseHandle(file);
    return ok;
}

bool file_is_readable(const char *path)
{
    HANDLE file = system_open(path, GENERIC_READ, SHARE_ALL, OPEN_EXISTING, 0);
    bool found = file != INVALID_HANDLE_VALUE;
    if (found)
        CloseHandle(file);
    return found;
}

bool file_exists(const char *path)
{
    wchar_t *wide = system_wide(path);
    bool found = wide && GetFileAttributesW(wide) != INVALID_FILE_ATTRIBUTES;
    free(wide);
    return found;
}

bool file_rename(const char *from, const char *to)
{
    wchar_t *wide_from = system_wide(from), *wide_to = system_wide(to);
    bool done = wide_from && wide_to && MoveFileExW(wide_from, wide_to, MOVEFILE_REPLACE_EXISTING);
    free(wide_from);
    free(wide_to);
    return done;
}

void file_remove(const char *path)
{
    wchar_t *wide = system_wide(path);
    if (wide)
        DeleteFileW(wide);
    free(wide);
}

FILE *file_open_output(const char *path)
{
    wchar_t *wide = system_wide(path);
    FILE *file = wide ? _wfopen(wide, L"wb") : NULL;
    free(wide);
    return file;
}

/* In the code page of main(), as all of the environment: a folder with other letters is not found. */
const char *file_temporary_folder(void)
{
    const char *folder = getenv("TEMP");
    return folder && *folder ? folder : ".";
}

char *file_folder_before(const char *path)
{
    wchar_t folder[32768];
    const bool absolute = path[0] == '/' || path[0] == '\\' || (path[0] && path[1] == ':');
    if (absolute)
        return strdup("");
    DWORD length = GetCurrentDirectoryW(32766, folder);
    if (!length || length >= 32766)
        return NULL;
    memcpy(folder + length, L"/", 2 * sizeof(wchar_t));
    return system_narrow(folder);
}
