/* SPDX-License-Identifier: MPL-2.0 */
/*
 * -strace: a line for each system call and each signal, laid out like strace's. What the table of system
 * calls says about an argument decides how it is shown.
 */
#ifndef RVVM_USER_STRACE_H
#define RVVM_USER_STRACE_H

#include "user/process.h"
#include <signal.h>

struct syscall;

/* A line that is being put together; what the call reads is shown as it was before the call. */
struct strace_line {
    char text[2048];
    unsigned length;
    unsigned shown; /* arguments that are in it */
};

/* Lines go where stderr leads now, whatever the program does with its descriptor 2. */
void strace_init(struct process *p);

/* Nothing happens in these unless the process is to be traced. call: NULL when there is none of that
 * number. */
void strace_enter(struct user_thread *t, struct strace_line *line, const struct syscall *call,
                  uint64_t number, const uint64_t *arg);
void strace_leave(struct user_thread *t, struct strace_line *line, const struct syscall *call,
                  const uint64_t *arg, int64_t result);
void strace_signal(struct user_thread *t, int signal, const siginfo_t *info);

#endif
