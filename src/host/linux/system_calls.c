/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Which system calls a thread may make, by libseccomp (seccomp_rule_add(3)). All others are refused: no file
 * is opened, no program started, no code made, no process looked at, no socket made but by a network.
 *
 * A filter sees numbers, not what pointers point to; so what is allowed is harmless whatever the memory
 * that it is given. What is done most is allowed whatever its arguments: the kernel remembers that and runs
 * no filter (Linux 5.11).
 *
 * io_uring does its work past all filters: rings restrict themselves (io_queue.c) and none can be made.
 */
#define _GNU_SOURCE
#include "host/linux/isolation_parts.h"

#include <stdio.h>
#include <string.h>

#ifdef HAVE_LIBSECCOMP

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/if_tun.h>
#include <linux/prctl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <seccomp.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* Since 2.5.0 libseccomp knows them; this is what they are in old headers of the kernel. */
#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#endif

/* For memory, time, other threads of the machine, and files and streams that are open. */
static const int always[] = {
    SCMP_SYS(read),
    SCMP_SYS(write),
    SCMP_SYS(readv),
    SCMP_SYS(writev),
    SCMP_SYS(pread64),
    SCMP_SYS(pwrite64),
    SCMP_SYS(preadv),
    SCMP_SYS(pwritev),
    SCMP_SYS(preadv2),
    SCMP_SYS(pwritev2),
    SCMP_SYS(lseek),
    SCMP_SYS(_llseek),
    SCMP_SYS(fstat),
    SCMP_SYS(fstat64),
    SCMP_SYS(fdatasync),
    SCMP_SYS(fsync),
    SCMP_SYS(fallocate),
    SCMP_SYS(ftruncate),
    SCMP_SYS(ftruncate64),
    SCMP_SYS(close),
    SCMP_SYS(poll),
    SCMP_SYS(ppoll),
    SCMP_SYS(ppoll_time64),
    SCMP_SYS(brk),
    SCMP_SYS(munmap),
    SCMP_SYS(madvise),
    SCMP_SYS(futex),
    SCMP_SYS(futex_time64),
    SCMP_SYS(set_robust_list),
    SCMP_SYS(rseq),
    SCMP_SYS(sched_yield),
    SCMP_SYS(sched_getaffinity),
    SCMP_SYS(getcpu),
    SCMP_SYS(clock_gettime),
    SCMP_SYS(clock_gettime64),
    SCMP_SYS(clock_getres),
    SCMP_SYS(clock_nanosleep),
    SCMP_SYS(clock_nanosleep_time64),
    SCMP_SYS(nanosleep),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(time),
    SCMP_SYS(getrandom),
    SCMP_SYS(getpid),
    SCMP_SYS(gettid),
    SCMP_SYS(getpgrp),
    SCMP_SYS(getpgid),
    SCMP_SYS(sysinfo),
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigpending),
    SCMP_SYS(rt_sigtimedwait),
    SCMP_SYS(rt_sigtimedwait_time64),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(sigaltstack),
    SCMP_SYS(restart_syscall),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
};

/* For streams: clients come and go, and bytes with them, and images that a client opened. No sendmsg(), which could
 * hand over what is open here. */
static const int streams[] = {
    SCMP_SYS(accept),      SCMP_SYS(accept4),     SCMP_SYS(recvfrom),   SCMP_SYS(recvmsg),
    SCMP_SYS(recv),        SCMP_SYS(sendto),      SCMP_SYS(send),       SCMP_SYS(shutdown),
    SCMP_SYS(getsockname), SCMP_SYS(getpeername), SCMP_SYS(getsockopt),
};

/* For who restricts itself again: the harts, which the caller starts. Nothing is won by any of them. */
static const int restricting[] = {
    SCMP_SYS(seccomp),
    SCMP_SYS(capset),
    SCMP_SYS(landlock_create_ruleset),
    SCMP_SYS(landlock_restrict_self),
};

/* Of what may have a device behind it. Not TIOCSTI, which types into the user's shell. */
static const unsigned long ioctls[] = {
    TCGETS, TCSETS, TCSETSW, TCSETSF, TIOCGWINSZ, TIOCGPGRP, FIONREAD, FIONBIO,
};
static const unsigned long disk_ioctls[] = {BLKDISCARD, BLKZEROOUT, BLKGETSIZE64, BLKSSZGET};

