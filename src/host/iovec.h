/* SPDX-License-Identifier: MPL-2.0 */
/* struct iovec: a buffer, as readv(2) and the like take lists of. */
#ifndef RVVM_HOST_IOVEC_H
#define RVVM_HOST_IOVEC_H

#ifdef _WIN32

#include <stddef.h>

struct iovec {
    void *iov_base;
    size_t iov_len;
};

#else
#include <sys/uio.h>
#endif

#endif
