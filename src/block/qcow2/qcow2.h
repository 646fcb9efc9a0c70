/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Inside of qcow2 images. How they stay whole:
 *
 * What is not written yet lies in two caches of slices (pieces of L2 tables and of refcount blocks,
 * slices.h). qcow2_flush_metadata writes them in an order in which at every moment what the file says
 * is true: data and refcounts first, then the L2 entries that point to them, then L1 entries, and
 * only when a cluster is no longer pointed to is its refcount taken back. Whoever is killed or loses
 * power in between leaves clusters behind that nobody uses, at worst.
 *
 * Locks, outer ones first:
 *   meta         everything that is changed: allocation, refcounts, L1, L2 entries, the header. Held
 *                over IO. Readers do not need it.
 *   slices.lock  a cache. Held for moments, never over IO. Readers look up entries under it.
 *
 * A cluster that is given up may still be read or written by requests that looked it up before. So
 * each request is in an epoch while it uses what it looked up, and a cluster is used again only when
 * all requests of its epoch and before are gone (`enter`, `leave`, epochs in flush.c).
 *
 * A write that allocates has its clusters in `runs` until its L2 entries are set; others that want to
 * change the same clusters wait for that.
 */
#ifndef RVVM_BLOCK_QCOW2_QCOW2_H
#define RVVM_BLOCK_QCOW2_QCOW2_H

#include "base/big_endian.h"
#include "block/image.h"
#include "block/qcow2/format.h"
#include "block/qcow2/slices.h"
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

#define NO_CLUSTER UINT64_MAX

/* Clusters of the file that nothing points to any more, once what is in the caches is written. */
struct freed {
    uint64_t offset, count; /* count: clusters */
    unsigned epoch;
    bool table; /* was an L2 table: slices of it may be in the cache */
};

/* A write that is allocating. */
struct run {
    uint64_t start, end; /* of the disk, whole clusters */
    struct run *next;
};

struct decompressed;

struct qcow2 {
    struct image image;

    /* Fixed while it is open */
    unsigned version;
    unsigned cluster_bits, l2_bits, refcount_order;
    uint64_t cluster_size, subcluster_size;
    unsigned entry_size; /* of L2: 8, or 16 with subclusters */
    unsigned compression;
    bool extended, lazy;
    char *backing_name, *backing_format; /* as the header has them, NULL: none */
    uint64_t snapshots_offset, snapshots_size;
    unsigned snapshot_count;

    pthread_mutex_t meta;
    uint64_t features[3]; /* incompatible, compatible, autoclear */
    _Atomic uint64_t *l1; /* read without a lock */
    uint64_t l1_offset;
    unsigned l1_size; /* entries */
    uint64_t *reftable;
    _Atomic uint64_t reftable_offset;
    _Atomic unsigned reftable_size; /* entries */
    unsigned *changed_l1, changed_l1_count, changed_l1_room;
    bool reftable_changed;
    atomic_bool corrupt; /* nothing is written any more */
    struct slices l2, refcounts;

    uint64_t free_hint;   /* no free cluster (its number) before this one */
    uint64_t virgin_from; /* file offset from which on nobody has written anything */
    struct freed *freed;
    size_t freed_count, freed_room;
    _Atomic unsigned epoch;
    _Atomic unsigned long active[2]; /* requests, by the lowest bit of their epoch */

    struct run *runs;
    pthread_cond_t run_ended;

    uint64_t compressed_end; /* where the next compressed cluster may go on, 0: nowhere */
    struct decompressed *decompressed;
};

static inline struct qcow2 *qcow2_of(struct image *image)
{
    return (struct qcow2 *)image;
}

static inline uint64_t round_up(uint64_t value, uint64_t unit)
{
    return (value + unit - 1) / unit * unit;
}

/* header.c */
bool qcow2_check_table(const struct qcow2 *q, const char *what, uint64_t offset, uint64_t bytes,
                       struct error *err);