struct rules {
    scmp_filter_ctx filter;
    int failed; /* the first errno */
};

/* Numbers below zero are of other architectures. */
static void add(struct rules *r, uint32_t action, int call, unsigned count,
                const struct scmp_arg_cmp *args)
{
    if (call < 0 || r->failed)
        return;
    int e = seccomp_rule_add_array(r->filter, action, call, count, args);
    if (e < 0 && e != -EEXIST)
        r->failed = -e;
}

static void allow(struct rules *r, int call, unsigned count, const struct scmp_arg_cmp *args)
{
    add(r, SCMP_ACT_ALLOW, call, count, args);
}

static void allow_all(struct rules *r, const int *calls, size_t count)
{
    for (size_t i = 0; i < count; i++)
        allow(r, calls[i], 0, NULL);
}

/* If the argument has this value. */
static void allow_value(struct rules *r, int call, unsigned argument, uint64_t value)
{
    allow(r, call, 1,
          (struct scmp_arg_cmp[]){{.arg = argument, .op = SCMP_CMP_EQ, .datum_a = value}});
}

/* If these bits of the argument are those of value. */
static void allow_bits(struct rules *r, int call, unsigned argument, uint64_t bits, uint64_t value)
{
    allow(r, call, 1,
          (struct scmp_arg_cmp[]){
              {.arg = argument, .op = SCMP_CMP_MASKED_EQ, .datum_a = bits, .datum_b = value}});
}

static void allow_memory(struct rules *r)
{
    allow_bits(r, SCMP_SYS(mmap), 2, PROT_EXEC, 0);
    allow_bits(r, SCMP_SYS(mmap2), 2, PROT_EXEC, 0);
    allow_bits(r, SCMP_SYS(mprotect), 2, PROT_EXEC, 0);
    allow_bits(r, SCMP_SYS(mremap), 3, MREMAP_FIXED, 0);
}

/* Threads of this process only; clone3 keeps its flags in memory, so the C library has to do without. */
static void allow_threads(struct rules *r)
{
    const uint64_t thread = CLONE_VM | CLONE_THREAD | CLONE_SIGHAND;
    const uint64_t others = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |
                            CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | CLONE_PTRACE;
    allow_bits(r, SCMP_SYS(clone), 0, thread | others, thread);
    add(r, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0, NULL);
    allow_value(r, SCMP_SYS(prctl), 0, PR_SET_NAME);
    allow_value(r, SCMP_SYS(prctl), 0, PR_GET_NAME);
    allow_value(r, SCMP_SYS(prctl), 0, PR_SET_VMA);
    /* A fault's handler raises the signal once more, a stop that of the whole process. */
    allow_value(r, SCMP_SYS(tgkill), 0, (uint64_t)getpid());
    allow_value(r, SCMP_SYS(kill), 0, (uint64_t)getpid());
}

/* Not F_SETOWN, which sends signals to others. */
static void allow_descriptors(struct rules *r)
{
    static const int commands[] = {F_GETFD, F_SETFD, F_GETFL, F_SETFL};
    for (size_t i = 0; i < LENGTH(commands); i++) {
        allow_value(r, SCMP_SYS(fcntl), 1, (uint64_t)commands[i]);
        allow_value(r, SCMP_SYS(fcntl64), 1, (uint64_t)commands[i]);
    }
    for (size_t i = 0; i < LENGTH(ioctls); i++)
        allow_value(r, SCMP_SYS(ioctl), 1, ioctls[i]);
    /* The C library's fstat(). It can be given a path as well, and then tells a file's size and times. */
    allow_bits(r, SCMP_SYS(newfstatat), 3, AT_EMPTY_PATH, AT_EMPTY_PATH);
}

