/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Which clusters of the file are used: refcounts, and allocation by them. All under meta.
 *
 * A range of clusters without a refcount block has none in use, so its block can be any of them: the
 * one that was about to be allocated.
 */
#include "block/qcow2/qcow2.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

uint64_t refcount_get(const uint8_t *block, unsigned order, uint64_t index)
{
    switch (order) {
    case 3:
        return block[index];
    case 4:
        return get_be16(block + index * 2);
    case 5:
        return get_be32(block + index * 4);
    case 6:
        return get_be64(block + index * 8);
    default: {
        unsigned bits = 1u << order, shift = (unsigned)(index * bits % 8);
        return block[index * bits / 8] >> shift & ((1u << bits) - 1);
    }
    }
}

void refcount_put(uint8_t *block, unsigned order, uint64_t index, uint64_t value)
{
    switch (order) {
    case 3:
        block[index] = (uint8_t)value;
        break;
    case 4:
        put_be16(block + index * 2, (uint16_t)value);
        break;
    case 5:
        put_be32(block + index * 4, (uint32_t)value);
        break;
    case 6:
        put_be64(block + index * 8, value);
        break;
    default: {
        unsigned bits = 1u << order, shift = (unsigned)(index * bits % 8);
        uint8_t *byte = block + index * bits / 8, mask = (uint8_t)(((1u << bits) - 1) << shift);
        *byte = (uint8_t)((*byte & ~mask) | (value << shift & mask));
    }
    }
}

