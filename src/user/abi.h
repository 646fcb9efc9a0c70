/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What Linux on riscv64 lays out otherwise than Linux on this host may: structures that programs and
 * the kernel exchange, as the program sees them (asm-generic and arch/riscv/include/uapi/asm).
 *
 * What is not here is laid out alike on all little-endian hosts of 64 bits: iovec, timespec,
 * siginfo, termios, statfs, statx, rusage, flock and others.
 */
#ifndef RVVM_USER_ABI_H
#define RVVM_USER_ABI_H

#include <stddef.h>
#include <stdint.h>

#define GUEST_SIGNALS 64
#define GUEST_SIGSET_SIZE 8 /* what calls with a signal set must give as its size */

struct guest_stat {
    uint64_t dev, ino;
    uint32_t mode, nlink, uid, gid;
    uint64_t rdev, pad1;
    int64_t size;
    int32_t blksize, pad2;
    int64_t blocks;
    int64_t atime_sec;
    uint64_t atime_nsec;
    int64_t mtime_sec;
    uint64_t mtime_nsec;
    int64_t ctime_sec;
    uint64_t ctime_nsec;
    uint32_t unused[2];
};
_Static_assert(sizeof(struct guest_stat) == 128, "asm-generic/stat.h");

/* On x86-64 the host's is packed. */
struct guest_epoll_event {
    uint32_t events, pad;
    uint64_t data;
};

/* As kernels have it; C libraries make some members smaller (musl: iov_count, control_size). */
struct guest_msghdr {
    uint64_t name;
    uint32_t name_size, pad;
    uint64_t iov, iov_count, control, control_size;
    uint32_t flags, pad2;
};
_Static_assert(sizeof(struct guest_msghdr) == 56, "struct user_msghdr of linux/socket.h");

struct guest_mmsghdr {
    struct guest_msghdr header;
    uint32_t size, pad;
};

/* open(2). x86's are the same; those of other hosts (arm64) are not. */
enum guest_open_flag {
    GUEST_O_DIRECT = 040000,
    GUEST_O_LARGEFILE = 0100000,
    GUEST_O_DIRECTORY = 0200000,
    GUEST_O_NOFOLLOW = 0400000,
};

/* As the kernel takes it: there is no restorer, the vdso has the way back. */
struct guest_sigaction {
    uint64_t handler, flags, mask;
};

enum {
    GUEST_SIG_DFL = 0,
    GUEST_SIG_IGN = 1,
};

enum guest_sa_flag {
    GUEST_SA_NOCLDSTOP = 0x1,
    GUEST_SA_NOCLDWAIT = 0x2,
    GUEST_SA_SIGINFO = 0x4,
    GUEST_SA_EXPOSE_TAGBITS = 0x800,
    GUEST_SA_ONSTACK = 0x08000000,
    GUEST_SA_RESTART = 0x10000000,
    GUEST_SA_NODEFER = 0x40000000,
    GUEST_SA_RESETHAND = 0x80000000,
};
#define GUEST_SA_ALL \
    (GUEST_SA_NOCLDSTOP | GUEST_SA_NOCLDWAIT | GUEST_SA_SIGINFO | GUEST_SA_EXPOSE_TAGBITS | \
     GUEST_SA_ONSTACK | GUEST_SA_RESTART | GUEST_SA_NODEFER | GUEST_SA_RESETHAND)

struct guest_stack {
    uint64_t sp;
    int32_t flags, pad;
    uint64_t size;
};

enum {
    GUEST_SS_ONSTACK = 1,
    GUEST_SS_DISABLE = 2,
    GUEST_SS_AUTODISARM = 1u << 31,
    GUEST_MINSIGSTKSZ = 2048,
};

/* Room for quadruple precision, of which half is used; behind it a list of extensions' contexts,
 * which is empty: its end is a header of zeros. */
struct guest_fp_state {
    uint64_t f[32];
    uint32_t fcsr;
    uint32_t unused[64];
    uint32_t reserved; /* must be 0 */
    uint32_t end_magic, end_size;
};
_Static_assert(sizeof(struct guest_fp_state) == 528, "union __riscv_fp_state");

struct guest_ucontext {
    uint64_t flags, link;
    struct guest_stack stack;
    uint64_t sigmask;
    uint8_t unused[120];
    uint64_t pad;
    uint64_t regs[32]; /* the pc in the place of x0 */
    struct guest_fp_state fp;
};
_Static_assert(sizeof(struct guest_ucontext) == 960, "asm/ucontext.h");
_Static_assert(offsetof(struct guest_ucontext, regs) == 176, "asm/ucontext.h");

#define GUEST_SIGINFO_SIZE 128

struct guest_sigframe {
    uint8_t info[GUEST_SIGINFO_SIZE];
    struct guest_ucontext context;
};

/* The same for riscv32, where a set of signals lies at 4 bytes and registers at 16. */
struct guest_sigframe32 {
    uint8_t info[GUEST_SIGINFO_SIZE];
    struct guest_ucontext32 {
        uint32_t flags, link;
        uint32_t stack_sp;
        int32_t stack_flags;
        uint32_t stack_size;
        uint32_t sigmask[2];
        uint8_t unused[120];
        uint32_t pad[3];
        uint32_t regs[32];
        struct guest_fp_state fp;
    } context;
};
_Static_assert(offsetof(struct guest_sigframe32, context) ==
                   offsetof(struct guest_sigframe, context),
               "sigframe.c");
_Static_assert(sizeof(struct guest_ucontext32) == 816, "asm/ucontext.h");
_Static_assert(offsetof(struct guest_ucontext32, regs) == 160, "asm/ucontext.h");

/* clone3(2); what a newer kernel knows behind it must be zero. */
struct guest_clone_args {
    uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
    uint64_t set_tid, set_tid_size; /* since the second version */
    uint64_t cgroup;                /* since the third */
};

/* x86 has two words more for times of 32 bits. */
struct guest_semid {
    uint8_t perm[48];
    int64_t otime, ctime;
    uint64_t nsems, unused[2];
};
_Static_assert(sizeof(struct guest_semid) == 88, "asm-generic/sembuf.h");

struct guest_hwprobe {
    int64_t key;
    uint64_t value;
};

#endif
