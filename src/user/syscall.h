/* SPDX-License-Identifier: MPL-2.0 */
/*
 * System calls, between the files that do them. syscalls.def lists all of them with what their
 * arguments are; syscall.c looks a call up there and either hands it to the host's kernel or to a
 * function sys_NAME, of which each syscall_*.c has those of one subject.
 *
 * Guest addresses are the host's, so that the host's kernel writes to the guest's memory by itself and
 * says EFAULT where there is none. What has to be kept from it are addresses of the emulator's.
 *
 * A result is the call's, or -errno. SYSCALL_RESTART: a signal came before the call has done anything;
 * it is made again when the signal's handler is through.
 */
#ifndef RVVM_USER_SYSCALL_H
#define RVVM_USER_SYSCALL_H

#include "host/host_call.h"
#include "user/layout.h"
#include "user/process.h"
#include <time.h>

#define SYSCALL_RESTART HOST_CALL_RESTART

enum syscall_result { R_NUM, R_PTR, R_NONE };

/* What an argument is: how it is checked and how -strace shows it. */
enum syscall_arg {
    A_NOTHING,

    /* Numbers. */
    A_INT,
    A_UINT,
    A_LONG,
    A_WIDE, /* 64 bits; of 32-bit programs two registers, the lower half first */
    A_LOW,  /* the lower half of such a one, where the upper half counts as an argument */
    A_SIZE,
    A_HEX,
    A_MODE,
    A_FD,      /* not one of the emulator's */
    A_DIRFD,   /* the same, or AT_FDCWD */
    A_ADDRESS, /* not reached by the call */
    A_SIGNAL,
    A_CLOCK,
    A_WHENCE,
    A_RESOURCE,
    A_HOW,
    A_PRCTL,
    A_IOCTL,
    A_FCNTL,
    A_FUTEX,

    /* Sets of flags. */
    A_OPEN,
    A_AT,
    A_ACCESS,
    A_PROT,
    A_MAP,
    A_CLONE,

    /* Addresses that the call reaches. */
    A_POINTERS,
    A_PTR = A_POINTERS, /* of something */
    A_PATH,             /* a path that is followed to its end, unless an A_AT says otherwise */
    A_LINK,             /* a path whose last part is not followed, unless one does */
    A_STR,              /* another string */
    A_STRV,             /* strings, up to a null pointer */
    A_IN,               /* bytes, as many as the next argument says */
    A_OUT,              /* bytes that the call writes, the result says how many */
    A_IOV,              /* struct iovec, as many as the next argument says */
    A_IOV_OTHER,        /* of another process's memory */
    A_IOV_OUT,
    A_MSG, /* struct msghdr */
    A_SOCKADDR,
    A_SIGSET,
    A_ACTION, /* struct sigaction */
    A_POLL,   /* struct pollfd, as many as the next argument says */
    A_TIMESPEC,
    A_ITIMERSPEC,
    A_RLIMIT,
    A_GIVEN, /* A_GIVEN + enum layout: such a structure */

    /* Written by the call. */
    A_OUTPUTS = A_GIVEN + LAYOUTS,
    A_TIMESPEC_OUT = A_OUTPUTS,
    A_RLIMIT_OUT,
    A_STAT,
    A_STATUS, /* wait's */
    A_PAIR,   /* two descriptors */
    A_TAKEN,  /* A_TAKEN + enum layout */
    A_END = A_TAKEN + LAYOUTS,
};
_Static_assert(A_END <= UINT8_MAX, "struct syscall's args");

struct syscall {
    const char *name;
    long host; /* number there; with neither run nor error, it is handed on */
    int64_t (*run)(struct user_thread *t, const uint64_t *arg);
    int error; /* refused with this */
    uint8_t result;
    uint8_t args[6]; /* enum syscall_arg */
};

/* NULL: there is none of that number. */
const struct syscall *syscall_find(uint64_t number);
/* The same for a program of 32 bits. */
const struct syscall *syscall_find_32(uint64_t number);
/* Its arguments, from its registers from a0 on. */
void syscall_arguments_32(const struct syscall *call, const uint64_t *registers, uint64_t arg[6]);

/* The host's system call, cut short by a signal for the guest. */
int64_t syscall_host(struct user_thread *t, long number, uint64_t a0, uint64_t a1, uint64_t a2,
                     uint64_t a3, uint64_t a4, uint64_t a5);

/* A time that a call is given, as the host's kernel is to get it. */
struct time_argument {
    uint64_t address; /* for the kernel; 0: there is none */
    struct timespec copy;
};
bool time_argument_read(const struct user_thread *t, uint64_t address, struct time_argument *time);
/* For calls that leave in it what was left of it: `address` again. */
void time_argument_write(const struct user_thread *t, uint64_t address,
                         const struct time_argument *time);

/* Hands a call on after the checks that the kinds of its arguments ask for. */
int64_t syscall_pass(struct user_thread *t, const struct syscall *call, const uint64_t *arg);

/* The descriptors that the emulator keeps for itself (-1: not open); whether one is among them. */
#define SYSCALL_OWN_FDS 4
void syscall_own_fds(const struct process *p, int fds[SYSCALL_OWN_FDS]);
bool syscall_fd_is_ours(const struct process *p, uint64_t fd);

#define PASS(number, name, ...)
#define SAME(number, name, ...)
#define CALL(number, name, ...) int64_t sys_##name(struct user_thread *t, const uint64_t *arg);
#define REFUSE(number, name, ...)
#include "user/syscalls.def"
#undef PASS
#undef SAME
#undef CALL
#undef REFUSE

#define PASS(number, name, ...)
#define LIKE(number, name, ...)
#define CALL(number, name, ...) int64_t sys32_##name(struct user_thread *t, const uint64_t *arg);
#define REFUSE(number, name, ...)
#include "user/syscalls32.def"
#undef PASS
#undef LIKE
#undef CALL
#undef REFUSE

#endif
