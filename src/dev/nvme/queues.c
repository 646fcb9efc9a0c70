/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Submission and completion queues (section 4.1): how they come and go, doorbells, their shadows in
 * guest memory (section 7.13), fetching of commands in turn.
 */
#include "dev/nvme/controller.h"

#include <stdlib.h>

/* Fetched before completions and other queues' doorbells are looked at. */
#define COMMANDS_A_RUN 256
#define SHADOW_READS_MAX 8 /* the host may move a doorbell for ever while it is looked at */

/*
 * Doorbells, on the thread of a hart
 */

static void bad_doorbell(struct nvme *c, unsigned info)
{
    atomic_fetch_or(&c->bad_doorbells, 1u << info);
    nvme_wake(c);
}

static void ring_head(struct nvme *c, unsigned id, uint32_t value)
{
    struct nvme_cq *cq = &c->cq[id];
    pthread_mutex_lock(&c->lock);
    unsigned size = cq->size;
    bool full = cq->full;
    if (value < size) {
        cq->head = value;
        cq->full = false;
        nvme_update_wire(c);
    }
    pthread_mutex_unlock(&c->lock);
    if (value >= size)
        bad_doorbell(c, size ? EVENT_ERROR_INVALID_DOORBELL_VALUE : EVENT_ERROR_INVALID_DOORBELL);
    else if (full)
        nvme_wake(c);
}

void nvme_ring(struct nvme *c, unsigned index, uint32_t value)
{
    unsigned id = index / 2;
    if (id >= NVME_QUEUES) {
        bad_doorbell(c, EVENT_ERROR_INVALID_DOORBELL);
    } else if (index % 2) {
        ring_head(c, id, value);
    } else if (value >= atomic_load(&c->sq_sizes[id])) {
        /* Checked here, so that it cannot take the place of a good one that was not seen yet. */
        bad_doorbell(c, atomic_load(&c->sq_sizes[id]) ? EVENT_ERROR_INVALID_DOORBELL_VALUE
                                                      : EVENT_ERROR_INVALID_DOORBELL);
    } else {
        atomic_store(&c->doorbells[id], value);
        atomic_fetch_or(&c->rung[id / 64], UINT64_C(1) << id % 64);
        nvme_wake(c);
    }
}

/*
 * Submission: the rest of this file runs in the task.
 */

static void take_doorbells(struct nvme *c)
{
    for (unsigned word = 0; word < 2; word++) {
        if (!atomic_load(&c->rung[word]))
            continue;
        uint64_t rung = atomic_exchange(&c->rung[word], 0);
        for (; rung; rung &= rung - 1) {
            unsigned id = 64 * word + (unsigned)__builtin_ctzll(rung);
            struct nvme_sq *sq = &c->sq[id];
            uint32_t tail = atomic_load(&c->doorbells[id]);
            /* A shadow has the value, where there is one. The queue may be another by now. */
            if (!sq->shadow.doorbell && tail < sq->size)
                sq->tail = tail;
        }
    }
    unsigned bad = atomic_exchange(&c->bad_doorbells, 0);
    if (bad)
        log_line(pci_log(c->pci), LOG_GUEST, "nvme: a doorbell of no queue, or out of its range");
    for (unsigned info = 0; info <= EVENT_ERROR_INVALID_DOORBELL_VALUE; info++)
        if (bad >> info & 1)
            nvme_async_event(c, EVENT_ERROR, info, LOG_PAGE_ERROR);
}

static void store_shadow(struct nvme *c, _Atomic uint32_t *at, uint32_t value)
{
    atomic_store(at, value);
    pci_dma_written(c->pci, (void *)at, sizeof(*at));
}

uint32_t nvme_watch_shadow(struct nvme *c, struct nvme_shadow *shadow)
{
    uint32_t value = atomic_load(shadow->doorbell);
    for (unsigned i = 0; i < SHADOW_READS_MAX; i++) {
        store_shadow(c, shadow->event, value);
        uint32_t now = atomic_load(shadow->doorbell);
        if (now == value)
            break;
        value = now;
    }
    return value;
}

static void look_at_shadow(struct nvme_sq *sq)
{
    uint32_t tail = nvme_watch_shadow(sq->nvme, &sq->shadow);
    if (tail < sq->size)
        sq->tail = tail;
    else
        nvme_async_event(sq->nvme, EVENT_ERROR, EVENT_ERROR_INVALID_DOORBELL_VALUE, LOG_PAGE_ERROR);
}

/* Whether there is a command to fetch and room to deal with it. */
static bool sq_has_work(struct nvme_sq *sq)
{
    if (!sq->size || sq->deleting || !sq->free || sq->cq->waiting.first)
        return false;
    if (sq->head == sq->tail && sq->shadow.doorbell)
        look_at_shadow(sq);
    return sq->head != sq->tail;
}

static struct nvme_request *take_request(struct nvme_sq *sq)
{
    struct nvme_request *request = sq->free;
    sq->free = request->next;
    request->status = STATUS_SUCCESS;
    request->result = 0;
    request->step = 0;
    request->ns = NULL;
    return request;
}

void nvme_free_request(struct nvme_request *request)
{
    request->next = request->sq->free;
    request->sq->free = request;
}

