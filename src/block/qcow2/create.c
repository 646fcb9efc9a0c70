/* SPDX-License-Identifier: MPL-2.0 */
/*
 * An empty image: header, refcount table, refcount blocks and L1 table, one behind the other. The L1
 * table is zeroes and so a hole.
 */
#include "block/qcow2/create.h"

#include "base/big_endian.h"
#include "block/disk.h"
#include "block/qcow2/format.h"
#include "block/qcow2/qcow2.h"
#include "host/file.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define HEADER_ROOM 4096 /* header, extensions and backing file's name, or a smaller cluster */

/* In clusters, and so the places too. */
struct layout {
    unsigned cluster_bits, order;
    uint64_t table, blocks, l1, l1_entries;
};

static bool check_shape(const struct qcow2_shape *s, const char *path, struct layout *l,
                        struct error *err)
{
    unsigned bits = 0, order = 0;
    uint64_t cluster = s->cluster_size ? s->cluster_size : 65536;
    unsigned refcount_bits = s->refcount_bits ? s->refcount_bits : 16;
    while (bits < 63 && 1ull << bits < cluster)
        bits++;
    while (order < 31 && 1u << order < refcount_bits)
        order++;
    if (1ull << bits != cluster || bits < CLUSTER_BITS_MIN || bits > CLUSTER_BITS_MAX)
        return error_set(err, "%s: clusters are 512 bytes to 2 MiB, a power of 2", path);
    if (1u << order != refcount_bits || order > 6)
        return error_set(err, "%s: refcounts have 1, 2, 4, 8, 16, 32 or 64 bits", path);
    if (s->version == 2 && (order != 4 || s->extended_l2 || s->lazy_refcounts || s->compression))
        return error_set(err, "%s: version 2 of the format cannot do that", path);
    if (s->extended_l2 && bits < 14)
        return error_set(err, "%s: subclusters need clusters of at least 16 KiB", path);
    if (s->backing && strlen(s->backing) > BACKING_NAME_MAX)
        return error_set(err, "%s: the backing file's name is too long", path);
    unsigned l2_bits = bits - (s->extended_l2 ? 4 : 3);
    uint64_t span = 1ull << (bits + l2_bits);
    if (s->size > (L1_BYTES_MAX / 8) * span || s->size > INT64_MAX - span)
        return error_set(
            err, "%s: with clusters of %" PRIu64 " bytes a disk has at most %" PRIu64 " GiB", path,
            cluster, ((L1_BYTES_MAX / 8) * span) >> 30);
    l->cluster_bits = bits;
    l->order = order;
    l->l1_entries = (s->size + span - 1) / span;
    return true;
}

/* Blocks that count all clusters of the image, those of the blocks and of their table included. */
static void lay_out(struct layout *l)
{
    unsigned block_bits = l->cluster_bits + 3 - l->order, entries_bits = l->cluster_bits - 3;
    uint64_t cluster = 1ull << l->cluster_bits;
    l->l1 = (l->l1_entries * 8 + cluster - 1) >> l->cluster_bits;
    l->table = l->blocks = 1;
    for (;;) {
        uint64_t all = 1 + l->table + l->blocks + l->l1;
        uint64_t blocks = ((all - 1) >> block_bits) + 1, table = ((blocks - 1) >> entries_bits) + 1;
        if (blocks <= l->blocks && table <= l->table)
            return;
        l->blocks = blocks;
        l->table = table;
    }
}

static size_t put_extension(uint8_t *h, size_t at, uint32_t type, const void *bytes, size_t size)
{
    put_be32(h + at, type);
    put_be32(h + at + 4, (uint32_t)size);
    memcpy(h + at + 8, bytes, size);
    return at + 8 + round_up(size, 8);
}

/* Names for the features we use, for programs that do not know them. */
static size_t put_feature_names(uint8_t *h, size_t at)
{
    static const struct {
        uint8_t kind, bit;
        const char *name;
    } names[] = {{0, 0, "dirty bit"},           {0, 1, "corrupt bit"},
                 {0, 2, "external data file"},  {0, 3, "compression type"},
                 {0, 4, "extended L2 entries"}, {1, 0, "lazy refcounts"}};
    enum { COUNT = sizeof(names) / sizeof(names[0]) };
    uint8_t table[COUNT * FEATURE_NAME_SIZE] = {0};
    for (unsigned i = 0; i < COUNT; i++) {
        uint8_t *entry = table + i * FEATURE_NAME_SIZE;
        entry[0] = names[i].kind;
        entry[1] = names[i].bit;
        memcpy(entry + 2, names[i].name, strlen(names[i].name));
    }
    return put_extension(h, at, EXTENSION_FEATURE_NAMES, table, sizeof(table));
}

