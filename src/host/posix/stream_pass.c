/* SPDX-License-Identifier: MPL-2.0 */
/* Descriptors that go along with bytes of a Unix socket (SCM_RIGHTS, unix(7)): see stream.h. */
#define _GNU_SOURCE
#include "host/stream.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Room for what the kernel puts in front of descriptors, and for them. */
union control {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(STREAM_PASSED_MAX * sizeof(int))];
};

static enum stream_result failed(void)
{
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)
        return STREAM_AGAIN;
    return errno == EPIPE || errno == ECONNRESET ? STREAM_END : STREAM_ERROR;
}

static void take_descriptors(struct msghdr *message, int *fds, unsigned room, unsigned *count)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        const size_t there = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < there; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(c) + i * sizeof(fd), sizeof(fd));
            if (*count < room)
                fds[(*count)++] = fd;
            else
                close(fd);
        }
    }
}

enum stream_result stream_read_passed(int fd, void *bytes, size_t size, size_t *done, int *fds,
                                      unsigned *count)
{
    union control control;
    struct iovec iov = {bytes, size};
    struct msghdr message = {.msg_iov = &iov,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof(control.bytes)};
    const unsigned room = *count;
    *done = 0;
    *count = 0;
    ssize_t n = recvmsg(fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (n < 0)
        return failed();
    take_descriptors(&message, fds, room, count);
    *done = (size_t)n;
    return n ? STREAM_OK : STREAM_END;
}

enum stream_result stream_write_passing(int fd, const void *bytes, size_t size, size_t *done,
                                        const int *fds, unsigned count)
{
    union control control;
    struct iovec iov = {(void *)(uintptr_t)bytes, size};
    struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};
    *done = 0;
    if (count > STREAM_PASSED_MAX)
        return STREAM_ERROR;
    if (count) {
        memset(&control, 0, sizeof(control));
        message.msg_control = control.bytes;
        message.msg_controllen = CMSG_SPACE(count * sizeof(int));
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN(count * sizeof(int));
        memcpy(CMSG_DATA(&control.header), fds, count * sizeof(int));
    }
    ssize_t n = sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0)
        return failed();
    *done = (size_t)n;
    return STREAM_OK;
}
