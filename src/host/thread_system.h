/* SPDX-License-Identifier: MPL-2.0 */
/* What starting a thread (thread_start.c) leaves to each system. */
#ifndef RVVM_HOST_THREAD_SYSTEM_H
#define RVVM_HOST_THREAD_SYSTEM_H

#include <pthread.h>

/* pthread_create() of a thread that takes none of the process's asynchronous signals. */
int thread_create(pthread_t *thread, void *(*run)(void *), void *arg);

#endif
