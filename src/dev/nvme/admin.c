/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Commands of the admin queue (section 5): queues, abort, asynchronous events, shadow doorbells. What
 * tells about the controller is in identify.c, log_pages.c and features.c.
 */
#include "dev/nvme/controller.h"

/*
 * Queues
 */

enum { QUEUE_CONTIGUOUS = 1 << 0, QUEUE_INTERRUPTS = 1 << 1 };

/* What creating a queue of either kind asks for alike: dwords 10 and 11, PRP 1. */
static unsigned check_queue(struct nvme *c, const struct nvme_command *command, bool exists)
{
    unsigned id = command->cdw10 & 0xffff, last = command->cdw10 >> 16;
    if (!id || id >= NVME_QUEUES || exists)
        return STATUS_QUEUE_ID_INVALID;
    if (!last || last >= NVME_QUEUE_SIZE_MAX)
        return STATUS_QUEUE_SIZE_INVALID;
    if (!(command->cdw11 & QUEUE_CONTIGUOUS)) /* CAP.CQR */
        return STATUS_INVALID_FIELD;
    return command->prp1 % c->page_size ? STATUS_PRP_OFFSET_INVALID : STATUS_SUCCESS;
}

/* CC.IOSQES or CC.IOCQES have to be set before there are I/O queues. */
static bool entry_size_is(struct nvme *c, unsigned shift, unsigned size)
{
    pthread_mutex_lock(&c->lock);
    bool same = (c->registers.cc >> shift & 0xf) == size;
    pthread_mutex_unlock(&c->lock);
    return same;
}

static bool queue_exists(const struct nvme *c, unsigned id, bool completion)
{
    return id < NVME_QUEUES && (completion ? c->cq[id].size : c->sq[id].size);
}

static unsigned create_cq(struct nvme_request *request)
{
    const struct nvme_command *command = &request->command;
    struct nvme *c = request->nvme;
    unsigned id = command->cdw10 & 0xffff, size = (command->cdw10 >> 16) + 1;
    unsigned vector = command->cdw11 >> 16;
    unsigned status = check_queue(c, command, queue_exists(c, id, true));
    if (status)
        return status;
    if (vector >= NVME_QUEUES)
        return STATUS_VECTOR_INVALID;
    if (!entry_size_is(c, CC_IOCQES_SHIFT, 4))
        return STATUS_QUEUE_SIZE_INVALID;
    struct nvme_completion *entries = pci_dma_map(c->pci, command->prp1, size * sizeof(*entries));
    if (!entries)
        return STATUS_DATA_TRANSFER_ERROR;
    nvme_cq_create(c, id, entries, size, command->cdw11 & QUEUE_INTERRUPTS, (uint16_t)vector);
    return STATUS_SUCCESS;
}

static unsigned create_sq(struct nvme_request *request)
{
    const struct nvme_command *command = &request->command;
    struct nvme *c = request->nvme;
    unsigned id = command->cdw10 & 0xffff, size = (command->cdw10 >> 16) + 1;
    unsigned cq = command->cdw11 >> 16;
    unsigned status = check_queue(c, command, queue_exists(c, id, false));
    if (status)
        return status;
    if (!cq || cq >= NVME_QUEUES)
        return STATUS_QUEUE_ID_INVALID;
    if (!queue_exists(c, cq, true))
        return STATUS_CQ_INVALID;
    if (!entry_size_is(c, CC_IOSQES_SHIFT, 6))
        return STATUS_QUEUE_SIZE_INVALID;
    if (!pci_dma_map(c->pci, command->prp1, size * sizeof(struct nvme_command)))
        return STATUS_DATA_TRANSFER_ERROR;
    return nvme_sq_create(c, id, command->prp1, size, cq) ? STATUS_SUCCESS : STATUS_INTERNAL_ERROR;
}

void nvme_finish_deletions(struct nvme *c)
{
    for (unsigned i = 1; i < NVME_QUEUES; i++) {
        struct nvme_request *request = c->sq[i].deleting;
        if (!request || c->sq[i].under_way)
            continue;
        nvme_sq_delete(&c->sq[i]);
        c->deletions--;
        nvme_complete(request, STATUS_SUCCESS);
    }
}

/* Waits for what disks have of it. */
static unsigned delete_sq(struct nvme_request *request)
{
    struct nvme *c = request->nvme;
    unsigned id = request->command.cdw10 & 0xffff;
    if (!id || !queue_exists(c, id, false) || c->sq[id].deleting)
        return STATUS_QUEUE_ID_INVALID;
    c->sq[id].deleting = request;
    c->deletions++;
    nvme_finish_deletions(c);
    return NVME_LATER;
}

