/* SPDX-License-Identifier: MPL-2.0 */
/* System calls about files and descriptors whose structures or flags are not the host's. */
#define _GNU_SOURCE
#include "user/abi.h"
#include "user/paths.h"
#include "user/proc_files.h"
#include "user/syscall.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/*
 * Flags of open(2)
 */

/* The kernel's; the C library's is 0 where every file may be large. */
#define HOST_O_LARGEFILE (O_DIRECT == GUEST_O_DIRECT ? GUEST_O_LARGEFILE : 0400000)

static const struct {
    uint32_t guest, host;
} open_flags[] = {
    {GUEST_O_DIRECT, O_DIRECT},
    {GUEST_O_DIRECTORY, O_DIRECTORY},
    {GUEST_O_NOFOLLOW, O_NOFOLLOW},
    {GUEST_O_LARGEFILE, HOST_O_LARGEFILE},
};
#define OPEN_FLAGS (sizeof(open_flags) / sizeof(*open_flags))

static uint64_t open_flags_to_host(uint64_t flags)
{
    uint64_t host = flags;
    for (unsigned n = 0; n < OPEN_FLAGS; n++)
        host &= ~(uint64_t)open_flags[n].guest;
    for (unsigned n = 0; n < OPEN_FLAGS; n++)
        host |= flags & open_flags[n].guest ? open_flags[n].host : 0;
    return host;
}

static uint64_t open_flags_to_guest(uint64_t flags)
{
    uint64_t guest = flags;
    for (unsigned n = 0; n < OPEN_FLAGS; n++)
        guest &= ~(uint64_t)open_flags[n].host;
    for (unsigned n = 0; n < OPEN_FLAGS; n++)
        guest |= flags & open_flags[n].host ? open_flags[n].guest : 0;
    return guest;
}

static int64_t open_path(struct user_thread *t, uint64_t dirfd, uint64_t path, uint64_t flags,
                         uint64_t mode)
{
    struct user_path found;
    bool follow = !(flags & GUEST_O_NOFOLLOW);
    if (syscall_fd_is_ours(t->process, dirfd))
        return -EBADF;
    int64_t error = path_find(t, path, follow, &found);
    if (error)
        return error;
    if (found.address == (uint64_t)found.text) {
        int64_t fd = proc_file_open(t, found.text, flags);
        if (fd != -ENOENT)
            return fd;
    }
    return syscall_host(t, SYS_openat, dirfd, found.address, open_flags_to_host(flags), mode, 0, 0);
}

int64_t sys_openat(struct user_thread *t, const uint64_t *arg)
{
    return open_path(t, arg[0], arg[1], arg[2] & UINT32_MAX, arg[3]);
}

int64_t sys_openat2(struct user_thread *t, const uint64_t *arg)
{
    const struct space *space = &t->process->space;
    struct {
        struct open_how how;
        uint8_t more[256];
    } given;
    if (arg[3] < sizeof(given.how))
        return -EINVAL;
    if (arg[3] > sizeof(given))
        return -E2BIG;
    memset(&given, 0, sizeof(given));
    if (!space_read(space, &given, arg[2], arg[3]))
        return -EFAULT;
    given.how.flags = open_flags_to_host(given.how.flags);
    if (syscall_fd_is_ours(t->process, arg[0]))
        return -EBADF;
    /* Rules about how a path is led are about the path that was given. */
    struct user_path path = {.address = arg[1]};
    if (!given.how.resolve) {
        int64_t error = path_find(t, arg[1], !(given.how.flags & O_NOFOLLOW), &path);
        if (error)
            return error;
    } else if (!space_is_guest(space, arg[1], 1)) {
        return -EFAULT;
    }
    return syscall_host(t, SYS_openat2, arg[0], path.address, (uint64_t)&given, arg[3], 0, 0);
}

int64_t sys_pipe2(struct user_thread *t, const uint64_t *arg)
{
    if (!space_is_guest(&t->process->space, arg[0], 1))
        return -EFAULT;
    return syscall_host(t, SYS_pipe2, arg[0], open_flags_to_host(arg[1] & UINT32_MAX), 0, 0, 0, 0);
}

int64_t sys_dup3(struct user_thread *t, const uint64_t *arg)
{
    if (syscall_fd_is_ours(t->process, arg[0]) || syscall_fd_is_ours(t->process, arg[1]))
        return -EBADF;
    return syscall_host(t, SYS_dup3, arg[0], arg[1], arg[2], 0, 0, 0);
}

