/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * NVMe: registers, life, queues, admin commands, interrupts. Commands that move data are in
 * nvme_io_test.c.
 */
#include "nvme_rig.h"

static int setup(void **state)
{
    *state = nrig_new(&(struct nrig_config){.namespaces = 1, .serial = "SERIAL-1"});
    return 0;
}

static int teardown(void **state)
{
    nrig_free(*state);
    return 0;
}

static unsigned identify(struct nrig *n, unsigned cns, uint32_t nsid, uint64_t page)
{
    struct nvme_command c = {.opcode = ADMIN_IDENTIFY, .nsid = nsid, .prp1 = page, .cdw10 = cns};
    return nrig_do(n, 0, &c);
}

static uint64_t number(const uint8_t *page, unsigned at, unsigned size)
{
    uint64_t value = 0;
    memcpy(&value, page + at, size);
    return value;
}

/*
 * Registers and life
 */

static void registers_at_power_on(void **state)
{
    struct nrig *n = *state;
    uint64_t cap = nrig_read(n, NVME_CAP, 8);
    assert_int_equal(cap & 0xffff, NVME_QUEUE_SIZE_MAX - 1);
    assert_true(cap >> 16 & 1);            /* queues are contiguous */
    assert_int_equal(cap >> 32 & 0xf, 0);  /* doorbells are next to each other */
    assert_int_equal(cap >> 37 & 0xff, 1); /* NVM command set */
    assert_int_equal(cap >> 48 & 0xf, 0);  /* pages of 4 KiB ... */
    assert_int_equal(cap >> 52 & 0xf, 4);  /* ... to 64 KiB */
    assert_int_equal(nrig_read(n, NVME_CAP, 4), cap & 0xffffffff);
    assert_int_equal(nrig_read(n, NVME_CAP + 4, 4), cap >> 32);
    assert_int_equal(nrig_read(n, NVME_VS, 4), 0x00010400);
    assert_int_equal(nrig_read(n, NVME_CC, 4), 0);
    assert_int_equal(nrig_read(n, NVME_CSTS, 4), 0);
    nrig_write(n, NVME_ASQ, 4, 0x89abcdef);
    nrig_write(n, NVME_ASQ + 4, 4, 0x01234567);
    assert_int_equal(nrig_read(n, NVME_ASQ, 8), 0x0123456789abc000);
    nrig_write(n, NVME_CAP, 8, 0);
    assert_int_equal(nrig_read(n, NVME_CAP, 8), cap);
}

static void a_queue_wraps_many_times(void **state)
{
    struct nrig *n = *state;
    nrig_enable_with(n, 3, 5);
    uint64_t page = nrig_page(n);
    for (unsigned i = 0; i < 100; i++) {
        assert_int_equal(identify(n, 1, 0, page), STATUS_SUCCESS);
        assert_int_equal(n->last.cid, i);
        assert_int_equal(n->last.sq_head, n->queues[0].tail);
    }
}

static void refused(struct nrig *n, uint32_t cc, uint32_t aqa, uint64_t asq, uint64_t acq)
{
    nrig_write(n, NVME_AQA, 4, aqa);
    nrig_write(n, NVME_ASQ, 8, asq);
    nrig_write(n, NVME_ACQ, 8, acq);
    nrig_write(n, NVME_CC, 4, cc | CC_EN);
    nrig_until(n, CSTS_CFS | CSTS_RDY, CSTS_CFS);
    nrig_write(n, NVME_CC, 4, 0);
    nrig_until(n, CSTS_CFS | CSTS_RDY, 0);
}

static void enabling_with_nonsense_is_a_fatal_status_until_the_next_reset(void **state)
{
    struct nrig *n = *state;
    uint64_t ram = MACHINE_RAM_BASE, end = ram + RIG_RAM;
    refused(n, 1 << CC_CSS_SHIFT, 0x00070007, ram, ram + 4096);
    refused(n, 5 << CC_MPS_SHIFT, 0x00070007, ram, ram + 4096);
    refused(n, 1 << CC_AMS_SHIFT, 0x00070007, ram, ram + 4096);
    refused(n, 7 << CC_IOSQES_SHIFT, 0x00070007, ram, ram + 4096);
    refused(n, 5 << CC_IOCQES_SHIFT, 0x00070007, ram, ram + 4096);
    refused(n, 0, 0x00070000, ram, ram + 4096);
    refused(n, 0, 0x00000007, ram, ram + 4096);
    refused(n, 0, 0x00070007, 0x1000, ram);
    refused(n, 0, 0x00070007, ram, end);
    refused(n, 0, 0x0fff0fff, ram, end - 4096);
    refused(n, 1 << CC_MPS_SHIFT, 0x00070007, ram + 4096, ram);
    nrig_enable(n);
    assert_int_equal(identify(n, 1, 0, nrig_page(n)), STATUS_SUCCESS);
}

static void disabling_forgets_queues_and_features(void **state)
{
    struct nrig *n = *state;
    nrig_enable(n);
    nrig_queue(n, 1, 4);
    struct nvme_command set = {.opcode = ADMIN_SET_FEATURES, .cdw10 = FEATURE_VOLATILE_WRITE_CACHE};
    struct nvme_command get = {.opcode = ADMIN_GET_FEATURES, .cdw10 = FEATURE_VOLATILE_WRITE_CACHE};
    assert_int_equal(nrig_do(n, 0, &set), STATUS_SUCCESS);
    assert_int_equal(nrig_do(n, 0, &get), STATUS_SUCCESS);
    assert_int_equal(n->last.dw0, 0);
    nrig_disable(n);
    assert_false(n->pci->wire[DEV(1) >> 3]);
    nrig_enable(n);
    assert_int_equal(nrig_do(n, 0, &get), STATUS_SUCCESS);
    assert_int_equal(n->last.dw0, 1);
    nrig_queue(n, 1, 4);
}

