/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * What somebody may try who has broken out of a guest: one function for each thing, made so that it does no
 * harm where it is allowed.
 */
#ifndef TESTS_UNIT_ESCAPES_H
#define TESTS_UNIT_ESCAPES_H

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

/* Where files are tried to be made; opened before, and of the process that isolates itself. */
struct escape_facts {
    const char *folder;
    pid_t outside; /* a process that is not ours */
};

struct escape {
    const char *name;
    long (*run)(const struct escape_facts *facts); /* as a system call: -1 and errno */
    bool anybody;                                  /* without isolation any user may do it */
    bool silent;                                   /* refused in a way that nobody hears of */
};

static inline long keep(long result)
{
    if (result >= 0)
        close((int)result);
    return result;
}

static inline long in_folder(const struct escape_facts *f, int flags)
{
    char path[256];
    strcpy(stpcpy(path, f->folder), "/new");
    return keep(syscall(SYS_openat, AT_FDCWD, path, flags, 0600));
}

#define ESCAPE(name) static long name(const struct escape_facts *f __attribute__((unused)))

ESCAPE(read_a_file)
{
    return keep(syscall(SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY));
}
ESCAPE(make_a_file)
{
    return in_folder(f, O_RDWR | O_CREAT);
}
ESCAPE(make_a_nameless_file)
{
    return keep(syscall(SYS_openat, AT_FDCWD, f->folder, O_TMPFILE | O_RDWR, 0600));
}
ESCAPE(open_by_openat2)
{
    uint64_t how[3] = {O_RDONLY};
    return keep(syscall(437 /* openat2 */, AT_FDCWD, "/etc/passwd", how, sizeof(how)));
}
ESCAPE(open_by_handle)
{
    return syscall(SYS_open_by_handle_at, -1, NULL, 0);
}
ESCAPE(run_a_program)
{
    return syscall(SYS_execve, "/nowhere", NULL, NULL);
}
ESCAPE(run_a_program_by_descriptor)
{
    return syscall(SYS_execveat, -1, "", NULL, NULL, AT_EMPTY_PATH);
}
ESCAPE(make_a_process)
{
    long pid = syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
    if (pid == 0)
        _exit(0);
    if (pid > 0)
        waitpid((pid_t)pid, NULL, 0);
    return pid;
}
ESCAPE(make_a_process_by_clone3)
{
    uint64_t args[8] = {[4] = SIGCHLD};
    long pid = syscall(435 /* clone3 */, args, sizeof(args));
    if (pid == 0)
        _exit(0);
    if (pid > 0)
        waitpid((pid_t)pid, NULL, 0);
    return pid;
}
ESCAPE(make_a_thread_with_a_namespace)
{
    return syscall(SYS_clone, CLONE_VM | CLONE_THREAD | CLONE_SIGHAND | CLONE_NEWUSER, NULL, NULL,
                   NULL, NULL);
}
ESCAPE(make_a_raw_socket)
{
    return keep(syscall(SYS_socket, AF_INET, SOCK_RAW, IPPROTO_ICMP));
}
ESCAPE(make_an_inet_socket)
{
    return keep(syscall(SYS_socket, AF_INET, SOCK_STREAM, 0));
}
ESCAPE(make_a_unix_socket)
{
    return keep(syscall(SYS_socket, AF_UNIX, SOCK_STREAM, 0));
}
ESCAPE(make_a_netlink_socket)
{
    return keep(syscall(SYS_socket, AF_NETLINK, SOCK_RAW, 0));
}
ESCAPE(make_a_socketpair)
{
    int fds[2];
    long result = syscall(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, fds);
    if (result == 0)
        close(fds[0]), close(fds[1]);
    return result;
}
ESCAPE(trace_a_process)
{
    return syscall(SYS_ptrace, PTRACE_ATTACH, 0x7ffffffe, NULL, NULL);
}
ESCAPE(read_a_process)
{
    return syscall(SYS_process_vm_readv, (long)f->outside, NULL, 0L, NULL, 0L, 0L);
}
ESCAPE(write_a_process)
{
    return syscall(SYS_process_vm_writev, (long)f->outside, NULL, 0L, NULL, 0L, 0L);
}
ESCAPE(signal_a_process)
{
    return syscall(SYS_kill, (long)f->outside, 0);
}
ESCAPE(signal_all_processes)
{
    return syscall(SYS_kill, -0x7ffffffeL, 0);
}
ESCAPE(signal_a_thread)
{
    return syscall(SYS_tgkill, (long)f->outside, (long)f->outside, 0);
}
ESCAPE(queue_a_signal)
{
    return syscall(SYS_rt_sigqueueinfo, (long)f->outside, 0, NULL);
}
ESCAPE(open_a_process)
{
    return keep(syscall(434 /* pidfd_open */, (long)f->outside, 0));
}
ESCAPE(limit_a_process)
{
    struct rlimit limit;
    return syscall(SYS_prlimit64, (long)f->outside, RLIMIT_NOFILE, NULL, &limit);
}
ESCAPE(map_code)
{
    void *page = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return page == MAP_FAILED ? -1 : munmap(page, 4096);
}
ESCAPE(make_data_code)
{
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    long result = mprotect(page, 4096, PROT_READ | PROT_EXEC);
    int e = errno;
    munmap(page, 4096);
    errno = e;
    return result;
}
ESCAPE(make_data_code_by_key)
{
    return syscall(SYS_pkey_mprotect, NULL, 0, PROT_EXEC, -1);
}
ESCAPE(make_a_memory_object)
{
    return keep(syscall(SYS_memfd_create, "x", 0));
}
ESCAPE(read_as_code)
{
    return syscall(SYS_personality, 0xffffffffL);
}
ESCAPE(make_a_ring)
{
    char params[120] = {0};
    return keep(syscall(SYS_io_uring_setup, 4, params));
}
ESCAPE(load_a_bpf_program)
{
    return syscall(SYS_bpf, 0, NULL, 0);
}
ESCAPE(count_events)
{
    return syscall(SYS_perf_event_open, NULL, 0, -1, -1, 0);
}
ESCAPE(catch_faults_of_the_kernel)
{
    return keep(syscall(SYS_userfaultfd, 0xffff));
}
ESCAPE(leave_the_namespace)
{
    return syscall(SYS_unshare, 0x1L);
}
ESCAPE(enter_a_namespace)
{
    return syscall(SYS_setns, -1, 0);
}
ESCAPE(mount_something)
{
    return syscall(SYS_mount, NULL, NULL, NULL, 0, NULL);
}
ESCAPE(change_the_root)
{
    return syscall(SYS_chroot, "/nowhere");
}
ESCAPE(change_the_folder)
{
    return syscall(SYS_chdir, "/nowhere");
}
ESCAPE(remove_a_file)
{
    return syscall(SYS_unlinkat, AT_FDCWD, "/nowhere", 0);
}
ESCAPE(rename_a_file)
{
    return syscall(SYS_renameat2, AT_FDCWD, "/nowhere", AT_FDCWD, "/nowhere2", 0);
}
ESCAPE(link_a_file)
{
    return syscall(SYS_linkat, AT_FDCWD, "/nowhere", AT_FDCWD, "/nowhere2", 0);
}
ESCAPE(link_a_name)
{
    return syscall(SYS_symlinkat, "x", AT_FDCWD, "/nowhere/x");
}
ESCAPE(make_a_folder)
{
    return syscall(SYS_mkdirat, AT_FDCWD, "/nowhere/x", 0700);
}
ESCAPE(make_a_device)
{
    return syscall(SYS_mknodat, AT_FDCWD, "/nowhere/x", 0600, 0);
}
ESCAPE(change_the_mode_of_a_file)
{
    return syscall(SYS_fchmodat, AT_FDCWD, "/nowhere", 0777);
}
ESCAPE(change_the_owner_of_a_file)
{
    return syscall(SYS_fchownat, AT_FDCWD, "/nowhere", 0, 0, 0);
}
ESCAPE(become_another_user)
{
    return syscall(SYS_setresuid, -1, -1, -1);
}
ESCAPE(take_privileges)
{
    return syscall(SYS_capget, NULL, NULL);
}
ESCAPE(type_into_the_terminal)
{
    return ioctl(0, TIOCSTI, "");
}
ESCAPE(have_signals_sent)
{
    return fcntl(0, F_SETOWN, (int)f->outside);
}
ESCAPE(load_a_module)
{
    return syscall(SYS_finit_module, -1, NULL, 0);
}
ESCAPE(use_keys)
{
    return syscall(SYS_keyctl, 0xffff);
}
ESCAPE(restart_the_host)
{
    return syscall(SYS_reboot, 0, 0, 0, NULL);
}
ESCAPE(name_the_host)
{
    return syscall(SYS_sethostname, NULL, -1);
}
ESCAPE(set_the_clock)
{
    return syscall(SYS_clock_settime, -1, NULL);
}
#ifdef __x86_64__
ESCAPE(call_as_another_architecture)
{
    return syscall(SYS_getpid | 0x40000000);
}
#endif
#undef ESCAPE