int64_t sys_fcntl(struct user_thread *t, const uint64_t *arg)
{
    uint64_t value = arg[2];
    if (syscall_fd_is_ours(t->process, arg[0]))
        return -EBADF;
    switch ((int)arg[1]) {
    case F_SETFL:
        value = open_flags_to_host(value & UINT32_MAX);
        break;
    case F_DUPFD:
    case F_DUPFD_CLOEXEC:
    case F_GETFD:
    case F_SETFD:
    case F_GETFL:
    case F_SETOWN:
    case F_GETOWN:
    case F_SETSIG:
    case F_GETSIG:
    case F_SETLEASE:
    case F_GETLEASE:
    case F_NOTIFY:
    case F_SETPIPE_SZ:
    case F_GETPIPE_SZ:
    case F_ADD_SEALS:
    case F_GET_SEALS:
        break;
    default:
        /* All others have an address: of a lock, an owner, a hint. */
        if (!space_is_guest(&t->process->space, value, 1))
            return -EFAULT;
    }
    int64_t result = syscall_host(t, SYS_fcntl, arg[0], arg[1], value, 0, 0, 0);
    return (int)arg[1] == F_GETFL && result >= 0 ? (int64_t)open_flags_to_guest((uint64_t)result)
                                                 : result;
}

/* [first, last] without the descriptors that are the emulator's: in the parts between these. */
int64_t sys_close_range(struct user_thread *t, const uint64_t *arg)
{
    uint64_t first = (uint32_t)arg[0], last = (uint32_t)arg[1];
    int ours[SYSCALL_OWN_FDS];
    syscall_own_fds(t->process, ours);
    if (first > last)
        return -EINVAL;
    while (first <= last) {
        uint64_t end = last;
        for (unsigned n = 0; n < SYSCALL_OWN_FDS; n++) {
            if (ours[n] >= 0 && (uint64_t)ours[n] >= first && (uint64_t)ours[n] <= end)
                end = (uint64_t)ours[n] - 1;
        }
        /* With CLOSE_RANGE_UNSHARE a later part finds the table its own already. */
        int64_t result = end >= first && end <= last
                             ? syscall_host(t, SYS_close_range, first, end, arg[2], 0, 0, 0)
                             : 0;
        if (result)
            return result;
        first = end == last ? last + 1 : end + 2;
    }
    return 0;
}

/*
 * stat
 */

static int64_t give_stat(struct user_thread *t, uint64_t address, const struct stat *st)
{
    struct guest_stat guest = {
        .dev = st->st_dev,
        .ino = st->st_ino,
        .mode = st->st_mode,
        .nlink = (uint32_t)st->st_nlink,
        .uid = st->st_uid,
        .gid = st->st_gid,
        .rdev = st->st_rdev,
        .size = st->st_size,
        .blksize = (int32_t)st->st_blksize,
        .blocks = st->st_blocks,
        .atime_sec = st->st_atim.tv_sec,
        .atime_nsec = (uint64_t)st->st_atim.tv_nsec,
        .mtime_sec = st->st_mtim.tv_sec,
        .mtime_nsec = (uint64_t)st->st_mtim.tv_nsec,
        .ctime_sec = st->st_ctim.tv_sec,
        .ctime_nsec = (uint64_t)st->st_ctim.tv_nsec,
    };
    return space_write(&t->process->space, address, &guest, sizeof(guest)) ? 0 : -EFAULT;
}

int64_t sys_newfstatat(struct user_thread *t, const uint64_t *arg)
{
    struct user_path path;
    struct stat st;
    if (syscall_fd_is_ours(t->process, arg[0]))
        return -EBADF;
    int64_t error = path_find(t, arg[1], !(arg[3] & AT_SYMLINK_NOFOLLOW), &path);
    if (error)
        return error;
    int64_t result =
        syscall_host(t, SYS_newfstatat, arg[0], path.address, (uint64_t)&st, arg[3], 0, 0);
    return result ? result : give_stat(t, arg[2], &st);
}

int64_t sys_fstat(struct user_thread *t, const uint64_t *arg)
{
    struct stat st;
    if (syscall_fd_is_ours(t->process, arg[0]))
        return -EBADF;
    int64_t result = syscall_host(t, SYS_fstat, arg[0], (uint64_t)&st, 0, 0, 0, 0);
    return result ? result : give_stat(t, arg[1], &st);
}

/*
 * /proc/self/exe
 */

int64_t sys_readlinkat(struct user_thread *t, const uint64_t *arg)
{
    const struct space *space = &t->process->space;
    struct user_path path;
    if (syscall_fd_is_ours(t->process, arg[0]))
        return -EBADF;
    if ((int)arg[3] <= 0)
        return -EINVAL;
    int64_t error = path_find(t, arg[1], false, &path);
    if (error)
        return error;
    const char *own = path.address == (uint64_t)path.text ? path_in_own_proc(path.text) : NULL;
    if (own && !strcmp(own, "exe") && t->process->exe) {
        size_t length = strlen(t->process->exe);
        length = length < arg[3] ? length : arg[3];
        return space_write(space, arg[2], t->process->exe, length) ? (int64_t)length : -EFAULT;
    }
    if (!space_is_guest(space, arg[2], arg[3] & INT32_MAX))
        return -EFAULT;
    return syscall_host(t, SYS_readlinkat, arg[0], path.address, arg[2], arg[3], 0, 0);
}
