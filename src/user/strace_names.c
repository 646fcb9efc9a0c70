/* SPDX-License-Identifier: MPL-2.0 */
/* Names for -strace: see strace_names.h. Values are the guest's, which are asm-generic's. */
#define _GNU_SOURCE
#include "user/strace_names.h"
#include "user/syscall.h"
#include <inttypes.h>
#include <linux/futex.h>
#include <linux/prctl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#ifndef CLONE_CLEAR_SIGHAND
#define CLONE_CLEAR_SIGHAND 0x100000000ULL
#endif

struct name {
    uint64_t value;
    const char *name;
};

#define N(x) \
    { \
        x, #x \
    }

static const struct name open_names[] = {
    {01, "O_WRONLY"},        {02, "O_RDWR"},           {0100, "O_CREAT"},
    {0200, "O_EXCL"},        {0400, "O_NOCTTY"},       {01000, "O_TRUNC"},
    {02000, "O_APPEND"},     {04000, "O_NONBLOCK"},    {020200000, "O_TMPFILE"},
    {04010000, "O_SYNC"},    {010000, "O_DSYNC"},      {020000, "O_ASYNC"},
    {040000, "O_DIRECT"},    {0100000, "O_LARGEFILE"}, {0200000, "O_DIRECTORY"},
    {0400000, "O_NOFOLLOW"}, {01000000, "O_NOATIME"},  {02000000, "O_CLOEXEC"},
    {010000000, "O_PATH"},
};
static const struct name at_names[] = {
    {0x100, "AT_SYMLINK_NOFOLLOW"}, {0x200, "AT_REMOVEDIR"},   {0x400, "AT_SYMLINK_FOLLOW"},
    {0x800, "AT_NO_AUTOMOUNT"},     {0x1000, "AT_EMPTY_PATH"}, {0x2000, "AT_STATX_FORCE_SYNC"},
    {0x4000, "AT_STATX_DONT_SYNC"},
};
static const struct name access_names[] = {N(R_OK), N(W_OK), N(X_OK)};
static const struct name prot_names[] = {N(PROT_READ), N(PROT_WRITE), N(PROT_EXEC)};
static const struct name map_names[] = {
    {3, "MAP_SHARED_VALIDATE"},
    N(MAP_SHARED),
    N(MAP_PRIVATE),
    N(MAP_FIXED),
    N(MAP_ANONYMOUS),
    N(MAP_GROWSDOWN),
    N(MAP_DENYWRITE),
    N(MAP_EXECUTABLE),
    N(MAP_LOCKED),
    N(MAP_NORESERVE),
    N(MAP_POPULATE),
    N(MAP_NONBLOCK),
    N(MAP_STACK),
    N(MAP_HUGETLB),
    N(MAP_FIXED_NOREPLACE),
};
static const struct name clone_names[] = {
    N(CLONE_VM),
    N(CLONE_FS),
    N(CLONE_FILES),
    N(CLONE_SIGHAND),
    N(CLONE_PIDFD),
    N(CLONE_PTRACE),
    N(CLONE_VFORK),
    N(CLONE_PARENT),
    N(CLONE_THREAD),
    N(CLONE_NEWNS),
    N(CLONE_SYSVSEM),
    N(CLONE_SETTLS),
    N(CLONE_DETACHED),
    N(CLONE_PARENT_SETTID),
    N(CLONE_CHILD_CLEARTID),
    N(CLONE_CHILD_SETTID),
    N(CLONE_NEWCGROUP),
    N(CLONE_NEWUTS),
    N(CLONE_NEWIPC),
    N(CLONE_NEWUSER),
    N(CLONE_NEWPID),
    N(CLONE_NEWNET),
    N(CLONE_IO),
    N(CLONE_CLEAR_SIGHAND),
    {17, "SIGCHLD"},
};
static const struct name clock_names[] = {
    N(CLOCK_REALTIME),          N(CLOCK_MONOTONIC),     N(CLOCK_PROCESS_CPUTIME_ID),
    N(CLOCK_THREAD_CPUTIME_ID), N(CLOCK_MONOTONIC_RAW), N(CLOCK_REALTIME_COARSE),
    N(CLOCK_MONOTONIC_COARSE),  N(CLOCK_BOOTTIME),      N(CLOCK_REALTIME_ALARM),
    N(CLOCK_BOOTTIME_ALARM),    N(CLOCK_TAI),
};
static const struct name whence_names[] = {
    N(SEEK_SET), N(SEEK_CUR), N(SEEK_END), N(SEEK_DATA), N(SEEK_HOLE),
};
static const struct name resource_names[] = {
    N(RLIMIT_CPU),      N(RLIMIT_FSIZE), N(RLIMIT_DATA),   N(RLIMIT_STACK),
    N(RLIMIT_CORE),     N(RLIMIT_RSS),   N(RLIMIT_NPROC),  N(RLIMIT_NOFILE),
    N(RLIMIT_MEMLOCK),  N(RLIMIT_AS),    N(RLIMIT_LOCKS),  N(RLIMIT_SIGPENDING),
    N(RLIMIT_MSGQUEUE), N(RLIMIT_NICE),  N(RLIMIT_RTPRIO), N(RLIMIT_RTTIME),
};
static const struct name how_names[] = {N(SIG_BLOCK), N(SIG_UNBLOCK), N(SIG_SETMASK)};
static const struct name prctl_names[] = {
    N(PR_SET_PDEATHSIG),
    N(PR_GET_PDEATHSIG),
    N(PR_GET_DUMPABLE),
    N(PR_SET_DUMPABLE),
    N(PR_GET_KEEPCAPS),
    N(PR_SET_KEEPCAPS),
    N(PR_SET_NAME),
    N(PR_GET_NAME),
    N(PR_GET_SECCOMP),
    N(PR_SET_SECCOMP),
    N(PR_CAPBSET_READ),
    N(PR_CAPBSET_DROP),
    N(PR_GET_SECUREBITS),
    N(PR_SET_SECUREBITS),
    N(PR_SET_TIMERSLACK),
    N(PR_SET_MM),
    N(PR_SET_CHILD_SUBREAPER),
    N(PR_GET_CHILD_SUBREAPER),
    N(PR_SET_NO_NEW_PRIVS),
    N(PR_GET_NO_NEW_PRIVS),
    N(PR_SET_THP_DISABLE),
    N(PR_GET_THP_DISABLE),
    N(PR_CAP_AMBIENT),
    N(PR_SET_PTRACER),
    N(PR_SET_VMA),
};
static const struct name ioctl_names[] = {
    N(TCGETS),     N(TCSETS),      N(TCSETSW),     N(TCSETSF),      N(TCSBRK),
    N(TCXONC),     N(TCFLSH),      N(TIOCSCTTY),   N(TIOCGPGRP),    N(TIOCSPGRP),
    N(TIOCGWINSZ), N(TIOCSWINSZ),  N(FIONREAD),    N(FIONBIO),      N(FIOCLEX),
    N(FIONCLEX),   N(FIOASYNC),    N(TIOCNOTTY),   N(TIOCGPTN),     N(TIOCSPTLCK),
    N(TIOCGSID),   N(TIOCGPTPEER), N(SIOCGIFCONF), N(SIOCGIFFLAGS), {0x40049409, "FICLONE"},
};
static const struct name fcntl_names[] = {
    {0, "F_DUPFD"},         {1, "F_GETFD"},         {2, "F_SETFD"},
    {3, "F_GETFL"},         {4, "F_SETFL"},         {5, "F_GETLK"},
    {6, "F_SETLK"},         {7, "F_SETLKW"},        {8, "F_SETOWN"},
    {9, "F_GETOWN"},        {10, "F_SETSIG"},       {11, "F_GETSIG"},
    {15, "F_SETOWN_EX"},    {16, "F_GETOWN_EX"},    {36, "F_OFD_GETLK"},
    {37, "F_OFD_SETLK"},    {38, "F_OFD_SETLKW"},   {1024, "F_SETLEASE"},
    {1025, "F_GETLEASE"},   {1026, "F_NOTIFY"},     {1030, "F_DUPFD_CLOEXEC"},
    {1031, "F_SETPIPE_SZ"}, {1032, "F_GETPIPE_SZ"}, {1033, "F_ADD_SEALS"},
    {1034, "F_GET_SEALS"},
};
static const struct name futex_names[] = {
    N(FUTEX_WAIT),        N(FUTEX_WAKE),        N(FUTEX_REQUEUE),         N(FUTEX_CMP_REQUEUE),
    N(FUTEX_WAKE_OP),     N(FUTEX_LOCK_PI),     N(FUTEX_UNLOCK_PI),       N(FUTEX_TRYLOCK_PI),
    N(FUTEX_WAIT_BITSET), N(FUTEX_WAKE_BITSET), N(FUTEX_WAIT_REQUEUE_PI), N(FUTEX_CMP_REQUEUE_PI),
    N(FUTEX_LOCK_PI2),
};

