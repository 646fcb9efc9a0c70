/* SPDX-License-Identifier: MPL-2.0 */
/* System calls about memory: what space.c does, called as the kernel would be. */
#define _GNU_SOURCE
#include "user/syscall.h"
#include <errno.h>
#include <sys/mman.h>

int64_t sys_mmap(struct user_thread *t, const uint64_t *arg)
{
    int flags = (int)arg[3];
    if (!(flags & MAP_ANONYMOUS) && syscall_fd_is_ours(t->process, arg[4]))
        return -EBADF;
    return space_mmap(&t->process->space, arg[0], arg[1], (int)arg[2], flags, (int)arg[4], arg[5]);
}

int64_t sys_munmap(struct user_thread *t, const uint64_t *arg)
{
    return space_munmap(&t->process->space, arg[0], arg[1]);
}

int64_t sys_mprotect(struct user_thread *t, const uint64_t *arg)
{
    return space_mprotect(&t->process->space, arg[0], arg[1], (int)arg[2]);
}

int64_t sys_mremap(struct user_thread *t, const uint64_t *arg)
{
    return space_mremap(&t->process->space, arg[0], arg[1], arg[2], (int)arg[3], arg[4]);
}

int64_t sys_brk(struct user_thread *t, const uint64_t *arg)
{
    return space_brk(&t->process->space, arg[0]);
}

int64_t sys_madvise(struct user_thread *t, const uint64_t *arg)
{
    return space_madvise(&t->process->space, arg[0], arg[1], (int)arg[2]);
}

int64_t sys_shmat(struct user_thread *t, const uint64_t *arg)
{
    return space_shmat(&t->process->space, (int)arg[0], arg[1], (int)arg[2]);
}

int64_t sys_shmdt(struct user_thread *t, const uint64_t *arg)
{
    return space_shmdt(&t->process->space, arg[0]);
}

int64_t sys_riscv_flush_icache(struct user_thread *t, const uint64_t *arg)
{
    /* The one flag says "for this hart only", which is all that is needed then. */
    if (arg[2] & ~UINT64_C(1))
        return -EINVAL;
    space_flush_code(&t->process->space, arg[0], arg[1]);
    return 0;
}
