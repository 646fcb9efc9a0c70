/* SPDX-License-Identifier: MPL-2.0 */
/* What starting a thread (posix/thread.c) leaves to each system with signals. */
#ifndef RVVM_HOST_POSIX_THREAD_SIGNALS_H
#define RVVM_HOST_POSIX_THREAD_SIGNALS_H

#include <signal.h>

/* Blocks in the calling thread all signals but those that a thread's own mistakes raise. */
void thread_block_signals(sigset_t *before);
void thread_restore_signals(const sigset_t *before);

#endif