static void shutdown_is_acknowledged(void **state)
{
    struct nrig *n = *state;
    nrig_enable(n);
    nrig_write_cc(n, CC_EN | 1 << CC_SHN_SHIFT);
    nrig_until(n, CSTS_SHST_MASK, CSTS_SHST_COMPLETE);
    nrig_disable(n);
    assert_int_equal(nrig_read(n, NVME_CSTS, 4), 0);
    /* also of one that was never enabled */
    nrig_write_cc(n, 2 << CC_SHN_SHIFT);
    nrig_until(n, CSTS_SHST_MASK, CSTS_SHST_COMPLETE);
}

static void subsystem_reset_disables_and_is_remembered(void **state)
{
    struct nrig *n = *state;
    nrig_enable(n);
    nrig_write(n, NVME_NSSR, 4, 0x4e564d64);
    assert_int_equal(identify(n, 1, 0, nrig_page(n)), STATUS_SUCCESS);
    nrig_write(n, NVME_NSSR, 4, NVME_NSSR_KEY);
    nrig_until(n, CSTS_RDY | CSTS_NSSRO, CSTS_NSSRO);
    assert_int_equal(nrig_read(n, NVME_CC, 4), 0);
    assert_int_equal(nrig_read(n, NVME_AQA, 4), 0);
    assert_int_equal(nrig_read(n, NVME_ASQ, 8), 0);
    nrig_write(n, NVME_CSTS, 4, CSTS_NSSRO);
    assert_int_equal(nrig_read(n, NVME_CSTS, 4), 0);
    nrig_enable(n);
}

