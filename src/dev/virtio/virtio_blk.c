/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Virtio block device (Virtual I/O Device 1.2, 5.2).
 *
 * A doorbell wakes the queue's task on the disk's own thread. One run of it gives back what the disk
 * has done, takes all that the driver has put in, hands that to the disk in one piece and tells the
 * driver once. Data go straight between the image and the guest's memory. A disk may finish requests
 * on other threads: these put them on a list and wake the task.
 */
#include "dev/virtio/virtio_blk.h"

#include "block/disk.h"
#include "dev/virtio/virtio.h"
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define QUEUE_SIZE 256
#define SEGMENTS_MAX (QUEUE_SIZE - 2) /* of a request's data: its header and status take two more */
#define CHAIN_MAX QUEUE_SIZE
#define SECTOR 512

/* 5.2.3 */
#define F_SEG_MAX (UINT64_C(1) << 2)
#define F_RO (UINT64_C(1) << 5)
#define F_BLK_SIZE (UINT64_C(1) << 6)
#define F_FLUSH (UINT64_C(1) << 9)
#define F_TOPOLOGY (UINT64_C(1) << 10)
#define F_CONFIG_WCE (UINT64_C(1) << 11)
#define F_MQ (UINT64_C(1) << 12)
#define F_DISCARD (UINT64_C(1) << 13)
#define F_WRITE_ZEROES (UINT64_C(1) << 14)

/* Discards and zeroes: what one command may name. */
#define RANGES_MAX 32
#define RANGE_SECTORS_MAX (1u << 22) /* 2 GiB */

/* 5.2.4, struct virtio_blk_config: little-endian, no gaps but those named. */
struct blk_layout {
    uint64_t capacity; /* sectors of 512 bytes */
    uint32_t size_max, seg_max;
    uint16_t cylinders;
    uint8_t heads, sectors;
    uint32_t blk_size;
    uint8_t physical_block_exp, alignment_offset;
    uint16_t min_io_size; /* these two in blocks of blk_size */
    uint32_t opt_io_size;
    uint8_t writeback, unused0;
    uint16_t num_queues;
    uint32_t max_discard_sectors, max_discard_seg, discard_sector_alignment;
    uint32_t max_write_zeroes_sectors, max_write_zeroes_seg;
    uint8_t write_zeroes_may_unmap, unused1[3];
};
_Static_assert(offsetof(struct blk_layout, writeback) == 32 && sizeof(struct blk_layout) <= 64 &&
                   offsetof(struct blk_layout, write_zeroes_may_unmap) == 56,
               "as the specification lays it out");

/* 5.2.6 */
enum request_type {
    T_IN = 0,
    T_OUT = 1,
    T_FLUSH = 4,
    T_GET_ID = 8,
    T_DISCARD = 11,
    T_WRITE_ZEROES = 13,
};
enum status { S_OK = 0, S_IOERR = 1, S_UNSUPP = 2 };
enum { RANGE_F_UNMAP = 1 };

struct header {
    uint32_t type, reserved;
    uint64_t sector;
};

struct range {
    uint64_t sector;
    uint32_t sectors, flags;
};

struct blk;
struct blk_queue;

/* Belongs to the queue's task, but for the time that the disk has it. */
struct request {
    struct disk_request disk; /* first: the disk gives its address back */
    struct blk_queue *queue;
    struct virtq_chain chain;
    uint32_t type;
    int error;            /* of the disk */
    unsigned ranges_done; /* discards, zeroes: one after the other */
    bool status_cut;      /* the last entry of iov is short of the status byte */
    struct request *next; /* on whichever list it is */
    struct iovec iov[CHAIN_MAX];
};

struct blk_queue {
    struct disk_task task; /* first: the disk gives its address back */
    struct blk *blk;
    unsigned index;
    _Atomic(struct request *) done; /* by the disk; the last one first */
    /* The task's. */
    struct virtio_queue *ring; /* while it runs */
    struct disk_request *batch, **batch_end;
    struct request *requests; /* QUEUE_SIZE + 1: a driver that puts in too many is found out */
    struct request *free;
    unsigned fresh; /* of requests, those that were never used begin here */
};

struct blk {
    struct virtio *virtio;
    struct disk *disk;
    uint64_t sectors;
    char serial[VIRTIO_BLK_SERIAL_MAX];
    _Atomic bool chooses_cache; /* the driver knows F_CONFIG_WCE */
    _Atomic bool writeback;     /* else each write is a safe one */
    unsigned queue_count;
    struct blk_queue queues[VIRTIO_BLK_QUEUES_MAX];
};

