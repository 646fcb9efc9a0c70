/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Opening a qcow2 image. Nothing in it is believed: each number is checked against the format's
 * limits and the file's size before memory is taken for it or anything is read through it.
 */
#include "block/qcow2/qcow2.h"
#include "block/qcow2/check.h"
#include "block/qcow2/open.h"
#include "block/qcow2/snapshot.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define L2_CACHE_BYTES (32u << 20) /* 256 GiB of disk with clusters of 64 KiB */
#define REFCOUNT_CACHE_BYTES (4u << 20)
#define BACKING_DEPTH_MAX 32

int qcow2_corrupt(struct qcow2 *q, const char *format, ...)
{
    if (atomic_exchange(&q->corrupt, true))
        return EIO;
    char text[256];
    va_list ap;
    va_start(ap, format);
    vsnprintf(text, sizeof(text), format, ap);
    va_end(ap);
    log_line(q->image.log, LOG_ERROR, "%s: the image is damaged: %s%s", q->image.file.path, text,
             q->image.read_only ? "" : "; nothing is written to it any more");
    if (!q->image.read_only && q->version > 2) {
        uint8_t bits[8];
        put_be64(bits, q->features[0] | INCOMPATIBLE_CORRUPT);
        image_file_write(&q->image.file, HEADER_INCOMPATIBLE, bits, sizeof(bits));
    }
    return EIO;
}

int qcow2_write_features(struct qcow2 *q)
{
    uint8_t bits[24];
    if (q->version < 3)
        return 0;
    if (atomic_load(&q->corrupt))
        q->features[0] |= INCOMPATIBLE_CORRUPT;
    for (unsigned i = 0; i < 3; i++)
        put_be64(bits + 8 * i, q->features[i]);
    return image_file_write(&q->image.file, HEADER_INCOMPATIBLE, bits, sizeof(bits));
}

bool qcow2_check_table(const struct qcow2 *q, const char *what, uint64_t offset, uint64_t bytes,
                       struct error *err)
{
    uint64_t end;
    const char *path = q->image.file.path;
    int error = image_file_size(&q->image.file, &end);
    if (error)
        return error_set(err, "%s: cannot tell its size: %s", path, strerror(error));
    if (!bytes)
        return true;
    if (!offset || offset % q->cluster_size)
        return error_set(err, "%s: damaged: %s at 0x%" PRIx64 ", which is no cluster", path, what,
                         offset);
    if (offset > end || bytes > end - offset)
        return error_set(err,
                         "%s: damaged: %s at 0x%" PRIx64 " (%" PRIu64
                         " bytes) ends beyond the end of the file",
                         path, what, offset, bytes);
    return true;
}

/* The name that the image has for a feature which is not known here. */
static void name_feature(const uint8_t *table, size_t size, unsigned bit, char *name, size_t room)
{
    snprintf(name, room, "incompatible feature %u", bit);
    for (size_t at = 0; at + FEATURE_NAME_SIZE <= size; at += FEATURE_NAME_SIZE) {
        if (table[at] || table[at + 1] != bit)
            continue;
        size_t n = 0;
        for (; n < FEATURE_NAME_SIZE - 2 && n + 1 < room; n++) {
            char c = (char)table[at + 2 + n];
            if (!c)
                break;
            name[n] = c >= ' ' && c < 0x7f ? c : '?';
        }
        name[n] = 0;
        return;
    }
}

struct extensions {
    const uint8_t *features, *backing_format;
    uint32_t features_size, backing_format_size;
};

/* The list of extensions ends with the first cluster, or where the backing file's name begins. */
static bool read_extensions(const uint8_t *start, size_t from, size_t end, const char *path,
                            struct extensions *found, struct error *err)
{
    while (from + 8 <= end) {
        uint32_t type = get_be32(start + from), size = get_be32(start + from + 4);
        from += 8;
        if (type == EXTENSION_END)
            return true;
        if (size > end - from)
            return error_set(err,
                             "%s: damaged: a header extension (0x%08" PRIx32 ") of %" PRIu32
                             " bytes does not fit",
                             path, type, size);
        if (type == EXTENSION_FEATURE_NAMES) {
            found->features = start + from;
            found->features_size = size;
        } else if (type == EXTENSION_BACKING_FORMAT) {
            found->backing_format = start + from;
            found->backing_format_size = size;
        }
        from += round_up(size, 8);
    }
    return true;
}

