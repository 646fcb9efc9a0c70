/* SPDX-License-Identifier: MPL-2.0 */
/* Slices of tables: see slices.h. Memory is taken as they are needed, up to the most. */
#include "block/qcow2/slices.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SLICES_MIN 64 /* fewer could all be in use at the same time */

bool slices_init(struct slices *s, unsigned size, unsigned most)
{
    *s = (struct slices){.size = size, .most = most < SLICES_MIN ? SLICES_MIN : most};
    while (s->bucket_bits < 16 && 1u << s->bucket_bits < s->most)
        s->bucket_bits++;
    s->buckets = calloc((size_t)1 << s->bucket_bits, sizeof(s->buckets[0]));
    s->slices = calloc(s->most, sizeof(s->slices[0]));
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->loaded, NULL);
    return s->buckets && s->slices;
}

void slices_free(struct slices *s)
{
    if (!s->size)
        return;
    for (unsigned i = 0; i < s->count; i++)
        free(s->slices[i].bytes);
    free(s->slices);
    free(s->buckets);
    pthread_cond_destroy(&s->loaded);
    pthread_mutex_destroy(&s->lock);
}

static struct slice **bucket(struct slices *s, uint64_t offset)
{
    uint64_t hash = offset / s->size * 0x9e3779b97f4a7c15ull;
    return &s->buckets[s->bucket_bits ? hash >> (64 - s->bucket_bits) : 0];
}

static struct slice *find(struct slices *s, uint64_t offset)
{
    struct slice *slice = *bucket(s, offset);
    while (slice && slice->offset != offset)
        slice = slice->next;
    return slice;
}

uint8_t *slices_find(struct slices *s, uint64_t offset)
{
    struct slice *slice = find(s, offset);
    if (!slice || slice->loading)
        return NULL;
    slice->used = true;
    return slice->bytes;
}

static void set_changed(struct slices *s, struct slice *slice, bool changed)
{
    s->changed += changed - slice->changed;
    slice->changed = changed;
}

static void remove_slice(struct slices *s, struct slice *slice)
{
    if (!slice->offset)
        return;
    struct slice **link = bucket(s, slice->offset);
    while (*link != slice)
        link = &(*link)->next;
    *link = slice->next;
    slice->offset = 0;
    set_changed(s, slice, false);
}

/* One for another offset: a new one while there is room, else one not used of late. */
static struct slice *take(struct slices *s)
{
    if (s->count < s->most) {
        struct slice *slice = &s->slices[s->count];
        if ((slice->bytes = malloc(s->size))) {
            s->count++;
            return slice;
        }
    }
    /* Twice around: the first time takes away `used`. */
    for (unsigned i = 0; i < 2 * s->count; i++) {
        struct slice *slice = &s->slices[s->hand];
        s->hand = (s->hand + 1) % s->count;
        if (slice->loading || slice->changed)
            continue;
        if (!slice->used || !slice->offset) {
            remove_slice(s, slice);
            return slice;
        }
        slice->used = false;
    }
    return NULL;
}

static struct slice *insert(struct slices *s, uint64_t offset)
{
    struct slice *slice = take(s);
    if (!slice)
        return NULL;
    struct slice **head = bucket(s, offset);
    slice->offset = offset;
    slice->used = true;
    slice->next = *head;
    *head = slice;
    return slice;
}

int slices_load(struct slices *s, const struct image_file *f, uint64_t offset)
{
    struct slice *slice = find(s, offset);
    if (slice) {
        if (slice->loading)
            pthread_cond_wait(&s->loaded, &s->lock);
        return 0;
    }
    slice = insert(s, offset);
    if (!slice) {
        if (!s->loading)
            return ENOMEM;
        pthread_cond_wait(&s->loaded, &s->lock);
        return 0;
    }
    slice->loading = true;
    s->loading++;
    pthread_mutex_unlock(&s->lock);
    int error = image_file_read(f, offset, slice->bytes, s->size);
    pthread_mutex_lock(&s->lock);
    slice->loading = false;
    s->loading--;
    if (error)
        remove_slice(s, slice);
    pthread_cond_broadcast(&s->loaded);
    return error;
}

void slices_set_changed(struct slices *s, uint64_t offset)
{
    set_changed(s, find(s, offset), true);
}

void slices_forget(struct slices *s, uint64_t offset, uint64_t size)
{
    pthread_mutex_lock(&s->lock);
    for (uint64_t at = offset; at < offset + size; at += s->size) {
        struct slice *slice;
        while ((slice = find(s, at)) && slice->loading)
            pthread_cond_wait(&s->loaded, &s->lock);
        if (slice)
            remove_slice(s, slice);
    }
    pthread_mutex_unlock(&s->lock);
}

static int by_offset(const void *a, const void *b)
{
    const struct slice *x = *(struct slice *const *)a, *y = *(struct slice *const *)b;
    return x->offset < y->offset ? -1 : x->offset > y->offset;
}

/*
 * A changed slice stays where it is and only who holds the lock that guards changes (the caller)
 * changes it, so it can be written without the lock.
 */
int slices_write(struct slices *s, const struct image_file *f)
{
    pthread_mutex_lock(&s->lock);
    unsigned count = 0, all = s->changed;
    struct slice **list = all ? malloc(all * sizeof(struct slice *)) : NULL;
    for (unsigned i = 0; i < s->count && list; i++)
        if (s->slices[i].changed)
            list[count++] = &s->slices[i];
    pthread_mutex_unlock(&s->lock);
    if (!all)
        return 0;
    if (!list)
        return ENOMEM;
    qsort(list, count, sizeof(struct slice *), by_offset);
    int error = 0;
    for (unsigned i = 0; i < count && !error; i++) {
        error = image_file_write(f, list[i]->offset, list[i]->bytes, s->size);
        pthread_mutex_lock(&s->lock);
        if (!error)
            set_changed(s, list[i], false);
        pthread_mutex_unlock(&s->lock);
    }
    free(list);
    return error;
}

bool slices_crowded(struct slices *s)
{
    pthread_mutex_lock(&s->lock);
    bool crowded = s->changed >= s->most / 2;
    pthread_mutex_unlock(&s->lock);
    return crowded;
}
