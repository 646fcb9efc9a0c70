/* SPDX-License-Identifier: MPL-2.0 */
/* Image files: see image_file.h. What each system does its own way: image_space.h. */
#define _GNU_SOURCE
#include "host/image_file.h"

#include "host/image_space.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool examine(struct image_file *f, unsigned flags, struct error *err)
{
    struct stat st;
    if (fstat(f->fd, &st) < 0)
        return error_set(err, "%s: cannot examine: %s", f->path, strerror(errno));
    if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
        return error_set(err, "%s: is %s, not a file or a block device", f->path,
                         S_ISDIR(st.st_mode)    ? "a directory"
                         : S_ISFIFO(st.st_mode) ? "a pipe"
                                                : "a device for characters");
    f->is_device = S_ISBLK(st.st_mode);
    if (!(flags & (IMAGE_FILE_UNLOCKED | IMAGE_FILE_TEMPORARY)) && !image_space_lock(f, err))
        return false;
    /* Only now that it is ours. */
    if ((flags & IMAGE_FILE_CREATE) && !f->is_device && ftruncate(f->fd, 0) < 0)
        return error_set(err, "%s: cannot make it empty: %s", f->path, strerror(errno));
    return true;
}

/*
 * Files that are handed over
 */

/* Temporary files have no name that would tell one from the other. -1: there is none such. */
static int take(struct image_files *files, const char *path, enum image_file_use use)
{
    for (unsigned i = 0; i < files->count; i++) {
        struct image_files_entry *entry = &files->list[i];
        int fd = entry->fd;
        if (fd < 0 || entry->use != use ||
            (use != IMAGE_FILE_NAMELESS && strcmp(entry->path, path)))
            continue;
        entry->fd = -1;
        return fd;
    }
    return -1;
}

/* Whoever hands it over may be wrong about what it is. */
static bool take_main(struct image_files *files, struct image_file *f, enum image_file_use use,
                      struct error *err)
{
    f->fd = take(files, f->path, use);
    if (f->fd < 0)
        return error_set(err, "%s: was not handed over", f->path);
    int mode = fcntl(f->fd, F_GETFL);
    bool fits = mode >= 0 &&
                ((mode & O_ACCMODE) == O_RDWR || (f->read_only && (mode & O_ACCMODE) == O_RDONLY));
    if (!fits || (use == IMAGE_FILE_NAMELESS && ftruncate(f->fd, 0) < 0))
        return error_set(err, "%s: was handed over, but not open for %s", f->path,
                         f->read_only ? "reading" : "writing");
    return true;
}

static bool collect(struct image_files *files, const struct image_file *f, enum image_file_use use,
                    struct error *err)
{
    return image_files_add(files, f->path, use, fcntl(f->fd, F_DUPFD_CLOEXEC, 0), err) &&
           (f->direct_fd < 0 || image_files_add(files, f->path, IMAGE_FILE_AROUND_CACHE,
                                                fcntl(f->direct_fd, F_DUPFD_CLOEXEC, 0), err));
}

static bool open_main(struct image_file *f, const char *path, unsigned flags, struct error *err)
{
    /* O_NONBLOCK: opening a pipe would wait for its other end. */
    int how = O_CLOEXEC | O_NOCTTY | O_NONBLOCK | (f->read_only ? O_RDONLY : O_RDWR);
    if (flags & IMAGE_FILE_TEMPORARY)
        f->fd = image_space_open_temporary(path);
    else
        f->fd = open(path, how | (flags & IMAGE_FILE_CREATE ? O_CREAT : 0), 0666);
    return f->fd >= 0 ||
           error_set(err, "%s: cannot %s: %s", path,
                     flags & (IMAGE_FILE_CREATE | IMAGE_FILE_TEMPORARY) ? "create" : "open",
                     strerror(errno));
}

bool image_file_open(struct image_file *f, const char *path, unsigned flags, struct error *err)
{
    return image_file_open_by(NULL, f, path, flags, err);
}

