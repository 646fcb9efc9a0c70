/* SPDX-License-Identifier: MPL-2.0 */
/* System calls that say something about the system or the process, and those of System V. */
#define _GNU_SOURCE
#include "host/host_signal.h"
#include "user/abi.h"
#include "user/syscall.h"
#include <errno.h>
#include <linux/prctl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/syscall.h>
#include <sys/utsname.h>

int64_t sys_uname(struct user_thread *t, const uint64_t *arg)
{
    struct utsname name;
    int64_t result = syscall_host(t, SYS_uname, (uint64_t)&name, 0, 0, 0, 0, 0);
    if (result)
        return result;
    memset(name.machine, 0, sizeof(name.machine));
    memcpy(name.machine, t->process->config.isa.xlen == 32 ? "riscv32" : "riscv64", 7);
    return space_write(&t->process->space, arg[0], &name, sizeof(name)) ? 0 : -EFAULT;
}

/*
 * Limits
 */

/* Limits of memory would be the emulator's, which needs more of it than the program. They are taken and
 * not kept: the program goes on as if they were far away. */
static bool is_of_memory(uint64_t resource, const struct rlimit *limit)
{
    enum { ROOM_FOR_OUR_STACK = 1 << 20 };
    return resource == RLIMIT_AS || resource == RLIMIT_DATA || resource == RLIMIT_RSS ||
           (resource == RLIMIT_STACK && limit->rlim_cur < ROOM_FOR_OUR_STACK);
}

int64_t sys_getrlimit(struct user_thread *t, const uint64_t *arg)
{
    if (!space_is_guest(&t->process->space, arg[1], sizeof(struct rlimit)))
        return -EFAULT;
    return syscall_host(t, SYS_prlimit64, 0, arg[0] & UINT32_MAX, 0, arg[1], 0, 0);
}

static int64_t set_limit(struct user_thread *t, const uint64_t *arg)
{
    const struct space *space = &t->process->space;
    struct rlimit limit;
    uint64_t set = 0;
    if (arg[2]) {
        if (!space_read(space, &limit, arg[2], sizeof(limit)))
            return -EFAULT;
        set = is_of_memory(arg[1], &limit) ? 0 : (uint64_t)&limit;
        if (limit.rlim_cur > limit.rlim_max)
            return -EINVAL;
    }
    if (!space_is_guest(space, arg[3], sizeof(limit)))
        return -EFAULT;
    return syscall_host(t, SYS_prlimit64, arg[0], arg[1] & UINT32_MAX, set, arg[3], 0, 0);
}

int64_t sys_setrlimit(struct user_thread *t, const uint64_t *arg)
{
    const uint64_t as_prlimit[4] = {0, arg[0], arg[1], 0};
    return arg[1] ? set_limit(t, as_prlimit) : -EFAULT;
}

int64_t sys_prlimit64(struct user_thread *t, const uint64_t *arg)
{
    return set_limit(t, arg);
}

/*
 * prctl
 */

#ifndef PR_GET_AUXV
#define PR_GET_AUXV 0x41555856
#endif

enum prctl_kind {
    PRCTL_REFUSED, /* not listed: about the processor, or what would hit the emulator */
    PRCTL_NUMBERS,
    PRCTL_ADDRESS, /* the second argument is one */
};

static enum prctl_kind prctl_kind_of(uint64_t option)
{
    switch ((int)option) {
    case PR_SET_PDEATHSIG:
    case PR_GET_DUMPABLE:
    case PR_SET_DUMPABLE:
    case PR_GET_KEEPCAPS:
    case PR_SET_KEEPCAPS:
    case PR_GET_TIMING:
    case PR_SET_TIMING:
    case PR_GET_SECCOMP:
    case PR_CAPBSET_READ:
    case PR_CAPBSET_DROP:
    case PR_GET_SECUREBITS:
    case PR_SET_SECUREBITS:
    case PR_GET_TIMERSLACK:
    case PR_SET_TIMERSLACK:
    case PR_MCE_KILL:
    case PR_MCE_KILL_GET:
    case PR_SET_CHILD_SUBREAPER:
    case PR_SET_NO_NEW_PRIVS:
    case PR_GET_NO_NEW_PRIVS:
    case PR_SET_THP_DISABLE:
    case PR_GET_THP_DISABLE:
    case PR_CAP_AMBIENT:
    case PR_GET_SPECULATION_CTRL:
    case PR_SET_SPECULATION_CTRL:
    case PR_SET_IO_FLUSHER:
    case PR_GET_IO_FLUSHER:
    case PR_SET_PTRACER:
    case PR_SET_VMA:
        return PRCTL_NUMBERS;
    case PR_GET_PDEATHSIG:
    case PR_SET_NAME:
    case PR_GET_NAME:
    case PR_GET_CHILD_SUBREAPER:
    case PR_GET_TID_ADDRESS:
        return PRCTL_ADDRESS;
    default:
        return PRCTL_REFUSED;
    }
}

