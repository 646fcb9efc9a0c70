/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Image files but for IO: see image_file.h.
 *
 * Locks are what this system calls sharing: who opens a file says what others may do with it meanwhile, and all
 * programs abide by it. IO around the page cache is left out: its handles would be others than those that share.
 * Block devices are left out, too.
 */
#include "host/image_file.h"

#include "host/image_space.h"
#include "host/win32/system.h"
#include <winioctl.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static DWORD share_of(unsigned flags)
{
    if (flags & (IMAGE_FILE_UNLOCKED | IMAGE_FILE_TEMPORARY))
        return FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;
    /* Nobody writes; who writes himself is in the way of those that allow nobody to. */
    return FILE_SHARE_READ;
}

static bool control(HANDLE file, DWORD what, void *in, size_t in_size, void *out, size_t out_size,
                    DWORD *size)
{
    return DeviceIoControl(file, what, in, (DWORD)in_size, out, (DWORD)out_size, size, NULL);
}

/* So that what was never written takes no space. What cannot be sparse is a file all the same. */
static void make_sparse(HANDLE file)
{
    DWORD size;
    control(file, FSCTL_SET_SPARSE, NULL, 0, NULL, 0, &size);
}

static bool examine(struct image_file *f, unsigned flags, struct error *err)
{
    HANDLE file = system_handle(f->fd);
    BY_HANDLE_FILE_INFORMATION info;
    if (GetFileType(file) != FILE_TYPE_DISK || !GetFileInformationByHandle(file, &info))
        return error_set(err, "%s: is a device or a pipe, not a file", f->path);
    int e = flags & IMAGE_FILE_CREATE ? image_file_resize(f, 0) : 0;
    if (e)
        return error_set(err, "%s: cannot make it empty: %s", f->path, strerror(e));
    if (flags & (IMAGE_FILE_CREATE | IMAGE_FILE_TEMPORARY))
        make_sparse(file);
    return true;
}

static bool is_directory(const char *path)
{
    wchar_t *wide = system_wide(path);
    DWORD attributes = wide ? GetFileAttributesW(wide) : INVALID_FILE_ATTRIBUTES;
    free(wide);
    return attributes != INVALID_FILE_ATTRIBUTES && (attributes & FILE_ATTRIBUTE_DIRECTORY);
}

static bool cannot_open(const char *path, unsigned flags, struct error *err)
{
    DWORD error = GetLastError();
    if (error == ERROR_SHARING_VIOLATION)
        return error_set(err, "%s: in use: another machine or program has it open%s", path,
                         flags & IMAGE_FILE_READ_ONLY ? " for writing" : "");
    if (!(flags & IMAGE_FILE_TEMPORARY) && is_directory(path))
        return error_set(err, "%s: is a directory, not a file", path);
    return error_set(err, "%s: cannot %s: %s", path,
                     flags & (IMAGE_FILE_CREATE | IMAGE_FILE_TEMPORARY) ? "create" : "open",
                     system_message(error).text);
}

/* A file that nobody else finds by name, and that goes with its handle. */
static HANDLE open_temporary(const char *folder)
{
    static _Atomic unsigned count;
    char path[1024];
    for (unsigned tries = 0; tries < 100; tries++) {
        snprintf(path, sizeof(path), "%s\\rvvm-%lu-%u-%llu", folder, GetCurrentProcessId(), count++,
                 (unsigned long long)GetTickCount64());
        HANDLE file =
            system_open(path, GENERIC_READ | GENERIC_WRITE | DELETE, share_of(IMAGE_FILE_TEMPORARY),
                        CREATE_NEW, FILE_ATTRIBUTE_TEMPORARY | FILE_FLAG_DELETE_ON_CLOSE);
        if (file != INVALID_HANDLE_VALUE || GetLastError() != ERROR_FILE_EXISTS)
            return file;
    }
    return INVALID_HANDLE_VALUE;
}

bool image_file_open_by(struct image_files *files, struct image_file *f, const char *path,
                        unsigned flags, struct error *err)
{
    *f = (struct image_file){.path = strdup(path), .fd = -1, .direct_fd = -1};
    if (!f->path)
        return error_set(err, "out of memory");
    if (!*path) {
        image_file_close(f);
        return error_set(err, "an empty file name");
    }
    if (files && !files->collects) { /* by nobody, here */
        image_file_close(f);
        return error_set(err, "%s: was not handed over", path);
    }
    f->read_only = flags & IMAGE_FILE_READ_ONLY;
    HANDLE file =
        flags & IMAGE_FILE_TEMPORARY
            ? open_temporary(path)
            : system_open(path, GENERIC_READ | (f->read_only ? 0 : GENERIC_WRITE), share_of(flags),
                          flags & IMAGE_FILE_CREATE ? OPEN_ALWAYS : OPEN_EXISTING, 0);
    f->fd = system_fd(file);
    if (f->fd == -1)
        cannot_open(path, flags, err);
    else if (examine(f, flags, err))
        return true;
    image_file_close(f);
    return false;
}