/*
 * Requests that begin.
 */

static void done(struct disk_request *disk, int error)
{
    struct request *r = (struct request *)disk;
    struct blk_queue *q = r->queue;
    r->error = error;
    r->next = atomic_load(&q->done);
    while (!atomic_compare_exchange_weak(&q->done, &r->next, r))
        ;
    disk_wake(q->blk->disk, &q->task);
}

static struct request *request_new(struct blk_queue *q)
{
    struct request *r = q->free;
    if (r)
        q->free = r->next;
    else
        r = &q->requests[q->fresh++];
    r->disk = (struct disk_request){.done = done};
    r->queue = q;
    r->error = 0;
    r->ranges_done = 0;
    r->status_cut = false;
    r->chain.iov = r->iov;
    r->chain.iov_max = CHAIN_MAX;
    return r;
}

static void request_free(struct request *r)
{
    r->next = r->queue->free;
    r->queue->free = r;
}

/* The status is the last byte that the device may write, and so all of them count as written. */
static void complete(struct request *r, uint8_t status)
{
    struct virtq_chain *c = &r->chain;
    if (r->status_cut)
        c->iov[c->out + c->in - 1].iov_len++;
    uint32_t written = c->in_size < UINT32_MAX ? (uint32_t)c->in_size : UINT32_MAX;
    if (c->in_size)
        virtq_chain_write(c, c->in_size - 1, &status, 1);
    virtio_push(r->queue->ring, c, written);
    request_free(r);
}

/* To the disk at the end of the run. */
static void submit(struct request *r, enum disk_op op, uint64_t sector, uint64_t bytes)
{
    struct blk_queue *q = r->queue;
    r->disk.op = op;
    r->disk.offset = sector * SECTOR;
    r->disk.size = bytes;
    r->disk.fua = (op == DISK_WRITE || op == DISK_WRITE_ZEROES) && !atomic_load(&q->blk->writeback);
    r->disk.next = NULL;
    *q->batch_end = &r->disk;
    q->batch_end = &r->disk.next;
}

static bool is_on_disk(const struct blk *blk, uint64_t sector, uint64_t bytes)
{
    return bytes % SECTOR == 0 && sector <= blk->sectors && bytes / SECTOR <= blk->sectors - sector;
}

/* The chain's data, without the header in front or the status behind. */
static void set_data(struct request *r, bool write)
{
    struct virtq_chain *c = &r->chain;
    struct iovec *iov = c->iov;
    unsigned first = 0, count = c->out;
    if (write) {
        size_t skip = sizeof(struct header);
        while (first < c->out && skip >= iov[first].iov_len)
            skip -= iov[first++].iov_len;
        if (first < c->out) {
            iov[first].iov_base = (uint8_t *)iov[first].iov_base + skip;
            iov[first].iov_len -= skip;
        }
        count -= first;
    } else {
        first = c->out;
        count = c->in;
        r->status_cut = true;
        count -= --iov[first + count - 1].iov_len == 0;
    }
    r->disk.iov = iov + first;
    r->disk.iovcnt = count;
}

static void start_transfer(struct request *r, uint64_t sector, bool write)
{
    struct blk *blk = r->queue->blk;
    uint64_t bytes = write ? r->chain.out_size - sizeof(struct header) : r->chain.in_size - 1;
    if (!is_on_disk(blk, sector, bytes) || bytes > DISK_REQUEST_MAX) {
        virtio_log_guest(blk->virtio, "%llu bytes at sector %llu", (unsigned long long)bytes,
                         (unsigned long long)sector);
        complete(r, S_IOERR);
        return;
    }
    set_data(r, write);
    submit(r, write ? DISK_WRITE : DISK_READ, sector, bytes);
}

/* The next range of a discard or of zeroes; the end when there is none left. */
static void next_range(struct request *r)
{
    struct blk *blk = r->queue->blk;
    struct range range;
    uint64_t at = sizeof(struct header) + (uint64_t)r->ranges_done * sizeof(range);
    if (at == r->chain.out_size) {
        complete(r, S_OK);
        return;
    }
    r->ranges_done++;
    bool zeroes = r->type == T_WRITE_ZEROES;
    virtq_chain_read(&r->chain, at, &range, sizeof(range)); /* its size was checked */
    uint64_t bytes = (uint64_t)range.sectors * SECTOR;
    if (range.flags & ~(zeroes ? RANGE_F_UNMAP : 0u)) {
        complete(r, S_UNSUPP);
    } else if (range.sectors > RANGE_SECTORS_MAX || !is_on_disk(blk, range.sector, bytes)) {
        virtio_log_guest(blk->virtio, "%s of %u sectors at %llu", zeroes ? "zeroes" : "discard",
                         range.sectors, (unsigned long long)range.sector);
        complete(r, S_IOERR);
    } else {
        r->disk.unmap = range.flags & RANGE_F_UNMAP;
        submit(r, zeroes ? DISK_WRITE_ZEROES : DISK_DISCARD, range.sector, bytes);
    }
}