static int64_t give_auxv(struct user_thread *t, uint64_t to, uint64_t size)
{
    const struct process *p = t->process;
    for (uint64_t at = 0; at < p->auxv_size && at < size; at += sizeof(uint64_t)) {
        uint64_t word;
        if (!space_read(&p->space, &word, p->auxv + at, sizeof(word)) ||
            !space_write(&p->space, to + at, &word, sizeof(word)))
            return -EFAULT;
    }
    return (int64_t)p->auxv_size;
}

int64_t sys_prctl(struct user_thread *t, const uint64_t *arg)
{
    const struct space *space = &t->process->space;
    if (arg[0] == PR_GET_AUXV)
        return arg[3] || arg[4] ? -EINVAL : give_auxv(t, arg[1], arg[2]);
    if (arg[0] == PR_GET_TID_ADDRESS)
        return layout_write(space, LAYOUT_pointer, arg[1], &t->clear_tid) ? 0 : -EFAULT;
    enum prctl_kind kind = prctl_kind_of(arg[0]);
    if (kind == PRCTL_REFUSED)
        return -EINVAL;
    if (kind == PRCTL_ADDRESS && !space_is_guest(space, arg[1], 1))
        return -EFAULT;
    if (arg[0] == PR_SET_VMA &&
        (!space_is_guest(space, arg[2], arg[3]) || !space_is_guest(space, arg[4], 1)))
        return -EINVAL;
    return syscall_host(t, SYS_prctl, arg[0], arg[1], arg[2], arg[3], arg[4], 0);
}

/*
 * ioctl: numbers and structures are the same on all hosts that use asm-generic/ioctls.h, as x86 does.
 * The argument may be a number or an address.
 */
int64_t sys_ioctl(struct user_thread *t, const uint64_t *arg)
{
    enum { KVM_TYPE = 0xae };
    const uint64_t host_addresses_end = UINT64_C(1) << 56;
    if (syscall_fd_is_ours(t->process, arg[0]))
        return -EBADF;
    if (!space_is_guest(&t->process->space, arg[2], 1) && arg[2] < host_addresses_end)
        return -EFAULT;
    /* Its virtual machines are for another processor. */
    if ((arg[1] >> 8 & 0xff) == KVM_TYPE)
        return -ENOTTY;
    return syscall_host(t, SYS_ioctl, arg[0], arg[1], arg[2], 0, 0, 0);
}

/*
 * Semaphores: x86 has its own struct semid_ds.
 */

static int64_t sem_stat(struct user_thread *t, const uint64_t *arg)
{
    struct semid_ds host;
    struct guest_semid guest = {0};
    int64_t result = syscall_host(t, SYS_semctl, arg[0], arg[1], arg[2], (uint64_t)&host, 0, 0);
    if (result < 0)
        return result;
    memcpy(guest.perm, &host.sem_perm, sizeof(guest.perm));
    guest.otime = host.sem_otime;
    guest.ctime = host.sem_ctime;
    guest.nsems = host.sem_nsems;
    return layout_write(&t->process->space, LAYOUT_semid, arg[3], &guest) ? result : -EFAULT;
}

static int64_t sem_set(struct user_thread *t, const uint64_t *arg)
{
    struct guest_semid guest;
    struct semid_ds host;
    memset(&host, 0, sizeof(host));
    if (!layout_read(&t->process->space, LAYOUT_semid, &guest, arg[3]))
        return -EFAULT;
    memcpy(&host.sem_perm, guest.perm, sizeof(guest.perm));
    return syscall_host(t, SYS_semctl, arg[0], arg[1], arg[2], (uint64_t)&host, 0, 0);
}

int64_t sys_semctl(struct user_thread *t, const uint64_t *arg)
{
    switch ((int)arg[2]) {
    case IPC_STAT:
    case SEM_STAT:
    case SEM_STAT_ANY:
        return sem_stat(t, arg);
    case IPC_SET:
        return sem_set(t, arg);
    case GETALL:
    case SETALL:
    case IPC_INFO:
    case SEM_INFO:
        if (!space_is_guest(&t->process->space, arg[3], 1))
            return -EFAULT;
        break;
    default:
        break;
    }
    return syscall_host(t, SYS_semctl, arg[0], arg[1], arg[2], arg[3], 0, 0);
}
