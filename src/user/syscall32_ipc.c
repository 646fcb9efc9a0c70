/* SPDX-License-Identifier: MPL-2.0 */
/* System V's messages and shared memory of programs of 32 bits; semaphores need no more than layouts.def. */
#define _GNU_SOURCE
#include "user/syscall.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/msg.h>
#include <sys/shm.h>
#include <sys/syscall.h>

#ifndef MSG_STAT_ANY
#define MSG_STAT_ANY 13
#endif
#ifndef SHM_STAT_ANY
#define SHM_STAT_ANY 15
#endif

/*
 * msgctl, shmctl: what the third argument is depends on the second
 */

static int64_t give_structure(struct user_thread *t, long number, const uint64_t *arg,
                              enum layout layout)
{
    _Alignas(8) uint8_t host[LAYOUT_HOST_MOST] = {0};
    if (!layout_read(&t->process->space, layout, host, arg[2]))
        return -EFAULT;
    return syscall_host(t, number, arg[0], arg[1], (uint64_t)host, 0, 0, 0);
}

static int64_t take_structure(struct user_thread *t, long number, const uint64_t *arg,
                              enum layout layout)
{
    _Alignas(8) uint8_t host[LAYOUT_HOST_MOST] = {0};
    int64_t result = syscall_host(t, number, arg[0], arg[1], (uint64_t)host, 0, 0, 0);
    if (result < 0)
        return result;
    return layout_write(&t->process->space, layout, arg[2], host) ? result : -EFAULT;
}

int64_t sys32_msgctl(struct user_thread *t, const uint64_t *arg)
{
    switch ((int)arg[1]) {
    case IPC_SET:
        return give_structure(t, SYS_msgctl, arg, LAYOUT_msqid);
    case IPC_STAT:
    case MSG_STAT:
    case MSG_STAT_ANY:
        return take_structure(t, SYS_msgctl, arg, LAYOUT_msqid);
    default:
        return syscall_host(t, SYS_msgctl, arg[0], arg[1], arg[2], 0, 0, 0);
    }
}

int64_t sys32_shmctl(struct user_thread *t, const uint64_t *arg)
{
    switch ((int)arg[1]) {
    case IPC_SET:
        return give_structure(t, SYS_shmctl, arg, LAYOUT_shmid);
    case IPC_STAT:
    case SHM_STAT:
    case SHM_STAT_ANY:
        return take_structure(t, SYS_shmctl, arg, LAYOUT_shmid);
    case IPC_INFO:
        return take_structure(t, SYS_shmctl, arg, LAYOUT_shminfo);
    case SHM_INFO:
        return take_structure(t, SYS_shmctl, arg, LAYOUT_shm_info);
    default:
        return syscall_host(t, SYS_shmctl, arg[0], arg[1], arg[2], 0, 0, 0);
    }
}

/*
 * Messages begin with a long
 */

#define MESSAGE_MOST (16u << 20) /* more than a kernel lets through unless told to */

struct host_message {
    int64_t type;
    uint8_t text[];
};

static struct host_message *new_message(uint64_t size)
{
    return calloc(1, sizeof(struct host_message) + size);
}

int64_t sys32_msgsnd(struct user_thread *t, const uint64_t *arg)
{
    const struct space *space = &t->process->space;
    uint64_t size = arg[2];
    if (size > MESSAGE_MOST)
        return -EINVAL;
    struct host_message *message = new_message(size);
    if (!message)
        return -ENOMEM;
    int64_t result = -EFAULT;
    if (layout_read(space, LAYOUT_long, &message->type, arg[1]) &&
        space_read(space, message->text, arg[1] + space_word(space), size))
        result = syscall_host(t, SYS_msgsnd, arg[0], (uint64_t)message, size, arg[3], 0, 0);
    free(message);
    return result;
}

int64_t sys32_msgrcv(struct user_thread *t, const uint64_t *arg)
{
    const struct space *space = &t->process->space;
    uint64_t size = arg[2] < MESSAGE_MOST ? arg[2] : MESSAGE_MOST;
    if (arg[2] > INT32_MAX)
        return -EINVAL;
    struct host_message *message = new_message(size);
    if (!message)
        return -ENOMEM;
    int64_t result =
        syscall_host(t, SYS_msgrcv, arg[0], (uint64_t)message, size, arg[3], arg[4], 0);
    if (result >= 0 &&
        (!layout_write(space, LAYOUT_long, arg[1], &message->type) ||
         !space_write(space, arg[1] + space_word(space), message->text, (size_t)result)))
        result = -EFAULT;
    free(message);
    return result;
}
