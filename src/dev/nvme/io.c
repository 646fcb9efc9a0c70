/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Commands of the I/O queues (NVM command set, section 6). Reads and writes go between the disk and
 * guest memory with nothing between them.
 */
#include "dev/nvme/controller.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static unsigned status_of(const struct nvme_request *request, int error)
{
    switch (error) {
    case 0:
        return STATUS_SUCCESS;
    case EROFS:
        return STATUS_WRITE_PROTECTED;
    case ENOSPC:
#ifdef EDQUOT /* no word of C's */
    case EDQUOT:
#endif
        return STATUS_CAPACITY_EXCEEDED;
    case EIO:
        return request->disk.op == DISK_READ ? STATUS_READ_ERROR : STATUS_WRITE_FAULT;
    default:
        return STATUS_INTERNAL_ERROR;
    }
}

/* The disk has failed or done the last of it. */
static void finish(struct nvme_request *request, int error)
{
    if (error == EIO)
        request->nvme->counters.media_errors++;
    nvme_complete(request, status_of(request, error));
}

/* Blocks of a command as dwords 10 to 12 name them, within the namespace. */
static unsigned take_range(struct nvme_request *request, size_t *size)
{
    const struct nvme_command *command = &request->command;
    const struct nvme_namespace *ns = request->ns;
    uint64_t first = command->cdw10 | (uint64_t)command->cdw11 << 32;
    uint64_t count = (command->cdw12 & RW_BLOCKS_MASK) + 1;
    if (first > ns->blocks || count > ns->blocks - first)
        return STATUS_LBA_OUT_OF_RANGE;
    *size = (size_t)count << ns->shift;
    request->disk = (struct disk_request){.offset = first << ns->shift, .size = *size};
    return STATUS_SUCCESS;
}

/* take_range, and the memory of the data. */
static unsigned take_transfer(struct nvme_request *request)
{
    struct nvme_data *data = &request->room->data;
    size_t size;
    unsigned status = take_range(request, &size);
    if (!status && size > NVME_TRANSFER_MAX)
        status = STATUS_INVALID_FIELD;
    if (!status)
        status = nvme_map_data(request->nvme, &request->command, size, data);
    request->disk.iov = data->pieces;
    request->disk.iovcnt = data->count;
    return status;
}

/* Without a volatile write cache, what is done is on stable storage. */
static bool wants_fua(const struct nvme_request *request)
{
    return (request->command.cdw12 & RW_FUA) || !request->nvme->features.write_cache;
}

static void read_done(struct nvme_request *request, int error)
{
    nvme_data_written(request->nvme, &request->room->data); /* a part, if it has failed */
    if (!error)
        request->nvme->counters.read_blocks += request->disk.size / 512;
    finish(request, error);
}

static unsigned read_blocks(struct nvme_request *request)
{
    unsigned status = take_transfer(request);
    if (status)
        return status;
    request->nvme->counters.reads++;
    request->disk.op = DISK_READ;
    nvme_submit(request, read_done);
    return STATUS_SUCCESS;
}

static void write_done(struct nvme_request *request, int error)
{
    if (!error)
        request->nvme->counters.written_blocks += request->disk.size / 512;
    finish(request, error);
}

static unsigned write_blocks(struct nvme_request *request)
{
    if (request->ns->info->read_only)
        return STATUS_WRITE_PROTECTED;
    unsigned status = take_transfer(request);
    if (status)
        return status;
    request->nvme->counters.writes++;
    request->disk.op = DISK_WRITE;
    request->disk.fua = wants_fua(request);
    nvme_submit(request, write_done);
    return STATUS_SUCCESS;
}

static unsigned write_zeroes(struct nvme_request *request)
{
    size_t size;
    if (request->ns->info->read_only)
        return STATUS_WRITE_PROTECTED;
    unsigned status = take_range(request, &size);
    if (status)
        return status;
    request->disk.op = DISK_WRITE_ZEROES;
    request->disk.fua = wants_fua(request);
    request->disk.unmap = request->command.cdw12 & RW_DEALLOCATE;
    nvme_submit(request, finish);
    return STATUS_SUCCESS;
}

/*
 * Flush, of one namespace or of all
 */

/* request->step counts the namespaces that were begun. */
static void flush_next(struct nvme_request *request, void (*then)(struct nvme_request *, int))
{
    request->ns = &request->nvme->namespaces[request->step++];
    request->disk = (struct disk_request){.op = DISK_FLUSH};
    nvme_submit(request, then);
}

static void flushed_one_of_all(struct nvme_request *request, int error)
{
    if (error || request->step == request->nvme->namespace_count)
        request->finished(request, error);
    else
        flush_next(request, flushed_one_of_all);
}

void nvme_flush_all(struct nvme_request *request, void (*finished)(struct nvme_request *, int))
{
    request->step = 0;
    request->finished = finished;
    flush_next(request, flushed_one_of_all);
}

void nvme_flush_command(struct nvme_request *request)
{
    nvme_flush_all(request, finish);
}

