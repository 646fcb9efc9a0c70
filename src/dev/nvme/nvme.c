/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The controller as a PCI function: registers (section 3.1), and its life: enabling, controller
 * reset, NVM subsystem reset, shutdown (sections 7.3 and 7.6).
 */
#include "dev/nvme/controller.h"

#include "base/log.h"
#include "host/clock.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BAR_SIZE 0x4000
#define MSIX_TABLE 0x2000
#define MSIX_PENDING 0x3000
#define DOORBELLS_END (NVME_DOORBELLS + NVME_QUEUES * 8)
_Static_assert(DOORBELLS_END <= MSIX_TABLE && MSIX_TABLE + NVME_QUEUES * 16 <= MSIX_PENDING,
               "what lies in the BAR does not overlap");

/* CAP: sizes, contiguous queues, time-out in units of 500 ms, subsystem reset, NVM command set. */
#define CAP_VALUE \
    ((uint64_t)(NVME_QUEUE_SIZE_MAX - 1) | UINT64_C(1) << 16 | UINT64_C(40) << 24 | \
     UINT64_C(1) << 36 | UINT64_C(1) << 37 | (uint64_t)(NVME_PAGE_SHIFT_MAX - 12) << 52)

void nvme_wake(struct nvme *c)
{
    disk_wake(c->disk, &c->task);
}

struct nvme_namespace *nvme_namespace(struct nvme *c, uint32_t nsid)
{
    return nsid - 1 < c->namespace_count ? &c->namespaces[nsid - 1] : NULL;
}

/*
 * Registers, on the thread of a hart
 */

static uint64_t register_at(const struct nvme *c, uint64_t offset)
{
    const struct nvme_registers *r = &c->registers;
    switch (offset) {
    case NVME_CAP:
        return CAP_VALUE;
    case NVME_VS:
        return NVME_VERSION;
    case NVME_INTMS:
    case NVME_INTMC:
        return r->intms;
    case NVME_CC:
        return r->cc;
    case NVME_CSTS:
        return r->csts;
    case NVME_AQA:
        return r->aqa;
    case NVME_ASQ:
        return r->asq;
    case NVME_ACQ:
        return r->acq;
    default:
        return 0;
    }
}

static uint64_t bar_read(void *state, unsigned bar, uint64_t offset, unsigned size)
{
    (void)bar;
    struct nvme *c = state;
    if (offset >= NVME_DOORBELLS) /* section 3.1.24: what they read as is not defined */
        return 0;
    bool is_wide = offset == NVME_CAP + 4 || offset == NVME_ASQ + 4 || offset == NVME_ACQ + 4;
    pthread_mutex_lock(&c->lock);
    uint64_t value = is_wide ? register_at(c, offset - 4) >> 32 : register_at(c, offset);
    if (size == 8 && offset != NVME_CAP && offset != NVME_ASQ && offset != NVME_ACQ)
        value = (uint32_t)value | register_at(c, offset + 4) << 32;
    pthread_mutex_unlock(&c->lock);
    return size == 4 ? (uint32_t)value : value;
}

/* Takes note of what the task has to do. */
static void write_cc(struct nvme *c, uint32_t value)
{
    struct nvme_registers *r = &c->registers;
    uint32_t before = r->cc;
    r->cc = value & CC_WRITABLE;
    if (before & ~r->cc & CC_EN)
        r->reset = true;
    if (!(before & CC_SHN_MASK) && (r->cc & CC_SHN_MASK)) {
        r->shutdown = true;
        r->csts = (r->csts & ~CSTS_SHST_MASK) | CSTS_SHST_OCCURRING;
    }
}

static void write_nssr(struct nvme *c, uint32_t value)
{
    struct nvme_registers *r = &c->registers;
    if (value != NVME_NSSR_KEY)
        return;
    r->cc = r->aqa = r->intms = 0;
    r->asq = r->acq = 0;
    r->csts |= CSTS_NSSRO;
    r->reset = true;
}

