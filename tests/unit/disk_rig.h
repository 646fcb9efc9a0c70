/* SPDX-License-Identifier: GPL-3.0-only */
/* A disk in a file of its own, and requests that are waited for. */
#ifndef DISK_RIG_H
#define DISK_RIG_H

#include "block/disk.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "scratch_file.h"

struct rig {
    char path[64];
    struct disk_options options;
    struct disk *disk;
};

static bool threads_only;

static inline int with_uring(void **state)
{
    (void)state;
    threads_only = false;
    return 0;
}

static inline int with_threads(void **state)
{
    (void)state;
    threads_only = true;
    return 0;
}

static inline void rig_open(struct rig *rig)
{
    struct error err = {0};
    rig->disk = disk_open(&rig->options, &err);
    if (!rig->disk)
        print_error("%s\n", err.text);
    assert_non_null(rig->disk);
}

static inline void rig_open_again(struct rig *rig)
{
    disk_close(rig->disk);
    rig_open(rig);
}

static inline struct rig *rig_with_raw(void **state, uint64_t size)
{
    (void)state;
    static struct rig rig;
    rig = (struct rig){.path = "/tmp/rvvm-disk-XXXXXX"};
    scratch_make(rig.path, size);
    rig.options = (struct disk_options){
        .path = rig.path, .format = DISK_FORMAT_RAW, .threads_only = threads_only};
    rig_open(&rig);
    return &rig;
}

static inline void rig_end(struct rig *rig)
{
    disk_close(rig->disk);
    unlink(rig->path);
}

/* One request, waited for */

struct waited {
    struct disk_request request;
    pthread_mutex_t lock;
    pthread_cond_t cond;
    bool done;
    int error;
};

static inline void waited_done(struct disk_request *r, int error)
{
    struct waited *w = (struct waited *)r;
    pthread_mutex_lock(&w->lock);
    w->done = true;
    w->error = error;
    pthread_cond_signal(&w->cond);
    pthread_mutex_unlock(&w->lock);
}

static inline int rig_run(struct rig *rig, const struct disk_request *request)
{
    struct waited w = {*request, PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false, -1};
    w.request.done = waited_done;
    disk_submit(rig->disk, &w.request);
    pthread_mutex_lock(&w.lock);
    while (!w.done)
        pthread_cond_wait(&w.cond, &w.lock);
    pthread_mutex_unlock(&w.lock);
    return w.error;
}

static inline int rig_do(struct rig *rig, enum disk_op op, uint64_t offset, uint64_t size,
                         const struct iovec *iov, unsigned iovcnt)
{
    struct disk_request request = {
        .op = op, .offset = offset, .size = size, .iov = iov, .iovcnt = iovcnt};
    return rig_run(rig, &request);
}

static inline uint64_t rig_allocated(const struct rig *rig)
{
    return scratch_space(rig->path);
}

#endif
