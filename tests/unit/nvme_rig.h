/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * An NVMe controller on the PCI bus of a machine without harts that run, and a driver for it.
 *
 *     struct nrig *n = nrig_new(&(struct nrig_config){.namespaces = 1});
 *     nrig_enable(n);
 *     struct nvme_command c = {.opcode = ADMIN_IDENTIFY, .prp1 = page, .cdw10 = 1};
 *     assert_int_equal(nrig_do(n, 0, &c), STATUS_SUCCESS);
 */
#ifndef RVVM_TESTS_NVME_RIG_H
#define RVVM_TESTS_NVME_RIG_H

#include "pci_rig.h"
#include "scratch_file.h"

#include "dev/nvme/controller.h"
#include <sched.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define NRIG_BAR UINT64_C(0x40000000)
#define NRIG_PATIENCE 20 /* seconds that the controller may take for anything */
#define NRIG_DISK (4u << 20)
#define NRIG_PAGE 4096u

struct nrig_queue {
    unsigned size, tail, head, cq_size;
    uint64_t sq, cq;
    bool phase;
    uint16_t next_cid;
};

struct nrig {
    struct rig *pci;
    struct pci_function *f;
    struct nrig_queue queues[NVME_QUEUES];
    struct nvme_completion last;
    char paths[NVME_NAMESPACES_MAX][32];
    unsigned path_count;
    uint64_t free; /* guest memory from here on is */
};

struct nrig_config {
    unsigned namespaces; /* disks, each of NRIG_DISK */
    unsigned block_size;
    bool read_only;
    const char *serial;
    const struct disk_calls *calls; /* the disks, in place of files; NULL: files */
};

static inline uint64_t nrig_page(struct nrig *n)
{
    uint64_t page = n->free;
    n->free += NRIG_PAGE;
    assert_true(n->free <= MACHINE_RAM_BASE + RIG_RAM);
    return page;
}

static inline void *nrig_memory(struct nrig *n, uint64_t address, size_t size)
{
    void *bytes = machine_dma_map(n->pci->m, address, size);
    assert_non_null(bytes);
    return bytes;
}

static inline uint64_t nrig_read(struct nrig *n, uint64_t offset, unsigned size)
{
    return rig_read(n->pci, NRIG_BAR + offset, size);
}

static inline void nrig_write(struct nrig *n, uint64_t offset, unsigned size, uint64_t value)
{
    rig_write(n->pci, NRIG_BAR + offset, size, value);
}

/* Lets time pass; the controller has only so much of it. */
static inline void nrig_wait(time_t *since)
{
    if (!*since)
        *since = time(NULL);
    sched_yield();
    assert_true(time(NULL) - *since < NRIG_PATIENCE);
}

static inline struct disk *nrig_disk(struct nrig *n, const struct nrig_config *config)
{
    struct disk_options options = {.path = "calls",
                                   .calls = config->calls,
                                   .format = DISK_FORMAT_RAW,
                                   .read_only = config->read_only};
    if (!config->calls) {
        options.path = strcpy(n->paths[n->path_count], "/tmp/rvvm-nvme-XXXXXX");
        scratch_make(n->paths[n->path_count++], NRIG_DISK);
    }
    struct error err = {0};
    struct disk *disk = disk_open(&options, &err);
    if (!disk)
        print_error("%s\n", err.text);
    assert_non_null(disk);
    return disk;
}