static bool check_features(struct qcow2 *q, const struct extensions *x,
                           const struct image_options *o, struct error *err)
{
    const char *path = q->image.file.path;
    uint64_t unknown = q->features[0] & ~INCOMPATIBLE_KNOWN;
    if (unknown) {
        char name[FEATURE_NAME_SIZE];
        name_feature(x->features, x->features_size, (unsigned)__builtin_ctzll(unknown), name,
                     sizeof(name));
        return error_set(err, "%s: needs what is not known here: %s", path, name);
    }
    if ((q->features[0] & INCOMPATIBLE_CORRUPT) && !o->read_only && !o->for_check)
        return error_set(err, "%s: marked as damaged: repair it (rvvm img check -r), or say ro",
                         path);
    if (!(q->features[0] & INCOMPATIBLE_COMPRESSION) && q->compression)
        return error_set(err, "%s: damaged: compression type %u without its feature bit", path,
                         q->compression);
    if (q->compression > COMPRESSION_ZSTD)
        return error_set(err, "%s: compressed in a way that is not known here (type %u)", path,
                         q->compression);
    return true;
}

/* What all later computing builds on. */
static bool check_geometry(struct qcow2 *q, const uint8_t *h, uint32_t length, struct error *err)
{
    const char *path = q->image.file.path;
    if (q->cluster_bits < CLUSTER_BITS_MIN || q->cluster_bits > CLUSTER_BITS_MAX)
        return error_set(err, "%s: damaged: clusters of 2^%u bytes; 2^9 to 2^21 are possible", path,
                         q->cluster_bits);
    if (q->version > 2 && (length < HEADER_V3_LENGTH || length % 8 || length > q->cluster_size))
        return error_set(err, "%s: damaged: a header of %" PRIu32 " bytes", path, length);
    if (q->refcount_order > 6)
        return error_set(err, "%s: damaged: refcounts of 2^%u bits", path, q->refcount_order);
    if (get_be32(h + HEADER_CRYPT_METHOD))
        return error_set(err, "%s: encrypted, which is not known here", path);
    if (q->extended && q->cluster_bits < 14)
        return error_set(err, "%s: damaged: subclusters in clusters of 2^%u bytes", path,
                         q->cluster_bits);
    uint64_t span = qcow2_l2_span(q), size = get_be64(h + HEADER_SIZE);
    if (size > INT64_MAX - span || size > (uint64_t)(L1_BYTES_MAX / 8) * span)
        return error_set(err, "%s: damaged: a disk of %" PRIu64 " bytes is too large", path, size);
    q->image.size = round_up(size, DISK_SECTOR);
    if ((uint64_t)q->l1_size * 8 > L1_BYTES_MAX)
        return error_set(err, "%s: damaged: an L1 table of %u entries", path, q->l1_size);
    if (q->l1_size < (q->image.size + span - 1) / span)
        return error_set(
            err, "%s: damaged: an L1 table of %u entries is too small for %" PRIu64 " bytes", path,
            q->l1_size, size);
    uint64_t clusters = get_be32(h + HEADER_REFTABLE_CLUSTERS);
    if (!clusters || clusters > REFTABLE_BYTES_MAX >> q->cluster_bits)
        return error_set(err, "%s: damaged: a refcount table of %" PRIu64 " clusters", path,
                         clusters);
    q->reftable_size = (unsigned)(clusters << (q->cluster_bits - 3));
    if (q->snapshot_count > SNAPSHOTS_MAX)
        return error_set(err, "%s: damaged: %u snapshots", path, q->snapshot_count);
    return qcow2_check_table(q, "the L1 table", q->l1_offset, (uint64_t)q->l1_size * 8, err) &&
           qcow2_check_table(q, "the refcount table", q->reftable_offset,
                             clusters << q->cluster_bits, err);
}

