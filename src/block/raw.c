/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Raw images: the file is the disk. One whose size is no multiple of a sector is read as if zeroes
 * followed, and grows to that size when they are written to.
 */
#include "block/image.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC_SIZE 4

struct raw {
    struct image image;
    bool guarded;               /* nobody said that it is raw: it looked like it */
    pthread_mutex_t start_lock; /* if it is guarded: who writes the first bytes */
    bool warned;                /* under it */
};

static void raw_map(struct image *image, uint64_t offset, uint64_t size, bool write,
                    struct extent *e)
{
    struct raw *raw = (struct raw *)image;
    bool look = write && raw->guarded && offset < MAGIC_SIZE;
    *e = (struct extent){.kind = look ? EXTENT_OTHER : EXTENT_DATA,
                         .file = &image->file,
                         .offset = offset,
                         .size = size};
}

static int raw_readv(struct image *image, uint64_t offset, uint64_t size, struct iov_cursor *at)
{
    return image_file_readv(&image->file, offset, size, at);
}

static void warn_once(struct raw *raw)
{
    if (!raw->warned)
        log_line(
            raw->image.log, LOG_WARN,
            "%s: the guest may not make a qcow2 image of it while its format is guessed; say raw",
            raw->image.file.path);
    raw->warned = true;
}

/*
 * A guest that writes the first bytes of a qcow2 image to a disk whose format is guessed could have
 * the next start read any file of the host as its backing file. So it may not. What is looked at is a
 * copy, which is then written: the guest's memory may change meanwhile, and so may the file, by
 * another write to the rest of the magic. Moves on by at most a sector, *done bytes.
 */
static int write_start(struct raw *raw, uint64_t offset, uint64_t size, struct iov_cursor *at,
                       uint64_t *done)
{
    uint8_t start[DISK_SECTOR];
    struct image_file *file = &raw->image.file;
    size_t bytes = size < sizeof(start) - offset ? (size_t)size : sizeof(start) - (size_t)offset;
    *done = bytes;
    pthread_mutex_lock(&raw->start_lock);
    int error = image_file_read(file, 0, start, MAGIC_SIZE);
    iov_copy_out(at, start + offset, bytes);
    if (!error && image_is_qcow2_magic(start)) {
        warn_once(raw);
        error = EPERM;
    }
    if (!error)
        error = image_file_write(file, offset, start + offset, bytes);
    pthread_mutex_unlock(&raw->start_lock);
    return error;
}

static int raw_writev(struct image *image, uint64_t offset, uint64_t size, struct iov_cursor *at)
{
    struct raw *raw = (struct raw *)image;
    uint64_t done = 0;
    if (raw->guarded && offset < MAGIC_SIZE) {
        int error = write_start(raw, offset, size, at, &done);
        if (error)
            return error;
    }
    return image_file_writev(&image->file, offset + done, size - done, at);
}

static int raw_zero(struct image *image, uint64_t offset, uint64_t size, bool unmap)
{
    return image_file_zero(&image->file, offset, size, unmap);
}

static int raw_discard(struct image *image, uint64_t offset, uint64_t size)
{
    int error = image_file_punch(&image->file, offset, size);
    return error == EOPNOTSUPP ? 0 : error; /* it is a hint */
}

static int raw_flush(struct image *image)
{
    return image->read_only ? 0 : image_file_sync(&image->file);
}

static int raw_status(struct image *image, uint64_t offset, uint64_t size, struct extent *e)
{
    uint64_t end;
    bool data = image_file_is_data(&image->file, offset, offset + size, &end);
    *e = (struct extent){.kind = data ? EXTENT_DATA : EXTENT_ZERO,
                         .file = &image->file,
                         .offset = offset,
                         .size = end - offset};
    return 0;
}

static int raw_resize(struct image *image, uint64_t size, struct error *err)
{
    int error = image_file_resize(&image->file, size);
    if (error) {
        error_set(err, "%s: cannot change its size: %s", image->file.path, strerror(error));
        return error;
    }
    image->size = size;
    return 0;
}

static void raw_close(struct image *image)
{
    int error = image->unsafe ? 0 : raw_flush(image);
    if (error)
        log_line(image->log, LOG_ERROR, "%s: cannot write all of it: %s", image->file.path,
                 strerror(error));
    image_file_close(&image->file);
    pthread_mutex_destroy(&((struct raw *)image)->start_lock);
    free(image);
}

static const struct image_ops raw_ops = {
    .name = "raw",
    .map = raw_map,
    .readv = raw_readv,
    .writev = raw_writev,
    .zero = raw_zero,
    .discard = raw_discard,
    .flush = raw_flush,
    .status = raw_status,
    .resize = raw_resize,
    .close = raw_close,
};

struct image *raw_open(const struct image_options *options, struct image_file *file, bool probed,
                       struct error *err)
{
    uint64_t size;
    int error = image_file_size(file, &size);
    if (error) {
        error_set(err, "%s: cannot tell its size: %s", file->path, strerror(error));
        return NULL;
    }
    if (options->snapshot) {
        error_set(err, "%s: a raw image has no snapshots", file->path);
        return NULL;
    }
    struct raw *raw = calloc(1, sizeof(*raw));
    if (!raw) {
        error_set(err, "%s: out of memory", file->path);
        return NULL;
    }
    raw->image = (struct image){
        .ops = &raw_ops,
        .file = *file,
        .size = (size + DISK_SECTOR - 1) / DISK_SECTOR * DISK_SECTOR,
        .block_size = 4096,
        .discard_granularity = 4096,
        .read_only = options->read_only,
        .no_discard = options->no_discard,
        .unsafe = options->cache == DISK_CACHE_UNSAFE,
        .log = options->log,
    };
    raw->guarded = probed;
    pthread_mutex_init(&raw->start_lock, NULL);
    return &raw->image;
}