/* Up to burst commands; how many there were. */
static unsigned fetch(struct nvme_sq *sq, unsigned burst)
{
    struct nvme *c = sq->nvme;
    unsigned count = 0;
    for (; count < burst && sq_has_work(sq); count++) {
        uint64_t at = sq->base + sq->head * sizeof(struct nvme_command);
        struct nvme_request *request = take_request(sq);
        if (!pci_dma_read(c->pci, at, &request->command, sizeof(request->command))) {
            nvme_free_request(request); /* no bus master any more: as if nobody had rung */
            break;
        }
        sq->head = sq->head + 1 < sq->size ? sq->head + 1 : 0;
        if (sq->id)
            nvme_io_command(request);
        else
            nvme_admin_command(request);
    }
    return count;
}

/* Round robin with bursts (section 4.13.1): the admin queue first, the others in turn. */
void nvme_queues_fetch(struct nvme *c)
{
    if (!pci_is_master(c->pci))
        return;
    take_doorbells(c);
    unsigned exponent = c->features.arbitration & 7, left = COMMANDS_A_RUN, round;
    unsigned burst = exponent == 7 ? COMMANDS_A_RUN : 1u << exponent;
    do {
        round = fetch(&c->sq[0], burst);
        for (unsigned i = 0; i + 1 < c->sq_end && round < left; i++) {
            unsigned id = 1 + (c->turn + i) % (c->sq_end - 1);
            round += fetch(&c->sq[id], burst < left - round ? burst : left - round);
        }
        left -= round < left ? round : left;
    } while (round && left);
    c->turn++;
    if (!left)
        nvme_wake(c); /* there may be more */
}

/*
 * Queues come and go
 */

/* Takes out the requests of a submission queue that goes away. */
static void list_forget(struct nvme_request_list *list, const struct nvme_sq *sq)
{
    struct nvme_request_list kept;
    struct nvme_request *request;
    nvme_list_init(&kept);
    while ((request = nvme_list_take(list)))
        if (request->sq != sq)
            nvme_list_append(&kept, request);
    while ((request = nvme_list_take(&kept)))
        nvme_list_append(list, request);
}

static struct nvme_shadow shadow_of(struct nvme *c, unsigned index, uint32_t value)
{
    struct nvme_shadow shadow = {NULL, NULL};
    if (c->shadow_doorbells) {
        shadow = (struct nvme_shadow){&c->shadow_doorbells[index], &c->shadow_events[index]};
        store_shadow(c, shadow.doorbell, value);
        store_shadow(c, shadow.event, value);
    }
    return shadow;
}

void nvme_sq_shadow(struct nvme *c, unsigned id)
{
    c->sq[id].shadow = shadow_of(c, 2 * id, c->sq[id].tail);
}

void nvme_cq_shadow(struct nvme *c, unsigned id)
{
    c->cq[id].shadow = shadow_of(c, 2 * id + 1, c->cq[id].head);
}

bool nvme_sq_create(struct nvme *c, unsigned id, uint64_t base, unsigned size, unsigned cq)
{
    struct nvme_sq *sq = &c->sq[id];
    /* Room for all asynchronous event requests and more even beside a small admin queue. */
    unsigned count = size < 2 * NVME_ASYNC_EVENTS ? 2 * NVME_ASYNC_EVENTS : size;
    if (count > NVME_REQUESTS_MAX)
        count = NVME_REQUESTS_MAX;
    *sq = (struct nvme_sq){.nvme = c, .id = id, .base = base, .cq = &c->cq[cq]};
    sq->requests = calloc(count, sizeof(*sq->requests));
    sq->rooms = malloc(count * sizeof(*sq->rooms)); /* costs memory only as far as it is used */
    if (!sq->requests || !sq->rooms) {
        free(sq->requests);
        free(sq->rooms);
        return false;
    }
    for (unsigned i = count; i--;) {
        sq->requests[i].nvme = c;
        sq->requests[i].sq = sq;
        sq->requests[i].room = &sq->rooms[i];
        nvme_free_request(&sq->requests[i]);
    }
    sq->size = size;
    atomic_store(&c->sq_sizes[id], size);
    sq->cq->users++;
    if (c->sq_end <= id)
        c->sq_end = id + 1;
    if (id)
        nvme_sq_shadow(c, id);
    return true;
}

void nvme_sq_delete(struct nvme_sq *sq)
{
    struct nvme *c = sq->nvme;
    atomic_store(&c->sq_sizes[sq->id], 0);
    list_forget(&sq->cq->waiting, sq);
    list_forget(&c->compare_waiting, sq);
    sq->cq->users--;
    free(sq->requests);
    free(sq->rooms);
    *sq = (struct nvme_sq){.nvme = c};
    while (c->sq_end && !c->sq[c->sq_end - 1].size)
        c->sq_end--;
}

void nvme_cq_create(struct nvme *c, unsigned id, struct nvme_completion *entries, unsigned size,
                    bool interrupts, uint16_t vector)
{
    struct nvme_cq *cq = &c->cq[id];
    pthread_mutex_lock(&c->lock);
    *cq = (struct nvme_cq){
        .size = size,
        .entries = entries,
        .phase = true,
        .interrupts = interrupts,
        .vector = vector,
    };
    if (c->cq_end <= id)
        c->cq_end = id + 1;
    pthread_mutex_unlock(&c->lock);
    nvme_list_init(&cq->waiting);
    if (id)
        nvme_cq_shadow(c, id);
}

void nvme_cq_delete(struct nvme *c, unsigned id)
{
    pthread_mutex_lock(&c->lock);
    c->cq[id] = (struct nvme_cq){0};
    nvme_update_wire(c);
    while (c->cq_end && !c->cq[c->cq_end - 1].size)
        c->cq_end--;
    pthread_mutex_unlock(&c->lock);
}
