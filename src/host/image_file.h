/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A file that holds a disk image: read and written at offsets, with holes, locked against others.
 * A block device of the host will do as well.
 *
 * Functions that do IO wait for it, may be called by several threads at once, and return 0 or an
 * errno. What lies beyond the end of the file reads as zeroes.
 */
#ifndef RVVM_HOST_IMAGE_FILE_H
#define RVVM_HOST_IMAGE_FILE_H

#include "base/error.h"
#include "host/iov.h"
#include <stdbool.h>
#include <stdint.h>

struct image_file {
    char *path;    /* for messages */
    int fd;        /* through the page cache */
    int direct_fd; /* around it, or -1; for what image_file_direct allows */
    unsigned direct_align;
    bool read_only, is_device;
};

enum image_file_flags {
    IMAGE_FILE_READ_ONLY = 1,
    IMAGE_FILE_CREATE = 2,    /* replace what is there; not a file that somebody has locked */
    IMAGE_FILE_DIRECT = 4,    /* have direct_fd if the file system can */
    IMAGE_FILE_UNLOCKED = 8,  /* somebody may be writing to it */
    IMAGE_FILE_TEMPORARY = 16 /* path is a folder: a file without a name in it */
};

/*
 * Locks as QEMU does: an image that is open for writing here or there is not opened a second time;
 * readers share it.
 */
bool image_file_open(struct image_file *f, const char *path, unsigned flags, struct error *err);
void image_file_close(struct image_file *f);

/* May the fast way around the page cache be used for this? */
bool image_file_direct(const struct image_file *f, uint64_t offset, const struct iovec *iov,
                       unsigned iovcnt);

/* Is it the file at path? */
bool image_file_is(const struct image_file *f, const char *path);

int image_file_size(const struct image_file *f, uint64_t *size);
/* Bytes of the host's disk that it takes. */
uint64_t image_file_allocated(const struct image_file *f);
int image_file_resize(const struct image_file *f, uint64_t size);

int image_file_read(const struct image_file *f, uint64_t offset, void *buffer, size_t size);
int image_file_write(const struct image_file *f, uint64_t offset, const void *buffer, size_t size);
/* `size` bytes at `at`, which moves on. */
int image_file_readv(const struct image_file *f, uint64_t offset, uint64_t size,
                     struct iov_cursor *at);
int image_file_writev(const struct image_file *f, uint64_t offset, uint64_t size,
                      struct iov_cursor *at);

/*
 * Reads what the page cache holds already, else EAGAIN; EOPNOTSUPP where the host cannot tell. Also
 * EAGAIN for what would need more than one call.
 */
int image_file_read_cached(const struct image_file *f, uint64_t offset, uint64_t size,
                           const struct iovec *iov, unsigned iovcnt);

/* In one call, EAGAIN if that wrote only a part. Waits if the page cache is full of dirty pages. */
int image_file_write_cached(const struct image_file *f, uint64_t offset, uint64_t size,
                            const struct iovec *iov, unsigned iovcnt);

/* All that was written is on stable storage afterwards. */
int image_file_sync(const struct image_file *f);

/* Gives space back to the host; zeroes are read there afterwards. EOPNOTSUPP where it cannot. */
int image_file_punch(const struct image_file *f, uint64_t offset, uint64_t size);
/* Zeroes. With unmap by a hole if the host can. Makes the file longer if it ends before. */
int image_file_zero(const struct image_file *f, uint64_t offset, uint64_t size, bool unmap);

/*
 * What is at offset, up to at most `limit`: data, or a hole, which reads as zeroes. *end is where it
 * ends. A host that cannot tell calls everything data.
 */
bool image_file_is_data(const struct image_file *f, uint64_t offset, uint64_t limit, uint64_t *end);

#endif
