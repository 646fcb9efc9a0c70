/* SPDX-License-Identifier: MPL-2.0 */
/* Chores: a ring of them, and a thread that sleeps while it is empty. */
#include "host/chores.h"

#include "host/thread.h"
#include <stdbool.h>
#include <stdlib.h>

#define CHORES_MAX 256

struct chores {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t posted; /* or to end */
    struct chore ring[CHORES_MAX];
    unsigned first, count;
    bool end;
};

static void *work(void *arg)
{
    struct chores *c = arg;
    pthread_mutex_lock(&c->lock);
    while (!c->end) {
        if (!c->count) {
            pthread_cond_wait(&c->posted, &c->lock);
            continue;
        }
        struct chore chore = c->ring[c->first];
        c->first = (c->first + 1) % CHORES_MAX;
        c->count--;
        pthread_mutex_unlock(&c->lock);
        chore.run(chore.what, chore.size);
        pthread_mutex_lock(&c->lock);
    }
    pthread_mutex_unlock(&c->lock);
    return NULL;
}

struct chores *chores_new(const char *name, struct error *err)
{
    struct chores *c = calloc(1, sizeof(*c));
    if (!c) {
        error_set(err, "out of memory");
        return NULL;
    }
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->posted, NULL);
    if (!thread_start(&c->thread, THREAD_WORK, name, work, c, err)) {
        pthread_cond_destroy(&c->posted);
        pthread_mutex_destroy(&c->lock);
        free(c);
        return NULL;
    }
    return c;
}

void chores_free(struct chores *c)
{
    if (!c)
        return;
    pthread_mutex_lock(&c->lock);
    c->end = true;
    pthread_cond_signal(&c->posted);
    pthread_mutex_unlock(&c->lock);
    pthread_join(c->thread, NULL);
    pthread_cond_destroy(&c->posted);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

void chores_post(struct chores *c, struct chore chore)
{
    pthread_mutex_lock(&c->lock);
    if (c->count < CHORES_MAX) {
        c->ring[(c->first + c->count++) % CHORES_MAX] = chore;
        pthread_cond_signal(&c->posted);
    }
    pthread_mutex_unlock(&c->lock);
}