static void reset_of_the_machine_is_power_on(void **state)
{
    struct nrig *n = *state;
    nrig_enable(n);
    for (unsigned i = 0; i < n->pci->m->device_count; i++)
        if (n->pci->m->devices[i]->ops->reset)
            n->pci->m->devices[i]->ops->reset(n->pci->m->devices[i]->state);
    rig_write(n->pci, ecam(0, DEV(1), 0x10), 4, NRIG_BAR);
    rig_write(n->pci, ecam(0, DEV(1), PCI_COMMAND), 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    assert_int_equal(nrig_read(n, NVME_CC, 4), 0);
    assert_int_equal(nrig_read(n, NVME_CSTS, 4), 0);
    nrig_enable(n);
    assert_int_equal(identify(n, 1, 0, nrig_page(n)), STATUS_SUCCESS);
}

/*
 * Identify
 */

static void identify_controller_field_by_field(void **state)
{
    struct nrig *n = *state;
    nrig_enable(n);
    uint64_t at = nrig_page(n);
    const uint8_t *page = nrig_memory(n, at, NRIG_PAGE);
    assert_int_equal(identify(n, 1, 0, at), STATUS_SUCCESS);
    assert_int_equal(number(page, 0, 2), rig_read(n->pci, ecam(0, DEV(1), 0), 2));
    assert_memory_equal(page + 4, "SERIAL-1            ", 20);
    assert_memory_equal(page + 24, "RVVM NVMe disk                          ", 40);
    assert_memory_equal(page + 64, "1.0     ", 8);
    assert_int_equal(page[77], 8);            /* MDTS */
    assert_int_equal(number(page, 78, 2), 0); /* CNTLID */
    assert_int_equal(number(page, 80, 4), 0x00010400);
    assert_int_equal(page[111], 1);                 /* an I/O controller */
    assert_int_equal(number(page, 256, 2), 1 << 8); /* OACS: doorbell buffer */
    assert_int_equal(page[258], 3);                 /* ACL */
    assert_int_equal(page[259], 3);                 /* AERL */
    assert_int_equal(page[260], 3);                 /* FRMW */
    assert_int_equal(page[261], 6);                 /* LPA */
    assert_int_equal(page[262], 63);                /* ELPE */
    assert_int_equal(page[263], 0);                 /* NPSS */
    assert_int_equal(number(page, 266, 2), 343);    /* WCTEMP */
    assert_int_equal(number(page, 268, 2), 373);    /* CCTEMP */
    assert_int_equal(page[512], 0x66);              /* SQES */
    assert_int_equal(page[513], 0x44);              /* CQES */
    assert_int_equal(number(page, 516, 4), 1);      /* NN */
    assert_int_equal(number(page, 520, 2), 0x5d);   /* ONCS */
    assert_int_equal(page[525], 7);                 /* VWC */
    assert_int_equal(number(page, 536, 4), 1);      /* SGLS */
    assert_memory_equal(page + 768, "nqn.2014-08.org.nvmexpress:uuid:", 32);
    assert_int_equal(strlen((const char *)page + 768), 32 + 36);
    for (unsigned i = 2048 + 4; i < 4096; i++)
        assert_int_equal(page[i], 0);
}

static void identify_namespace_field_by_field(void **state)
{
    struct nrig *n = *state;
    nrig_enable(n);
    uint64_t at = nrig_page(n);
    const uint8_t *page = nrig_memory(n, at, NRIG_PAGE);
    assert_int_equal(identify(n, 0, 1, at), STATUS_SUCCESS);
    for (unsigned field = 0; field < 24; field += 8)
        assert_int_equal(number(page, field, 8), NRIG_DISK / 512);
    assert_int_equal(page[24], 1 << 4); /* NSFEAT: preferred sizes */
    assert_int_equal(page[25], 1);      /* two formats */
    assert_int_equal(page[26], 0);      /* the first */
    assert_int_equal(page[33], 1 << 3); /* DLFEAT */
    assert_int_equal(page[99], 0);      /* not write protected */
    assert_memory_not_equal(page + 104, "\0\0\0\0\0\0\0\0", 8);
    assert_memory_equal(page + 112, page + 120, 8); /* NGUID ends with EUI64 */
    assert_memory_equal(page + 120, "RVM", 3);
    assert_int_equal(number(page, 128, 4), 0x02090000);
    assert_int_equal(number(page, 132, 4), 0x010c0000);
    assert_int_equal(identify(n, 0, 0, at), STATUS_INVALID_NAMESPACE);
    assert_int_equal(identify(n, 0, 2, at), STATUS_INVALID_NAMESPACE);
    assert_int_equal(identify(n, 0, NVME_NSID_ALL, at), STATUS_INVALID_NAMESPACE);
    assert_int_equal(identify(n, 0x7f, 1, at), STATUS_INVALID_FIELD);
}

static void a_namespace_of_large_blocks(void **state)
{
    (void)state;
    struct nrig *n = nrig_new(&(struct nrig_config){.namespaces = 1, .block_size = 4096});
    nrig_enable(n);
    uint64_t at = nrig_page(n);
    const uint8_t *page = nrig_memory(n, at, NRIG_PAGE);
    assert_int_equal(identify(n, 0, 1, at), STATUS_SUCCESS);
    assert_int_equal(number(page, 0, 8), NRIG_DISK / 4096);
    assert_int_equal(page[26], 1);
    assert_int_equal(number(page, 64, 2), 0); /* NPWG: one block */
    nrig_free(n);
}

static void namespaces_are_listed_and_have_names_of_their_own(void **state)
{
    (void)state;
    struct nrig *n = nrig_new(&(struct nrig_config){.namespaces = 3});
    nrig_enable(n);
    uint64_t at = nrig_page(n), other = nrig_page(n);
    const uint8_t *page = nrig_memory(n, at, NRIG_PAGE), *second = nrig_memory(n, other, NRIG_PAGE);
    static const uint32_t all[4] = {1, 2, 3, 0}, rest[4] = {3, 0, 0, 0};
    assert_int_equal(identify(n, 2, 0, at), STATUS_SUCCESS);
    assert_memory_equal(page, all, sizeof(all));
    assert_int_equal(identify(n, 2, 2, at), STATUS_SUCCESS);
    assert_memory_equal(page, rest, sizeof(rest));
    assert_int_equal(identify(n, 2, NVME_NSID_ALL, at), STATUS_INVALID_NAMESPACE);
    assert_int_equal(identify(n, 2, NVME_NSID_ALL - 1, at), STATUS_INVALID_NAMESPACE);
    assert_int_equal(identify(n, 3, 1, at), STATUS_SUCCESS);
    assert_int_equal(identify(n, 3, 2, other), STATUS_SUCCESS);
    static const uint8_t types[3][2] = {{1, 8}, {2, 16}, {3, 16}};
    for (unsigned i = 0, offset = 0; i < 3; offset += 4 + types[i][1], i++) {
        assert_memory_equal(page + offset, types[i], 2);
        assert_memory_not_equal(page + offset + 4, second + offset + 4, types[i][1]);
    }
    assert_int_equal(page[4 + 8 + 4 + 16 + 4 + 16], 0);
    nrig_free(n);
}

/*
 * Queues
 */

static void queues_that_cannot_be_created(void **state)
{
    struct nrig *n = *state;
    nrig_enable(n);
    uint64_t page = nrig_page(n);
    struct nvme_command cq = {
        .opcode = ADMIN_CREATE_CQ, .prp1 = page, .cdw10 = 3 << 16 | 1, .cdw11 = 1};
    struct nvme_command sq = {
        .opcode = ADMIN_CREATE_SQ, .prp1 = page, .cdw10 = 3 << 16 | 1, .cdw11 = 1 << 16 | 1};
    struct {
        const struct nvme_command *base;
        uint32_t cdw10, cdw11;
        uint64_t prp1;
        unsigned status;
    } cases[] = {
        {&cq, 3 << 16 | 0, 1, page, STATUS_QUEUE_ID_INVALID},
        {&cq, 3 << 16 | 65, 1, page, STATUS_QUEUE_ID_INVALID},
        {&cq, 3 << 16 | 0xffff, 1, page, STATUS_QUEUE_ID_INVALID},
        {&cq, 0 << 16 | 1, 1, page, STATUS_QUEUE_SIZE_INVALID},
        {&cq, NVME_QUEUE_SIZE_MAX << 16 | 1, 1, page, STATUS_QUEUE_SIZE_INVALID},
        {&cq, 3 << 16 | 1, 0, page, STATUS_INVALID_FIELD},
        {&cq, 3 << 16 | 1, 65 << 16 | 3, page, STATUS_VECTOR_INVALID},
        {&cq, 3 << 16 | 1, 1, page + 8, STATUS_PRP_OFFSET_INVALID},
        {&cq, 3 << 16 | 1, 1, 0x1000, STATUS_DATA_TRANSFER_ERROR},
        {&cq, 3 << 16 | 1, 1, UINT64_MAX << 12, STATUS_DATA_TRANSFER_ERROR},
        {&sq, 3 << 16 | 1, 1 << 16 | 1, page, STATUS_CQ_INVALID},
        {&sq, 3 << 16 | 1, 0 << 16 | 1, page, STATUS_QUEUE_ID_INVALID},
        {&sq, 3 << 16 | 1, 65 << 16 | 1, page, STATUS_QUEUE_ID_INVALID},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct nvme_command c = *cases[i].base;
        c.cdw10 = cases[i].cdw10;
        c.cdw11 = cases[i].cdw11;
        c.prp1 = cases[i].prp1;
        assert_int_equal(nrig_do(n, 0, &c), cases[i].status);
    }
    nrig_queue(n, 1, 4);
    assert_int_equal(nrig_do(n, 0, &cq), STATUS_QUEUE_ID_INVALID);
    assert_int_equal(nrig_do(n, 0, &sq), STATUS_QUEUE_ID_INVALID);
    sq.cdw10 = 3 << 16 | 2;
    sq.prp1 = 0x1000;
    assert_int_equal(nrig_do(n, 0, &sq), STATUS_DATA_TRANSFER_ERROR);
}

static void queues_go_in_the_right_order_only(void **state)
{
    struct nrig *n = *state;
    nrig_enable(n);
    nrig_queue(n, 7, 4);
    assert_int_equal(nrig_delete(n, ADMIN_DELETE_CQ, 7), STATUS_QUEUE_DELETION_INVALID);
    assert_int_equal(nrig_delete(n, ADMIN_DELETE_SQ, 0), STATUS_QUEUE_ID_INVALID);
    assert_int_equal(nrig_delete(n, ADMIN_DELETE_CQ, 0), STATUS_QUEUE_ID_INVALID);
    assert_int_equal(nrig_delete(n, ADMIN_DELETE_SQ, 6), STATUS_QUEUE_ID_INVALID);
    assert_int_equal(nrig_delete(n, ADMIN_DELETE_SQ, 1000), STATUS_QUEUE_ID_INVALID);
    assert_int_equal(nrig_delete(n, ADMIN_DELETE_SQ, 7), STATUS_SUCCESS);
    assert_int_equal(nrig_delete(n, ADMIN_DELETE_SQ, 7), STATUS_QUEUE_ID_INVALID);
    assert_int_equal(nrig_delete(n, ADMIN_DELETE_CQ, 7), STATUS_SUCCESS);
    nrig_queue(n, 7, 4);
}

static void queues_need_their_entry_sizes_to_be_set(void **state)
{
    struct nrig *n = *state;
    nrig_enable(n);
    nrig_disable(n);
    nrig_set_queue(n, 0, 16, 16);
    nrig_write(n, NVME_ASQ, 8, n->queues[0].sq);
    nrig_write(n, NVME_ACQ, 8, n->queues[0].cq);
    nrig_write(n, NVME_CC, 4, CC_EN);
    nrig_until(n, CSTS_RDY, CSTS_RDY);
    nrig_set_queue(n, 1, 4, 4);
    assert_int_equal(nrig_create_cq(n, 1, 0, false), STATUS_QUEUE_SIZE_INVALID);
    nrig_write(n, NVME_CC, 4, CC_EN | 4 << CC_IOCQES_SHIFT);
    assert_int_equal(nrig_create_cq(n, 1, 0, false), STATUS_SUCCESS);
    assert_int_equal(nrig_create_sq(n, 1), STATUS_QUEUE_SIZE_INVALID);
}

/* More commands than the completion queue has room for: none is lost, all come in their order. */
static void completions_wait_until_there_is_room(void **state)
{
    struct nrig *n = *state;
    nrig_enable_with(n, 32, 4);
    struct nvme_command c = {.opcode = 0xff};
    for (unsigned i = 0; i < 20; i++)
        nrig_put(n, 0, &c);
    nrig_ring_tail(n, 0);
    time_t since = 0;
    for (unsigned i = 0; i < 3; i++) {
        while (!nrig_poll(n, 0))
            nrig_wait(&since);
        assert_int_equal(n->last.cid, i);
    }
    usleep(20000);
    assert_false(nrig_poll(n, 0)); /* the fourth would make it look empty */
    nrig_ring_head(n, 0);
    for (unsigned i = 3; i < 20; i++) {
        assert_int_equal(nrig_complete(n, 0), STATUS_INVALID_OPCODE);
        assert_int_equal(n->last.cid, i);
    }
}

static void all_queues_work_at_once(void **state)
{
    struct nrig *n = *state;
    nrig_enable(n);
    uint64_t page = nrig_page(n);
    struct nvme_command read = nrig_rw(IO_READ_BLOCKS, 8, 8, page, 0);
    for (unsigned id = 1; id <= NVME_IO_QUEUES; id++)
        nrig_queue(n, id, 4);
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned id = 1; id <= NVME_IO_QUEUES; id++) {
            nrig_put(n, id, &read);
            nrig_put(n, id, &read);
            nrig_ring_tail(n, id);
        }
        for (unsigned id = NVME_IO_QUEUES; id; id--) {
            assert_int_equal(nrig_complete(n, id), STATUS_SUCCESS);
            assert_int_equal(nrig_complete(n, id), STATUS_SUCCESS);
        }
    }
}

