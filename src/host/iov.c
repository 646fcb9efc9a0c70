/* SPDX-License-Identifier: MPL-2.0 */
/* Lists of buffers: see iov.h. */
#include "host/iov.h"

#include <string.h>

unsigned iov_take(struct iov_cursor *at, uint64_t bytes, struct iovec *part, unsigned max,
                  size_t *taken)
{
    unsigned count = 0;
    *taken = 0;
    while (at->left && bytes && count < max) {
        size_t here = at->iov->iov_len - at->skip;
        size_t use = here < bytes ? here : (size_t)bytes;
        if (use) {
            part[count].iov_base = (char *)at->iov->iov_base + at->skip;
            part[count++].iov_len = use;
        }
        *taken += use;
        bytes -= use;
        at->skip += use;
        if (use == here) {
            at->iov++;
            at->left--;
            at->skip = 0;
        }
    }
    return count;
}

void iov_copy_in(struct iov_cursor *at, const void *from, size_t bytes)
{
    struct iovec part;
    size_t taken;
    for (; iov_take(at, bytes, &part, 1, &taken); bytes -= taken) {
        memcpy(part.iov_base, from, taken);
        from = (const char *)from + taken;
    }
}

void iov_copy_out(struct iov_cursor *at, void *to, size_t bytes)
{
    struct iovec part;
    size_t taken;
    for (; iov_take(at, bytes, &part, 1, &taken); bytes -= taken) {
        memcpy(to, part.iov_base, taken);
        to = (char *)to + taken;
    }
}

void iov_zero(struct iov_cursor *at, uint64_t bytes)
{
    struct iovec part;
    size_t taken;
    for (; iov_take(at, bytes, &part, 1, &taken); bytes -= taken)
        memset(part.iov_base, 0, taken);
}

uint64_t iov_size(const struct iovec *iov, unsigned iovcnt)
{
    uint64_t size = 0;
    for (unsigned i = 0; i < iovcnt; i++)
        size += iov[i].iov_len;
    return size;
}
