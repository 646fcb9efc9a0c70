/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * NVMe: registers, life, queues, admin commands, interrupts. Commands that move data are in
 * nvme_io_test.c.
 */
#include "nvme_rig.h"

#include "cpu/code_map.h"

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
        assert_int_equal(nrig_identify(n, 1, 0, page), STATUS_SUCCESS);
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
    assert_int_equal(nrig_identify(n, 1, 0, nrig_page(n)), STATUS_SUCCESS);
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

/* Both in one write, or so soon that the controller sees them together. */
static void shutdown_that_comes_with_enabling_is_acknowledged_too(void **state)
{
    struct nrig *n = *state;
    nrig_set_queue(n, 0, 16, 16);
    nrig_write(n, NVME_AQA, 4, 15 << 16 | 15);
    nrig_write(n, NVME_ASQ, 8, n->queues[0].sq);
    nrig_write(n, NVME_ACQ, 8, n->queues[0].cq);
    nrig_write_cc(n, CC_EN | 1 << CC_SHN_SHIFT);
    nrig_until(n, CSTS_SHST_MASK, CSTS_SHST_COMPLETE);
    nrig_disable(n);
    nrig_enable(n);
    assert_int_equal(nrig_read(n, NVME_CSTS, 4), CSTS_RDY);
    assert_int_equal(nrig_identify(n, 1, 0, nrig_page(n)), STATUS_SUCCESS);
}

static void subsystem_reset_disables_and_is_remembered(void **state)
{
    struct nrig *n = *state;
    nrig_enable(n);
    nrig_write(n, NVME_NSSR, 4, 0x4e564d64);
    assert_int_equal(nrig_identify(n, 1, 0, nrig_page(n)), STATUS_SUCCESS);
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
    rig_reset(n->pci->m);
    rig_write(n->pci, ecam(0, DEV(1), 0x10), 4, NRIG_BAR);
    rig_write(n->pci, ecam(0, DEV(1), PCI_COMMAND), 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    assert_int_equal(nrig_read(n, NVME_CC, 4), 0);
    assert_int_equal(nrig_read(n, NVME_CSTS, 4), 0);
    nrig_enable(n);
    assert_int_equal(nrig_identify(n, 1, 0, nrig_page(n)), STATUS_SUCCESS);
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
    assert_int_equal(nrig_log_page(n, LOG_PAGE_ERROR, page, 64, 0), STATUS_SUCCESS);
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
    assert_int_equal(nrig_feature(n, ADMIN_SET_FEATURES, FEATURE_ASYNC_EVENTS, 2), STATUS_SUCCESS);
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
    assert_int_equal(nrig_log_page(n, LOG_PAGE_SMART, at, 512, 0), STATUS_SUCCESS);
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

static _Atomic unsigned drops;

static void note_drop(void *ctx, uint64_t offset, uint64_t size)
{
    (void)ctx, (void)offset, (void)size;
    drops++;
}

/* A page of shadows may hold code as well. */
static void the_translator_hears_of_shadows_that_are_written(void **state)
{
    static struct code_page pages[RIG_RAM / PAGE_SIZE];
    static struct code_map map = {.size = RIG_RAM, .pages = pages, .written = note_drop};
    struct nrig *n = *state;
    map.ram = n->pci->m->bus.ram;
    n->pci->m->bus.code_map = &map;
    nrig_enable(n);
    nrig_queue(n, 1, 8);
    uint64_t shadow = nrig_page(n), events = nrig_page(n);
    struct nvme_command config = {.opcode = ADMIN_DOORBELL_BUFFER, .prp1 = shadow, .prp2 = events};
    pages[(events - MACHINE_RAM_BASE) / PAGE_SIZE].granules = UINT64_MAX;
    assert_int_equal(drops, 0);
    assert_int_equal(nrig_do(n, 0, &config), STATUS_SUCCESS);
    assert_true(drops);
    drops = 0;
    struct nvme_command c = {.opcode = 0xff, .nsid = 1};
    nrig_put(n, 1, &c);
    atomic_store((_Atomic uint32_t *)nrig_memory(n, shadow, NRIG_PAGE) + 2, 1);
    nrig_ring_tail(n, 1);
    assert_int_equal(nrig_complete(n, 1), STATUS_INVALID_OPCODE);
    assert_true(drops);
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
        TEST(shutdown_that_comes_with_enabling_is_acknowledged_too),
        TEST(subsystem_reset_disables_and_is_remembered),
        TEST(reset_of_the_machine_is_power_on),
        TEST(queues_that_cannot_be_created),
        TEST(queues_go_in_the_right_order_only),
        TEST(queues_need_their_entry_sizes_to_be_set),
        TEST(completions_wait_until_there_is_room),
        TEST(all_queues_work_at_once),
        TEST(bad_doorbells_are_told_once_until_the_log_is_read),
        cmocka_unit_test(heads_are_checked_too),
        TEST(a_threshold_below_the_temperature_is_an_event),
        TEST(events_are_asked_for_up_to_a_limit_and_can_be_aborted),
        TEST(what_the_admin_queue_does_not_know),
        TEST(the_wire_is_up_while_there_is_something_to_take),
        TEST(each_queue_has_a_message_of_its_own),
        TEST(shadow_doorbells_take_the_place_of_registers),
        TEST(a_shadow_out_of_range_is_an_event),
        TEST(the_translator_hears_of_shadows_that_are_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