/* False: the names do not fit. */
static bool make_header(const struct qcow2_shape *s, const struct layout *l, uint8_t *h,
                        size_t room)
{
    unsigned version = s->version ? s->version : 3;
    put_be32(h + HEADER_MAGIC, QCOW2_MAGIC);
    put_be32(h + HEADER_VERSION, version);
    put_be32(h + HEADER_CLUSTER_BITS, l->cluster_bits);
    put_be64(h + HEADER_SIZE, s->size);
    put_be32(h + HEADER_L1_SIZE, (uint32_t)l->l1_entries);
    put_be64(h + HEADER_L1_OFFSET, l->l1 ? (1 + l->table + l->blocks) << l->cluster_bits : 0);
    put_be64(h + HEADER_REFTABLE_OFFSET, 1ull << l->cluster_bits);
    put_be32(h + HEADER_REFTABLE_CLUSTERS, (uint32_t)l->table);
    size_t at = HEADER_V2_LENGTH;
    if (version > 2) {
        at = HEADER_FULL_LENGTH;
        put_be64(h + HEADER_INCOMPATIBLE, (s->compression ? INCOMPATIBLE_COMPRESSION : 0) |
                                              (s->extended_l2 ? INCOMPATIBLE_EXTENDED_L2 : 0));
        put_be64(h + HEADER_COMPATIBLE, s->lazy_refcounts ? COMPATIBLE_LAZY_REFCOUNTS : 0);
        put_be32(h + HEADER_REFCOUNT_ORDER, l->order);
        put_be32(h + HEADER_LENGTH, HEADER_FULL_LENGTH);
        h[HEADER_COMPRESSION] = (uint8_t)s->compression;
    }
    size_t name = s->backing ? strlen(s->backing) : 0;
    if (s->backing && s->backing_format)
        at = put_extension(h, at, EXTENSION_BACKING_FORMAT, s->backing_format,
                           strlen(s->backing_format));
    if (version > 2 && at + 6 * FEATURE_NAME_SIZE + 16 + name <= room)
        at = put_feature_names(h, at);
    at = put_extension(h, at, EXTENSION_END, "", 0);
    if (at + name > room)
        return false;
    if (name) {
        put_be64(h + HEADER_BACKING_OFFSET, at);
        put_be32(h + HEADER_BACKING_SIZE, (uint32_t)name);
        memcpy(h + at, s->backing, name);
    }
    return true;
}

static int write_refcounts(const struct image_file *f, const struct layout *l)
{
    uint64_t cluster = 1ull << l->cluster_bits, all = 1 + l->table + l->blocks + l->l1;
    uint8_t *bytes = calloc(l->table + l->blocks, cluster);
    if (!bytes)
        return ENOMEM;
    for (uint64_t i = 0; i < l->blocks; i++)
        put_be64(bytes + i * 8, (1 + l->table + i) << l->cluster_bits);
    for (uint64_t i = 0; i < all; i++)
        refcount_put(bytes + (l->table << l->cluster_bits), l->order, i, 1);
    int error = image_file_write(f, cluster, bytes, (l->table + l->blocks) << l->cluster_bits);
    free(bytes);
    return error;
}

bool qcow2_create(const struct image_file *f, const struct qcow2_shape *shape, struct error *err)
{
    struct layout l = {0};
    if (!check_shape(shape, f->path, &l, err))
        return false;
    lay_out(&l);
    uint8_t header[HEADER_ROOM] = {0};
    size_t room = 1u << l.cluster_bits < HEADER_ROOM ? 1u << l.cluster_bits : HEADER_ROOM;
    if (!make_header(shape, &l, header, room))
        return error_set(err, "%s: the backing file's name does not fit into a cluster", f->path);
    int error = write_refcounts(f, &l);
    if (!error)
        error = image_file_resize(f, (1 + l.table + l.blocks + l.l1) << l.cluster_bits);
    /* The magic last: before that it is no image. */
    if (!error)
        error = image_file_write(f, 0, header, room);
    return !error || error_set(err, "%s: cannot write: %s", f->path, strerror(error));
}

struct image *image_overlay(struct image *backing, struct image_files *files, struct log *log,
                            struct error *err)
{
    struct qcow2_shape shape = {.size = backing->size,
                                .backing = "the image in front of which it is"};
    struct image_options options = {
        .path = file_temporary_folder(),
        .cache = DISK_CACHE_UNSAFE,
        .no_backing = true,
        .log = log,
    };
    struct image_file file;
    struct image *image = NULL;
    if (image_file_open_by(files, &file, options.path, IMAGE_FILE_TEMPORARY, err)) {
        if (qcow2_create(&file, &shape, err))
            image = qcow2_open(&options, &file, err);
        if (!image)
            image_file_close(&file);
    }
    if (image)
        image->backing = backing;
    else
        image_close(backing);
    return image;
}