static inline struct nrig *nrig_new(const struct nrig_config *config)
{
    struct nrig *n = calloc(1, sizeof(*n));
    struct nvme_config nvme = {.serial = config->serial ? config->serial : "SERIAL"};
    void *pci;
    rig_setup(&pci);
    n->pci = pci;
    for (unsigned i = 0; i < config->namespaces; i++)
        nvme.namespaces[nvme.namespace_count++] = (struct nvme_namespace_config){
            .disk = nrig_disk(n, config), .block_size = config->block_size};
    n->f = nvme_new(&nvme, NULL);
    assert_non_null(n->f);
    assert_true(pci_plug_at(n->pci->root, n->f, DEV(1), NULL));
    rig_write(n->pci, ecam(0, DEV(1), 0x10), 4, NRIG_BAR);
    rig_write(n->pci, ecam(0, DEV(1), 0x14), 4, 0);
    rig_write(n->pci, ecam(0, DEV(1), PCI_COMMAND), 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    n->free = MACHINE_RAM_BASE;
    return n;
}

static inline void nrig_free(struct nrig *n)
{
    void *pci = n->pci;
    rig_teardown(&pci);
    for (unsigned i = 0; i < n->path_count; i++)
        unlink(n->paths[i]);
    free(n);
}

static inline void nrig_set_queue(struct nrig *n, unsigned id, unsigned size, unsigned cq_size)
{
    struct nrig_queue *q = &n->queues[id];
    *q = (struct nrig_queue){.size = size, .cq_size = cq_size, .phase = true};
    q->sq = nrig_page(n);
    q->cq = nrig_page(n);
    memset(nrig_memory(n, q->sq, 2 * NRIG_PAGE), 0, 2 * NRIG_PAGE);
}

static inline void nrig_write_cc(struct nrig *n, uint32_t bits)
{
    nrig_write(n, NVME_CC, 4, 6 << CC_IOSQES_SHIFT | 4 << CC_IOCQES_SHIFT | bits);
}

/* Until CSTS & mask == value. */
static inline void nrig_until(struct nrig *n, uint32_t mask, uint32_t value)
{
    time_t since = 0;
    while ((nrig_read(n, NVME_CSTS, 4) & mask) != value)
        nrig_wait(&since);
}

static inline void nrig_enable_with(struct nrig *n, unsigned size, unsigned cq_size)
{
    nrig_set_queue(n, 0, size, cq_size);
    nrig_write(n, NVME_AQA, 4, (cq_size - 1) << 16 | (size - 1));
    nrig_write(n, NVME_ASQ, 8, n->queues[0].sq);
    nrig_write(n, NVME_ACQ, 8, n->queues[0].cq);
    nrig_write_cc(n, CC_EN);
    nrig_until(n, CSTS_RDY, CSTS_RDY);
}

static inline void nrig_enable(struct nrig *n)
{
    nrig_enable_with(n, 16, 16);
}

static inline void nrig_disable(struct nrig *n)
{
    nrig_write_cc(n, 0);
    nrig_until(n, CSTS_RDY, 0);
}

static inline void nrig_ring_tail(struct nrig *n, unsigned id)
{
    nrig_write(n, NVME_DOORBELLS + 8 * id, 4, n->queues[id].tail);
}

/* Puts the command into the queue, without the doorbell. */
static inline uint16_t nrig_put(struct nrig *n, unsigned id, const struct nvme_command *command)
{
    struct nrig_queue *q = &n->queues[id];
    struct nvme_command *at = nrig_memory(n, q->sq + q->tail * sizeof(*at), sizeof(*at));
    *at = *command;
    at->cid = q->next_cid++;
    q->tail = (q->tail + 1) % q->size;
    return at->cid;
}

/* Whether there is another completion: into n->last. */
static inline bool nrig_poll(struct nrig *n, unsigned id)
{
    struct nrig_queue *q = &n->queues[id];
    struct nvme_completion *at = nrig_memory(n, q->cq + q->head * sizeof(*at), sizeof(*at));
    uint32_t last = atomic_load((_Atomic uint32_t *)(void *)&at->cid);
    if ((last >> 16 & 1) != q->phase)
        return false;
    n->last = *at;
    n->last.status >>= 1;
    if (++q->head == q->cq_size) {
        q->head = 0;
        q->phase = !q->phase;
    }
    return true;
}

static inline void nrig_ring_head(struct nrig *n, unsigned id)
{
    nrig_write(n, NVME_DOORBELLS + 8 * id + 4, 4, n->queues[id].head);
}

/* The status of the next completion, without what only tells how to go on. */
static inline unsigned nrig_complete(struct nrig *n, unsigned id)
{
    time_t since = 0;
    while (!nrig_poll(n, id))
        nrig_wait(&since);
    nrig_ring_head(n, id);
    assert_int_equal(n->last.sq_id, id);
    return n->last.status & 0x7ff;
}

static inline unsigned nrig_do(struct nrig *n, unsigned id, const struct nvme_command *command)
{
    uint16_t cid = nrig_put(n, id, command);
    nrig_ring_tail(n, id);
    unsigned status = nrig_complete(n, id);
    assert_int_equal(n->last.cid, cid);
    return status;
}

static inline unsigned nrig_create_cq(struct nrig *n, unsigned id, unsigned vector, bool interrupts)
{
    struct nvme_command c = {.opcode = ADMIN_CREATE_CQ, .prp1 = n->queues[id].cq};
    c.cdw10 = (n->queues[id].cq_size - 1) << 16 | id;
    c.cdw11 = vector << 16 | (unsigned)interrupts << 1 | 1;
    return nrig_do(n, 0, &c);
}

static inline unsigned nrig_create_sq(struct nrig *n, unsigned id)
{
    struct nvme_command c = {.opcode = ADMIN_CREATE_SQ, .prp1 = n->queues[id].sq};
    c.cdw10 = (n->queues[id].size - 1) << 16 | id;
    c.cdw11 = id << 16 | 1;
    return nrig_do(n, 0, &c);
}

/* A pair of I/O queues. */
static inline void nrig_queue(struct nrig *n, unsigned id, unsigned size)
{
    nrig_set_queue(n, id, size, size);
    assert_int_equal(nrig_create_cq(n, id, id, true), STATUS_SUCCESS);
    assert_int_equal(nrig_create_sq(n, id), STATUS_SUCCESS);
}

static inline unsigned nrig_delete(struct nrig *n, unsigned opcode, unsigned id)
{
    struct nvme_command c = {.opcode = (uint8_t)opcode, .cdw10 = id};
    return nrig_do(n, 0, &c);
}

static inline struct nvme_command nrig_rw(unsigned opcode, uint64_t lba, unsigned blocks,
                                          uint64_t prp1, uint64_t prp2)
{
    return (struct nvme_command){
        .opcode = (uint8_t)opcode,
        .nsid = 1,
        .prp1 = prp1,
        .prp2 = prp2,
        .cdw10 = (uint32_t)lba,
        .cdw11 = (uint32_t)(lba >> 32),
        .cdw12 = blocks - 1,
    };
}

static inline unsigned nrig_identify(struct nrig *n, unsigned cns, uint32_t nsid, uint64_t page)
{
    struct nvme_command c = {.opcode = ADMIN_IDENTIFY, .nsid = nsid, .prp1 = page, .cdw10 = cns};
    return nrig_do(n, 0, &c);
}

static inline uint64_t nrig_number(const uint8_t *page, unsigned at, unsigned size)
{
    uint64_t value = 0;
    memcpy(&value, page + at, size);
    return value;
}

static inline unsigned nrig_feature(struct nrig *n, unsigned opcode, uint32_t cdw10, uint32_t value)
{
    struct nvme_command c = {
        .opcode = (uint8_t)opcode, .nsid = NVME_NSID_ALL, .cdw10 = cdw10, .cdw11 = value};
    return nrig_do(n, 0, &c);
}

static inline unsigned nrig_log_page(struct nrig *n, unsigned id, uint64_t page, unsigned size,
                                     uint64_t offset)
{
    struct nvme_command c = {
        .opcode = ADMIN_GET_LOG_PAGE,
        .nsid = NVME_NSID_ALL,
        .prp1 = page,
        .prp2 = page + NRIG_PAGE,
        .cdw10 = (size / 4 - 1) << 16 | id,
        .cdw12 = (uint32_t)offset,
        .cdw13 = (uint32_t)(offset >> 32),
    };
    return nrig_do(n, 0, &c);
}

#endif