/*
 * Features and log pages
 */

static unsigned feature(struct nrig *n, unsigned opcode, uint32_t cdw10, uint32_t value)
{
    struct nvme_command c = {
        .opcode = (uint8_t)opcode, .nsid = NVME_NSID_ALL, .cdw10 = cdw10, .cdw11 = value};
    return nrig_do(n, 0, &c);
}

static void features_are_set_and_read_back(void **state)
{
    static const struct {
        unsigned id;
        uint32_t first, set, select;
    } features[] = {
        {FEATURE_ARBITRATION, 6, 0x01020303, 0},
        {FEATURE_POWER_MANAGEMENT, 0, 0x20, 0},
        {FEATURE_TEMPERATURE_THRESHOLD, 343, 400, 0},
        {FEATURE_TEMPERATURE_THRESHOLD, 0, 250, 1 << 20},
        {FEATURE_ERROR_RECOVERY, 0, 77, 0},
        {FEATURE_VOLATILE_WRITE_CACHE, 1, 0, 0},
        {FEATURE_INTERRUPT_COALESCING, 0, 0x0a07, 0},
        {FEATURE_INTERRUPT_VECTOR, 9, 1 << 16 | 9, 9},
        {FEATURE_WRITE_ATOMICITY, 0, 1, 0},
        {FEATURE_ASYNC_EVENTS, 0, 0x1f, 0},
    };
    struct nrig *n = *state;
    nrig_enable(n);
    for (size_t i = 0; i < sizeof(features) / sizeof(features[0]); i++) {
        unsigned id = features[i].id;
        uint32_t select = features[i].select;
        assert_int_equal(feature(n, ADMIN_GET_FEATURES, id, select), STATUS_SUCCESS);
        assert_int_equal(n->last.dw0, features[i].first);
        assert_int_equal(feature(n, ADMIN_SET_FEATURES, id, features[i].set | select),
                         STATUS_SUCCESS);
        assert_int_equal(feature(n, ADMIN_GET_FEATURES, id, select), STATUS_SUCCESS);
        assert_int_equal(n->last.dw0, features[i].set);
        for (unsigned which = 1; which <= 2; which++) { /* default, saved */
            assert_int_equal(feature(n, ADMIN_GET_FEATURES, which << 8 | id, select),
                             STATUS_SUCCESS);
            assert_int_equal(n->last.dw0, features[i].first);
        }
        assert_int_equal(feature(n, ADMIN_GET_FEATURES, 3 << 8 | id, select), STATUS_SUCCESS);
        assert_true(n->last.dw0 & 4); /* changeable */
        assert_int_equal(feature(n, ADMIN_SET_FEATURES, 1u << 31 | id, features[i].set),
                         STATUS_FEATURE_NOT_SAVEABLE);
    }
}

