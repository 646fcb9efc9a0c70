/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * For the programs of this folder: each is built for the host, for riscv64, and for riscv32 with musl, and all print
 * the same (tests/user/programs.test). So they print nothing that may differ: no addresses, ids, times.
 */
#ifndef SHOW_H
#define SHOW_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef __GLIBC__ /* what musl lacks of glibc */
#include <sys/syscall.h>

#ifndef SYS_close_range
#define SYS_close_range 436
#endif

static inline const char *strerrorname_np(int e)
{
#define NAMES(X) \
    X(EPERM) X(ENOENT) X(ESRCH) X(EINTR) X(EIO) X(ENXIO) X(E2BIG) X(ENOEXEC) X(EBADF) X(ECHILD) X(EAGAIN) \
    X(ENOMEM) X(EACCES) X(EFAULT) X(EBUSY) X(EEXIST) X(EXDEV) X(ENODEV) X(ENOTDIR) X(EISDIR) X(EINVAL) \
    X(EMFILE) X(ENOTTY) X(EFBIG) X(ENOSPC) X(ESPIPE) X(EROFS) X(EPIPE) X(EDOM) X(ERANGE) X(EDEADLK) \
    X(ENAMETOOLONG) X(ENOSYS) X(ENOTEMPTY) X(ELOOP) X(ENOMSG) X(EOVERFLOW) X(ENOTSOCK) X(EDESTADDRREQ) \
    X(EMSGSIZE) X(EPROTOTYPE) X(ENOPROTOOPT) X(EOPNOTSUPP) X(EADDRINUSE) X(ECONNRESET) X(ENOTCONN) \
    X(ETIMEDOUT) X(ECONNREFUSED) X(EALREADY) X(EINPROGRESS) X(ENOBUFS) X(ENODATA) X(EIDRM) X(EOWNERDEAD)
    switch (e) {
#define X(name) \
    case name: return #name;
        NAMES(X)
#undef X
    }
    return NULL;
}

static inline int close_range(unsigned first, unsigned last, int flags)
{
    return (int)syscall(SYS_close_range, first, last, flags);
}
#endif

/* A call, and what it says; for a descriptor, id or address only whether it is one. */
#define SHOW(call) show_result(#call, (long)(call))
#define SHOW_OK(call) show_ok(#call, (long)(call))
#define SAY(...) (printf(__VA_ARGS__), fflush(stdout))

static inline long show_result(const char *text, long result)
{
    int e = errno;
    printf("%s = %ld", text, result);
    if (result == -1)
        printf(" %s", strerrorname_np(e));
    printf("\n");
    fflush(stdout);
    return result;
}

static inline long show_ok(const char *text, long result)
{
    int e = errno;
    if (result < 0)
        printf("%s failed: %s\n", text, strerrorname_np(e));
    else
        printf("%s\n", text);
    fflush(stdout);
    return result;
}

#endif
