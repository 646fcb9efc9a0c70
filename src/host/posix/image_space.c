/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Image files, what POSIX does not have: see image_space.h and image_file.h.
 *
 * Locks are flock()'s, since POSIX's own are lost when any part of the process closes the same file. They keep
 * our own machines off one another; other emulators have no custom of locking images there.
 */
#define _GNU_SOURCE
#include "host/image_space.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

bool image_space_lock(const struct image_file *f, struct error *err)
{
    if (flock(f->fd, (f->read_only ? LOCK_SH : LOCK_EX) | LOCK_NB) < 0 && errno == EWOULDBLOCK)
        return error_set(err, "%s: in use: another machine or program has it open%s", f->path,
                         f->read_only ? " for writing" : "");
    /* File systems without locks: there one has to take care oneself. */
    return true;
}

int image_file_punch(const struct image_file *f, uint64_t offset, uint64_t size)
{
    (void)f;
    (void)offset;
    (void)size;
    return EOPNOTSUPP;
}

int image_space_zero(const struct image_file *f, uint64_t offset, uint64_t size)
{
    (void)f;
    (void)offset;
    (void)size;
    return EOPNOTSUPP;
}

int image_space_open_direct(const struct image_file *f)
{
    (void)f;
    return -1;
}

int image_space_open_temporary(const char *folder)
{
    char path[4096];
    int length = snprintf(path, sizeof(path), "%s/rvvm-XXXXXX", folder);
    if (length < 0 || (size_t)length >= sizeof(path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    int fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0)
        unlink(path);
    return fd;
}

int image_file_read_cached(const struct image_file *f, uint64_t offset, uint64_t size,
                           const struct iovec *iov, unsigned iovcnt)
{
    (void)f;
    (void)offset;
    (void)size;
    (void)iov;
    (void)iovcnt;
    return EOPNOTSUPP;
}