static void features_that_are_wrong(void **state)
{
    struct nrig *n = *state;
    nrig_enable(n);
    assert_int_equal(feature(n, ADMIN_GET_FEATURES, 0x7f, 0), STATUS_INVALID_FIELD);
    assert_int_equal(feature(n, ADMIN_SET_FEATURES, 0x7f, 0), STATUS_INVALID_FIELD);
    assert_int_equal(feature(n, ADMIN_GET_FEATURES, 4 << 8 | 6, 0), STATUS_INVALID_FIELD);
    assert_int_equal(feature(n, ADMIN_GET_FEATURES, 3 << 8 | 0x7f, 0), STATUS_INVALID_FIELD);
    assert_int_equal(feature(n, ADMIN_SET_FEATURES, FEATURE_POWER_MANAGEMENT, 1),
                     STATUS_INVALID_FIELD);
    assert_int_equal(feature(n, ADMIN_SET_FEATURES, FEATURE_TEMPERATURE_THRESHOLD, 2 << 20),
                     STATUS_INVALID_FIELD);
    assert_int_equal(feature(n, ADMIN_GET_FEATURES, FEATURE_TEMPERATURE_THRESHOLD, 1 << 16),
                     STATUS_INVALID_FIELD);
    assert_int_equal(feature(n, ADMIN_GET_FEATURES, FEATURE_INTERRUPT_VECTOR, 65),
                     STATUS_INVALID_FIELD);
    assert_int_equal(feature(n, ADMIN_SET_FEATURES, FEATURE_INTERRUPT_VECTOR, 65),
                     STATUS_INVALID_FIELD);
    assert_int_equal(feature(n, ADMIN_SET_FEATURES, FEATURE_ERROR_RECOVERY, 1 << 16),
                     STATUS_INVALID_FIELD);
}

static void the_number_of_queues_is_told_before_there_are_any(void **state)
{
    struct nrig *n = *state;
    nrig_enable(n);
    assert_int_equal(feature(n, ADMIN_SET_FEATURES, FEATURE_QUEUE_COUNT, 0xffff),
                     STATUS_INVALID_FIELD);
    assert_int_equal(feature(n, ADMIN_SET_FEATURES, FEATURE_QUEUE_COUNT, 0xffff0000),
                     STATUS_INVALID_FIELD);
    assert_int_equal(feature(n, ADMIN_SET_FEATURES, FEATURE_QUEUE_COUNT, 0x00030003),
                     STATUS_SUCCESS);
    assert_int_equal(n->last.dw0, 63 << 16 | 63);
    nrig_queue(n, 1, 4);
    assert_int_equal(feature(n, ADMIN_SET_FEATURES, FEATURE_QUEUE_COUNT, 0x00030003),
                     STATUS_SEQUENCE_ERROR);
}

static void the_timestamp_goes_on_from_what_was_set(void **state)
{
    struct nrig *n = *state;
    nrig_enable(n);
    uint64_t page = nrig_page(n), *stamp = nrig_memory(n, page, 8);
    struct nvme_command c = {
        .opcode = ADMIN_SET_FEATURES, .prp1 = page, .cdw10 = FEATURE_TIMESTAMP};
    *stamp = 0xffff123456789abc;
    assert_int_equal(nrig_do(n, 0, &c), STATUS_SUCCESS);
    c.opcode = ADMIN_GET_FEATURES;
    usleep(3000);
    assert_int_equal(nrig_do(n, 0, &c), STATUS_SUCCESS);
    assert_int_equal(*stamp >> 48, 2); /* set by the host */
    assert_in_range((*stamp & 0xffffffffffff) - 0x123456789abc, 3, 20000);
}

static unsigned log_page(struct nrig *n, unsigned id, uint64_t page, unsigned size, uint64_t offset)
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

static void the_error_log_has_what_failed_newest_first(void **state)
{
    struct nrig *n = *state;
    nrig_enable(n);
    nrig_queue(n, 1, 4);
    uint64_t at = nrig_page(n);
    const uint8_t *page = nrig_memory(n, at, NRIG_PAGE);
    struct nvme_command read = nrig_rw(IO_READ_BLOCKS, UINT64_C(0x123456789a), 1, at, 0);
    assert_int_equal(log_page(n, LOG_PAGE_ERROR, at, 4096, 0), STATUS_SUCCESS);
    assert_int_equal(number(page, 0, 8), 0);
    assert_int_equal(feature(n, ADMIN_GET_FEATURES, 0x7f, 0), STATUS_INVALID_FIELD);
    assert_int_equal(n->last.status >> 13, 3); /* more information; do not retry */
    uint16_t first = n->last.cid;
    assert_int_equal(nrig_do(n, 1, &read), STATUS_LBA_OUT_OF_RANGE);
    assert_int_equal(log_page(n, LOG_PAGE_ERROR, at, 4096, 0), STATUS_SUCCESS);
    assert_int_equal(number(page, 0, 8), 2);
    assert_int_equal(number(page, 8, 2), 1); /* queue */
    assert_int_equal(number(page, 10, 2), n->queues[1].next_cid - 1);
    assert_int_equal(number(page, 12, 2) >> 1 & 0x7ff, STATUS_LBA_OUT_OF_RANGE);
    assert_int_equal(number(page, 14, 2), 0xffff);
    assert_int_equal(number(page, 16, 8), UINT64_C(0x123456789a));
    assert_int_equal(number(page, 24, 4), 1);
    assert_int_equal(number(page, 64, 8), 1);
    assert_int_equal(number(page, 72, 2), 0);
    assert_int_equal(number(page, 74, 2), first);
    assert_int_equal(number(page, 128, 8), 0);
    for (unsigned i = 0; i < 100; i++)
        feature(n, ADMIN_GET_FEATURES, 0x7f, 0);
    assert_int_equal(log_page(n, LOG_PAGE_ERROR, at, 4096, 0), STATUS_SUCCESS);
    for (unsigned i = 0; i < 64; i++)
        assert_int_equal(number(page, 64 * i, 8), 102 - i);
}

