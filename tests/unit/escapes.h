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
#include <linux/if_tun.h>
#include <linux/io_uring.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

/* Where files are tried to be made, and what a machine has open. */
struct escape_facts {
    const char *folder;
    pid_t outside; /* a process that is not ours */
    int read_only; /* a file that is open */
    int peer;      /* a stream with another process */
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
ESCAPE(read_its_memory_as_a_file)
{
    return keep(syscall(SYS_openat, AT_FDCWD, "/proc/self/mem", O_RDWR));
}
ESCAPE(open_a_descriptor_again)
{
    char path[64];
    sprintf(path, "/proc/self/fd/%d", f->read_only);
    return keep(syscall(SYS_openat, AT_FDCWD, path, O_RDWR));
}
ESCAPE(watch_files)
{
    return keep(syscall(SYS_inotify_init1, 0));
}
ESCAPE(watch_all_files)
{
    return keep(syscall(SYS_fanotify_init, 0, O_RDONLY));
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
ESCAPE(make_a_socket_of_another_protocol)
{
    return keep(syscall(SYS_socket, AF_INET, SOCK_STREAM, IPPROTO_MPTCP));
}
ESCAPE(hand_over_a_descriptor)
{
    union {
        struct cmsghdr head;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {.head = {CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS}};
    struct iovec byte = {"x", 1};
    struct msghdr message = {.msg_iov = &byte,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof(control)};
    memcpy(CMSG_DATA(&control.head), &f->read_only, sizeof(int));
    return syscall(SYS_sendmsg, f->peer, &message, MSG_NOSIGNAL);
}
ESCAPE(attach_a_filter_to_a_socket)
{
    return setsockopt(f->peer, SOL_SOCKET, SO_ATTACH_BPF, "", 0);
}
ESCAPE(trace_a_process)
{
    return syscall(SYS_ptrace, PTRACE_ATTACH, 0x7ffffffe, NULL, NULL);
}
ESCAPE(trace_a_thread_beside_it)
{
    return syscall(SYS_ptrace, PTRACE_SEIZE, (long)getpid(), NULL, NULL);
}
ESCAPE(take_a_process_descriptor)
{
    return syscall(438 /* pidfd_getfd */, -1, 0, 0);
}
ESCAPE(signal_by_descriptor)
{
    return syscall(424 /* pidfd_send_signal */, -1, 0, NULL, 0);
}
ESCAPE(advise_a_process)
{
    return syscall(440 /* process_madvise */, -1, NULL, 0L, 0, 0);
}
ESCAPE(be_traced_by_anybody)
{
    return prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY);
}
ESCAPE(be_looked_at_again)
{
    return prctl(PR_SET_DUMPABLE, 1);
}
ESCAPE(move_what_the_kernel_knows_of_its_memory)
{
    return prctl(PR_SET_MM, 0, 0, 0, 0);
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
ESCAPE(signal_whom_it_may)
{
    return syscall(SYS_kill, -1L, 0);
}
ESCAPE(signal_its_group)
{
    return syscall(SYS_kill, 0L, 0);
}
ESCAPE(hear_signals_by_descriptor)
{
    uint64_t none = 0;
    return keep(syscall(SYS_signalfd4, -1, &none, sizeof(none), 0));
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
ESCAPE(map_a_file_as_code)
{
    void *page = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, f->read_only, 0);
    return page == MAP_FAILED ? -1 : munmap(page, 4096);
}
/* Of this very function, whose page anybody may write to by that. */
ESCAPE(make_code_data)
{
    const uintptr_t page = (uintptr_t)make_code_data & ~(uintptr_t)4095;
    return mprotect((void *)page, 4096, PROT_READ | PROT_WRITE | PROT_EXEC);
}
ESCAPE(share_memory_by_key)
{
    long id = syscall(SYS_shmget, IPC_PRIVATE, 4096L, 0600);
    return id < 0 ? -1 : syscall(SYS_shmctl, id, IPC_RMID, NULL);
}
ESCAPE(map_pages_in_another_order)
{
    return syscall(SYS_remap_file_pages, NULL, 0L, 0, 0L, 0);
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
ESCAPE(change_a_ring)
{
    return syscall(SYS_io_uring_register, -1, IORING_REGISTER_PROBE, NULL, 0);
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
ESCAPE(open_a_mount)
{
    return keep(syscall(428 /* open_tree */, AT_FDCWD, "/", 0));
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
ESCAPE(use_the_console)
{
    return ioctl(0, TIOCLINUX, "");
}
ESCAPE(take_the_terminal)
{
    return ioctl(0, TIOCSCTTY, 0);
}
ESCAPE(change_the_line_discipline)
{
    int n_tty = 0;
    return ioctl(0, TIOCSETD, &n_tty);
}
ESCAPE(make_a_network_card)
{
    return ioctl(0, TUNSETIFF, NULL);
}
ESCAPE(have_signals_sent)
{
    return fcntl(0, F_SETOWN, (int)f->outside);
}
ESCAPE(duplicate_a_descriptor)
{
    return keep(fcntl(f->read_only, F_DUPFD, 0));
}
ESCAPE(load_a_module)
{
    return syscall(SYS_finit_module, -1, NULL, 0);
}
ESCAPE(load_a_kernel)
{
    return syscall(SYS_kexec_load, 0L, 0L, NULL, ~0L);
}
ESCAPE(read_what_the_kernel_says)
{
    return syscall(SYS_syslog, 3, NULL, -1);
}
ESCAPE(use_keys)
{
    return syscall(SYS_keyctl, 0xffff);
}
ESCAPE(ask_for_a_key)
{
    return syscall(SYS_request_key, NULL, NULL, NULL, 0);
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
/* getpid() by the way of 32-bit programs, with its number there. */
ESCAPE(call_as_a_32_bit_program)
{
    long result = 20;
    __asm__ volatile("int $0x80" : "+a"(result) : : "memory", "r8", "r9", "r10", "r11");
    errno = result < 0 ? (int)-result : 0;
    return result < 0 ? -1 : result;
}
ESCAPE(use_ports_of_the_processor)
{
    return syscall(SYS_iopl, 3);
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
    ANY(read_its_memory_as_a_file),
    ROOT(open_a_descriptor_again),
    ANY(watch_files),
    ROOT(watch_all_files),
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
    ROOT(make_a_socket_of_another_protocol),
    ANY(hand_over_a_descriptor),
    ANY(attach_a_filter_to_a_socket),
    ANY(trace_a_process),
    ROOT(trace_a_thread_beside_it),
    ANY(take_a_process_descriptor),
    ANY(signal_by_descriptor),
    ROOT(advise_a_process),
    ROOT(be_traced_by_anybody),
    ANY(be_looked_at_again),
    ROOT(move_what_the_kernel_knows_of_its_memory),
    ROOT(read_a_process),
    ROOT(write_a_process),
    ANY(signal_a_process),
    ANY(signal_all_processes),
    ANY(signal_whom_it_may),
    ANY(signal_its_group),
    ANY(hear_signals_by_descriptor),
    ANY(signal_a_thread),
    ROOT(queue_a_signal),
    ANY(open_a_process),
    ANY(limit_a_process),
    ANY(map_code),
    ANY(make_data_code),
    ANY(map_a_file_as_code),
    ANY(make_code_data),
    ANY(share_memory_by_key),
    ANY(map_pages_in_another_order),
    ANY(make_data_code_by_key),
    ANY(make_a_memory_object),
    ANY(read_as_code),
    ROOT(make_a_ring),
    ROOT(change_a_ring),
    ROOT(load_a_bpf_program),
    ROOT(count_events),
    ROOT(catch_faults_of_the_kernel),
    ANY(leave_the_namespace),
    ANY(enter_a_namespace),
    ROOT(mount_something),
    ANY(open_a_mount),
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
    ROOT(use_the_console),
    ROOT(take_the_terminal),
    ROOT(change_the_line_discipline),
    ROOT(make_a_network_card),
    ANY(have_signals_sent),
    ANY(duplicate_a_descriptor),
    ROOT(load_a_module),
    ROOT(load_a_kernel),
    ROOT(read_what_the_kernel_says),
    ROOT(use_keys),
    ROOT(ask_for_a_key),
    ROOT(restart_the_host),
    ROOT(name_the_host),
    ROOT(set_the_clock),
#ifdef __x86_64__
    ANY(call_as_another_architecture),
    ROOT(call_as_a_32_bit_program),
    ROOT(use_ports_of_the_processor),
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
