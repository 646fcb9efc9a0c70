/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A disk whose bytes are the program's own business: struct disk_calls in disk.h. Nothing of it is a file,
 * so all goes through readv and writev, on the disk's workers.
 */
#include "block/image.h"

#include "host/iov.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PARTS 16
#define ZEROES 65536

struct calls_image {
    struct image image;
    struct disk_calls calls;
};

static const struct disk_calls *calls_of(const struct image *image)
{
    return &((const struct calls_image *)image)->calls;
}

static void calls_map(struct image *image, uint64_t offset, uint64_t size, bool write,
                      struct extent *e)
{
    (void)image, (void)offset, (void)write;
    *e = (struct extent){.kind = EXTENT_OTHER, .size = size};
}

static int calls_readv(struct image *image, uint64_t offset, uint64_t size, struct iov_cursor *at)
{
    const struct disk_calls *c = calls_of(image);
    struct iovec part[PARTS];
    size_t bytes;
    unsigned count;
    while ((count = iov_take(at, size, part, PARTS, &bytes))) {
        for (unsigned i = 0; i < count; i++) {
            int error = c->read(c->ctx, offset, part[i].iov_base, part[i].iov_len);
            if (error)
                return error;
            offset += part[i].iov_len;
        }
        size -= bytes;
    }
    return 0;
}

static int calls_writev(struct image *image, uint64_t offset, uint64_t size, struct iov_cursor *at)
{
    const struct disk_calls *c = calls_of(image);
    struct iovec part[PARTS];
    size_t bytes;
    unsigned count;
    if (image->read_only)
        return EROFS;
    while ((count = iov_take(at, size, part, PARTS, &bytes))) {
        for (unsigned i = 0; i < count; i++) {
            int error = c->write(c->ctx, offset, part[i].iov_base, part[i].iov_len);
            if (error)
                return error;
            offset += part[i].iov_len;
        }
        size -= bytes;
    }
    return 0;
}

static int calls_zero(struct image *image, uint64_t offset, uint64_t size, bool unmap)
{
    static const uint8_t zeroes[ZEROES];
    const struct disk_calls *c = calls_of(image);
    int error = image->read_only ? EROFS : 0;
    (void)unmap;
    while (!error && size) {
        size_t bytes = size < ZEROES ? size : ZEROES;
        error = c->write(c->ctx, offset, zeroes, bytes);
        offset += bytes;
        size -= bytes;
    }
    return error;
}

/* A hint. */
static int calls_discard(struct image *image, uint64_t offset, uint64_t size)
{
    (void)image, (void)offset, (void)size;
    return 0;
}

static int calls_flush(struct image *image)
{
    const struct disk_calls *c = calls_of(image);
    return c->flush && !image->read_only ? c->flush(c->ctx) : 0;
}

static int calls_status(struct image *image, uint64_t offset, uint64_t size, struct extent *e)
{
    calls_map(image, offset, size, false, e);
    return 0;
}

static int calls_resize(struct image *image, uint64_t size, struct error *err)
{
    (void)size;
    error_set(err, "%s: has the size that it has", image->file.path);
    return EOPNOTSUPP;
}

static void calls_close(struct image *image)
{
    calls_flush(image);
    free(image->file.path);
    free(image);
}

static const struct image_ops calls_ops = {
    .name = "callbacks",
    .map = calls_map,
    .readv = calls_readv,
    .writev = calls_writev,
    .zero = calls_zero,
    .discard = calls_discard,
    .flush = calls_flush,
    .status = calls_status,
    .resize = calls_resize,
    .close = calls_close,
};

struct image *calls_open(const struct image_options *options, const struct disk_calls *calls,
                         struct error *err)
{
    if (!calls->read || !calls->size || calls->size % DISK_SECTOR) {
        error_set(err, "%s: a disk has a read callback and a size that is a multiple of %d bytes",
                  options->path, DISK_SECTOR);
        return NULL;
    }
    struct calls_image *c = calloc(1, sizeof(*c));
    char *path = strdup(options->path);
    if (!c || !path) {
        free(c);
        free(path);
        error_set(err, "%s: out of memory", options->path);
        return NULL;
    }
    c->calls = *calls;
    c->image = (struct image){
        .ops = &calls_ops,
        .file = {.path = path, .fd = -1, .direct_fd = -1},
        .size = calls->size,
        .block_size = 4096,
        .discard_granularity = 4096,
        .read_only = options->read_only || !calls->write,
        .no_discard = true,
        .log = options->log,
    };
    return &c->image;
}
