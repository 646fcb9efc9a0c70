/* SPDX-License-Identifier: MPL-2.0 */
/* Options of sockets whose values have longs or addresses in them, for programs of 32 bits. */
#define _GNU_SOURCE
#include "user/syscall.h"
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>

/* The names for times of before there were 64 bits of them; newer ones are the same everywhere. */
enum { RCVTIMEO_OLD = 20, SNDTIMEO_OLD = 21 };

/* LAYOUTS: none. */
static enum layout layout_of(int level, int name)
{
    if (level == SOL_SOCKET) {
        switch (name) {
        case RCVTIMEO_OLD:
        case SNDTIMEO_OLD:
            return LAYOUT_timeval;
        case SO_ATTACH_FILTER:
        case SO_ATTACH_REUSEPORT_CBPF:
            return LAYOUT_sock_fprog;
        }
    }
    if (level == IPPROTO_IP || level == IPPROTO_IPV6) {
        switch (name) {
        case MCAST_JOIN_GROUP:
        case MCAST_LEAVE_GROUP:
            return LAYOUT_group_req;
        case MCAST_BLOCK_SOURCE:
        case MCAST_UNBLOCK_SOURCE:
        case MCAST_JOIN_SOURCE_GROUP:
        case MCAST_LEAVE_SOURCE_GROUP:
            return LAYOUT_group_source_req;
        }
    }
    return LAYOUTS;
}

int64_t sys32_setsockopt(struct user_thread *t, const uint64_t *arg)
{
    const struct space *space = &t->process->space;
    enum layout layout = layout_of((int)arg[1], (int)arg[2]);
    _Alignas(8) uint8_t host[LAYOUT_HOST_MOST];
    if (syscall_fd_is_ours(t->process, arg[0]))
        return -EBADF;
    if (layout == LAYOUTS)
        return syscall_host(t, SYS_setsockopt, arg[0], arg[1], arg[2], arg[3], arg[4], 0);
    if (arg[4] < layout_size(space, layout))
        return -EINVAL;
    if (!layout_read(space, layout, host, arg[3]))
        return -EFAULT;
    return syscall_host(t, SYS_setsockopt, arg[0], arg[1], arg[2], (uint64_t)host,
                        layout_host_size(layout), 0);
}

int64_t sys32_getsockopt(struct user_thread *t, const uint64_t *arg)
{
    const struct space *space = &t->process->space;
    bool is_time = layout_of((int)arg[1], (int)arg[2]) == LAYOUT_timeval;
    struct {
        int64_t seconds, micros;
    } host = {0};
    uint32_t size = sizeof(host), given, guest = (uint32_t)layout_size(space, LAYOUT_timeval);
    if (syscall_fd_is_ours(t->process, arg[0]))
        return -EBADF;
    if (!is_time)
        return syscall_host(t, SYS_getsockopt, arg[0], arg[1], arg[2], arg[3], arg[4], 0);
    if (!space_read(space, &given, arg[4], sizeof(given)))
        return -EFAULT;
    if (given < guest)
        return -EINVAL;
    int64_t result = syscall_host(t, SYS_getsockopt, arg[0], arg[1], arg[2], (uint64_t)&host,
                                  (uint64_t)&size, 0);
    if (result < 0)
        return result;
    return layout_write(space, LAYOUT_timeval, arg[3], &host) &&
                   space_write(space, arg[4], &guest, sizeof(guest))
               ? 0
               : -EFAULT;
}