static unsigned flush(struct nvme_request *request)
{
    request->disk = (struct disk_request){.op = DISK_FLUSH};
    nvme_submit(request, finish);
    return STATUS_SUCCESS;
}

/*
 * Compare: what the disk has is read into a buffer, which one command has at a time.
 */

static bool data_equal(const struct nvme_data *data, const uint8_t *bytes)
{
    bool equal = true;
    for (unsigned i = 0; i < data->count; i++) {
        equal &= !memcmp(data->pieces[i].iov_base, bytes, data->pieces[i].iov_len);
        bytes += data->pieces[i].iov_len;
    }
    return equal;
}

static void compare_done(struct nvme_request *request, int error);

static void compare_begin(struct nvme_request *request)
{
    struct nvme *c = request->nvme;
    c->comparing = request;
    c->compare_piece = (struct iovec){c->compare_buffer, request->disk.size};
    request->disk.op = DISK_READ;
    request->disk.iov = &c->compare_piece;
    request->disk.iovcnt = 1;
    nvme_submit(request, compare_done);
}

static void compare_done(struct nvme_request *request, int error)
{
    struct nvme *c = request->nvme;
    bool equal = !error && data_equal(&request->room->data, c->compare_buffer);
    if (!error)
        c->counters.read_blocks += request->disk.size / 512;
    struct nvme_request *next = nvme_list_take(&c->compare_waiting);
    c->comparing = NULL;
    if (next)
        compare_begin(next);
    if (!error && !equal)
        nvme_complete(request, STATUS_COMPARE_FAILURE);
    else
        finish(request, error);
}

static unsigned compare(struct nvme_request *request)
{
    struct nvme *c = request->nvme;
    unsigned status = take_transfer(request);
    if (status)
        return status;
    if (!c->compare_buffer)
        c->compare_buffer = malloc(NVME_TRANSFER_MAX);
    if (!c->compare_buffer)
        return STATUS_INTERNAL_ERROR;
    c->counters.reads++;
    if (c->comparing)
        nvme_list_append(&c->compare_waiting, request);
    else
        compare_begin(request);
    return STATUS_SUCCESS;
}

/*
 * Dataset Management: only deallocation does anything, range after range.
 */

static void discard_next(struct nvme_request *request, int error)
{
    const struct nvme_namespace *ns = request->ns;
    unsigned count = (request->command.cdw10 & DSM_RANGES_MASK) + 1;
    while (!error && request->step < count) {
        const struct nvme_dsm_range *range = &request->room->ranges[request->step++];
        if (!range->blocks)
            continue;
        request->disk = (struct disk_request){
            .op = DISK_DISCARD,
            .offset = range->first << ns->shift,
            .size = (uint64_t)range->blocks << ns->shift,
        };
        nvme_submit(request, discard_next);
        return;
    }
    finish(request, error);
}

static unsigned manage_dataset(struct nvme_request *request)
{
    const struct nvme_namespace *ns = request->ns;
    struct nvme_dsm_range *ranges = request->room->ranges;
    unsigned count = (request->command.cdw10 & DSM_RANGES_MASK) + 1;
    unsigned status = nvme_receive(request, ranges, count * sizeof(*ranges));
    for (unsigned i = 0; !status && i < count; i++)
        if (ranges[i].first > ns->blocks || ranges[i].blocks > ns->blocks - ranges[i].first)
            status = STATUS_LBA_OUT_OF_RANGE;
    if (status)
        return status;
    if (!(request->command.cdw11 & DSM_DEALLOCATE)) {
        nvme_complete(request, STATUS_SUCCESS);
        return STATUS_SUCCESS;
    }
    if (ns->info->read_only)
        return STATUS_WRITE_PROTECTED;
    discard_next(request, 0);
    return STATUS_SUCCESS;
}

/* Begins it; a status other than success ends it at once. */
static unsigned begin(struct nvme_request *request)
{
    struct nvme *c = request->nvme;
    const struct nvme_command *command = &request->command;
    if (command->flags & COMMAND_FUSE_MASK)
        return STATUS_INVALID_FIELD;
    if (command->opcode == IO_FLUSH && command->nsid == NVME_NSID_ALL) {
        nvme_flush_command(request);
        return STATUS_SUCCESS;
    }
    request->ns = nvme_namespace(c, command->nsid);
    if (!request->ns)
        return STATUS_INVALID_NAMESPACE;
    switch (command->opcode) {
    case IO_FLUSH:
        return flush(request);
    case IO_WRITE_BLOCKS:
        return write_blocks(request);
    case IO_READ_BLOCKS:
        return read_blocks(request);
    case IO_COMPARE:
        return compare(request);
    case IO_WRITE_ZEROES:
        return write_zeroes(request);
    case IO_DATASET_MANAGEMENT:
        return manage_dataset(request);
    default:
        return STATUS_INVALID_OPCODE;
    }
}

void nvme_io_command(struct nvme_request *request)
{
    unsigned status = begin(request);
    if (status)
        nvme_complete(request, status);
}