static unsigned delete_cq(struct nvme_request *request)
{
    struct nvme *c = request->nvme;
    unsigned id = request->command.cdw10 & 0xffff;
    if (!id || !queue_exists(c, id, true))
        return STATUS_QUEUE_ID_INVALID;
    if (c->cq[id].users)
        return STATUS_QUEUE_DELETION_INVALID;
    nvme_cq_delete(c, id);
    return STATUS_SUCCESS;
}

/* The pages of shadow doorbells and of event indexes. */
static unsigned use_doorbell_buffer(struct nvme_request *request)
{
    struct nvme *c = request->nvme;
    const struct nvme_command *command = &request->command;
    if (command->prp1 % c->page_size || command->prp2 % c->page_size)
        return STATUS_PRP_OFFSET_INVALID;
    void *doorbells = pci_dma_map(c->pci, command->prp1, c->page_size);
    void *events = pci_dma_map(c->pci, command->prp2, c->page_size);
    if (!doorbells || !events)
        return STATUS_DATA_TRANSFER_ERROR;
    c->shadow_doorbells = doorbells;
    c->shadow_events = events;
    /* Drivers ring the admin queue's doorbells and leave its shadows alone. */
    for (unsigned i = 1; i < NVME_QUEUES; i++) {
        if (c->sq[i].size)
            nvme_sq_shadow(c, i);
        if (c->cq[i].size)
            nvme_cq_shadow(c, i);
    }
    return STATUS_SUCCESS;
}

/*
 * Asynchronous events (section 5.2)
 */

static void tell_events(struct nvme *c)
{
    for (unsigned type = 0; type < EVENT_TYPES; type++) {
        struct nvme_event *event = &c->events[type];
        if (!event->pending || event->masked || !c->async_count)
            continue;
        struct nvme_request *request = c->async[--c->async_count];
        event->pending = false;
        event->masked = true;
        request->result = event->result;
        nvme_complete(request, STATUS_SUCCESS);
    }
}

void nvme_async_event(struct nvme *c, enum nvme_event_type type, unsigned info,
                      enum nvme_log_page page)
{
    struct nvme_event *event = &c->events[type];
    if (event->pending)
        return;
    event->pending = true;
    event->result = type | info << 8 | (uint32_t)page << 16;
    tell_events(c);
}

void nvme_async_event_read(struct nvme *c, enum nvme_event_type type)
{
    c->events[type].masked = false;
}

static unsigned wait_for_event(struct nvme_request *request)
{
    struct nvme *c = request->nvme;
    if (c->async_count == NVME_ASYNC_EVENTS)
        return STATUS_ASYNC_LIMIT_EXCEEDED;
    c->async[c->async_count++] = request;
    return NVME_LATER;
}

/*
 * Abort (section 5.1) is best effort. What a disk has is not called back; what waits for an event is.
 */
static unsigned abort_command(struct nvme_request *request)
{
    struct nvme *c = request->nvme;
    unsigned sq = request->command.cdw10 & 0xffff, cid = request->command.cdw10 >> 16;
    enum { NOT_ABORTED = 1 };
    request->result = NOT_ABORTED;
    for (unsigned i = 0; sq == 0 && i < c->async_count; i++) {
        struct nvme_request *waiting = c->async[i];
        if (waiting->command.cid != cid)
            continue;
        c->async[i] = c->async[--c->async_count];
        nvme_complete(waiting, STATUS_ABORT_REQUESTED);
        request->result = 0;
        break;
    }
    return STATUS_SUCCESS;
}

static unsigned carry_out(struct nvme_request *request)
{
    /* No fused commands here, and no SGLs: section 4.4 keeps them from this queue. */
    if (request->command.flags)
        return STATUS_INVALID_FIELD;
    switch (request->command.opcode) {
    case ADMIN_DELETE_SQ:
        return delete_sq(request);
    case ADMIN_CREATE_SQ:
        return create_sq(request);
    case ADMIN_GET_LOG_PAGE:
        return nvme_get_log_page(request);
    case ADMIN_DELETE_CQ:
        return delete_cq(request);
    case ADMIN_CREATE_CQ:
        return create_cq(request);
    case ADMIN_IDENTIFY:
        return nvme_identify(request);
    case ADMIN_ABORT:
        return abort_command(request);
    case ADMIN_SET_FEATURES:
        return nvme_set_features(request);
    case ADMIN_GET_FEATURES:
        return nvme_get_features(request);
    case ADMIN_ASYNC_EVENT:
        return wait_for_event(request);
    case ADMIN_DOORBELL_BUFFER:
        return use_doorbell_buffer(request);
    default:
        return STATUS_INVALID_OPCODE;
    }
}

void nvme_admin_command(struct nvme_request *request)
{
    struct nvme *c = request->nvme;
    unsigned status = carry_out(request);
    if (status != NVME_LATER)
        nvme_complete(request, status);
    tell_events(c);
}
