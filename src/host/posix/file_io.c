/* SPDX-License-Identifier: MPL-2.0 */
/* Reads and writes at an offset, in one system call: see file_io.h. */
#define _GNU_SOURCE
#include "host/file_io.h"

#include <errno.h>
#include <sys/uio.h>

int64_t file_io(int fd, bool writes, uint64_t offset, const struct iovec *iov, unsigned iovcnt)
{
    ssize_t n;
    do
        n = writes ? pwritev(fd, iov, (int)iovcnt, (off_t)offset)
                   : preadv(fd, iov, (int)iovcnt, (off_t)offset);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}