void image_file_close(struct image_file *f)
{
    if (f->fd != -1)
        CloseHandle(system_handle(f->fd));
    free(f->path);
    *f = (struct image_file){.fd = -1, .direct_fd = -1};
}

bool image_file_is(const struct image_file *f, const char *path)
{
    BY_HANDLE_FILE_INFORMATION own, other;
    HANDLE file = system_open(path, 0, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                              OPEN_EXISTING, 0);
    if (file == INVALID_HANDLE_VALUE)
        return false;
    bool same = GetFileInformationByHandle(system_handle(f->fd), &own) &&
                GetFileInformationByHandle(file, &other) &&
                own.dwVolumeSerialNumber == other.dwVolumeSerialNumber &&
                own.nFileIndexHigh == other.nFileIndexHigh &&
                own.nFileIndexLow == other.nFileIndexLow;
    CloseHandle(file);
    return same;
}

int image_file_size(const struct image_file *f, uint64_t *size)
{
    LARGE_INTEGER end;
    if (!GetFileSizeEx(system_handle(f->fd), &end))
        return system_errno(GetLastError());
    *size = (uint64_t)end.QuadPart;
    return 0;
}

uint64_t image_file_allocated(const struct image_file *f)
{
    HANDLE file = system_handle(f->fd);
    FILE_COMPRESSION_INFO sparse;
    FILE_STANDARD_INFO plain;
    if (GetFileInformationByHandleEx(file, FileCompressionInfo, &sparse, sizeof(sparse)))
        return (uint64_t)sparse.CompressedFileSize.QuadPart;
    if (GetFileInformationByHandleEx(file, FileStandardInfo, &plain, sizeof(plain)))
        return (uint64_t)plain.AllocationSize.QuadPart;
    return 0;
}

int image_file_resize(const struct image_file *f, uint64_t size)
{
    if (size > INT64_MAX)
        return EFBIG;
    FILE_END_OF_FILE_INFO end = {.EndOfFile.QuadPart = (LONGLONG)size};
    return SetFileInformationByHandle(system_handle(f->fd), FileEndOfFileInfo, &end, sizeof(end))
               ? 0
               : system_errno(GetLastError());
}

int image_file_read_cached(const struct image_file *f, uint64_t offset, uint64_t size,
                           const struct iovec *iov, unsigned iovcnt)
{
    (void)f, (void)offset, (void)size, (void)iov, (void)iovcnt;
    return EOPNOTSUPP;
}

int image_file_sync(const struct image_file *f)
{
    if (FlushFileBuffers(system_handle(f->fd)))
        return 0;
    /* Nothing was written by a handle that may not. */
    return f->read_only ? 0 : system_errno(GetLastError());
}

/*
 * Holes
 */

int image_file_punch(const struct image_file *f, uint64_t offset, uint64_t size)
{
    HANDLE file = system_handle(f->fd);
    DWORD nothing;
    if (offset > INT64_MAX || size > INT64_MAX - offset)
        return EINVAL;
    if (!size)
        return 0;
    FILE_ZERO_DATA_INFORMATION range = {.FileOffset.QuadPart = (LONGLONG)offset,
                                        .BeyondFinalZero.QuadPart = (LONGLONG)(offset + size)};
    make_sparse(file);
    if (control(file, FSCTL_SET_ZERO_DATA, &range, sizeof(range), NULL, 0, &nothing))
        return 0;
    int e = system_errno(GetLastError());
    return e == EINVAL ? EOPNOTSUPP : e; /* file systems that do not know what it is */
}

/* A hole is all it has. */
int image_space_zero(const struct image_file *f, uint64_t offset, uint64_t size)
{
    (void)f, (void)offset, (void)size;
    return EOPNOTSUPP;
}

bool image_file_is_data(const struct image_file *f, uint64_t offset, uint64_t limit, uint64_t *end)
{
    *end = limit;
    if (offset >= limit)
        return false;
    FILE_ALLOCATED_RANGE_BUFFER asked = {.FileOffset.QuadPart = (LONGLONG)offset,
                                         .Length.QuadPart = (LONGLONG)(limit - offset)},
                                first = {0};
    DWORD size = 0;
    bool whole = control(system_handle(f->fd), FSCTL_QUERY_ALLOCATED_RANGES, &asked, sizeof(asked),
                         &first, sizeof(first), &size);
    if (!whole && GetLastError() != ERROR_MORE_DATA)
        return true;
    if (size < sizeof(first))
        return false; /* nothing but a hole */
    uint64_t from = (uint64_t)first.FileOffset.QuadPart,
             to = from + (uint64_t)first.Length.QuadPart;
    if (from > offset) {
        if (from < limit)
            *end = from;
        return false;
    }
    if (to > offset && to < limit)
        *end = to;
    return true;
}
