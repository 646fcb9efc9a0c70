/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Going through a list of buffers part by part:
 *
 *     struct iov_cursor at = iov_start(iov, iovcnt);
 *     struct iovec part[IOV_PART];
 *     while ((count = iov_take(&at, left, part, IOV_PART, &bytes)))
 *         ... part[0] to part[count - 1] are the next `bytes` bytes
 */
#ifndef RVVM_HOST_IOV_H
#define RVVM_HOST_IOV_H

#include "host/iovec.h"
#include <stddef.h>
#include <stdint.h>

#define IOV_PART 64 /* a good size for a part on the stack */

struct iov_cursor {
    const struct iovec *iov;
    unsigned left; /* buffers from iov on */
    size_t skip;   /* bytes of the first that are behind us */
};

static inline struct iov_cursor iov_start(const struct iovec *iov, unsigned iovcnt)
{
    return (struct iov_cursor){iov, iovcnt, 0};
}

/*
 * Moves on by at most `bytes` and `max` buffers, which part then names. Returns how many; *taken is
 * their sum. 0 only at the end, or when bytes is 0.
 */
unsigned iov_take(struct iov_cursor *at, uint64_t bytes, struct iovec *part, unsigned max,
                  size_t *taken);

/* The next `bytes` bytes, from memory, to memory, zeroed. They must be there. */
void iov_copy_in(struct iov_cursor *at, const void *from, size_t bytes);
void iov_copy_out(struct iov_cursor *at, void *to, size_t bytes);
void iov_zero(struct iov_cursor *at, uint64_t bytes);

uint64_t iov_size(const struct iovec *iov, unsigned iovcnt);

#endif
