/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A disk image behind one interface: raw or qcow2, with its backing files, whatever the host offers
 * for asynchronous IO. A device turns what its guest asks into requests, which are its own memory;
 * data go straight between the image and the memory that their iovecs name.
 *
 *     struct disk_options options = {.path = "debian.img"};
 *     struct disk *disk = disk_open(&options, err);
 *
 *     command->request = (struct disk_request){
 *         .op = DISK_READ, .offset = lba * 512, .size = bytes,
 *         .iov = command->iov, .iovcnt = command->iovcnt, .done = command_done};
 *     disk_submit(disk, &command->request);      at once or later, on one of the disk's threads:
 *                                                command_done(&command->request, 0 or an errno)
 *
 * A disk has a thread of its own, for what is done at once or by the host meanwhile, and some for what
 * may take long (a cluster to allocate, a flush). No function here waits for the image but those that say so, so a
 * hart may call them.
 *
 * How to be quick: a doorbell should not make requests on the hart's thread, nor wake a thread of
 * the device which then wakes the disk's. Let it disk_wake() a task: that runs on the disk's thread,
 * fetches what the guest has queued, and its disk_submit() then costs no further thread switch. All
 * requests of one task's run go to the host together.
 *
 * Order: requests under way at the same time may be performed in any order and at the same time,
 * those that overlap too. A FLUSH that succeeds has put on stable storage what completed before it
 * was submitted. A write with fua is on stable storage when it is done. A write that fails may
 * have been done in part. After a failed flush nothing is promised of earlier writes.
 */
#ifndef RVVM_BLOCK_DISK_H
#define RVVM_BLOCK_DISK_H

#include "base/error.h"
#include "base/log.h"
#include "host/io_queue.h"
#include "host/iovec.h"
#include <stdbool.h>
#include <stdint.h>

struct disk;

#define DISK_SECTOR 512             /* a disk's size is a multiple of it */
#define DISK_REQUEST_MAX (1u << 30) /* bytes that a READ or WRITE may move */

enum disk_format { DISK_FORMAT_AUTO, DISK_FORMAT_RAW, DISK_FORMAT_QCOW2 };

enum disk_cache {
    DISK_CACHE_WRITEBACK, /* the host's page cache; a flush reaches the host's disk */
    DISK_CACHE_NONE,      /* around the page cache where the request is aligned for it */
    DISK_CACHE_UNSAFE,    /* a flush waits for nothing: for what may be lost */
};

/*
 * A disk that is no file. On the disk's workers, several at once; ranges are within the size. They return
 * 0 or an errno. Overlapping ones come as the guest sends them.
 */
struct disk_calls {
    uint64_t size; /* bytes, a multiple of DISK_SECTOR */
    int (*read)(void *ctx, uint64_t offset, void *bytes, size_t size);
    int (*write)(void *ctx, uint64_t offset, const void *bytes, size_t size); /* NULL: read only */
    int (*flush)(void *ctx); /* what was written is safe; may be NULL */
    void *ctx;
};

struct disk_options {
    const char *path;
    const struct disk_calls
        *calls;              /* in place of the file, then `path` is for messages; may be NULL */
    enum disk_format format; /* AUTO: by its first bytes */
    enum disk_cache cache;
    bool read_only;
    bool overlay;         /* ",snapshot": writes go to a temporary file, gone at disk_close */
    bool no_discard;      /* a DISCARD does nothing and a WRITE_ZEROES keeps the space */
    const char *snapshot; /* of that name or number in a qcow2 image; needs read_only or overlay */
    bool threads_only;    /* no io_uring though the host may have one */
    struct image_files *files; /* who opens them (host/image_file.h); NULL: this process */
    struct log *log;           /* may be NULL */
};

/* What does not change while the disk is open. */
struct disk_info {
    const char *path;             /* as it was given */
    uint64_t size;                /* bytes */
    unsigned block_size;          /* what the image likes best as the unit of writes, >= 512 */
    unsigned discard_granularity; /* smaller or unaligned discards give no space back */
    bool read_only;               /* writes fail with EROFS */
    bool discard;                 /* DISCARD may give space back */
};

enum disk_op {
    DISK_READ,
    DISK_WRITE,
    DISK_FLUSH,
    DISK_DISCARD,      /* a hint: what is read there afterwards is zeroes or what was there */
    DISK_WRITE_ZEROES, /* zeroes are read there afterwards */
};

/*
 * Belongs to the disk from disk_submit until done is called, which may free it. Zero what is not
 * set. READ, WRITE, DISCARD and WRITE_ZEROES take any offset and size in bytes that lie on the disk;
 * what does not fails with EINVAL. iov's sizes add up to size; iov and what it names stay until done.
 */
struct disk_request {
    enum disk_op op;
    bool fua;   /* WRITE, WRITE_ZEROES: on stable storage before it is done */
    bool unmap; /* WRITE_ZEROES: the space may be given back */
    uint64_t offset, size;
    const struct iovec *iov; /* READ, WRITE */
    unsigned iovcnt;
    /*
     * On a thread of the disk's, with no lock held; not from within disk_submit by another thread.
     * error: 0, or EIO, ENOSPC, EROFS, EINVAL and their like. It may submit again.
     */
    void (*done)(struct disk_request *request, int error);

    struct disk_request *next; /* to submit several: a list that ends with NULL */

    /* The disk's. */
    struct disk *disk;
    struct io_op io;
    unsigned phase;
};

/* Something to do on the disk's own thread. Zero it, set run. */
struct disk_task {
    void (*run)(struct disk_task *task);
    /* The disk's. */
    _Atomic int queued;
    struct disk_task *next;
};

/* Waits for the image. NULL: err says what is wrong with which file. */
struct disk *disk_open(const struct disk_options *options, struct error *err);
/* Waits for all that is under way, then puts everything on stable storage. disk may be NULL. */
void disk_close(struct disk *disk);

/* Opens the image's files and closes the image: options->files, which collects, has them for another process. */
bool disk_collect(const struct disk_options *options, struct error *err);

const struct disk_info *disk_info(const struct disk *disk);

/* Any thread; never waits. request: one, or a list linked by next. */
void disk_submit(struct disk *disk, struct disk_request *request);

/*
 * Any thread; never waits. task->run is called once or more after this began, on the disk's thread
 * and so never twice at the same time. It must not wait for anything.
 */
void disk_wake(struct disk *disk, struct disk_task *task);

/*
 * Waits until all requests that were submitted are done and all tasks that were woken have run,
 * including what these submitted meanwhile. Hold no lock that a done or a run takes; not for the
 * disk's own threads. For a device's reset, after it sees to it that nothing new is submitted.
 */
void disk_drain(struct disk *disk);

#endif
