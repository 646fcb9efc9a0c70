/* SPDX-License-Identifier: MPL-2.0 */
/* epoll: x86-64 alone has packed events. */
#define _GNU_SOURCE
#include "user/signals.h"
#include "user/syscall.h"
#include <errno.h>
#include <sys/epoll.h>
#include <sys/syscall.h>

/* More than these are left for the next call, which a kernel may do as well. */
#define EVENTS_AT_ONCE 256

int64_t sys_epoll_ctl(struct user_thread *t, const uint64_t *arg)
{
    struct guest_epoll_event guest;
    struct epoll_event host = {0};
    if (syscall_fd_is_ours(t->process, arg[0]) || syscall_fd_is_ours(t->process, arg[2]))
        return -EBADF;
    if (arg[1] != EPOLL_CTL_DEL) {
        if (!space_read(&t->process->space, &guest, arg[3], sizeof(guest)))
            return -EFAULT;
        host.events = guest.events;
        host.data.u64 = guest.data;
    }
    return syscall_host(t, SYS_epoll_ctl, arg[0], arg[1], arg[2], (uint64_t)&host, 0, 0);
}

static int64_t give_events(struct user_thread *t, uint64_t address,
                           const struct epoll_event *events, int64_t count)
{
    struct guest_epoll_event guest[EVENTS_AT_ONCE];
    for (int64_t n = 0; n < count; n++)
        guest[n] =
            (struct guest_epoll_event){.events = events[n].events, .data = events[n].data.u64};
    return space_write(&t->process->space, address, guest, (size_t)count * sizeof(*guest))
               ? count
               : -EFAULT;
}

/* timeout: as the call takes it, in milliseconds or by address. */
static int64_t wait_for_events(struct user_thread *t, long number, const uint64_t *arg,
                               uint64_t timeout)
{
    struct epoll_event events[EVENTS_AT_ONCE];
    struct wait_mask wait;
    uint64_t count = arg[2];
    if ((int)count <= 0)
        return -EINVAL;
    if (!space_is_guest(&t->process->space, arg[1], count * sizeof(struct guest_epoll_event)))
        return -EFAULT;
    if (syscall_fd_is_ours(t->process, arg[0]))
        return -EBADF;
    if (count > EVENTS_AT_ONCE)
        count = EVENTS_AT_ONCE;
    int64_t error = signals_wait_begin(t, arg[4], arg[5], &wait);
    if (error)
        return error;
    int64_t result = signals_wait_end(t, syscall_host(t, number, arg[0], (uint64_t)events, count,
                                                      timeout, wait.address, GUEST_SIGSET_SIZE));
    return result > 0 ? give_events(t, arg[1], events, result) : result;
}

int64_t sys_epoll_pwait(struct user_thread *t, const uint64_t *arg)
{
    return wait_for_events(t, SYS_epoll_pwait, arg, arg[3]);
}

int64_t sys_epoll_pwait2(struct user_thread *t, const uint64_t *arg)
{
    struct time_argument time;
    if (!time_argument_read(t, arg[3], &time))
        return -EFAULT;
    return wait_for_events(t, SYS_epoll_pwait2, arg, time.address);
}