/* The option is looked at, as some load programs into the kernel (SO_ATTACH_BPF). */
static void allow_socket_options(struct rules *r)
{
    static const struct {
        int level, option;
    } options[] = {
        {SOL_SOCKET, SO_REUSEADDR},
        {SOL_SOCKET, SO_KEEPALIVE},
        {SOL_SOCKET, SO_OOBINLINE},
        {SOL_SOCKET, SO_SNDBUF},
        {SOL_SOCKET, SO_RCVBUF},
        {SOL_SOCKET, SO_BROADCAST},
        {SOL_SOCKET, SO_LINGER},
        {SOL_SOCKET, SO_PRIORITY},
        {IPPROTO_TCP, TCP_NODELAY},
        {IPPROTO_IP, IP_TOS},
        {IPPROTO_IP, IP_TTL},
        {IPPROTO_IP, IP_RECVERR},
        {IPPROTO_IPV6, IPV6_V6ONLY},
        {IPPROTO_IPV6, IPV6_RECVERR},
        {IPPROTO_IPV6, IPV6_UNICAST_HOPS},
    };
    for (size_t i = 0; i < LENGTH(options); i++)
        allow(r, SCMP_SYS(setsockopt), 2,
              (struct scmp_arg_cmp[]){SCMP_A1(SCMP_CMP_EQ, (uint64_t)options[i].level, 0),
                                      SCMP_A2(SCMP_CMP_EQ, (uint64_t)options[i].option, 0)});
}

/* protocol 0: the one that all know. Others have the kernel load code that is little used (SCTP, SMC). */
static void rule_socket(struct rules *r, uint32_t action, int family, int type, int protocol)
{
    add(r, action, SCMP_SYS(socket), 3,
        (struct scmp_arg_cmp[]){SCMP_A0(SCMP_CMP_EQ, (uint64_t)family, 0),
                                SCMP_A1(SCMP_CMP_MASKED_EQ, 0xf, (uint64_t)type),
                                SCMP_A2(SCMP_CMP_EQ, (uint64_t)protocol, 0)});
}

static void allow_socket(struct rules *r, int family, int type, int protocol)
{
    rule_socket(r, SCMP_ACT_ALLOW, family, type, protocol);
}

/* Ordinary ones: no packets of one's own make, but for echo requests. */
static void allow_sockets(struct rules *r, unsigned sockets)
{
    if (sockets & (ISOLATION_INET | ISOLATION_TCP)) {
        allow_socket(r, AF_INET, SOCK_STREAM, 0);
        allow_socket(r, AF_INET6, SOCK_STREAM, 0);
    }
    if (sockets & ISOLATION_INET) {
        allow_socket(r, AF_INET, SOCK_DGRAM, 0);
        allow_socket(r, AF_INET, SOCK_DGRAM, IPPROTO_ICMP);
        allow_socket(r, AF_INET6, SOCK_DGRAM, 0);
        allow_socket(r, AF_INET6, SOCK_DGRAM, IPPROTO_ICMPV6);
        /* Tried where the former is not to be had; an answer that is none of the guest's mischief. */
        rule_socket(r, SCMP_ACT_ERRNO(EPERM), AF_INET, SOCK_RAW, IPPROTO_ICMP);
        allow(r, SCMP_SYS(bind), 0, NULL);
        allow(r, SCMP_SYS(listen), 0, NULL);
    }
    if (sockets & ISOLATION_UNIX)
        allow_socket(r, AF_UNIX, SOCK_STREAM, 0);
    if (sockets)
        allow(r, SCMP_SYS(connect), 0, NULL);
}

/* At files by their names: neither opens one. */
static void allow_looking(struct rules *r)
{
    static const int calls[] = {SCMP_SYS(newfstatat), SCMP_SYS(fstatat64), SCMP_SYS(stat),
                                SCMP_SYS(stat64),     SCMP_SYS(lstat),     SCMP_SYS(lstat64),
                                SCMP_SYS(statx)};
    allow_all(r, calls, LENGTH(calls));
}

static void allow_network(struct rules *r, const struct isolation_needs *needs)
{
    allow_sockets(r, needs->sockets);
    if (needs->reading.count) {
        allow_looking(r);
        const uint64_t more = O_ACCMODE | O_CREAT | O_TRUNC | O_TMPFILE;
        /* Which files: Landlock decides. */
        allow_bits(r, SCMP_SYS(openat), 2, more & ~(uint64_t)O_DIRECTORY, O_RDONLY);
        allow_bits(r, SCMP_SYS(open), 1, more & ~(uint64_t)O_DIRECTORY, O_RDONLY);
    }
    allow_value(r, SCMP_SYS(ioctl), 1, TUNSETOFFLOAD);
}

