/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Threads that are made and ended, and take turns: each waits for the number that is its own, so that every turn is
 * a wake-up of another one.
 */
#include "kernel.h"

#include <pthread.h>

enum { THREADS = 4, TURNS = 1000 };

struct ring {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned turn;
    uint64_t sum;
};

struct member {
    struct ring *ring;
    unsigned number;
};

static void *take_turns(void *arg)
{
    const struct member *m = arg;
    struct ring *ring = m->ring;
    for (unsigned n = 0; n < TURNS; n++) {
        pthread_mutex_lock(&ring->lock);
        while (ring->turn % THREADS != m->number)
            pthread_cond_wait(&ring->changed, &ring->lock);
        ring->sum = checksum_add(ring->sum, ring->turn++);
        pthread_cond_broadcast(&ring->changed);
        pthread_mutex_unlock(&ring->lock);
    }
    return NULL;
}

static uint64_t run(unsigned rounds)
{
    struct ring ring = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0};
    for (unsigned i = 0; i < rounds; i++) {
        pthread_t threads[THREADS];
        struct member members[THREADS];
        for (unsigned n = 0; n < THREADS; n++) {
            members[n] = (struct member){&ring, n};
            if (pthread_create(&threads[n], NULL, take_turns, &members[n]))
                kernel_fail("pthread_create");
        }
        for (unsigned n = 0; n < THREADS; n++)
            pthread_join(threads[n], NULL);
    }
    return ring.sum;
}

const struct kernel kernel_threads = {.name = "threads", .group = "system", .run = run};