/* Writes the feature bits. */
int qcow2_write_features(struct qcow2 *q);
/* Something in the file cannot be: says so once, and no one writes to it again. Returns EIO. */
int qcow2_corrupt(struct qcow2 *q, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* map.c */

enum cluster_kind {
    CLUSTER_ABSENT, /* what the backing file has, or zeroes */
    CLUSTER_ZERO,
    CLUSTER_DATA,
    CLUSTER_COMPRESSED,
    CLUSTER_BAD,
};

/* A run of bytes of one kind. */
struct mapping {
    enum cluster_kind kind;
    bool copied;
    uint64_t host; /* DATA: file offset of the first byte */
    uint64_t size; /* bytes from there on */
    uint64_t entry, bitmap;
};

/* May the bytes be written in place? */
bool qcow2_may_write(struct qcow2 *q, const struct mapping *m);
/* False: the L2 table is not in the cache. Never waits. */
bool qcow2_peek(struct qcow2 *q, uint64_t offset, uint64_t size, struct mapping *m);
/* The same, reading the file if need be. Errno. */
int qcow2_map(struct qcow2 *q, uint64_t offset, uint64_t size, struct mapping *m);
/* Does all of it read as zeroes, as far as can be told without reading data? */
bool qcow2_is_zero(struct qcow2 *q, uint64_t offset, uint64_t size);
/* Clusters of the file that an L2 entry uses. */
unsigned qcow2_entry_clusters(const struct qcow2 *q, uint64_t entry, uint64_t *offset);
void qcow2_compressed_place(const struct qcow2 *q, uint64_t entry, uint64_t *offset, size_t *size);
/* Bytes of the disk that one L2 table covers. */
static inline uint64_t qcow2_l2_span(const struct qcow2 *q)
{
    return 1ull << (q->l2_bits + q->cluster_bits);
}

/* Nothing of the header, the L1 or the refcount table lies there. */
bool qcow2_may_hold_data(const struct qcow2 *q, uint64_t host, uint64_t size);

/* l2.c, under meta */

/* Makes the table for offset one that may be written: there is one, and it is not a snapshot's. */
int qcow2_own_l2(struct qcow2 *q, uint64_t offset);
/*
 * Sets the entry of the cluster at offset, whose table is owned. *old: what it was. bitmap: with
 * extended entries.
 */
int qcow2_set_entry(struct qcow2 *q, uint64_t offset, uint64_t entry, uint64_t bitmap,
                    uint64_t *old);

/* refcount.c, under meta */
int qcow2_refcount(struct qcow2 *q, uint64_t cluster, uint64_t *count);
int qcow2_set_refcount(struct qcow2 *q, uint64_t cluster, uint64_t count);
/* At most `want` clusters in one piece, at least one. *virgin: nobody has written there. */
int qcow2_allocate(struct qcow2 *q, uint64_t want, uint64_t *offset, uint64_t *got, bool *virgin);
/* Exactly `count` clusters in one piece. */
int qcow2_allocate_piece(struct qcow2 *q, uint64_t count, uint64_t *offset);
/* What was allocated and is pointed to by nothing, in the file nor in the caches. */
void qcow2_unallocate(struct qcow2 *q, uint64_t offset, uint64_t count);
/* Room for a compressed cluster. */
int qcow2_allocate_bytes(struct qcow2 *q, size_t size, uint64_t *offset);
uint64_t qcow2_refcount_max(const struct qcow2 *q);
/* Has each range of clusters a refcount block of its own? */
bool qcow2_check_reftable(const struct qcow2 *q, struct error *err);
/* Values in a refcount block. */
uint64_t refcount_get(const uint8_t *block, unsigned order, uint64_t index);
void refcount_put(uint8_t *block, unsigned order, uint64_t index, uint64_t value);
static inline unsigned qcow2_refblock_bits(const struct qcow2 *q)
{
    return q->cluster_bits + 3 - q->refcount_order;
}

/* flush.c */

/* Around the use of what was looked up. Any thread. */
unsigned qcow2_enter(struct qcow2 *q);
void qcow2_leave(struct qcow2 *q, unsigned epoch);
/*
 * Under meta, after the entry that pointed there was changed in the cache. If there is no memory to note
 * it, the clusters are leaked, which harms nobody.
 */
void qcow2_free(struct qcow2 *q, uint64_t offset, uint64_t count, bool table);
void qcow2_free_entry(struct qcow2 *q, uint64_t entry);
/*
 * Under meta, before changes: may the image be written at all, is there room in the caches, does the
 * file say, with lazy refcounts, that they may be wrong? Errno.
 */
int qcow2_begin_changes(struct qcow2 *q);
/* Under meta. Errno. */
int qcow2_flush_metadata(struct qcow2 *q);
int qcow2_flush(struct image *image);
/* At close. */
void qcow2_end(struct qcow2 *q);

/* read.c, write.c, zero.c, compress.c, write_compressed.c */
int qcow2_readv(struct image *image, uint64_t offset, uint64_t size, struct iov_cursor *at);
int qcow2_writev(struct image *image, uint64_t offset, uint64_t size, struct iov_cursor *at);
int qcow2_zero(struct image *image, uint64_t offset, uint64_t size, bool unmap);
int qcow2_discard(struct image *image, uint64_t offset, uint64_t size);
/* A cluster of the disk, or what is left of it at its end. The offset is a cluster's. */
int qcow2_write_compressed(struct image *image, uint64_t offset, const void *bytes, size_t size);
int qcow2_read_compressed(struct qcow2 *q, uint64_t entry, uint64_t skip, uint64_t size,
                          struct iov_cursor *at);
struct decompressed *decompressed_new(uint64_t cluster_size);
void decompressed_free(struct decompressed *cache);
/* Something else is there now. */
void decompressed_forget(struct decompressed *cache, uint64_t entry);
bool compression_exists(unsigned type);
/* *size: room, then what it took. False: it does not become smaller than that. */
bool compress_cluster(unsigned type, const void *from, size_t from_size, void *to, size_t *size);

/* Under meta: waits until no write is allocating in the range. */
void qcow2_wait_for_runs(struct qcow2 *q, uint64_t start, uint64_t end);
/* Zeroes as data, where flags will not do. */
int qcow2_write_zeroes(struct qcow2 *q, uint64_t offset, uint64_t size);

#endif