static void read_fields(struct qcow2 *q, const uint8_t *h, uint32_t length)
{
    q->cluster_bits = get_be32(h + HEADER_CLUSTER_BITS);
    q->cluster_size = q->cluster_bits < 64 ? 1ull << q->cluster_bits : 0;
    q->refcount_order = 4;
    if (q->version > 2) {
        for (unsigned i = 0; i < 3; i++)
            q->features[i] = get_be64(h + HEADER_INCOMPATIBLE + 8 * i);
        q->refcount_order = get_be32(h + HEADER_REFCOUNT_ORDER);
        if (length > HEADER_COMPRESSION)
            q->compression = h[HEADER_COMPRESSION];
    }
    q->extended = q->features[0] & INCOMPATIBLE_EXTENDED_L2;
    q->lazy = q->features[1] & COMPATIBLE_LAZY_REFCOUNTS;
    q->entry_size = q->extended ? 16 : 8;
    q->subcluster_size = q->extended ? q->cluster_size / SUBCLUSTERS : q->cluster_size;
    q->l2_bits = q->cluster_bits - (q->extended ? 4 : 3);
    q->l1_size = get_be32(h + HEADER_L1_SIZE);
    q->l1_offset = get_be64(h + HEADER_L1_OFFSET);
    q->reftable_offset = get_be64(h + HEADER_REFTABLE_OFFSET);
    q->snapshot_count = get_be32(h + HEADER_SNAPSHOTS);
    q->snapshots_offset = get_be64(h + HEADER_SNAPSHOTS_OFFSET);
}

/* A string in the first cluster, which names a file or a format. */
static char *copy_name(const uint8_t *bytes, uint32_t size)
{
    char *name = malloc((size_t)size + 1);
    if (name) {
        memcpy(name, bytes, size);
        name[size] = 0;
    }
    return name;
}

static bool read_backing_name(struct qcow2 *q, const uint8_t *start, size_t size,
                              const struct extensions *x, struct error *err)
{
    const char *path = q->image.file.path;
    uint64_t offset = get_be64(start + HEADER_BACKING_OFFSET);
    uint32_t length = get_be32(start + HEADER_BACKING_SIZE);
    if (!offset || !length)
        return true;
    if (length > BACKING_NAME_MAX || offset > size || length > size - offset ||
        memchr(start + offset, 0, length))
        return error_set(
            err, "%s: damaged: the backing file's name at 0x%" PRIx64 " (%" PRIu32 " bytes)", path,
            offset, length);
    q->backing_name = copy_name(start + offset, length);
    if (x->backing_format_size && x->backing_format_size < 32)
        q->backing_format = copy_name(x->backing_format, x->backing_format_size);
    return q->backing_name || error_set(err, "%s: out of memory", path);
}

static bool read_header(struct qcow2 *q, const struct image_options *o, uint8_t *start,
                        struct error *err)
{
    const char *path = q->image.file.path;
    int error = image_file_read(&q->image.file, 0, start, HEADER_FULL_LENGTH);
    if (error)
        return error_set(err, "%s: cannot read: %s", path, strerror(error));
    if (get_be32(start + HEADER_MAGIC) != QCOW2_MAGIC)
        return error_set(err, "%s: not a qcow2 image: bad magic 0x%08" PRIx32, path,
                         get_be32(start));
    q->version = get_be32(start + HEADER_VERSION);
    if (q->version != 2 && q->version != 3)
        return error_set(err, "%s: a qcow image of version %u; 2 and 3 are known here", path,
                         q->version);
    uint32_t length = q->version > 2 ? get_be32(start + HEADER_LENGTH) : HEADER_V2_LENGTH;
    read_fields(q, start, length);
    /* Features first: one that is not known may change what the rest means. */
    size_t first = q->cluster_size >= 512 && q->cluster_size <= 1u << CLUSTER_BITS_MAX
                       ? (size_t)q->cluster_size
                       : 512;
    if ((error = image_file_read(&q->image.file, 0, start, first)))
        return error_set(err, "%s: cannot read: %s", path, strerror(error));
    struct extensions x = {0};
    uint64_t end = get_be64(start + HEADER_BACKING_OFFSET);
    if (!end || end > first)
        end = first;
    return read_extensions(start, length, (size_t)end, path, &x, err) &&
           check_features(q, &x, o, err) && check_geometry(q, start, length, err) &&
           read_backing_name(q, start, first, &x, err);
}

