/* SPDX-License-Identifier: MPL-2.0 */
/* Image files, what is read and written: see image_file.h. All else about them is each system's. */
#include "host/image_file.h"

#include "host/file_io.h"
#include "host/image_space.h"
#include <errno.h>

bool image_file_direct(const struct image_file *f, uint64_t offset, const struct iovec *iov,
                       unsigned iovcnt)
{
    if (f->direct_fd < 0)
        return false;
    uint64_t bits = offset;
    for (unsigned i = 0; i < iovcnt; i++)
        bits |= (uintptr_t)iov[i].iov_base | iov[i].iov_len;
    return !(bits & (f->direct_align - 1));
}

/* All of it, in as many calls as it takes. What lies behind the end of the file reads as zeroes. */
static int transfer(const struct image_file *f, bool writes, uint64_t offset, uint64_t size,
                    struct iov_cursor *at)
{
    if (offset > INT64_MAX || size > INT64_MAX - offset)
        return EINVAL;
    while (size) {
        struct iov_cursor before = *at;
        struct iovec part[IOV_PART];
        size_t bytes;
        unsigned count = iov_take(at, size, part, IOV_PART, &bytes);
        if (!count)
            return EINVAL;
        int fd = image_file_direct(f, offset, part, count) ? f->direct_fd : f->fd;
        int64_t n = file_io(fd, writes, offset, part, count);
        if (n < 0)
            return (int)-n;
        if (n == 0 && writes) /* the end of a block device */
            return ENOSPC;
        if (n == 0) {
            *at = before;
            iov_zero(at, size);
            return 0;
        }
        if ((size_t)n < bytes) {
            *at = before;
            iov_take(at, (size_t)n, part, IOV_PART, &bytes);
        }
        offset += (size_t)n;
        size -= (size_t)n;
    }
    return 0;
}

int image_file_readv(const struct image_file *f, uint64_t offset, uint64_t size,
                     struct iov_cursor *at)
{
    return transfer(f, false, offset, size, at);
}

int image_file_writev(const struct image_file *f, uint64_t offset, uint64_t size,
                      struct iov_cursor *at)
{
    return transfer(f, true, offset, size, at);
}

int image_file_read(const struct image_file *f, uint64_t offset, void *buffer, size_t size)
{
    struct iovec iov = {buffer, size};
    struct iov_cursor at = iov_start(&iov, 1);
    return image_file_readv(f, offset, size, &at);
}

int image_file_write(const struct image_file *f, uint64_t offset, const void *buffer, size_t size)
{
    struct iovec iov = {(void *)(uintptr_t)buffer, size};
    struct iov_cursor at = iov_start(&iov, 1);
    return image_file_writev(f, offset, size, &at);
}

int image_file_write_cached(const struct image_file *f, uint64_t offset, uint64_t size,
                            const struct iovec *iov, unsigned iovcnt)
{
    if (iovcnt > IOV_PART)
        return EAGAIN;
    int64_t n = file_io(f->fd, true, offset, iov, iovcnt);
    if (n < 0)
        return (int)-n;
    return (uint64_t)n == size ? 0 : EAGAIN;
}

/* For systems and file systems that have no quicker way. */
static int write_zeroes(const struct image_file *f, uint64_t offset, uint64_t size)
{
    static const char zeroes[65536];
    int error = 0;
    while (size && !error) {
        size_t bytes = size < sizeof(zeroes) ? (size_t)size : sizeof(zeroes);
        error = image_file_write(f, offset, zeroes, bytes);
        offset += bytes;
        size -= bytes;
    }
    return error;
}

int image_file_zero(const struct image_file *f, uint64_t offset, uint64_t size, bool unmap)
{
    if (!size)
        return 0;
    int error = EOPNOTSUPP;
    if (unmap) {
        /* A hole does not make a file longer. */
        uint64_t end = 0;
        error = image_file_size(f, &end);
        if (!error && end < offset + size && !f->is_device)
            error = image_file_resize(f, offset + size);
        if (!error)
            error = image_file_punch(f, offset, size);
    }
    if (error == EOPNOTSUPP)
        error = image_space_zero(f, offset, size);
    return error == EOPNOTSUPP ? write_zeroes(f, offset, size) : error;
}