static void health_counts_what_was_moved(void **state)
{
    struct nrig *n = *state;
    nrig_enable(n);
    nrig_queue(n, 1, 4);
    uint64_t at = nrig_page(n), data = nrig_page(n);
    const uint8_t *page = nrig_memory(n, at, NRIG_PAGE);
    struct nvme_command read = nrig_rw(IO_READ_BLOCKS, 0, 8, data, 0);
    struct nvme_command write = nrig_rw(IO_WRITE_BLOCKS, 0, 8, data, 0);
    for (unsigned i = 0; i < 126; i++)
        assert_int_equal(nrig_do(n, 1, &read), STATUS_SUCCESS);
    assert_int_equal(nrig_do(n, 1, &write), STATUS_SUCCESS);
    assert_int_equal(log_page(n, LOG_PAGE_SMART, at, 512, 0), STATUS_SUCCESS);
    assert_int_equal(page[0], 0);
    assert_int_equal(number(page, 1, 2), 300);
    assert_int_equal(page[3], 100);
    assert_int_equal(number(page, 32, 8), 2); /* 1008 blocks: one thousand and some */
    assert_int_equal(number(page, 48, 8), 1);
    assert_int_equal(number(page, 64, 8), 126);
    assert_int_equal(number(page, 80, 8), 1);
    assert_int_equal(number(page, 160, 8), 0);
    assert_int_equal(number(page, 176, 8), 0);
    struct nvme_command one = {.opcode = ADMIN_GET_LOG_PAGE, .nsid = 1, .prp1 = at};
    one.cdw10 = 127 << 16 | LOG_PAGE_SMART;
    assert_int_equal(nrig_do(n, 0, &one), STATUS_INVALID_FIELD);
}

static void log_pages_can_be_read_in_parts(void **state)
{
    struct nrig *n = *state;
    nrig_enable(n);
    uint64_t at = nrig_page(n);
    nrig_page(n);
    uint8_t *page = nrig_memory(n, at, 2 * NRIG_PAGE);
    assert_int_equal(log_page(n, LOG_PAGE_FIRMWARE_SLOT, at, 512, 0), STATUS_SUCCESS);
    assert_int_equal(page[0], 1);
    assert_memory_equal(page + 8, "1.0     ", 8);
    assert_int_equal(log_page(n, LOG_PAGE_FIRMWARE_SLOT, at, 8, 8), STATUS_SUCCESS);
    assert_memory_equal(page, "1.0     ", 8);
    assert_int_equal(log_page(n, LOG_PAGE_EFFECTS, at, 4096, 0), STATUS_SUCCESS);
    assert_int_equal(number(page, 4 * ADMIN_IDENTIFY, 4), 1);
    assert_int_equal(number(page, 4 * 0x80, 4), 0);
    assert_int_equal(number(page, 1024 + 4 * IO_WRITE_BLOCKS, 4), 3);
    assert_int_equal(number(page, 1024 + 4 * IO_READ_BLOCKS, 4), 1);
    assert_int_equal(log_page(n, LOG_PAGE_CHANGED_NAMESPACES, at, 4096, 0), STATUS_SUCCESS);
    assert_int_equal(number(page, 0, 4), 0);
    /* beyond the end nothing is written */
    memset(page, 0xee, 2 * NRIG_PAGE);
    assert_int_equal(log_page(n, LOG_PAGE_SMART, at, 8192, 0), STATUS_SUCCESS);
    assert_int_equal(page[511], 0);
    assert_int_equal(page[512], 0xee);
    assert_int_equal(log_page(n, LOG_PAGE_SMART, at, 4, 512), STATUS_INVALID_FIELD);
    assert_int_equal(log_page(n, LOG_PAGE_SMART, at, 4, 2), STATUS_INVALID_FIELD);
    assert_int_equal(log_page(n, LOG_PAGE_SMART, at, 4, UINT64_MAX - 3), STATUS_INVALID_FIELD);
    assert_int_equal(log_page(n, 0x70, at, 512, 0), STATUS_LOG_PAGE_INVALID);
}

/*
 * Events
 */

static uint16_t ask_for_event(struct nrig *n)
{
    struct nvme_command c = {.opcode = ADMIN_ASYNC_EVENT};
    uint16_t cid = nrig_put(n, 0, &c);
    nrig_ring_tail(n, 0);
    return cid;
}

static void bad_doorbells_are_told_once_until_the_log_is_read(void **state)
{
    struct nrig *n = *state;
    nrig_enable(n);
    uint64_t page = nrig_page(n);
    uint16_t first = ask_for_event(n), second = ask_for_event(n);
    nrig_write(n, NVME_DOORBELLS, 4, 16); /* as large as the queue */
    assert_int_equal(nrig_complete(n, 0), STATUS_SUCCESS);
    assert_true(n->last.cid == first || n->last.cid == second);
    assert_int_equal(n->last.dw0, LOG_PAGE_ERROR << 16 | 1 << 8);
    nrig_write(n, NVME_DOORBELLS + 8 * 5, 4, 0); /* there is no such queue */
    usleep(10000);
    assert_false(nrig_poll(n, 0));
    assert_int_equal(log_page(n, LOG_PAGE_ERROR, page, 64, 0), STATUS_SUCCESS);
    assert_int_equal(nrig_complete(n, 0), STATUS_SUCCESS);
    assert_int_equal(n->last.dw0, LOG_PAGE_ERROR << 16 | 0 << 8);
    assert_true(n->last.cid == first || n->last.cid == second);
}

