/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Image files, what is Linux's: see image_space.h and image_file.h.
 *
 * Locks. QEMU (block/file-posix.c there) marks what an image is used for by shared locks on single
 * bytes: byte 100 + n says that its holder uses right n, byte 200 + n that it does not suffer others
 * to use it. So one takes the marks of one's own and then looks whether anybody holds a mark that
 * contradicts. We take part in this, with the rights that matter, so that neither QEMU and we nor two
 * of us write to one image. Locks are those of the open file (F_OFD_*): they are not lost when some
 * other part of the process closes the same file.
 */
#define _GNU_SOURCE
#include "host/image_space.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
    LOCK_USED = 100,
    LOCK_UNSHARED = 200,
    RIGHT_READ = 0, /* consistent: nobody writes behind one's back */
    RIGHT_WRITE = 1,
    RIGHT_RESIZE = 3,
};

static const int writes[] = {RIGHT_WRITE, RIGHT_RESIZE};

/* Errno. */
static int mark(int fd, off_t byte)
{
    struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};
    return fcntl(fd, F_OFD_SETLK, &lock) < 0 ? errno : 0;
}

static bool is_marked_by_others(int fd, off_t byte)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};
    return fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

bool image_space_lock(const struct image_file *f, struct error *err)
{
    int error = mark(f->fd, LOCK_USED + RIGHT_READ);
    for (unsigned i = 0; i < 2 && !error; i++) {
        if (!f->read_only)
            error = mark(f->fd, LOCK_USED + writes[i]);
        if (!error)
            error = mark(f->fd, LOCK_UNSHARED + writes[i]);
    }
    if (error == EAGAIN || error == EACCES)
        return error_set(err, "%s: locked by another process", f->path);
    /* File systems without locks: there one has to take care oneself. */
    if (error)
        return true;
    bool taken = is_marked_by_others(f->fd, LOCK_UNSHARED + RIGHT_READ);
    for (unsigned i = 0; i < 2; i++) {
        taken |= !f->read_only && is_marked_by_others(f->fd, LOCK_UNSHARED + writes[i]);
        taken |= is_marked_by_others(f->fd, LOCK_USED + writes[i]);
    }
    if (taken)
        return error_set(err, "%s: in use: another machine or program has it open%s", f->path,
                         f->read_only ? " for writing" : "");
    return true;
}

static int allocate(const struct image_file *f, int mode, uint64_t offset, uint64_t size)
{
    if (offset > INT64_MAX || size > INT64_MAX - offset)
        return EINVAL;
    if (!size)
        return 0;
    while (fallocate(f->fd, mode, (off_t)offset, (off_t)size) < 0) {
        if (errno == ENOSYS || errno == ENODEV)
            return EOPNOTSUPP;
        if (errno != EINTR)
            return errno;
    }
    return 0;
}

int image_file_punch(const struct image_file *f, uint64_t offset, uint64_t size)
{
    return allocate(f, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, size);
}

int image_space_zero(const struct image_file *f, uint64_t offset, uint64_t size)
{
    return allocate(f, FALLOC_FL_ZERO_RANGE, offset, size);
}

int image_space_open_direct(const struct image_file *f)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", f->fd);
    return open(path, (f->read_only ? O_RDONLY : O_RDWR) | O_DIRECT | O_CLOEXEC);
}

int image_space_open_temporary(const char *folder)
{
    int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT))
        return fd;
    char path[4096];
    int length = snprintf(path, sizeof(path), "%s/rvvm-XXXXXX", folder);
    if (length < 0 || (size_t)length >= sizeof(path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0)
        unlink(path);
    return fd;
}

int image_file_read_cached(const struct image_file *f, uint64_t offset, uint64_t size,
                           const struct iovec *iov, unsigned iovcnt)
{
    if (iovcnt > IOV_PART)
        return EAGAIN;
    /* Its second half of the offset is for hosts of 32 bits; musl has no function for it. */
    ssize_t n = syscall(SYS_preadv2, f->fd, iov, (unsigned long)iovcnt, (unsigned long)offset,
                        (unsigned long)(offset >> 32), RWF_NOWAIT);
    if (n < 0)
        return errno;
    return (uint64_t)n == size ? 0 : EAGAIN;
}
