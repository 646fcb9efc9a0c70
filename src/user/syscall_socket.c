/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Messages on sockets. A message is a structure of addresses: it is read once, and what the kernel gets is what
 * was checked.
 */
#define _GNU_SOURCE
#include "user/control.h"
#include "user/syscall.h"

#include "user/abi.h"
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>

struct message {
    struct guest_msghdr header;
    struct guest_msghdr given; /* the guest's */
    struct iovec *more;        /* to be freed */
    /* The same. Of a program of 32 bits: control messages that it sends, or room for what comes. */
    unsigned char *control;
    struct iovec few[8];
};

static bool is_reachable(const struct space *space, uint64_t address, uint64_t size)
{
    return !size || space_is_guest(space, address, size);
}

static int64_t message_read(struct user_thread *t, uint64_t address, struct message *m)
{
    const struct space *space = &t->process->space;
    struct guest_msghdr *header = &m->header;
    if (!layout_read(space, LAYOUT_msghdr, header, address))
        return -EFAULT;
    m->given = *header;
    if (header->iov_count > IOV_MAX)
        return -EMSGSIZE;
    if (!is_reachable(space, header->name, header->name ? header->name_size : 0) ||
        !is_reachable(space, header->control, header->control_size))
        return -EFAULT;
    struct iovec *list = m->few;
    if (header->iov_count > sizeof(m->few) / sizeof(*m->few)) {
        list = m->more = malloc(header->iov_count * sizeof(*list));
        if (!list)
            return -ENOMEM;
    }
    bool ok = layout_read_list(space, LAYOUT_iovec, list, header->iov, header->iov_count);
    for (size_t n = 0; ok && n < header->iov_count; n++)
        ok = is_reachable(space, (uint64_t)list[n].iov_base, list[n].iov_len);
    header->iov = (uint64_t)list;
    return ok ? 0 : -EFAULT;
}

/* sendmsg or recvmsg; m->header is as the kernel leaves it. */
static int64_t message_call(struct user_thread *t, long call, uint64_t fd, uint64_t address,
                            uint64_t flags, struct message *m)
{
    m->more = NULL;
    m->control = NULL;
    if (syscall_fd_is_ours(t->process, fd))
        return -EBADF;
    int64_t result = message_read(t, address, m);
    if (!result && space_word(&t->process->space) == 4 && m->header.control_size)
        result = control_prepare(t, &m->header, call == SYS_sendmsg, &m->control);
    if (!result)
        result = syscall_host(t, call, fd, (uint64_t)&m->header, flags, 0, 0, 0);
    free(m->more);
    return result;
}

static int64_t message_send(struct user_thread *t, uint64_t fd, uint64_t address, uint64_t flags)
{
    struct message m;
    int64_t result = message_call(t, SYS_sendmsg, fd, address, flags, &m);
    free(m.control);
    return result;
}

/* The kernel changes three words of the header. */
static int64_t message_receive(struct user_thread *t, uint64_t fd, uint64_t address, uint64_t flags)
{
    const struct space *space = &t->process->space;
    struct message m;
    int64_t result = message_call(t, SYS_recvmsg, fd, address, flags, &m);
    bool ok = result < 0 || !m.control || control_give(t, &m.header, &m.given);
    free(m.control);
    if (result < 0)
        return result;
    m.given.name_size = m.header.name_size;
    m.given.control_size = m.header.control_size;
    m.given.flags = m.header.flags;
    return layout_write(space, LAYOUT_msghdr, address, &m.given) && ok ? result : -EFAULT;
}

int64_t sys_sendmsg(struct user_thread *t, const uint64_t *arg)
{
    return message_send(t, arg[0], arg[1], arg[2]);
}

int64_t sys_recvmsg(struct user_thread *t, const uint64_t *arg)
{
    return message_receive(t, arg[0], arg[1], arg[2]);
}

static bool write_length(struct user_thread *t, uint64_t address, int64_t length)
{
    const struct space *space = &t->process->space;
    uint32_t value = (uint32_t)length;
    return space_write(space, address + layout_size(space, LAYOUT_msghdr), &value, sizeof(value));
}

int64_t sys_sendmmsg(struct user_thread *t, const uint64_t *arg)
{
    uint32_t count = (uint32_t)arg[2] < IOV_MAX ? (uint32_t)arg[2] : IOV_MAX;
    uint32_t done = 0;
    size_t size = layout_size(&t->process->space, LAYOUT_mmsghdr);
    int64_t result = 0;
    while (done < count && result >= 0) {
        uint64_t address = arg[1] + done * size;
        result = message_send(t, arg[0], address, arg[3]);
        if (result >= 0 && !write_length(t, address, result))
            result = -EFAULT;
        done += result >= 0;
    }
    return done ? done : result;
}

#define SECOND_NS 1000000000

/* From now until then; 0: it has passed. */
static struct timespec time_until(const struct timespec *end)
{
    struct timespec now, left;
    clock_gettime(CLOCK_MONOTONIC, &now);
    left.tv_sec = end->tv_sec - now.tv_sec;
    left.tv_nsec = end->tv_nsec - now.tv_nsec;
    if (left.tv_nsec < 0) {
        left.tv_nsec += SECOND_NS;
        left.tv_sec--;
    }
    return left.tv_sec < 0 ? (struct timespec){0} : left;
}

/* As the kernel does, looks at the time only when a message has come. */
int64_t sys_recvmmsg(struct user_thread *t, const uint64_t *arg)
{
    uint32_t count = (uint32_t)arg[2] < IOV_MAX ? (uint32_t)arg[2] : IOV_MAX;
    uint64_t flags = arg[3] & ~(uint64_t)MSG_WAITFORONE;
    struct timespec end, given, left = {0};
    if (arg[4]) {
        if (!layout_read(&t->process->space, LAYOUT_timespec, &given, arg[4]))
            return -EFAULT;
        if (given.tv_sec < 0 || given.tv_nsec < 0 || given.tv_nsec >= SECOND_NS)
            return -EINVAL;
        clock_gettime(CLOCK_MONOTONIC, &end);
        end.tv_sec += given.tv_sec < INT64_MAX / 2 ? given.tv_sec : INT64_MAX / 2;
        end.tv_nsec += given.tv_nsec;
        end.tv_sec += end.tv_nsec / SECOND_NS;
        end.tv_nsec %= SECOND_NS;
    }
    uint32_t done = 0;
    size_t size = layout_size(&t->process->space, LAYOUT_mmsghdr);
    int64_t result = 0;
    while (done < count && result >= 0) {
        uint64_t address = arg[1] + done * size;
        result = message_receive(t, arg[0], address, flags);
        if (result >= 0 && !write_length(t, address, result))
            result = -EFAULT;
        done += result >= 0;
        if (arg[3] & MSG_WAITFORONE)
            flags |= MSG_DONTWAIT;
        if (arg[4] && result >= 0) {
            left = time_until(&end);
            if (!left.tv_sec && !left.tv_nsec)
                break;
        }
    }
    if (arg[4] && done && !layout_write(&t->process->space, LAYOUT_timespec, arg[4], &left))
        return -EFAULT;
    return done ? done : result;
}