static void write_half(uint64_t *value, bool high, uint32_t half)
{
    *value = high ? (uint64_t)half << 32 | (uint32_t)*value : (*value >> 32) << 32 | half;
}

/* Whether the task has to look. */
static bool write_register(struct nvme *c, uint64_t offset, uint32_t value)
{
    struct nvme_registers *r = &c->registers;
    switch (offset) {
    case NVME_INTMS:
        r->intms |= value;
        nvme_update_wire(c);
        return false;
    case NVME_INTMC:
        r->intms &= ~value;
        nvme_update_wire(c);
        return false;
    case NVME_CC:
        write_cc(c, value);
        return true;
    case NVME_CSTS:
        r->csts &= ~(value & CSTS_NSSRO);
        return false;
    case NVME_NSSR:
        write_nssr(c, value);
        return true;
    case NVME_AQA:
        r->aqa = value & 0x0fff0fff;
        return false;
    case NVME_ASQ:
    case NVME_ASQ + 4:
        write_half(&r->asq, offset != NVME_ASQ, value);
        r->asq &= ~UINT64_C(0xfff);
        return false;
    case NVME_ACQ:
    case NVME_ACQ + 4:
        write_half(&r->acq, offset != NVME_ACQ, value);
        r->acq &= ~UINT64_C(0xfff);
        return false;
    default:
        return false;
    }
}

static void bar_write(void *state, unsigned bar, uint64_t offset, unsigned size, uint64_t value)
{
    (void)bar;
    struct nvme *c = state;
    if (offset >= NVME_DOORBELLS) {
        for (unsigned i = 0; i < size; i += 4, value >>= 32)
            nvme_ring(c, (unsigned)(offset + i - NVME_DOORBELLS) / 4, (uint32_t)value);
        return;
    }
    pthread_mutex_lock(&c->lock);
    bool look = write_register(c, offset, (uint32_t)value);
    if (size == 8)
        look |= write_register(c, offset + 4, (uint32_t)(value >> 32));
    pthread_mutex_unlock(&c->lock);
    if (look)
        nvme_wake(c);
}

/*
 * Life, in the task
 */

static void delete_queues(struct nvme *c)
{
    for (unsigned i = 0; i < NVME_QUEUES; i++)
        if (c->sq[i].size)
            nvme_sq_delete(&c->sq[i]);
    for (unsigned i = 0; i < NVME_QUEUES; i++)
        nvme_cq_delete(c, i);
}

/* The state of a controller that is not enabled; nothing is under way. */
static void forget_all(struct nvme *c)
{
    delete_queues(c);
    atomic_exchange(&c->rung[0], 0);
    atomic_exchange(&c->rung[1], 0);
    atomic_exchange(&c->bad_doorbells, 0);
    c->deletions = 0;
    c->shut_down = false;
    c->async_count = 0;
    memset(c->events, 0, sizeof(c->events));
    c->shadow_doorbells = c->shadow_events = NULL;
    c->comparing = NULL;
    nvme_list_init(&c->compare_waiting);
    nvme_features_reset(c);
    c->state = NVME_DISABLED;
}

static const char *bad_setup(const struct nvme_registers *r, unsigned page_size)
{
    unsigned sq_entry = r->cc >> CC_IOSQES_SHIFT & 0xf, cq_entry = r->cc >> CC_IOCQES_SHIFT & 0xf;
    if (page_size > 1u << NVME_PAGE_SHIFT_MAX)
        return "memory page size";
    if (r->cc >> CC_CSS_SHIFT & 7)
        return "command set";
    if (r->cc >> CC_AMS_SHIFT & 7)
        return "arbitration mechanism";
    /* Zero: until there are I/O queues. */
    if ((sq_entry && sq_entry != 6) || (cq_entry && cq_entry != 4))
        return "queue entry size";
    if (!(r->aqa & 0xfff) || !(r->aqa >> 16))
        return "admin queue size";
    if (r->asq % page_size || r->acq % page_size)
        return "admin queue address";
    return NULL;
}