static const struct escape escapes[] = {
#define ANY(name) \
    { \
#name, name, .anybody = true \
    }
#define ROOT(name) \
    { \
#name, name, .anybody = false \
    }
    ANY(read_a_file),
    ANY(make_a_file),
    ROOT(make_a_nameless_file),
    ANY(open_by_openat2),
    ROOT(open_by_handle),
    ANY(run_a_program),
    ANY(run_a_program_by_descriptor),
    ANY(make_a_process),
    {"make_a_process_by_clone3", make_a_process_by_clone3, .anybody = true, .silent = true},
    ROOT(make_a_thread_with_a_namespace),
    ROOT(make_a_raw_socket),
    ANY(make_an_inet_socket),
    ANY(make_a_unix_socket),
    ANY(make_a_netlink_socket),
    ANY(make_a_socketpair),
    ANY(trace_a_process),
    ROOT(read_a_process),
    ROOT(write_a_process),
    ANY(signal_a_process),
    ANY(signal_all_processes),
    ANY(signal_a_thread),
    ROOT(queue_a_signal),
    ANY(open_a_process),
    ANY(limit_a_process),
    ANY(map_code),
    ANY(make_data_code),
    ANY(make_data_code_by_key),
    ANY(make_a_memory_object),
    ANY(read_as_code),
    ROOT(make_a_ring),
    ROOT(load_a_bpf_program),
    ROOT(count_events),
    ROOT(catch_faults_of_the_kernel),
    ANY(leave_the_namespace),
    ANY(enter_a_namespace),
    ROOT(mount_something),
    ROOT(change_the_root),
    ANY(change_the_folder),
    ANY(remove_a_file),
    ANY(rename_a_file),
    ANY(link_a_file),
    ANY(link_a_name),
    ANY(make_a_folder),
    ANY(make_a_device),
    ANY(change_the_mode_of_a_file),
    ANY(change_the_owner_of_a_file),
    ANY(become_another_user),
    ANY(take_privileges),
    ROOT(type_into_the_terminal),
    ANY(have_signals_sent),
    ROOT(load_a_module),
    ROOT(use_keys),
    ROOT(restart_the_host),
    ROOT(name_the_host),
    ROOT(set_the_clock),
#ifdef __x86_64__
    ANY(call_as_another_architecture),
#endif
#undef ANY
#undef ROOT
};

#define ESCAPES (sizeof(escapes) / sizeof(escapes[0]))

/* Refused by a filter; not because what was asked for makes no sense, or is not there. */
static inline bool escape_is_refused(const struct escape *e, const struct escape_facts *facts)
{
    errno = 0;
    return e->run(facts) < 0 && errno == (e->silent ? ENOSYS : EPERM);
}

#endif
