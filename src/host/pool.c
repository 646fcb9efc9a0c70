/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Pool of threads: see pool.h. A thread that takes a job sees to it that another waits for the next
 * one, so that no job waits behind one that blocks while fewer threads run than may.
 */
#include "host/pool.h"

#include "host/thread.h"
#include <stdbool.h>
#include <stdlib.h>

struct pool {
    pthread_mutex_t lock;
    pthread_cond_t posted;          /* or to end */
    struct pool_job *first, **last; /* what nobody has taken */
    unsigned started, idle, most;
    bool end;
    const char *name;
    pthread_t threads[]; /* the first `started` */
};

static void *work(void *arg);

/* Under the lock, or before anybody else knows the pool. */
static bool start_one(struct pool *p, struct error *err)
{
    if (!thread_start(&p->threads[p->started], THREAD_DISK, p->name, work, p, err))
        return false;
    p->started++;
    p->idle++;
    return true;
}

static void *work(void *arg)
{
    struct pool *p = arg;
    pthread_mutex_lock(&p->lock);
    for (;;) {
        while (!p->first && !p->end)
            pthread_cond_wait(&p->posted, &p->lock);
        struct pool_job *job = p->first;
        if (!job)
            break;
        p->first = job->next;
        if (!p->first)
            p->last = &p->first;
        p->idle--;
        /* Should the host refuse, those that run do it all. */
        if (!p->idle && p->started < p->most && !p->end)
            start_one(p, NULL);
        pthread_mutex_unlock(&p->lock);
        job->run(job);
        pthread_mutex_lock(&p->lock);
        p->idle++;
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

struct pool *pool_new(const char *name, unsigned threads, struct error *err)
{
    struct pool *p = calloc(1, sizeof(*p) + threads * sizeof(p->threads[0]));
    if (!p) {
        error_set(err, "out of memory");
        return NULL;
    }
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->posted, NULL);
    p->last = &p->first;
    p->most = threads;
    p->name = name;
    pthread_mutex_lock(&p->lock);
    bool started = start_one(p, err);
    pthread_mutex_unlock(&p->lock);
    if (!started) {
        pool_free(p);
        return NULL;
    }
    return p;
}

void pool_free(struct pool *p)
{
    if (!p)
        return;
    pthread_mutex_lock(&p->lock);
    p->end = true;
    pthread_cond_broadcast(&p->posted);
    pthread_mutex_unlock(&p->lock);
    /* No thread is started after `end`. */
    for (unsigned i = 0; i < p->started; i++)
        pthread_join(p->threads[i], NULL);
    pthread_cond_destroy(&p->posted);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

void pool_post(struct pool *p, struct pool_job *job)
{
    job->next = NULL;
    pthread_mutex_lock(&p->lock);
    *p->last = job;
    p->last = &job->next;
    pthread_cond_signal(&p->posted);
    pthread_mutex_unlock(&p->lock);
}