/* CC.EN was set: section 7.6.1. */
static void enable(struct nvme *c, const struct nvme_registers *r)
{
    unsigned sq_size = (r->aqa & 0xfff) + 1, cq_size = (r->aqa >> 16) + 1;
    c->page_size = NVME_PAGE_MIN << (r->cc >> CC_MPS_SHIFT & 0xf);
    const char *wrong = bad_setup(r, c->page_size);
    struct nvme_completion *entries =
        wrong ? NULL : pci_dma_map(c->pci, r->acq, cq_size * sizeof(*entries));
    if (!wrong && (!entries || !pci_dma_map(c->pci, r->asq, sq_size * sizeof(struct nvme_command))))
        wrong = "admin queue address";
    if (!wrong) {
        nvme_cq_create(c, 0, entries, cq_size, true, 0);
        if (!nvme_sq_create(c, 0, r->asq, sq_size, 0))
            wrong = "queue size: out of memory";
    }
    c->state = wrong ? NVME_FAILED : NVME_READY;
    c->shut_down = false;
    if (wrong)
        log_line(pci_log(c->pci), LOG_GUEST, "nvme: enabled with a bad %s", wrong);
    pthread_mutex_lock(&c->lock);
    if (!c->registers.shutdown) /* else it is one that begins now */
        c->registers.csts &= ~(uint32_t)CSTS_SHST_MASK;
    c->registers.csts |= wrong ? CSTS_CFS : CSTS_RDY;
    pthread_mutex_unlock(&c->lock);
}

static void shutdown_done(struct nvme_request *request, int error)
{
    struct nvme *c = request->nvme;
    if (error)
        log_line(pci_log(c->pci), LOG_ERROR, "nvme: flush at shutdown: %s", strerror(error));
    pthread_mutex_lock(&c->lock);
    if ((c->registers.csts & CSTS_SHST_MASK) == CSTS_SHST_OCCURRING)
        c->registers.csts ^= CSTS_SHST_OCCURRING ^ CSTS_SHST_COMPLETE;
    pthread_mutex_unlock(&c->lock);
}

/* Section 7.6.2: what was fetched ends, nothing more is, and what was written is made to last. */
static void shut_down(struct nvme *c)
{
    c->shut_down = true;
    if (c->under_way)
        return;
    pthread_mutex_lock(&c->lock);
    c->registers.shutdown = false;
    pthread_mutex_unlock(&c->lock);
    nvme_flush_all(&c->own, shutdown_done);
}

static void finish_reset(struct nvme *c)
{
    forget_all(c);
    pthread_mutex_lock(&c->lock);
    c->registers.reset = c->registers.shutdown = false;
    c->registers.intms = 0;
    c->registers.csts &= CSTS_NSSRO;
    nvme_update_wire(c);
    pthread_mutex_unlock(&c->lock);
}

/* Brings the controller nearer to what the registers ask for. */
static void follow_registers(struct nvme *c)
{
    pthread_mutex_lock(&c->lock);
    struct nvme_registers r = c->registers;
    pthread_mutex_unlock(&c->lock);
    if (r.reset && c->state != NVME_STOPPING)
        c->state = NVME_STOPPING;
    if (c->state == NVME_STOPPING && !c->under_way) {
        finish_reset(c);
        nvme_wake(c); /* EN may be set again */
    } else if (c->state == NVME_DISABLED && (r.cc & CC_EN)) {
        enable(c, &r);
    }
    if (r.shutdown && c->state != NVME_STOPPING)
        shut_down(c);
}

static void nvme_run(struct disk_task *task)
{
    struct nvme *c = (struct nvme *)((char *)task - offsetof(struct nvme, task));
    bool halted = atomic_load(&c->halted);
    nvme_take_disk_results(c, halted);
    if (halted)
        return;
    follow_registers(c);
    if (c->state == NVME_READY) {
        nvme_post_waiting(c);
        if (c->deletions)
            nvme_finish_deletions(c);
        if (!c->shut_down)
            nvme_queues_fetch(c);
        nvme_queues_interrupt(c);
    }
    nvme_submit_batches(c);
}

/*
 * The PCI function
 */