bool image_file_open_by(struct image_files *files, struct image_file *f, const char *path,
                        unsigned flags, struct error *err)
{
    const bool takes = files && !files->collects;
    enum image_file_use use = IMAGE_FILE_FOR_WRITING;
    *f = (struct image_file){.path = strdup(path), .fd = -1, .direct_fd = -1};
    if (!f->path)
        return error_set(err, "out of memory");
    if (!*path) {
        image_file_close(f);
        return error_set(err, "an empty file name");
    }
    f->read_only = flags & IMAGE_FILE_READ_ONLY;
    if (flags & IMAGE_FILE_TEMPORARY)
        use = IMAGE_FILE_NAMELESS;
    else if (f->read_only)
        use = IMAGE_FILE_FOR_READING;
    bool ok = (takes ? take_main(files, f, use, err) : open_main(f, path, flags, err)) &&
              examine(f, flags, err);
    if (ok && flags & IMAGE_FILE_DIRECT) {
        f->direct_align = IMAGE_SPACE_DIRECT_ALIGN;
        f->direct_fd =
            takes ? take(files, path, IMAGE_FILE_AROUND_CACHE) : image_space_open_direct(f);
    }
    if (ok && files && !takes)
        ok = collect(files, f, use, err);
    if (!ok)
        image_file_close(f);
    return ok;
}

void image_file_close(struct image_file *f)
{
    if (f->direct_fd >= 0)
        close(f->direct_fd);
    if (f->fd >= 0)
        close(f->fd); /* and with it goes the lock */
    free(f->path);
    *f = (struct image_file){.fd = -1, .direct_fd = -1};
}

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

bool image_file_is(const struct image_file *f, const char *path)
{
    struct stat own, other;
    return fstat(f->fd, &own) == 0 && stat(path, &other) == 0 && own.st_dev == other.st_dev &&
           own.st_ino == other.st_ino;
}

int image_file_size(const struct image_file *f, uint64_t *size)
{
    /* Not st_size, which is 0 for a block device. */
    off_t end = lseek(f->fd, 0, SEEK_END);
    if (end < 0)
        return errno;
    *size = (uint64_t)end;
    return 0;
}

uint64_t image_file_allocated(const struct image_file *f)
{
    struct stat st;
    return fstat(f->fd, &st) < 0 ? 0 : (uint64_t)st.st_blocks * 512;
}

int image_file_resize(const struct image_file *f, uint64_t size)
{
    if (size > INT64_MAX)
        return EFBIG;
    return ftruncate(f->fd, (off_t)size) < 0 ? errno : 0;
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
        ssize_t n = writes ? pwritev(fd, part, (int)count, (off_t)offset)
                           : preadv(fd, part, (int)count, (off_t)offset);
        if (n < 0 && errno == EINTR)
            n = 0;
        else if (n < 0)
            return errno;
        else if (n == 0 && writes) /* the end of a block device */
            return ENOSPC;
        else if (n == 0) {
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
    ssize_t n = pwritev(f->fd, iov, (int)iovcnt, (off_t)offset);
    if (n < 0)
        return errno;
    return (uint64_t)n == size ? 0 : EAGAIN;
}

int image_file_sync(const struct image_file *f)
{
    return fdatasync(f->fd) < 0 ? errno : 0;
}

/* For hosts that have no quicker way. */
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

bool image_file_is_data(const struct image_file *f, uint64_t offset, uint64_t limit, uint64_t *end)
{
    *end = limit;
    if (offset >= limit)
        return false;
#ifdef SEEK_HOLE
    off_t data = lseek(f->fd, (off_t)offset, SEEK_DATA);
    if (data < 0)
        return errno != ENXIO; /* which says: nothing but a hole up to the end */
    if ((uint64_t)data > offset) {
        if ((uint64_t)data < limit)
            *end = (uint64_t)data;
        return false;
    }
    off_t hole = lseek(f->fd, (off_t)offset, SEEK_HOLE);
    if (hole > (off_t)offset && (uint64_t)hole < limit)
        *end = (uint64_t)hole;
#else
    (void)f;
#endif
    return true;
}
