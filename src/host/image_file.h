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

/*
 * Files that one process opens and another one uses, which may open none itself. They go from one to the other
 * in between (image_files_add, and stream_write_passing, say), with their locks.
 *
 *     struct image_files files = {.collects = true};
 *     image_file_open_by(&files, &f, path, flags, err)    opens, and a descriptor of the same is in the list
 *
 *     struct image_files files = {...};
 *     image_file_open_by(&files, &f, path, flags, err)    takes it from the list, or fails
 */
#define IMAGE_FILES_MAX 32

enum image_file_use {
    IMAGE_FILE_FOR_READING,
    IMAGE_FILE_FOR_WRITING,
    IMAGE_FILE_AROUND_CACHE, /* the same file once more, for IO around the page cache */
    IMAGE_FILE_NAMELESS,     /* a temporary one */
    IMAGE_FILE_USES,
};

struct image_files {
    bool collects;
    unsigned count;
    struct image_files_entry {
        char *path;
        enum image_file_use use;
        int fd; /* -1: has been taken */
    } list[IMAGE_FILES_MAX];
};

/* A word for messages and for whoever hands files over. */
const char *image_file_use_name(enum image_file_use use);

/* Whether this system can: otherwise the list of who collects stays empty. */
bool image_files_can_pass(void);

/* fd is the list's from now on, also when it fails: the list is full, or memory. */
bool image_files_add(struct image_files *files, const char *path, enum image_file_use use, int fd,
                     struct error *err);
/* Closes what was not taken. */
void image_files_close(struct image_files *files);

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
/* files may be NULL: the same. */
bool image_file_open_by(struct image_files *files, struct image_file *f, const char *path,
                        unsigned flags, struct error *err);
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
