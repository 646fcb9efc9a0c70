/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Threads and processes that the guest makes.
 *
 * A thread of the guest's is one of the host's, made by pthread_create since the emulator's code runs on
 * it. A child of fork is one of the host's. A child of vfork, which shares the memory of its parent
 * until it runs another program, is one, too: its hart and stack are its own, and all else in the
 * emulator is what the parent has, which is stopped until then.
 */
#ifndef RVVM_USER_THREADS_H
#define RVVM_USER_THREADS_H

#include "user/process.h"

/* clone(2) and clone3(2), in the terms of the latter. */
struct clone_request {
    uint64_t flags;
    int exit_signal;
    uint64_t stack; /* sp; 0: as it is */
    uint64_t tls;
    uint64_t parent_tid, child_tid, pidfd; /* addresses */
};

int64_t clone_thread(struct user_thread *t, const struct clone_request *request);
int64_t clone_vfork(struct user_thread *t, const struct clone_request *request);
int64_t clone_fork(struct user_thread *t, const struct clone_request *request);

/* What the new thread finds in its registers. */
void clone_set_registers(struct user_thread *child, const struct clone_request *request);

/* A thread that will not come back from user_thread_run leaves the list. */
void thread_abandon(struct user_thread *t);

/* What a thread's end is to others: its robust futexes, and who waits for its clear_tid. */
void thread_let_go(struct user_thread *t);

#endif