/* Tables in memory */

static bool load_l1(struct qcow2 *q, struct error *err)
{
    size_t bytes = (size_t)q->l1_size * 8;
    uint8_t *table = malloc(bytes + 1);
    q->l1 = calloc((size_t)q->l1_size + 1, 8);
    int error =
        !table || !q->l1 ? ENOMEM : image_file_read(&q->image.file, q->l1_offset, table, bytes);
    for (unsigned i = 0; !error && i < q->l1_size; i++)
        q->l1[i] = get_be64(table + (size_t)i * 8);
    free(table);
    return !error ||
           error_set(err, "%s: cannot read the L1 table: %s", q->image.file.path, strerror(error));
}

static bool load_reftable(struct qcow2 *q, struct error *err)
{
    size_t bytes = (size_t)q->reftable_size * 8;
    uint8_t *table = malloc(bytes);
    q->reftable = calloc(q->reftable_size, 8);
    int error = !table || !q->reftable
                    ? ENOMEM
                    : image_file_read(&q->image.file, q->reftable_offset, table, bytes);
    for (unsigned i = 0; !error && i < q->reftable_size; i++)
        q->reftable[i] = get_be64(table + (size_t)i * 8);
    free(table);
    return !error || error_set(err, "%s: cannot read the refcount table: %s", q->image.file.path,
                               strerror(error));
}

static bool start_caches(struct qcow2 *q, struct error *err)
{
    unsigned slice = q->cluster_size < SLICE_MAX ? (unsigned)q->cluster_size : SLICE_MAX;
    uint64_t entries = q->image.size / q->cluster_size + 1;
    uint64_t l2 = entries * q->entry_size / slice + 2 + q->l1_size;
    uint64_t l2_most = L2_CACHE_BYTES / slice;
    pthread_mutex_init(&q->meta, NULL);
    pthread_cond_init(&q->run_ended, NULL);
    q->decompressed = decompressed_new(q->cluster_size);
    if (!q->decompressed || !slices_init(&q->l2, slice, (unsigned)(l2 < l2_most ? l2 : l2_most)) ||
        !slices_init(&q->refcounts, slice, REFCOUNT_CACHE_BYTES / slice))
        return error_set(err, "%s: out of memory", q->image.file.path);
    uint64_t end;
    if (image_file_size(&q->image.file, &end))
        end = UINT64_MAX / 2;
    q->virgin_from = q->image.file.is_device ? UINT64_MAX : round_up(end, q->cluster_size);
    return true;
}

/* The backing file */

static enum disk_format backing_format(const struct qcow2 *q)
{
    const char *format = q->backing_format;
    if (format && !strcmp(format, "raw"))
        return DISK_FORMAT_RAW;
    return format && !strcmp(format, "qcow2") ? DISK_FORMAT_QCOW2 : DISK_FORMAT_AUTO;
}

/* Relative to the image that names it. NULL: err says why not. */
static char *backing_path(const struct qcow2 *q, struct error *err)
{
    const char *own = q->image.file.path, *name = q->backing_name;
    if (!strncmp(name, "file:", 5))
        name += 5;
    if (name[strcspn(name, ":/")] == ':') {
        error_set(err, "%s: its backing file is %s, and only files are known here", own, name);
        return NULL;
    }
    const char *slash = strrchr(own, '/');
    int folder = *name == '/' || !slash ? 0 : (int)(slash + 1 - own);
    char *path = malloc((size_t)folder + strlen(name) + 1);
    if (path)
        sprintf(path, "%.*s%s", folder, own, name);
    else
        error_set(err, "%s: out of memory", own);
    return path;
}