/* An image that a client has opened: its locks, and what a disk's threads wake each other by. */
static void allow_taking_files(struct rules *r)
{
    static const int commands[] = {F_OFD_SETLK, F_OFD_GETLK};
    for (size_t i = 0; i < LENGTH(commands); i++) {
        allow_value(r, SCMP_SYS(fcntl), 1, (uint64_t)commands[i]);
        allow_value(r, SCMP_SYS(fcntl64), 1, (uint64_t)commands[i]);
    }
    allow(r, SCMP_SYS(eventfd2), 0, NULL);
}

static void allow_kind(struct rules *r, enum thread_kind kind, const struct isolation_needs *needs)
{
    allow_all(r, always, LENGTH(always));
    allow_memory(r);
    allow_threads(r);
    allow_descriptors(r);
    if (kind == THREAD_DISK || kind == THREAD_CONTROL) {
        allow(r, SCMP_SYS(io_uring_enter), 0, NULL);
        for (size_t i = 0; i < LENGTH(disk_ioctls); i++)
            allow_value(r, SCMP_SYS(ioctl), 1, disk_ioctls[i]);
    }
    if (kind == THREAD_CONTROL)
        allow_taking_files(r);
    if (kind == THREAD_EVENTS || kind == THREAD_NET || kind == THREAD_CALLER ||
        kind == THREAD_CONTROL) {
        allow_all(r, streams, LENGTH(streams));
        allow_socket_options(r);
    }
    if (kind == THREAD_NET)
        allow_network(r, needs);
    if (kind == THREAD_CALLER) {
        allow_all(r, restricting, LENGTH(restricting));
        allow_value(r, SCMP_SYS(prctl), 0, PR_SET_NO_NEW_PRIVS);
        if (needs->removal.count) {
            allow_looking(r);
            allow(r, SCMP_SYS(unlink), 0, NULL);
            allow_value(r, SCMP_SYS(unlinkat), 2, 0);
        }
    }
}

const char *system_calls_obstacle(void)
{
    const uint32_t action = 0x00030000u; /* SECCOMP_RET_TRAP */
    return syscall(SYS_seccomp, 2u /* SECCOMP_GET_ACTION_AVAIL */, 0, &action) == 0
               ? NULL
               : "the kernel cannot do that";
}

/*
 * SSB: filters are no reason to forgo speculation, which on kernels before 5.16 would slow the guest down
 * a lot; whether it is safe to run unknown code is the host's policy for all processes.
 */
bool system_calls_restrict(enum thread_kind kind, const struct isolation_needs *needs, bool report,
                           struct error *err)
{
    const uint32_t refuse = report ? SCMP_ACT_TRAP : SCMP_ACT_ERRNO(EPERM);
    struct rules rules = {.filter = seccomp_init(refuse)};
    if (!rules.filter)
        return error_set(err, "system calls: out of memory");
    seccomp_attr_set(rules.filter, SCMP_FLTATR_ACT_BADARCH, refuse);
    seccomp_attr_set(rules.filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    seccomp_attr_set(rules.filter, SCMP_FLTATR_CTL_SSB, 1);
    seccomp_attr_set(rules.filter, SCMP_FLTATR_CTL_LOG, !report);
    allow_kind(&rules, kind, needs);
    int e = rules.failed ? -rules.failed : seccomp_load(rules.filter);
    seccomp_release(rules.filter);
    return e >= 0 || error_set(err, "system calls: %s", strerror(-e));
}

void system_calls_name(int number, char *name, unsigned size)
{
    char *found = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, number);
    snprintf(name, size, "%s (%d)", found ? found : "of another architecture", number);
    free(found);
}

#else

const char *system_calls_obstacle(void)
{
    return "built without libseccomp";
}

bool system_calls_restrict(enum thread_kind kind, const struct isolation_needs *needs, bool report,
                           struct error *err)
{
    (void)kind, (void)needs, (void)report;
    return error_set(err, "system calls: %s", system_calls_obstacle());
}

void system_calls_name(int number, char *name, unsigned size)
{
    snprintf(name, size, "%d", number);
}

#endif
