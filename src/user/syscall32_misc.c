/* SPDX-License-Identifier: MPL-2.0 */
/* System calls of programs of 32 bits about memory, the time, the system and the process. */
#define _GNU_SOURCE
#include "user/signals.h"
#include "user/syscall.h"
#include <errno.h>
#include <linux/futex.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>

/* Offsets in files are counted in pages, so that they may be large. */
int64_t sys32_mmap2(struct user_thread *t, const uint64_t *arg)
{
    const uint64_t bytes[6] = {arg[0], arg[1], arg[2], arg[3], arg[4], arg[5] * PAGE_SIZE};
    return sys_mmap(t, bytes);
}

/* riscv32 has no vdso for the time: the host's has, so that no kernel is asked. */
int64_t sys32_clock_gettime64(struct user_thread *t, const uint64_t *arg)
{
    struct timespec now;
    if (clock_gettime((clockid_t)arg[0], &now) < 0)
        return -errno;
    return layout_write(&t->process->space, LAYOUT_timespec, arg[1], &now) ? 0 : -EFAULT;
}

/* Sizes that are too large for 32 bits are told in a larger unit. */
static void shrink(struct sysinfo *info)
{
    uint64_t unit = info->mem_unit ? info->mem_unit : 1;
    uint64_t most = (info->totalram > info->totalswap ? info->totalram : info->totalswap) * unit;
    unsigned bits = 0;
    while (most >> bits > UINT32_MAX)
        bits++;
    unsigned long *const sizes[] = {&info->totalram,  &info->freeram,   &info->sharedram,
                                    &info->bufferram, &info->totalswap, &info->freeswap,
                                    &info->totalhigh, &info->freehigh};
    for (unsigned n = 0; n < sizeof(sizes) / sizeof(*sizes); n++)
        *sizes[n] = *sizes[n] * unit >> bits;
    info->mem_unit = 1u << bits;
}

int64_t sys32_sysinfo(struct user_thread *t, const uint64_t *arg)
{
    struct sysinfo info;
    int64_t result = syscall_host(t, SYS_sysinfo, (uint64_t)&info, 0, 0, 0, 0, 0);
    if (result)
        return result;
    shrink(&info);
    return layout_write(&t->process->space, LAYOUT_sysinfo, arg[0], &info) ? 0 : -EFAULT;
}

/*
 * Sets of processors are made of longs: one of the program's may have half of one of the host's more.
 */

#define SET_MOST 1024 /* bytes */

int64_t sys32_sched_setaffinity(struct user_thread *t, const uint64_t *arg)
{
    uint64_t set[SET_MOST / sizeof(uint64_t)] = {0};
    uint64_t size = arg[1] < sizeof(set) ? arg[1] : sizeof(set);
    if (!space_read(&t->process->space, set, arg[2], size))
        return -EFAULT;
    return syscall_host(t, SYS_sched_setaffinity, arg[0], sizeof(set), (uint64_t)set, 0, 0, 0);
}

int64_t sys32_sched_getaffinity(struct user_thread *t, const uint64_t *arg)
{
    uint64_t set[SET_MOST / sizeof(uint64_t)] = {0};
    uint64_t size = arg[1] < sizeof(set) ? arg[1] : sizeof(set);
    if (size % sizeof(uint32_t))
        return -EINVAL;
    int64_t result =
        syscall_host(t, SYS_sched_getaffinity, arg[0], sizeof(set), (uint64_t)set, 0, 0, 0);
    if (result < 0)
        return result;
    /* What does not fit must say nothing. */
    uint64_t used = (uint64_t)result;
    while (used > size && !((const uint32_t *)set)[used / sizeof(uint32_t) - 1])
        used -= sizeof(uint32_t);
    if (used > size)
        return -EINVAL;
    return space_write(&t->process->space, arg[2], set, used) ? (int64_t)used : -EFAULT;
}

/* The host's kernel knows nothing of lists of 32 bits, so only this process's can be asked for. */
int64_t sys32_get_robust_list(struct user_thread *t, const uint64_t *arg)
{
    struct process *p = t->process;
    uint64_t list = 0, size = layout_size(&p->space, LAYOUT_robust_list);
    bool found = false;
    pthread_mutex_lock(&p->lock);
    for (const struct user_thread *of = p->threads; of && !found; of = of->next) {
        found = of->tid == (pid_t)arg[0] || (!arg[0] && of == t);
        list = found ? of->signals->robust_list : 0;
    }
    pthread_mutex_unlock(&p->lock);
    if (!found)
        return -ESRCH;
    return layout_write(&p->space, LAYOUT_pointer, arg[2], &size) &&
                   layout_write(&p->space, LAYOUT_pointer, arg[1], &list)
               ? 0
               : -EFAULT;
}