/* What each kind has. */
static const struct {
    const struct name *names;
    uint8_t count;
    bool flags;       /* several of them together */
    const char *none; /* of flags: what no bit at all is called; NULL: 0 */
} kinds[] = {
#define NAMES(list) list, sizeof(list) / sizeof(*list)
    [A_OPEN] = {NAMES(open_names), true, "O_RDONLY"},
    [A_AT] = {NAMES(at_names), true, NULL},
    [A_ACCESS] = {NAMES(access_names), true, "F_OK"},
    [A_PROT] = {NAMES(prot_names), true, "PROT_NONE"},
    [A_MAP] = {NAMES(map_names), true, NULL},
    [A_CLONE] = {NAMES(clone_names), true, NULL},
    [A_CLOCK] = {NAMES(clock_names), false, NULL},
    [A_WHENCE] = {NAMES(whence_names), false, NULL},
    [A_RESOURCE] = {NAMES(resource_names), false, NULL},
    [A_HOW] = {NAMES(how_names), false, NULL},
    [A_PRCTL] = {NAMES(prctl_names), false, NULL},
    [A_IOCTL] = {NAMES(ioctl_names), false, NULL},
    [A_FCNTL] = {NAMES(fcntl_names), false, NULL},
    [A_FUTEX] = {NAMES(futex_names), false, NULL},
};

