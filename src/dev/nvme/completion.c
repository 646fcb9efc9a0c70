/* SPDX-License-Identifier: MPL-2.0 */
/*
 * How commands end: what disks have done comes back, entries are written to completion queues (section
 * 4.6), interrupts tell of them (section 7.5). All in the task, but where it says otherwise.
 */
#include "dev/nvme/controller.h"

#include <string.h>

/*
 * Lists of requests
 */

void nvme_list_init(struct nvme_request_list *list)
{
    list->first = NULL;
    list->end = &list->first;
}

void nvme_list_append(struct nvme_request_list *list, struct nvme_request *request)
{
    request->next = NULL;
    *list->end = request;
    list->end = &request->next;
}

struct nvme_request *nvme_list_take(struct nvme_request_list *list)
{
    struct nvme_request *request = list->first;
    if (request) {
        list->first = request->next;
        if (!list->first)
            list->end = &list->first;
    }
    return request;
}

/*
 * Disks
 */

static void disk_done(struct disk_request *disk, int error)
{
    struct nvme_request *request = (struct nvme_request *)disk;
    struct nvme *c = request->nvme;
    request->error = error;
    struct nvme_request *newest = atomic_load(&c->disk_results);
    do {
        request->next = newest;
    } while (!atomic_compare_exchange_weak(&c->disk_results, &newest, request));
    if (!newest)
        nvme_wake(c);
}

void nvme_submit(struct nvme_request *request, void (*then)(struct nvme_request *, int error))
{
    struct nvme_namespace *ns = request->ns;
    request->then = then;
    request->disk.done = disk_done;
    request->disk.next = NULL;
    *ns->batch_end = &request->disk;
    ns->batch_end = &request->disk.next;
    request->nvme->under_way++;
    if (request->sq)
        request->sq->under_way++;
}

void nvme_submit_batches(struct nvme *c)
{
    for (unsigned i = 0; i < c->namespace_count; i++) {
        struct nvme_namespace *ns = &c->namespaces[i];
        struct disk_request *batch = ns->batch;
        ns->batch = NULL;
        ns->batch_end = &ns->batch;
        if (batch)
            disk_submit(ns->disk, batch);
    }
}

void nvme_take_disk_results(struct nvme *c, bool halted)
{
    struct nvme_request *newest = atomic_exchange(&c->disk_results, NULL), *oldest = NULL;
    while (newest) {
        struct nvme_request *before = newest->next;
        newest->next = oldest;
        oldest = newest;
        newest = before;
    }
    while (oldest) {
        struct nvme_request *request = oldest;
        oldest = request->next;
        c->under_way--;
        if (request->sq)
            request->sq->under_way--;
        if (!halted && (!request->sq || c->state == NVME_READY))
            request->then(request, request->error);
        else if (request->sq)
            nvme_free_request(request); /* nobody waits for it any more */
    }
}

/*
 * Completion
 */

/* An entry's phase tag is what the host looks at, so it is written after the rest. */
static void write_entry(struct nvme *c, struct nvme_cq *cq, const struct nvme_request *request)
{
    struct nvme_completion *entry = &cq->entries[cq->tail];
    struct nvme_completion done = {
        .dw0 = request->result,
        .sq_head = request->sq->head,
        .sq_id = request->sq->id,
    };
    uint32_t last = request->command.cid | (uint32_t)(request->status << 1 | cq->phase) << 16;
    memcpy(entry, &done, offsetof(struct nvme_completion, cid));
    atomic_store_explicit((_Atomic uint32_t *)(void *)&entry->cid, last, memory_order_release);
    pci_dma_written(c->pci, entry, sizeof(*entry));
}

/* Under the lock. What is known of the head may be old where it has a shadow. */
static bool cq_has_room(struct nvme *c, struct nvme_cq *cq)
{
    unsigned next = cq->tail + 1 < cq->size ? cq->tail + 1 : 0;
    if (next == cq->head && cq->shadow.doorbell) {
        uint32_t head = nvme_watch_shadow(c, &cq->shadow);
        if (head < cq->size)
            cq->head = head;
    }
    cq->full = next == cq->head;
    return !cq->full;
}

/* false: there is no room. */
static bool post(struct nvme_request *request)
{
    struct nvme *c = request->nvme;
    struct nvme_cq *cq = request->sq->cq;
    pthread_mutex_lock(&c->lock);
    bool room = cq_has_room(c, cq);
    if (room) {
        write_entry(c, cq, request);
        if (++cq->tail == cq->size) {
            cq->tail = 0;
            cq->phase = !cq->phase;
        }
        cq->posted = true;
    }
    pthread_mutex_unlock(&c->lock);
    return room;
}

void nvme_post_waiting(struct nvme *c)
{
    for (unsigned i = 0; i < c->cq_end; i++) {
        struct nvme_cq *cq = &c->cq[i];
        while (cq->size && cq->waiting.first && post(cq->waiting.first))
            nvme_free_request(nvme_list_take(&cq->waiting));
    }
}

/* With what the host shall make of it: whether to try again, and whether there is an error log entry. */
static uint16_t full_status(unsigned status)
{
    if (!status || status == STATUS_ABORT_REQUESTED)
        return (uint16_t)status;
    bool again = status == STATUS_INTERNAL_ERROR;
    return (uint16_t)(status | STATUS_MORE | (again ? 0 : STATUS_DNR));
}

void nvme_complete(struct nvme_request *request, unsigned status)
{
    struct nvme *c = request->nvme;
    request->status = full_status(status);
    if (status && status != STATUS_ABORT_REQUESTED)
        nvme_log_error(c, request, status);
    struct nvme_cq *cq = request->sq->cq;
    if (!cq->waiting.first && post(request))
        nvme_free_request(request);
    else
        nvme_list_append(&cq->waiting, request);
}

/*
 * Interrupts
 */

/* The wire (section 7.5.1) is up while a queue with interrupts has entries that the host has not taken. */
void nvme_update_wire(struct nvme *c)
{
    bool level = false;
    for (unsigned i = 0; i < c->cq_end && !level; i++) {
        const struct nvme_cq *cq = &c->cq[i];
        bool masked = cq->vector < 32 && c->registers.intms >> cq->vector & 1;
        level = cq->size && cq->interrupts && cq->head != cq->tail && !masked;
    }
    if (level != c->wire) {
        c->wire = level;
        pci_intx_set(c->pci, level);
    }
}

/*
 * Messages for the queues that got entries, and the wire. A host with shadow doorbells would leave
 * the wire up for ever, so with the wire each move of a head is asked for.
 */
void nvme_queues_interrupt(struct nvme *c)
{
    bool messages = pci_messages_enabled(c->pci), posted = false;
    for (unsigned i = 0; i < c->cq_end; i++) {
        struct nvme_cq *cq = &c->cq[i];
        if (!cq->size || !cq->posted)
            continue;
        cq->posted = false;
        posted = true;
        if (cq->interrupts && messages)
            pci_interrupt(c->pci, cq->vector);
    }
    if (!posted)
        return;
    pthread_mutex_lock(&c->lock);
    for (unsigned i = 1; i < c->cq_end && !messages; i++) {
        struct nvme_cq *cq = &c->cq[i];
        uint32_t head =
            cq->size && cq->shadow.doorbell ? nvme_watch_shadow(c, &cq->shadow) : cq->size;
        if (head < cq->size)
            cq->head = head;
    }
    nvme_update_wire(c);
    pthread_mutex_unlock(&c->lock);
}