static void heads_are_checked_too(void **state)
{
    static const struct {
        unsigned doorbell;
        uint32_t value, info;
    } cases[] = {{1, 16, 1}, {1, UINT32_MAX, 1}, {3, 0, 0}, {2 * 64 + 1, 0, 0}, {2 * 65, 0, 0}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct nrig *n = nrig_new(&(struct nrig_config){.namespaces = 1});
        nrig_enable(n);
        ask_for_event(n);
        nrig_write(n, NVME_DOORBELLS + 4 * cases[i].doorbell, 4, cases[i].value);
        assert_int_equal(nrig_complete(n, 0), STATUS_SUCCESS);
        assert_int_equal(n->last.dw0, LOG_PAGE_ERROR << 16 | cases[i].info << 8);
        nrig_free(n);
    }
    (void)state;
}

static void a_threshold_below_the_temperature_is_an_event(void **state)
{
    struct nrig *n = *state;
    nrig_enable(n);
    uint64_t at = nrig_page(n);
    const uint8_t *page = nrig_memory(n, at, NRIG_PAGE);
    uint16_t event = ask_for_event(n);
    assert_int_equal(feature(n, ADMIN_SET_FEATURES, FEATURE_ASYNC_EVENTS, 2), STATUS_SUCCESS);
    struct nvme_command set = {
        .opcode = ADMIN_SET_FEATURES, .cdw10 = FEATURE_TEMPERATURE_THRESHOLD, .cdw11 = 299};
    nrig_put(n, 0, &set);
    nrig_ring_tail(n, 0);
    bool seen = false;
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(nrig_complete(n, 0), STATUS_SUCCESS);
        if (n->last.cid == event) {
            seen = true;
            assert_int_equal(n->last.dw0, LOG_PAGE_SMART << 16 | 1 << 8 | EVENT_SMART);
        }
    }
    assert_true(seen);
    assert_int_equal(log_page(n, LOG_PAGE_SMART, at, 512, 0), STATUS_SUCCESS);
    assert_int_equal(page[0], 2);
}

static void events_are_asked_for_up_to_a_limit_and_can_be_aborted(void **state)
{
    struct nrig *n = *state;
    nrig_enable_with(n, 16, 16);
    uint16_t cids[4];
    for (unsigned i = 0; i < 4; i++)
        cids[i] = ask_for_event(n);
    struct nvme_command ask = {.opcode = ADMIN_ASYNC_EVENT};
    assert_int_equal(nrig_do(n, 0, &ask), STATUS_ASYNC_LIMIT_EXCEEDED);
    struct nvme_command stop = {.opcode = ADMIN_ABORT, .cdw10 = (uint32_t)cids[1] << 16};
    nrig_put(n, 0, &stop);
    nrig_ring_tail(n, 0);
    assert_int_equal(nrig_complete(n, 0), STATUS_ABORT_REQUESTED);
    assert_int_equal(n->last.cid, cids[1]);
    assert_int_equal(nrig_complete(n, 0), STATUS_SUCCESS);
    assert_int_equal(n->last.dw0, 0);
    assert_int_equal(nrig_do(n, 0, &stop), STATUS_SUCCESS);
    assert_int_equal(n->last.dw0, 1); /* there is nothing more to abort */
}

static void what_the_admin_queue_does_not_know(void **state)
{
    struct nrig *n = *state;
    nrig_enable(n);
    struct nvme_command c = {.opcode = 0x80};
    assert_int_equal(nrig_do(n, 0, &c), STATUS_INVALID_OPCODE);
    c = (struct nvme_command){.opcode = ADMIN_IDENTIFY, .flags = 1 << 6, .cdw10 = 1};
    assert_int_equal(nrig_do(n, 0, &c), STATUS_INVALID_FIELD);
    c.flags = 1;
    assert_int_equal(nrig_do(n, 0, &c), STATUS_INVALID_FIELD);
}

/*
 * Interrupts
 */

static bool wire(struct nrig *n)
{
    return n->pci->wire[(DEV(1) >> 3) % 4];
}

static void wait_for_wire(struct nrig *n)
{
    time_t since = 0;
    while (!wire(n))
        nrig_wait(&since);
}

static void the_wire_is_up_while_there_is_something_to_take(void **state)
{
    struct nrig *n = *state;
    nrig_enable(n);
    struct nvme_command c = {.opcode = 0xff};
    assert_false(wire(n));
    nrig_put(n, 0, &c);
    nrig_put(n, 0, &c);
    nrig_ring_tail(n, 0);
    wait_for_wire(n);
    time_t since = 0;
    for (unsigned i = 0; i < 2; i++) {
        while (!nrig_poll(n, 0))
            nrig_wait(&since);
        assert_true(wire(n));
    }
    nrig_write(n, NVME_INTMS, 4, 1);
    assert_false(wire(n));
    assert_int_equal(nrig_read(n, NVME_INTMC, 4), 1);
    nrig_write(n, NVME_INTMC, 4, 1);
    assert_true(wire(n));
    nrig_ring_head(n, 0);
    assert_false(wire(n));
}

static void each_queue_has_a_message_of_its_own(void **state)
{
    struct nrig *n = *state;
    unsigned cap = (unsigned)rig_read(n->pci, ecam(0, DEV(1), 0x34), 1);
    while (rig_read(n->pci, ecam(0, DEV(1), cap), 1) != PCI_CAP_MSIX)
        cap = (unsigned)rig_read(n->pci, ecam(0, DEV(1), cap + 1), 1);
    assert_int_equal(rig_read(n->pci, ecam(0, DEV(1), cap + 2), 2) & 0x7ff, NVME_QUEUES - 1);
    for (unsigned v = 0; v < NVME_QUEUES; v++) {
        nrig_write(n, 0x2000 + 16 * v, 4, RIG_MSI_BASE);
        nrig_write(n, 0x2000 + 16 * v + 8, 4, 1000 + v);
        nrig_write(n, 0x2000 + 16 * v + 12, 4, 0);
    }
    rig_write(n->pci, ecam(0, DEV(1), cap + 2), 2, 0x8000);
    nrig_enable(n);
    nrig_queue(n, 3, 4);
    nrig_set_queue(n, 4, 4, 4);
    assert_int_equal(nrig_create_cq(n, 4, 4, false), STATUS_SUCCESS);
    assert_int_equal(nrig_create_sq(n, 4), STATUS_SUCCESS);
    struct nvme_command c = {.opcode = 0xff, .nsid = 1};
    assert_int_equal(nrig_do(n, 4, &c), STATUS_INVALID_OPCODE);
    unsigned before = n->pci->messages;
    assert_int_equal(nrig_do(n, 3, &c), STATUS_INVALID_OPCODE);
    time_t since = 0;
    while (n->pci->messages == before)
        nrig_wait(&since);
    assert_int_equal(n->pci->message[before].data, 1003);
    for (unsigned i = 0; i < before; i++)
        assert_int_equal(n->pci->message[i].data, 1000); /* the admin queue; none of queue 4 */
    assert_false(wire(n));
}

