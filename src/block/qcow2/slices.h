/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A cache of slices: pieces of tables in a file, all of one size. Each may be looked at and changed
 * under the lock only, for moments. A slice that was changed stays until it is written.
 *
 *     pthread_mutex_lock(&cache->lock);
 *     while (!(bytes = slices_find(cache, offset))) {
 *         error = slices_load(cache, file, offset);      lets go of the lock meanwhile
 *         ...
 *     }
 *     entry = get_be64(bytes + ...);
 *     pthread_mutex_unlock(&cache->lock);
 */
#ifndef RVVM_BLOCK_QCOW2_SLICES_H
#define RVVM_BLOCK_QCOW2_SLICES_H

#include "host/image_file.h"
#include <pthread.h>

#define SLICE_MAX 4096

struct slice {
    uint64_t offset; /* in the file, 0: none */
    struct slice *next;
    uint8_t *bytes;
    bool changed, loading, used;
};

struct slices {
    pthread_mutex_t lock;
    pthread_cond_t loaded;
    unsigned size; /* bytes of a slice */
    unsigned count, most, changed, loading;
    unsigned hand; /* of the clock that finds one to replace */
    unsigned bucket_bits;
    struct slice **buckets; /* by hash of the offset */
    struct slice *slices;
};

/* most: at most so many slices. */
bool slices_init(struct slices *s, unsigned size, unsigned most);
void slices_free(struct slices *s);

/* Under the lock. NULL: not here. */
uint8_t *slices_find(struct slices *s, uint64_t offset);
/* Under the lock, which is let go meanwhile. Errno; 0: it may be here now, find it. */
int slices_load(struct slices *s, const struct image_file *f, uint64_t offset);
/* Under the lock, after it was found and changed. */
void slices_set_changed(struct slices *s, uint64_t offset);

/* Takes the lock. Forgets what lies in the range, changed or not. */
void slices_forget(struct slices *s, uint64_t offset, uint64_t size);
/* Takes the lock. Writes all that is changed, in the order of the file. Errno. */
int slices_write(struct slices *s, const struct image_file *f);
/* Takes the lock. Is so much changed that it should be written? */
bool slices_crowded(struct slices *s);

#endif
