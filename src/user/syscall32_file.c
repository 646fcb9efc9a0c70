/* SPDX-License-Identifier: MPL-2.0 */
/* System calls about files of programs of 32 bits. */
#define _GNU_SOURCE
#include "user/paths.h"
#include "user/syscall.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <sys/vfs.h>

/*
 * fcntl: locks on files come in two sizes. The larger is the host's, under other numbers.
 */

enum {
    GUEST_GETLK = 5,
    GUEST_SETLK,
    GUEST_SETLKW,
    GUEST_GETLK64 = 12,
    GUEST_SETLK64,
    GUEST_SETLKW64,
};

static int64_t do_small_lock(struct user_thread *t, const uint64_t *arg)
{
    const struct space *space = &t->process->space;
    struct flock lock;
    if (!layout_read(space, LAYOUT_flock, &lock, arg[2]))
        return -EFAULT;
    int64_t result = syscall_host(t, SYS_fcntl, arg[0], arg[1], (uint64_t)&lock, 0, 0, 0);
    if (result < 0 || arg[1] != GUEST_GETLK)
        return result;
    if (lock.l_start > INT32_MAX || lock.l_len > INT32_MAX)
        return -EOVERFLOW;
    return layout_write(space, LAYOUT_flock, arg[2], &lock) ? result : -EFAULT;
}

int64_t sys32_fcntl64(struct user_thread *t, const uint64_t *arg)
{
    uint64_t host[6] = {arg[0], arg[1], arg[2]};
    if (syscall_fd_is_ours(t->process, arg[0]))
        return -EBADF;
    if (arg[1] >= GUEST_GETLK && arg[1] <= GUEST_SETLKW)
        return do_small_lock(t, arg);
    if (arg[1] >= GUEST_GETLK64 && arg[1] <= GUEST_SETLKW64)
        host[1] = arg[1] - GUEST_GETLK64 + F_GETLK;
    return sys_fcntl(t, host);
}

int64_t sys32_llseek(struct user_thread *t, const uint64_t *arg)
{
    if (syscall_fd_is_ours(t->process, arg[0]))
        return -EBADF;
    int64_t place =
        syscall_host(t, SYS_lseek, arg[0], arg[1] << 32 | (uint32_t)arg[2], arg[4], 0, 0, 0);
    if (place < 0)
        return place;
    return space_write(&t->process->space, arg[3], &place, sizeof(place)) ? 0 : -EFAULT;
}

/*
 * statfs: the size is that of the structure.
 */

static int64_t give_statfs(struct user_thread *t, const uint64_t *arg, int64_t result,
                           const struct statfs *st)
{
    if (result)
        return result;
    return layout_write(&t->process->space, LAYOUT_statfs, arg[2], st) ? 0 : -EFAULT;
}

static bool is_statfs_size(const struct user_thread *t, uint64_t size)
{
    return size == layout_size(&t->process->space, LAYOUT_statfs);
}

int64_t sys32_statfs64(struct user_thread *t, const uint64_t *arg)
{
    struct user_path path;
    struct statfs st;
    if (!is_statfs_size(t, arg[1]))
        return -EINVAL;
    int64_t error = path_find(t, arg[0], true, &path);
    if (error)
        return error;
    return give_statfs(t, arg, syscall_host(t, SYS_statfs, path.address, (uint64_t)&st, 0, 0, 0, 0),
                       &st);
}

int64_t sys32_fstatfs64(struct user_thread *t, const uint64_t *arg)
{
    struct statfs st;
    if (!is_statfs_size(t, arg[1]))
        return -EINVAL;
    if (syscall_fd_is_ours(t->process, arg[0]))
        return -EBADF;
    return give_statfs(t, arg, syscall_host(t, SYS_fstatfs, arg[0], (uint64_t)&st, 0, 0, 0, 0),
                       &st);
}
