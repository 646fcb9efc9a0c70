/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Image formats, as disk.c sees them: a disk of bytes that is kept in a file some way. All functions
 * may be called by several threads at once and return 0 or an errno; they wait for the file, but
 * image_map. Ranges are within the image's size.
 */
#ifndef RVVM_BLOCK_IMAGE_H
#define RVVM_BLOCK_IMAGE_H

#include "block/disk.h"
#include "host/image_file.h"

struct image;

/* A run of bytes that lies in one piece, or is nowhere. */
enum extent_kind {
    EXTENT_DATA,  /* in file at offset */
    EXTENT_ZERO,  /* zeroes */
    EXTENT_OTHER, /* what only readv and writev know: not read from the file yet, compressed, ... */
};

struct extent {
    enum extent_kind kind;
    const struct image_file *file;
    uint64_t offset, size;
    unsigned epoch; /* for image_unmap */
};

struct image_ops {
    const char *name;
    /*
     * What begins at offset and goes on for extent->size bytes, at most size. Never waits. With
     * `write`, DATA is what may be written in place, and all else is OTHER. What is not OTHER stays
     * so until unmap(extent->epoch), which has to be called; it may be NULL.
     */
    void (*map)(struct image *image, uint64_t offset, uint64_t size, bool write,
                struct extent *extent);
    void (*unmap)(struct image *image, unsigned epoch);

    int (*readv)(struct image *image, uint64_t offset, uint64_t size, struct iov_cursor *at);
    /* fua is done by flush. */
    int (*writev)(struct image *image, uint64_t offset, uint64_t size, struct iov_cursor *at);
    int (*zero)(struct image *image, uint64_t offset, uint64_t size, bool unmap);
    int (*discard)(struct image *image, uint64_t offset, uint64_t size);
    int (*flush)(struct image *image);
    /* What kind of bytes these are, for those who copy images; may read the file. */
    int (*status)(struct image *image, uint64_t offset, uint64_t size, struct extent *extent);
    int (*resize)(struct image *image, uint64_t size, struct error *err);
    /* Everything to stable storage, then free. */
    void (*close)(struct image *image);
};

/* Each format's own struct begins with it. */
struct image {
    const struct image_ops *ops;
    struct image_file file;
    uint64_t size;
    unsigned block_size, discard_granularity;
    bool read_only, no_discard, unsafe;
    struct image *backing; /* read where this one has nothing; ends with the image */
    struct log *log;
};

struct image_options {
    const char *path;
    enum disk_format format;
    enum disk_cache cache;
    bool read_only, unlocked, no_discard;
    bool no_backing;           /* to look at the image alone */
    bool for_check;            /* open what is marked corrupt or dirty, and leave it so */
    const char *snapshot;      /* needs read_only */
    struct image_files *files; /* may be NULL */
    struct log *log;
    /* Of a backing file: the image that it backs, and what that was opened with. */
    const struct image_file *above_file;
    const struct image_options *above;
    unsigned depth;
};

/* NULL: err says why, in a line that begins with the file's name. */
struct image *image_open(const struct image_options *options, struct error *err);
/* Is the file at path one of those above? */
bool image_is_in_chain(const char *path, const struct image_options *options);
/* image may be NULL. */
void image_close(struct image *image);

/* The formats. `file` is open and becomes the image's when this succeeds. */
struct image *raw_open(const struct image_options *options, struct image_file *file, bool probed,
                       struct error *err);
struct image *qcow2_open(const struct image_options *options, struct image_file *file,
                         struct error *err);

struct image *calls_open(const struct image_options *options, const struct disk_calls *calls,
                         struct error *err);

/* A qcow2 image without a name that keeps what is written in front of `backing`, which it owns. */
struct image *image_overlay(struct image *backing, struct image_files *files, struct log *log,
                            struct error *err);

bool image_is_qcow2(const struct image *image);
bool image_is_qcow2_magic(const uint8_t *bytes);

#endif