static void name_flags(unsigned kind, uint64_t value, char *text, size_t size)
{
    int n = 0;
    const char *between = "";
    if (!value && kinds[kind].none)
        n = snprintf(text, size, "%s", kinds[kind].none);
    for (unsigned i = 0; i < kinds[kind].count && n >= 0 && (size_t)n < size; i++) {
        const struct name *flag = &kinds[kind].names[i];
        if (!flag->value || (value & flag->value) != flag->value)
            continue;
        n += snprintf(text + n, size - (size_t)n, "%s%s", between, flag->name);
        value &= ~flag->value;
        between = "|";
    }
    if (n >= 0 && (size_t)n < size && (value || !n))
        snprintf(text + n, size - (size_t)n, value ? "%s0x%" PRIx64 : "%s%" PRIx64, between, value);
}

void strace_name(uint8_t kind, uint64_t value, char *text, size_t size)
{
    const char *more = "";
    if (kind >= sizeof(kinds) / sizeof(*kinds) || !kinds[kind].names) {
        snprintf(text, size, "0x%" PRIx64, value);
        return;
    }
    if (kinds[kind].flags) {
        name_flags(kind, value & UINT64_C(0x1ffffffff), text, size);
        return;
    }
    if (kind == A_FUTEX) {
        more = value & FUTEX_PRIVATE_FLAG && value & FUTEX_CLOCK_REALTIME
                   ? "|FUTEX_PRIVATE_FLAG|FUTEX_CLOCK_REALTIME"
               : value & FUTEX_PRIVATE_FLAG   ? "|FUTEX_PRIVATE_FLAG"
               : value & FUTEX_CLOCK_REALTIME ? "|FUTEX_CLOCK_REALTIME"
                                              : "";
        value &= FUTEX_CMD_MASK;
    }
    for (unsigned i = 0; i < kinds[kind].count; i++) {
        if (kinds[kind].names[i].value == (value & UINT32_MAX)) {
            snprintf(text, size, "%s%s", kinds[kind].names[i].name, more);
            return;
        }
    }
    snprintf(text, size, "0x%" PRIx64, value);
}