static bool open_backing(struct qcow2 *q, const struct image_options *o, struct error *err)
{
    if (!q->backing_name || o->no_backing)
        return true;
    if (o->depth >= BACKING_DEPTH_MAX)
        return error_set(err,
                         "%s: a chain of more than %d backing files, or one that leads back to "
                         "itself",
                         q->image.file.path, BACKING_DEPTH_MAX);
    char *path = backing_path(q, err);
    if (!path)
        return false;
    struct image_options options = {
        .path = path,
        .format = backing_format(q),
        .cache = o->cache,
        .read_only = true,
        .unlocked = o->unlocked,
        .files = o->files,
        .log = o->log,
        .above_file = &q->image.file,
        .above = o,
        .depth = o->depth + 1,
    };
    bool ok = image_is_in_chain(path, &options)
                  ? error_set(err, "%s: its backing file %s leads back to itself",
                              q->image.file.path, path)
                  : (q->image.backing = image_open(&options, err)) != NULL;
    free(path);
    return ok;
}

static void qcow2_close(struct image *image)
{
    struct qcow2 *q = qcow2_of(image);
    qcow2_end(q);
    image_close(image->backing);
    image_file_close(&image->file);
    qcow2_free_struct(q);
}

void qcow2_free_struct(struct qcow2 *q)
{
    slices_free(&q->l2);
    slices_free(&q->refcounts);
    decompressed_free(q->decompressed);
    free((void *)q->l1);
    free(q->reftable);
    free(q->changed_l1);
    free(q->freed);
    free(q->backing_name);
    free(q->backing_format);
    free(q);
}

static const struct image_ops qcow2_ops = {
    .name = "qcow2",
    .map = qcow2_map_quickly,
    .unmap = qcow2_unmap,
    .readv = qcow2_readv,
    .writev = qcow2_writev,
    .zero = qcow2_zero,
    .discard = qcow2_discard,
    .flush = qcow2_flush,
    .status = qcow2_status,
    .resize = qcow2_resize,
    .close = qcow2_close,
};

bool image_is_qcow2(const struct image *image)
{
    return image->ops == &qcow2_ops;
}

static bool prepare(struct qcow2 *q, const struct image_options *o, struct error *err)
{
    if (o->snapshot && !qcow2_choose_snapshot(q, o->snapshot, err))
        return false;
    if (!load_l1(q, err) || !load_reftable(q, err) || !start_caches(q, err) ||
        !open_backing(q, o, err))
        return false;
    if (o->read_only || o->for_check)
        return true;
    if ((q->features[0] & INCOMPATIBLE_DIRTY) && !qcow2_rebuild(q, err))
        return false;
    if (!qcow2_check_reftable(q, err))
        return false;
    /* What describes the image in a way that we would not keep true. */
    if (q->features[2]) {
        q->features[2] = 0;
        int error = qcow2_write_features(q);
        if (error)
            return error_set(err, "%s: cannot write: %s", q->image.file.path, strerror(error));
    }
    return true;
}

struct image *qcow2_open(const struct image_options *o, struct image_file *file, struct error *err)
{
    struct qcow2 *q = calloc(1, sizeof(*q));
    uint8_t *start = malloc(1u << CLUSTER_BITS_MAX);
    if (!q || !start) {
        error_set(err, "%s: out of memory", file->path);
        free(start);
        free(q);
        return NULL;
    }
    q->image = (struct image){
        .ops = &qcow2_ops,
        .file = *file,
        .read_only = o->read_only,
        .no_discard = o->no_discard,
        .unsafe = o->cache == DISK_CACHE_UNSAFE,
        .log = o->log,
    };
    bool ok = read_header(q, o, start, err) && prepare(q, o, err);
    free(start);
    if (!ok) {
        image_close(q->image.backing);
        qcow2_free_struct(q);
        return NULL;
    }
    q->image.block_size = (unsigned)(q->subcluster_size < 4096 ? 512 : 4096);
    q->image.discard_granularity = (unsigned)q->cluster_size;
    return &q->image;
}
