/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What guest memory a command's data pointer names: physical region pages (section 4.3) and
 * scatter gather lists (section 4.4).
 *
 * A list lies in guest memory and may change while it is read: each entry is copied once, and the
 * copy is what is checked and used. The number of entries that are looked at has a limit that the
 * guest has no say in.
 */
#include "dev/nvme/controller.h"

#include <string.h>

#define SGL_DESCRIPTORS_MAX 1024 /* of one command, empty ones included */
#define SGL_CHUNK 32             /* read from guest memory at a time */

/* Appends a piece; neighbours in guest memory are neighbours in ours and become one. */
static unsigned add_piece(struct nvme *c, struct nvme_data *data, uint64_t address, size_t size)
{
    uint8_t *bytes = pci_dma_map(c->pci, address, size);
    if (!bytes)
        return STATUS_DATA_TRANSFER_ERROR;
    struct iovec *last = data->count ? &data->pieces[data->count - 1] : NULL;
    if (last && (uint8_t *)last->iov_base + last->iov_len == bytes) {
        last->iov_len += size;
        return STATUS_SUCCESS;
    }
    if (data->count == NVME_PIECES_MAX)
        return STATUS_INVALID_SGL_COUNT;
    data->pieces[data->count++] = (struct iovec){bytes, size};
    return STATUS_SUCCESS;
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Pages named by a list. When there are more to come than fit into a page of the list, its last entry
 * names the next page, from whose start the list goes on: so each page brings it further. */
static unsigned map_prp_list(struct nvme *c, uint64_t list, size_t size, struct nvme_data *data)
{
    uint64_t entries[64];
    while (size) {
        if (list % sizeof(entries[0]))
            return STATUS_PRP_OFFSET_INVALID;
        size_t room = (c->page_size - list % c->page_size) / sizeof(entries[0]);
        size_t pages = (size + c->page_size - 1) / c->page_size;
        size_t count = smaller(smaller(room, pages), sizeof(entries) / sizeof(entries[0]));
        if (!pci_dma_read(c->pci, list, entries, count * sizeof(entries[0])))
            return STATUS_DATA_TRANSFER_ERROR;
        bool links = count == room && pages > count;
        for (size_t i = 0; i < count; i++) {
            size_t length = smaller(size, c->page_size);
            if (entries[i] % c->page_size)
                return STATUS_PRP_OFFSET_INVALID;
            if (links && i == count - 1)
                break;
            unsigned status = add_piece(c, data, entries[i], length);
            if (status)
                return status;
            size -= length;
        }
        list = links ? entries[count - 1] : list + count * sizeof(entries[0]);
    }
    return STATUS_SUCCESS;
}

static unsigned map_prp(struct nvme *c, const struct nvme_command *command, size_t size,
                        struct nvme_data *data)
{
    data->count = 0;
    if (command->prp1 % 4)
        return STATUS_PRP_OFFSET_INVALID;
    size_t first = smaller(size, c->page_size - command->prp1 % c->page_size);
    unsigned status = add_piece(c, data, command->prp1, first);
    if (status || size == first)
        return status;
    size -= first;
    if (size > c->page_size)
        return map_prp_list(c, command->prp2, size, data);
    if (command->prp2 % c->page_size)
        return STATUS_PRP_OFFSET_INVALID;
    return add_piece(c, data, command->prp2, size);
}

/* How far the walk along a scatter gather list has come. */
struct sgl_walk {
    struct nvme *c;
    struct nvme_data *data;
    size_t size; /* bytes that are still to be found */
    unsigned seen;
    struct nvme_sgl segment; /* the one to be read, as its descriptor says */
};

static unsigned sgl_type(const struct nvme_sgl *sgl)
{
    return sgl->identifier >> 4;
}

static unsigned take_data_block(struct sgl_walk *walk, const struct nvme_sgl *sgl)
{
    if (sgl->length > walk->size)
        return STATUS_SGL_LENGTH_INVALID;
    walk->size -= sgl->length;
    return sgl->length ? add_piece(walk->c, walk->data, sgl->address, sgl->length) : STATUS_SUCCESS;
}

/* Subtype 0 only: others are for transports with memory of their own. */
static unsigned check_descriptor(const struct nvme_sgl *sgl)
{
    unsigned type = sgl_type(sgl);
    bool known = type == SGL_DATA_BLOCK || type == SGL_SEGMENT || type == SGL_LAST_SEGMENT;
    return known && !(sgl->identifier & 0xf) ? STATUS_SUCCESS : STATUS_SGL_TYPE_INVALID;
}

/* Takes the data blocks of walk->segment. *more: it ended with the descriptor of another. */
static unsigned take_segment(struct sgl_walk *walk, bool *more)
{
    struct nvme_sgl part[SGL_CHUNK], segment = walk->segment;
    size_t left = segment.length / sizeof(part[0]);
    *more = false;
    if (!left || segment.length % sizeof(part[0]))
        return STATUS_INVALID_SGL_SEGMENT;
    while (left) {
        size_t count = smaller(left, SGL_CHUNK);
        walk->seen += count;
        if (walk->seen > SGL_DESCRIPTORS_MAX)
            return STATUS_INVALID_SGL_COUNT;
        if (!pci_dma_read(walk->c->pci, segment.address, part, count * sizeof(part[0])))
            return STATUS_DATA_TRANSFER_ERROR;
        segment.address += count * sizeof(part[0]);
        left -= count;
        for (size_t i = 0; i < count; i++) {
            unsigned status = check_descriptor(&part[i]);
            if (!status && sgl_type(&part[i]) == SGL_DATA_BLOCK)
                status = take_data_block(walk, &part[i]);
            else if (!status && (left || i < count - 1 || sgl_type(&segment) == SGL_LAST_SEGMENT))
                status = STATUS_INVALID_SGL_SEGMENT; /* only the last of a segment may link */
            else if (!status)
                *more = true;
            if (status)
                return status;
        }
        walk->segment = part[count - 1];
    }
    return STATUS_SUCCESS;
}

static unsigned map_sgl(struct nvme *c, const struct nvme_command *command, size_t size,
                        struct nvme_data *data)
{
    struct sgl_walk walk = {.c = c, .data = data, .size = size, .segment = command->sgl};
    data->count = 0;
    unsigned status = check_descriptor(&command->sgl);
    if (!status && sgl_type(&command->sgl) == SGL_DATA_BLOCK)
        status = take_data_block(&walk, &command->sgl);
    bool more = sgl_type(&command->sgl) != SGL_DATA_BLOCK;
    while (!status && more)
        status = take_segment(&walk, &more);
    return !status && walk.size ? STATUS_SGL_LENGTH_INVALID : status;
}

unsigned nvme_map_data(struct nvme *c, const struct nvme_command *command, size_t size,
                       struct nvme_data *data)
{
    switch (command->flags >> COMMAND_PSDT_SHIFT) {
    case 0:
        return map_prp(c, command, size, data);
    case 1: /* and 2: they differ in what the metadata pointer is, which nothing here uses */
    case 2:
        return map_sgl(c, command, size, data);
    default:
        return STATUS_INVALID_FIELD;
    }
}

void nvme_data_written(struct nvme *c, const struct nvme_data *data)
{
    for (unsigned i = 0; i < data->count; i++)
        pci_dma_written(c->pci, data->pieces[i].iov_base, data->pieces[i].iov_len);
}

unsigned nvme_send(struct nvme_request *request, const void *bytes, size_t size)
{
    struct nvme_data data;
    unsigned status = nvme_map_data(request->nvme, &request->command, size, &data);
    if (status)
        return status;
    const uint8_t *from = bytes;
    for (unsigned i = 0; i < data.count; i++) {
        memcpy(data.pieces[i].iov_base, from, data.pieces[i].iov_len);
        from += data.pieces[i].iov_len;
    }
    nvme_data_written(request->nvme, &data);
    return STATUS_SUCCESS;
}

unsigned nvme_receive(struct nvme_request *request, void *bytes, size_t size)
{
    struct nvme_data data;
    unsigned status = nvme_map_data(request->nvme, &request->command, size, &data);
    uint8_t *to = bytes;
    for (unsigned i = 0; !status && i < data.count; i++) {
        memcpy(to, data.pieces[i].iov_base, data.pieces[i].iov_len);
        to += data.pieces[i].iov_len;
    }
    return status;
}