static void start_ranges(struct request *r)
{
    uint64_t bytes = r->chain.out_size - sizeof(struct header);
    if (!bytes || bytes % sizeof(struct range) || bytes > RANGES_MAX * sizeof(struct range))
        complete(r, S_IOERR);
    else
        next_range(r);
}

static void get_id(struct request *r)
{
    struct blk *blk = r->queue->blk;
    uint64_t room = r->chain.in_size - 1;
    virtq_chain_write(&r->chain, 0, blk->serial,
                      room < sizeof(blk->serial) ? (size_t)room : sizeof(blk->serial));
    complete(r, S_OK);
}

static void start(struct request *r)
{
    struct header h;
    if (!r->chain.in_size || virtq_chain_read(&r->chain, 0, &h, sizeof(h)) < sizeof(h)) {
        virtio_log_guest(r->queue->blk->virtio, "a request without a header or a status");
        complete(r, S_IOERR);
        return;
    }
    r->type = h.type;
    switch (h.type) {
    case T_IN:
    case T_OUT:
        start_transfer(r, h.sector, h.type == T_OUT);
        break;
    case T_FLUSH:
        submit(r, DISK_FLUSH, 0, 0);
        break;
    case T_GET_ID:
        get_id(r);
        break;
    case T_DISCARD:
    case T_WRITE_ZEROES:
        start_ranges(r);
        break;
    default:
        complete(r, S_UNSUPP);
        break;
    }
}

/*
 * The task.
 */

/* The list in the order in which the disk made it. */
static struct request *take_done(struct blk_queue *q)
{
    struct request *r = atomic_exchange(&q->done, NULL), *first = NULL;
    while (r) {
        struct request *next = r->next;
        r->next = first;
        first = r;
        r = next;
    }
    return first;
}

static void give_back_done(struct blk_queue *q)
{
    struct request *next;
    for (struct request *r = take_done(q); r; r = next) {
        next = r->next;
        if (r->error)
            complete(r, S_IOERR);
        else if (r->type == T_DISCARD || r->type == T_WRITE_ZEROES)
            next_range(r);
        else
            complete(r, S_OK);
    }
}

static bool take_one(struct blk_queue *q)
{
    struct request *r = request_new(q);
    bool taken = virtio_pop(q->ring, &r->chain);
    if (taken)
        start(r);
    else
        request_free(r);
    return taken;
}

/* On the disk's thread. */
static void run(struct disk_task *task)
{
    struct blk_queue *q = (struct blk_queue *)task;
    struct disk *disk = q->blk->disk;
    unsigned budget = QUEUE_SIZE; /* other queues shall have their turn */
    q->ring = virtio_begin(q->blk->virtio, q->index);
    if (!q->ring)
        return;
    q->batch_end = &q->batch;
    give_back_done(q);
    virtio_notify_off(q->ring);
    do {
        while (budget && take_one(q))
            budget--;
    } while (budget && virtio_notify_on(q->ring));
    virtio_end(q->ring);
    *q->batch_end = NULL;
    if (q->batch)
        disk_submit(disk, q->batch);
    if (!budget)
        disk_wake(disk, task);
}

static void blk_notify(void *state, unsigned queue)
{
    struct blk *blk = state;
    disk_wake(blk->disk, &blk->queues[queue].task);
}

/*
 * The driver's choices.
 */

/* 5.2.5.2: a driver that does not promise to flush begins without a cache. */
static void blk_agreed(void *state, uint64_t features, uint8_t *config)
{
    struct blk *blk = state;
    const bool flushes = features & F_FLUSH;
    config[offsetof(struct blk_layout, writeback)] = flushes;
    atomic_store(&blk->writeback, flushes);
    atomic_store(&blk->chooses_cache, features & F_CONFIG_WCE);
}

/* Only the choice of the cache may be written, and only by a driver that has said it will. */
static bool blk_config_written(void *state, uint8_t *bytes, unsigned offset, unsigned size)
{
    struct blk *blk = state;
    if (offset != offsetof(struct blk_layout, writeback) || size != 1 || bytes[offset] > 1 ||
        !atomic_load(&blk->chooses_cache))
        return false;
    atomic_store(&blk->writeback, bytes[offset]);
    return true;
}

