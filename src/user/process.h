/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A Linux program for riscv64 or riscv32 that runs as a process of the host: its system calls are the
 * host's, its threads are the host's, its memory is the emulator's own (space.h). There is one in a
 * host process, as signals and the address space are the process's.
 *
 *     struct process *p = process_new(&config, err);
 *     process_load(p, err)            the program is in memory, its stack is made
 *     process_run(p)                  on this thread; ends by config.quit
 *
 * Who does what: process.c, space.c, loader.c and what they call make the process and run its harts;
 * system calls, signals and threads (syscall.c, signal.c, thread.c) are called through user_syscall,
 * user_fault and user_event and use the functions below.
 */
#ifndef RVVM_USER_PROCESS_H
#define RVVM_USER_PROCESS_H

#include "base/error.h"
#include "base/log.h"
#include "cpu/direct.h"
#include "cpu/hart.h"
#include "jit/jit.h"
#include "user/debug.h"
#include "user/space.h"
#include <limits.h>
#include <signal.h>
#include <sys/types.h>

struct process_config {
    const char *path; /* of the program, as the guest is to see it */
    int fd;           /* of the program; -1: opened by path (after sysroot) */
    char **argv;      /* argv[0] is what the guest gets to see */
    char **envp;
    const char *sysroot; /* where the guest's absolute paths are looked for first; NULL: nowhere */
    struct isa isa;      /* xlen 0: the default one of the program's width */
    uint64_t stack_size; /* of the first thread; 0: what the host's limit says */
    bool no_jit;
    uint64_t code_cache; /* bytes of translated code; 0: the default */
    enum jit_tiers tiers;
    unsigned dump; /* enum jit_dump */
    void (*dump_line)(void *ctx, unsigned kind, const char *line);
    void *dump_ctx;
    bool strace;
    const char
        *gdb; /* where a debugger is waited for: tcp:HOST:PORT, unix:PATH; NULL: there is none */
    const char *gdb_fds; /* of an execve of ours: what it has handed over (debug.h); else NULL */
    void (*quit)(int status); /* _exit, or what comes before it; does not return */
    struct log *log;          /* may be NULL */
    /* How this emulator is started again for an execve: its own options, without path and argv[0] of
     * the guest's program. */
    char **self_options;
};

struct process {
    struct process_config config;
    struct space space;
    struct bus bus;
    struct direct direct;
    struct jit *jit; /* NULL: interpreted */

    /* What the loader found. */
    uint64_t entry;     /* where the first thread begins */
    uint64_t stack;     /* its sp */
    char *exe;          /* absolute path of the program: /proc/self/exe */
    int exe_fd;         /* it, open; high up and closed at exec, as all of the emulator's own */
    int self_fd;        /* the emulator's own file: to be started again by execve */
    char **script_argv; /* of a script: what it became; NULL: it is none */
    char *script_path;
    uint64_t auxv;                    /* on the guest's stack */
    uint64_t auxv_size;               /* bytes */
    uint64_t args, args_end, env_end; /* strings of argv and of the environment behind them */
    uint64_t vdso_sigreturn;          /* address of __vdso_rt_sigreturn */

    struct user_thread *first; /* until it runs */
    pthread_mutex_t lock;      /* guards the list of threads; after space.lock */
    struct user_thread *threads;
    unsigned thread_count;
    struct process_signals *signals; /* signal.c's */
    struct process_debug *debug;     /* debug.c's; NULL: nobody debugs it */
    int strace_fd;                   /* with config.strace: the emulator's own descriptor */
};

/* One of the guest's threads; it is the host thread that runs it, too. */
struct user_thread {
    struct process *process;
    struct hart *hart; /* x[], f[], fp.flags, frm, pc; current whenever a callback runs */
    struct user_thread *next;
    pid_t tid;
    struct thread_signals *signals; /* signal.c's */
    uint64_t clear_tid;             /* set_tid_address: 0: none */
    struct thread_debug debug;      /* debug.c's */
};

struct process *process_new(const struct process_config *config, struct error *err);
void process_free(struct process *p);
bool process_load(struct process *p, struct error *err);
void process_run(struct process *p);

/*
 * The file for an absolute path of the guest's: the one in the sysroot, if something is there, else the
 * path itself. The result is in `buffer` or is `path`. follow: a symbolic link at its end is followed.
 */
const char *process_path(const struct process_config *config, const char *path, bool follow,
                         char buffer[PATH_MAX]);

/*
 * Threads
 */

/* The thread that calls; NULL: it is none of the guest's. Safe in signal handlers. */
struct user_thread *user_thread_self(void);

/* A thread whose hart is like `like`'s in all registers; not yet running, not in the list. NULL: no
 * memory. */
struct user_thread *user_thread_new(struct process *p, const struct user_thread *like);
void user_thread_free(struct user_thread *t);

/* On the host thread that is to be it: enters it in the list, runs until user_thread_stop, takes it out
 * of the list. */
void user_thread_run(struct user_thread *t);
/* It is none of the process's threads any more; user_thread_run does that at its end. Any thread. */
void user_thread_leave_list(struct user_thread *t);

/* A register other than x0. */
static inline void user_thread_set(struct user_thread *t, unsigned reg, uint64_t value)
{
    t->hart->x[reg] = t->hart->xlen == 32 ? (uint64_t)(int32_t)value : value;
}

/* On its own thread, in a callback: user_thread_run returns when the callback has. */
void user_thread_stop(struct user_thread *t);

/* Any thread, and signal handlers: user_event is called on t soon, when it is between instructions. */
static inline void user_thread_kick(struct user_thread *t)
{
    atomic_fetch_or(&t->hart->events, HART_EV_USER);
}

/*
 * fork(2) and what is like it (flags: those of clone(2) with which the child has memory of its own, the
 * signal included; 0 or SIGCHLD for a plain one). Locks of the emulator are free in the child, in which
 * the caller is the only thread; stacks and registers are as before, so that both return.
 * -errno on failure.
 */
pid_t process_fork(struct user_thread *t, uint64_t flags);

/* The program has one thread: from here on the process has no other, for a while. */
void process_be_alone(struct process *p);

/*
 * execve: when the file is a program or script that this emulator runs, the emulator again with it;
 * else the host's own execve. dirfd, path: as execveat, already looked up in the sysroot. Returns
 * -errno, or not at all.
 */
int process_exec(struct process *p, int dirfd, const char *path, char **argv, char **envp,
                 int flags);

/*
 * What system calls, signals and threads are.
 */

/* ecall: the call's number is x[17], arguments x[10] to x[15], the result goes to x[10]; h->pc is behind
 * the instruction. */
void user_syscall(struct user_thread *t);
/* The instruction at h->pc cannot be done: a signal that cannot be put off. */
void user_fault(struct user_thread *t, const struct direct_fault *fault);
/* user_thread_kick: signals are delivered. */
void user_event(struct user_thread *t);
/* Before the first thread runs, after loading; a new thread was made; it goes. */
bool user_signals_init(struct process *p, struct error *err);
bool user_signals_thread_init(struct user_thread *t, const struct user_thread *like);
void user_signals_thread_free(struct user_thread *t);
/* In a forked child, called by process_fork: only the caller's thread is left. */
void user_signals_forked(struct user_thread *t);
/* Whether the host's signal is one that the emulator's own handlers need (SIGSEGV, SIGBUS): process.c
 * catches these first and calls this for what was not a memory access of the guest's. */
void user_host_signal(int signal, siginfo_t *info, void *context);

#endif