/*
 * Shadow doorbells
 */

static void shadow_doorbells_take_the_place_of_registers(void **state)
{
    struct nrig *n = *state;
    nrig_enable(n);
    nrig_queue(n, 1, 8);
    uint64_t shadow = nrig_page(n), events = nrig_page(n);
    _Atomic uint32_t *doorbell = nrig_memory(n, shadow, NRIG_PAGE);
    _Atomic uint32_t *event = nrig_memory(n, events, NRIG_PAGE);
    memset(nrig_memory(n, shadow, 2 * NRIG_PAGE), 0, 2 * NRIG_PAGE);
    struct nvme_command config = {
        .opcode = ADMIN_DOORBELL_BUFFER, .prp1 = shadow, .prp2 = events + 4};
    assert_int_equal(nrig_do(n, 0, &config), STATUS_PRP_OFFSET_INVALID);
    config.prp2 = 0x1000;
    assert_int_equal(nrig_do(n, 0, &config), STATUS_DATA_TRANSFER_ERROR);
    config.prp2 = events;
    assert_int_equal(nrig_do(n, 0, &config), STATUS_SUCCESS);
    struct nvme_command c = {.opcode = 0xff, .nsid = 1};
    for (unsigned i = 0; i < 50; i++) {
        nrig_put(n, 1, &c);
        uint32_t old = atomic_load(&doorbell[2]), tail = n->queues[1].tail;
        atomic_store(&doorbell[2], tail);
        /* the register is needed only when the controller has asked for it */
        if ((uint16_t)(tail - atomic_load(&event[2]) - 1) < (uint16_t)(tail - old))
            nrig_write(n, NVME_DOORBELLS + 8, 4, tail);
        time_t since = 0;
        while (!nrig_poll(n, 1))
            nrig_wait(&since);
        assert_int_equal(n->last.status & 0x7ff, STATUS_INVALID_OPCODE);
        uint32_t head = n->queues[1].head;
        old = atomic_load(&doorbell[3]);
        atomic_store(&doorbell[3], head);
        if ((uint16_t)(head - atomic_load(&event[3]) - 1) < (uint16_t)(head - old))
            nrig_write(n, NVME_DOORBELLS + 12, 4, head);
    }
    time_t since = 0;
    while (wire(n) || atomic_load(&event[2]) != n->queues[1].tail)
        nrig_wait(&since);
}

static void a_shadow_out_of_range_is_an_event(void **state)
{
    struct nrig *n = *state;
    nrig_enable(n);
    nrig_queue(n, 1, 8);
    uint64_t shadow = nrig_page(n), events = nrig_page(n);
    _Atomic uint32_t *doorbell = nrig_memory(n, shadow, NRIG_PAGE);
    struct nvme_command config = {.opcode = ADMIN_DOORBELL_BUFFER, .prp1 = shadow, .prp2 = events};
    assert_int_equal(nrig_do(n, 0, &config), STATUS_SUCCESS);
    ask_for_event(n);
    atomic_store(&doorbell[2], 8);
    nrig_write(n, NVME_DOORBELLS + 8, 4, 0);
    assert_int_equal(nrig_complete(n, 0), STATUS_SUCCESS);
    assert_int_equal(n->last.dw0, LOG_PAGE_ERROR << 16 | 1 << 8);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(registers_at_power_on),
        TEST(a_queue_wraps_many_times),
        TEST(enabling_with_nonsense_is_a_fatal_status_until_the_next_reset),
        TEST(disabling_forgets_queues_and_features),
        TEST(shutdown_is_acknowledged),
        TEST(subsystem_reset_disables_and_is_remembered),
        TEST(reset_of_the_machine_is_power_on),
        TEST(identify_controller_field_by_field),
        TEST(identify_namespace_field_by_field),
        cmocka_unit_test(a_namespace_of_large_blocks),
        cmocka_unit_test(namespaces_are_listed_and_have_names_of_their_own),
        TEST(queues_that_cannot_be_created),
        TEST(queues_go_in_the_right_order_only),
        TEST(queues_need_their_entry_sizes_to_be_set),
        TEST(completions_wait_until_there_is_room),
        TEST(all_queues_work_at_once),
        TEST(features_are_set_and_read_back),
        TEST(features_that_are_wrong),
        TEST(the_number_of_queues_is_told_before_there_are_any),
        TEST(the_timestamp_goes_on_from_what_was_set),
        TEST(the_error_log_has_what_failed_newest_first),
        TEST(health_counts_what_was_moved),
        TEST(log_pages_can_be_read_in_parts),
        TEST(bad_doorbells_are_told_once_until_the_log_is_read),
        cmocka_unit_test(heads_are_checked_too),
        TEST(a_threshold_below_the_temperature_is_an_event),
        TEST(events_are_asked_for_up_to_a_limit_and_can_be_aborted),
        TEST(what_the_admin_queue_does_not_know),
        TEST(the_wire_is_up_while_there_is_something_to_take),
        TEST(each_queue_has_a_message_of_its_own),
        TEST(shadow_doorbells_take_the_place_of_registers),
        TEST(a_shadow_out_of_range_is_an_event),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
