/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What POSIX threads leave to each system. Mutexes and conditions are used as pthreads everywhere.
 */
#ifndef RVVM_HOST_THREAD_H
#define RVVM_HOST_THREAD_H

#include "base/error.h"
#include <pthread.h>

/*
 * Starts a thread that takes none of the process's asynchronous signals (they belong to the
 * embedding program's own threads). name is cut to 15 characters; tools that list threads show it; NULL: the thread gives itself
 * one.
 */
bool thread_start(pthread_t *thread, const char *name, void *(*run)(void *), void *arg,
                  struct error *err);

/* The calling thread's name; opens no descriptor, as naming another one may. */
void thread_set_name(const char *name);

/* Processors that this process may run on, at least 1. */
unsigned thread_cpu_count(void);

#endif