/* Nothing is under way when it returns, and nothing begins. */
static void halt(struct nvme *c)
{
    atomic_store(&c->halted, true);
    for (unsigned i = 0; i < c->namespace_count; i++)
        disk_drain(c->namespaces[i].disk);
    /* Results of the other disks come back through the first one's thread. */
    disk_drain(c->disk);
}

static void reset(void *state)
{
    struct nvme *c = state;
    halt(c);
    pthread_mutex_lock(&c->lock);
    /* A host that powers off in an orderly way announces it. */
    if ((c->registers.csts & (CSTS_RDY | CSTS_SHST_MASK)) == CSTS_RDY)
        c->counters.unsafe_shutdowns++;
    c->counters.power_cycles++;
    c->registers = (struct nvme_registers){0};
    pthread_mutex_unlock(&c->lock);
    forget_all(c);
    atomic_store(&c->halted, false);
}

static void free_controller(struct nvme *c)
{
    pthread_mutex_destroy(&c->lock);
    free(c->compare_buffer);
    free(c);
}

static void remove_function(void *state)
{
    struct nvme *c = state;
    halt(c);
    forget_all(c);
    for (unsigned i = 0; i < c->namespace_count; i++)
        disk_close(c->namespaces[i].disk);
    free_controller(c);
}

static const struct pci_function_ops function_ops = {
    .name = "nvme",
    .bar_read = bar_read,
    .bar_write = bar_write,
    .reset = reset,
    .remove = remove_function,
};

static const struct pci_function_config function_config = {
    .ops = &function_ops,
    .ids = {.vendor = NVME_PCI_VENDOR,
            .device = NVME_PCI_DEVICE,
            .subsystem_vendor = NVME_PCI_VENDOR,
            .subsystem = NVME_PCI_DEVICE,
            .class_code = 0x010802},
    .bars = {[0] = {PCI_BAR_MEM64, BAR_SIZE, 4, 8}},
    .interrupt_pin = 1,
};

static bool add_namespace(struct nvme *c, const struct nvme_namespace_config *config,
                          struct error *err)
{
    struct nvme_namespace *ns = &c->namespaces[c->namespace_count];
    unsigned block_size = config->block_size ? config->block_size : 512;
    ns->disk = config->disk;
    ns->info = disk_info(config->disk);
    if (block_size != 512 && block_size != 4096)
        return error_set(err, "%s: logical blocks of %u bytes: 512 or 4096", ns->info->path,
                         block_size);
    ns->shift = (unsigned)__builtin_ctz(block_size);
    ns->blocks = ns->info->size >> ns->shift;
    if (!ns->blocks)
        return error_set(err, "%s: smaller than a block of %u bytes", ns->info->path, block_size);
    ns->batch_end = &ns->batch;
    ns->nsid = ++c->namespace_count;
    return true;
}

struct pci_function *nvme_new(const struct nvme_config *config, struct error *err)
{
    struct nvme *c = calloc(1, sizeof(*c));
    if (!c) {
        error_set(err, "nvme: out of memory");
        return NULL;
    }
    pthread_mutex_init(&c->lock, NULL);
    for (unsigned i = 0; i < config->namespace_count; i++)
        if (!add_namespace(c, &config->namespaces[i], err))
            goto fail;
    snprintf(c->serial, sizeof(c->serial), "%s", config->serial);
    nvme_make_ids(c);
    c->disk = c->namespaces[0].disk;
    c->task.run = nvme_run;
    c->own.nvme = c;
    c->started = clock_monotonic_ns();
    forget_all(c);

    struct pci_function_config function = function_config;
    function.state = c;
    c->pci = pci_function_new(&function, err);
    if (!c->pci)
        goto fail;
    if (!pci_msix_init(c->pci, NVME_QUEUES, 0, MSIX_TABLE, MSIX_PENDING)) {
        error_set(err, "nvme: no room for MSI-X");
        c->namespace_count = 0; /* they stay the caller's */
        pci_function_free(c->pci);
        return NULL;
    }
    return c->pci;
fail:
    free_controller(c);
    return NULL;
}
