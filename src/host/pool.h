/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A pool of threads for jobs that may block. Threads are started when there is work for them and
 * stay. Jobs start in the order they were posted.
 */
#ifndef RVVM_HOST_POOL_H
#define RVVM_HOST_POOL_H

#include "base/error.h"

struct pool;

/* Belongs to the pool until run is called, which may free it. */
struct pool_job {
    void (*run)(struct pool_job *job);
    struct pool_job *next; /* the pool's */
};

/* name: of the threads; threads: at most so many. One is started at once, so that jobs always run. */
struct pool *pool_new(const char *name, unsigned threads, struct error *err);
/* Waits until all jobs that were posted have run. pool may be NULL. */
void pool_free(struct pool *pool);

/* Any thread; never waits. */
void pool_post(struct pool *pool, struct pool_job *job);

#endif