static void blk_reset(void *state)
{
    struct blk *blk = state;
    atomic_store(&blk->chooses_cache, false);
    atomic_store(&blk->writeback, true);
}

static void blk_remove(void *state)
{
    struct blk *blk = state;
    disk_close(blk->disk); /* and so no task runs */
    for (unsigned i = 0; i < blk->queue_count; i++)
        free(blk->queues[i].requests);
    free(blk);
}

static const struct virtio_ops blk_ops = {
    .name = "virtio-blk",
    .id = VIRTIO_ID_BLOCK,
    .class_code = 0x010000, /* a storage controller */
    .notify = blk_notify,
    .agreed = blk_agreed,
    .config_written = blk_config_written,
    .reset = blk_reset,
    .remove = blk_remove,
};

/*
 * Making it.
 */

static uint8_t log2_of(unsigned value)
{
    uint8_t result = 0;
    while (value >>= 1)
        result++;
    return result;
}

static struct blk_layout layout(const struct blk *blk, const struct disk_info *info)
{
    /* More than a page would be more than kernels want to hear. */
    unsigned block = info->block_size < 4096 ? info->block_size : 4096;
    unsigned granularity = info->discard_granularity / SECTOR;
    return (struct blk_layout){
        .capacity = blk->sectors,
        .seg_max = SEGMENTS_MAX,
        .blk_size = SECTOR,
        .physical_block_exp = log2_of(block / SECTOR),
        .min_io_size = (uint16_t)(block / SECTOR),
        .opt_io_size = info->block_size > block ? info->block_size / SECTOR : 0,
        .writeback = 1,
        .num_queues = (uint16_t)blk->queue_count,
        .max_discard_sectors = RANGE_SECTORS_MAX,
        .max_discard_seg = RANGES_MAX,
        .discard_sector_alignment = granularity ? granularity : 1,
        .max_write_zeroes_sectors = RANGE_SECTORS_MAX,
        .max_write_zeroes_seg = RANGES_MAX,
        .write_zeroes_may_unmap = info->discard,
    };
}

static uint64_t features(const struct blk *blk, const struct disk_info *info)
{
    uint64_t f = F_SEG_MAX | F_BLK_SIZE | F_FLUSH | F_TOPOLOGY | F_CONFIG_WCE;
    if (blk->queue_count > 1)
        f |= F_MQ;
    if (info->read_only)
        return f | F_RO;
    return f | F_WRITE_ZEROES | (info->discard ? F_DISCARD : 0);
}

static void set_serial(struct blk *blk, const char *serial, const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = serial ? serial : slash ? slash + 1 : path;
    memcpy(blk->serial, name, strnlen(name, sizeof(blk->serial)));
}

static bool make_queues(struct blk *blk, unsigned count)
{
    blk->queue_count = count < 1                       ? 1
                       : count > VIRTIO_BLK_QUEUES_MAX ? VIRTIO_BLK_QUEUES_MAX
                                                       : count;
    for (unsigned i = 0; i < blk->queue_count; i++) {
        struct blk_queue *q = &blk->queues[i];
        q->task.run = run;
        q->blk = blk;
        q->index = i;
        q->requests = calloc(QUEUE_SIZE + 1, sizeof(*q->requests));
        if (!q->requests)
            return false;
    }
    return true;
}

struct pci_function *virtio_blk_new(const struct virtio_blk_config *config, struct error *err)
{
    const struct disk_info *info = disk_info(config->disk);
    struct blk *blk = calloc(1, sizeof(*blk));
    if (!blk || !make_queues(blk, config->queues)) {
        if (blk)
            blk_remove(blk);
        error_set(err, "virtio-blk: out of memory");
        return NULL;
    }
    blk->sectors = info->size / SECTOR;
    set_serial(blk, config->serial, info->path);
    blk_reset(blk);
    struct blk_layout bytes = layout(blk, info);
    struct virtio_config virtio = {
        .ops = &blk_ops,
        .state = blk,
        .features = features(blk, info),
        .features_off = config->features_off,
        .queues = blk->queue_count,
        .queue_size = QUEUE_SIZE,
        .config = &bytes,
        .config_size = offsetof(struct blk_layout, unused1),
    };
    struct pci_function *pci = virtio_pci_new(&blk->virtio, &virtio, err);
    if (pci)
        blk->disk = config->disk; /* not before: a failure leaves it to the caller */
    return pci;
}