uint64_t qcow2_refcount_max(const struct qcow2 *q)
{
    return q->refcount_order == 6 ? UINT64_MAX : (1ull << (1u << q->refcount_order)) - 1;
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/*
 * Without this a small image could name one block, full of ones, for each of a million ranges, and whoever
 * looks for a free cluster would not come back.
 */
bool qcow2_check_reftable(const struct qcow2 *q, struct error *err)
{
    const char *path = q->image.file.path;
    uint64_t *blocks = malloc(q->reftable_size * sizeof(blocks[0])), twice = 0;
    size_t count = 0;
    if (!blocks)
        return error_set(err, "%s: out of memory", path);
    for (unsigned i = 0; i < q->reftable_size; i++)
        if (q->reftable[i] & REFTABLE_OFFSET)
            blocks[count++] = q->reftable[i] & REFTABLE_OFFSET;
    qsort(blocks, count, sizeof(blocks[0]), by_value);
    for (size_t i = 1; i < count; i++)
        if (blocks[i] == blocks[i - 1])
            twice = blocks[i];
    free(blocks);
    return !twice || error_set(err,
                               "%s: damaged: the refcount block at 0x%" PRIx64
                               " is named twice: repair it (rvvm img check -r), or say ro",
                               path, twice);
}

/* Values in one slice. */
static uint64_t slice_values(const struct qcow2 *q)
{
    return ((uint64_t)q->refcounts.size * 8) >> q->refcount_order;
}

/* Where the slice for a cluster lies; *place 0: no block, all are free. */
static int slice_place(struct qcow2 *q, uint64_t cluster, uint64_t *place)
{
    unsigned bits = qcow2_refblock_bits(q);
    uint64_t index = cluster >> bits;
    *place = 0;
    if (index >= q->reftable_size || !(q->reftable[index] & REFTABLE_OFFSET))
        return 0;
    uint64_t block = q->reftable[index] & REFTABLE_OFFSET;
    if (block & (q->cluster_size - 1))
        return qcow2_corrupt(q, "refcount block %" PRIu64 " at 0x%" PRIx64, index, block);
    uint64_t in_block = cluster & ((1ull << bits) - 1);
    *place = block + in_block / slice_values(q) * q->refcounts.size;
    return 0;
}

/* Takes the cache's lock, even if it fails. */
static int lock_slice(struct qcow2 *q, uint64_t place, uint8_t **bytes)
{
    int error = 0;
    pthread_mutex_lock(&q->refcounts.lock);
    while (!(*bytes = slices_find(&q->refcounts, place)) && !error)
        error = slices_load(&q->refcounts, &q->image.file, place);
    return error;
}

int qcow2_refcount(struct qcow2 *q, uint64_t cluster, uint64_t *count)
{
    uint64_t place;
    uint8_t *bytes;
    *count = 0;
    int error = slice_place(q, cluster, &place);
    if (error || !place)
        return error;
    error = lock_slice(q, place, &bytes);
    if (!error)
        *count = refcount_get(bytes, q->refcount_order, cluster % slice_values(q));
    pthread_mutex_unlock(&q->refcounts.lock);
    return error;
}

/* Its block is there. */
static int set_refcount(struct qcow2 *q, uint64_t cluster, uint64_t count)
{
    uint64_t place;
    uint8_t *bytes;
    int error = slice_place(q, cluster, &place);
    if (error)
        return error;
    error = lock_slice(q, place, &bytes);
    if (!error) {
        refcount_put(bytes, q->refcount_order, cluster % slice_values(q), count);
        slices_set_changed(&q->refcounts, place);
    }
    pthread_mutex_unlock(&q->refcounts.lock);
    return error;
}

int qcow2_set_refcount(struct qcow2 *q, uint64_t cluster, uint64_t count)
{
    uint64_t place;
    int error = slice_place(q, cluster, &place);
    if (!error && !place)
        return qcow2_corrupt(q, "cluster %" PRIu64 " is in use and has no refcount", cluster);
    return error ? error : set_refcount(q, cluster, count);
}

/*
 * The first cluster from `from` on, before `end`, that is in use (or is not). *found is end if there
 * is none.
 */
static int find_cluster(struct qcow2 *q, uint64_t from, uint64_t end, bool in_use, uint64_t *found)
{
    uint64_t per_slice = slice_values(q), place;
    uint8_t *bytes;
    while (from < end) {
        int error = slice_place(q, from, &place);
        if (error)
            return error;
        uint64_t slice_end = (from / per_slice + 1) * per_slice;
        if (slice_end > end)
            slice_end = end;
        if (!place) {
            if (!in_use)
                break;
            from = slice_end;
            continue;
        }
        if ((error = lock_slice(q, place, &bytes))) {
            pthread_mutex_unlock(&q->refcounts.lock);
            return error;
        }
        while (from < slice_end &&
               !refcount_get(bytes, q->refcount_order, from % per_slice) == in_use)
            from++;
        pthread_mutex_unlock(&q->refcounts.lock);
        if (from < slice_end)
            break;
    }
    *found = from < end ? from : end;
    return 0;
}

/* Somebody will write there: that is no virgin soil any more. */
static bool take_virgin(struct qcow2 *q, uint64_t offset, uint64_t size)
{
    bool virgin = offset >= q->virgin_from;
    if (offset + size > q->virgin_from && !q->image.file.is_device)
        q->virgin_from = offset + size;
    return virgin;
}

/* A block for a range of clusters, at a cluster whose own refcount has a block (perhaps this). */
static int make_block(struct qcow2 *q, uint64_t range, uint64_t cluster)
{
    uint64_t offset = cluster << q->cluster_bits;
    if (!take_virgin(q, offset, q->cluster_size)) {
        int error = image_file_zero(&q->image.file, offset, q->cluster_size, false);
        if (error)
            return error;
    }
    slices_forget(&q->refcounts, offset, q->cluster_size);
    q->reftable[range] = offset;
    q->reftable_changed = true;
    return set_refcount(q, cluster, 1);
}

/*
 * A larger refcount table, in the first range that the old one does not cover, with the blocks for
 * the clusters that it needs itself. All of it is in the file before the header says so, and so are
 * the blocks that were made since the last flush: the new table has them, too.
 */
static int grow_table(struct qcow2 *q)
{
    unsigned bits = qcow2_refblock_bits(q), entries_bits = q->cluster_bits - 3;
    uint64_t old_size = q->reftable_size, first = old_size << bits;
    uint64_t clusters = ((old_size + old_size / 2) >> entries_bits) + 1, blocks = 1;
    while (blocks << bits < blocks + clusters)
        blocks++;
    while (clusters << entries_bits < old_size + blocks)
        clusters++;
    if (clusters << q->cluster_bits > REFTABLE_BYTES_MAX ||
        first + blocks + clusters > (uint64_t)INT64_MAX >> q->cluster_bits)
        return EFBIG;
    uint64_t place = first << q->cluster_bits, size = clusters << entries_bits;
    uint64_t *table = calloc(size, 8);
    uint8_t *bytes = calloc(blocks + clusters, q->cluster_size);
    int error = table && bytes ? 0 : ENOMEM;
    if (!error) {
        memcpy(table, q->reftable, old_size * 8);
        for (uint64_t i = 0; i < blocks; i++)
            table[old_size + i] = place + (i << q->cluster_bits);
        /* Blocks lie one behind the other, so their values do, too. */
        for (uint64_t i = 0; i < blocks + clusters; i++)
            refcount_put(bytes, q->refcount_order, i, 1);
        for (uint64_t i = 0; i < size; i++)
            put_be64(bytes + (blocks << q->cluster_bits) + i * 8, table[i]);
        error =
            image_file_write(&q->image.file, place, bytes, (blocks + clusters) << q->cluster_bits);
    }
    if (!error)
        error = slices_write(&q->refcounts, &q->image.file);
    if (!error && !q->image.unsafe)
        error = image_file_sync(&q->image.file);
    if (!error) {
        uint8_t field[12];
        put_be64(field, place + (blocks << q->cluster_bits));
        put_be32(field + 8, (uint32_t)clusters);
        error = image_file_write(&q->image.file, HEADER_REFTABLE_OFFSET, field, sizeof(field));
    }
    free(bytes);
    if (error) {
        free(table);
        return error;
    }
    uint64_t old = q->reftable_offset;
    slices_forget(&q->refcounts, place, blocks << q->cluster_bits);
    take_virgin(q, place, (blocks + clusters) << q->cluster_bits);
    free(q->reftable);
    q->reftable = table;
    q->reftable_offset = place + (blocks << q->cluster_bits);
    q->reftable_size = (unsigned)size;
    qcow2_free(q, old, old_size >> entries_bits, false);
    return 0;
}

/* Has a block for that cluster, which is free. *changed: one was made, so look again what is free. */
static int need_block(struct qcow2 *q, uint64_t cluster, bool *changed)
{
    uint64_t place;
    *changed = cluster >> qcow2_refblock_bits(q) >= q->reftable_size;
    if (*changed)
        return grow_table(q);
    int error = slice_place(q, cluster, &place);
    if (error || place)
        return error;
    *changed = true;
    return make_block(q, cluster >> qcow2_refblock_bits(q), cluster);
}

static int find_free(struct qcow2 *q, uint64_t *first)
{
    bool changed;
    do {
        int error = find_cluster(q, q->free_hint, UINT64_MAX >> q->cluster_bits, false, first);
        if (error)
            return error;
        if (!qcow2_may_hold_data(q, *first << q->cluster_bits, q->cluster_size))
            return qcow2_corrupt(q, "the refcount of cluster %" PRIu64 " is 0, and it is in use",
                                 *first);
        q->free_hint = *first;
        if ((error = need_block(q, *first, &changed)))
            return error;
    } while (changed);
    return 0;
}

int qcow2_allocate(struct qcow2 *q, uint64_t want, uint64_t *offset, uint64_t *got, bool *virgin)
{
    uint64_t first, end;
    int error = find_free(q, &first);
    if (error)
        return error;
    /* In one piece, and with refcounts in one block. */
    uint64_t block_end = ((first >> qcow2_refblock_bits(q)) + 1) << qcow2_refblock_bits(q);
    uint64_t limit = first + want < block_end ? first + want : block_end;
    error = find_cluster(q, first, limit, true, &end);
    for (uint64_t cluster = first; cluster < end && !error; cluster++)
        error = set_refcount(q, cluster, 1);
    if (error)
        return error; /* what was taken is leaked */
    q->free_hint = end;
    *offset = first << q->cluster_bits;
    *got = end - first;
    *virgin = take_virgin(q, *offset, *got << q->cluster_bits);
    return 0;
}

/* No range from this one on has a block. */
static uint64_t first_fresh(const struct qcow2 *q)
{
    uint64_t range = q->reftable_size;
    while (range && !(q->reftable[range - 1] & REFTABLE_OFFSET))
        range--;
    return range;
}

/* Where no cluster is in use yet: ranges without blocks, which begin with the blocks they need. */
static int allocate_fresh(struct qcow2 *q, uint64_t count, uint64_t *offset)
{
    unsigned bits = qcow2_refblock_bits(q);
    uint64_t range, blocks = 1;
    int error = 0;
    while (blocks << bits < blocks + count)
        blocks++;
    while ((range = first_fresh(q)) + blocks > q->reftable_size)
        if ((error = grow_table(q)))
            return error;
    uint64_t first = range << bits;
    for (uint64_t i = 0; i < blocks && !error; i++)
        error = make_block(q, range + i, first + i);
    for (uint64_t i = 0; i < count && !error; i++)
        error = set_refcount(q, first + blocks + i, 1);
    *offset = (first + blocks) << q->cluster_bits;
    take_virgin(q, *offset, count << q->cluster_bits);
    return error;
}

int qcow2_allocate_piece(struct qcow2 *q, uint64_t count, uint64_t *offset)
{
    enum { TRIES = 16 };
    uint64_t places[TRIES], sizes[TRIES];
    unsigned tried = 0;
    bool virgin;
    int error = 0;
    /* A piece that is too short is kept until a longer one is found, so as to find another. */
    for (; tried < TRIES; tried++) {
        error = qcow2_allocate(q, count, &places[tried], &sizes[tried], &virgin);
        if (error || sizes[tried] == count)
            break;
    }
    if (!error && tried == TRIES)
        error = allocate_fresh(q, count, offset);
    else if (!error)
        *offset = places[tried];
    for (unsigned i = 0; i < tried; i++)
        qcow2_unallocate(q, places[i], sizes[i]);
    return error;
}

void qcow2_unallocate(struct qcow2 *q, uint64_t offset, uint64_t count)
{
    uint64_t first = offset >> q->cluster_bits;
    for (uint64_t i = 0; i < count; i++)
        set_refcount(q, first + i, 0); /* if not, it is leaked */
    if (count && first < q->free_hint)
        q->free_hint = first;
}

int qcow2_allocate_bytes(struct qcow2 *q, size_t size, uint64_t *offset)
{
    uint64_t start = q->compressed_end, cluster = start >> q->cluster_bits, users = 0;
    uint64_t room = round_up(start, q->cluster_size) - start;
    int error = 0;
    /* The cluster where the last one ended can take more if its refcount can. */
    if (room && !(error = qcow2_refcount(q, cluster, &users)) && users >= qcow2_refcount_max(q))
        room = 0;
    if (error)
        return error;
    if (room < size) {
        uint64_t next, got;
        bool virgin;
        if ((error = qcow2_allocate(q, 1, &next, &got, &virgin)))
            return error;
        if (!room || next != start + room) {
            start = next;
            room = 0;
        }
    }
    /* What begins in the old cluster is one more user of it. */
    if (room && (error = set_refcount(q, cluster, users + 1)))
        return error;
    *offset = start;
    q->compressed_end = start + size;
    return 0;
}
