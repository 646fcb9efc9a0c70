/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * NVMe: what the controller says of itself: Identify, features, log pages.
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

/*
 * Identify
 */

static void identify_controller_field_by_field(void **state)
{
    struct nrig *n = *state;
    nrig_enable(n);
    uint64_t at = nrig_page(n);
    const uint8_t *page = nrig_memory(n, at, NRIG_PAGE);
    assert_int_equal(nrig_identify(n, 1, 0, at), STATUS_SUCCESS);
    assert_int_equal(nrig_number(page, 0, 2), rig_read(n->pci, ecam(0, DEV(1), 0), 2));
    assert_memory_equal(page + 4, "SERIAL-1            ", 20);
    assert_memory_equal(page + 24, "RVVM NVMe disk                          ", 40);
    assert_memory_equal(page + 64, "1.0     ", 8);
    assert_int_equal(page[77], 8);                 /* MDTS */
    assert_int_equal(nrig_number(page, 78, 2), 0); /* CNTLID */
    assert_int_equal(nrig_number(page, 80, 4), 0x00010400);
    assert_int_equal(page[111], 1);                      /* an I/O controller */
    assert_int_equal(nrig_number(page, 256, 2), 1 << 8); /* OACS: doorbell buffer */
    assert_int_equal(page[258], 3);                      /* ACL */
    assert_int_equal(page[259], 3);                      /* AERL */
    assert_int_equal(page[260], 3);                      /* FRMW */
    assert_int_equal(page[261], 6);                      /* LPA */
    assert_int_equal(page[262], 63);                     /* ELPE */
    assert_int_equal(page[263], 0);                      /* NPSS */
    assert_int_equal(nrig_number(page, 266, 2), 343);    /* WCTEMP */
    assert_int_equal(nrig_number(page, 268, 2), 373);    /* CCTEMP */
    assert_int_equal(page[512], 0x66);                   /* SQES */
    assert_int_equal(page[513], 0x44);                   /* CQES */
    assert_int_equal(nrig_number(page, 516, 4), 1);      /* NN */
    assert_int_equal(nrig_number(page, 520, 2), 0x5d);   /* ONCS */
    assert_int_equal(page[525], 7);                      /* VWC */
    assert_int_equal(nrig_number(page, 536, 4), 1);      /* SGLS */
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
    assert_int_equal(nrig_identify(n, 0, 1, at), STATUS_SUCCESS);
    for (unsigned field = 0; field < 24; field += 8)
        assert_int_equal(nrig_number(page, field, 8), NRIG_DISK / 512);
    assert_int_equal(page[24], 1 << 4); /* NSFEAT: preferred sizes */
    assert_int_equal(page[25], 1);      /* two formats */
    assert_int_equal(page[26], 0);      /* the first */
    assert_int_equal(page[33], 1 << 3); /* DLFEAT */
    assert_int_equal(page[99], 0);      /* not write protected */
    assert_memory_not_equal(page + 104, "\0\0\0\0\0\0\0\0", 8);
    assert_memory_equal(page + 112, page + 120, 8); /* NGUID ends with EUI64 */
    assert_memory_equal(page + 120, "RVM", 3);
    assert_int_equal(nrig_number(page, 128, 4), 0x02090000);
    assert_int_equal(nrig_number(page, 132, 4), 0x010c0000);
    assert_int_equal(nrig_identify(n, 0, 0, at), STATUS_INVALID_NAMESPACE);
    assert_int_equal(nrig_identify(n, 0, 2, at), STATUS_INVALID_NAMESPACE);
    assert_int_equal(nrig_identify(n, 0, NVME_NSID_ALL, at), STATUS_INVALID_NAMESPACE);
    assert_int_equal(nrig_identify(n, 0x7f, 1, at), STATUS_INVALID_FIELD);
}

static void a_namespace_of_large_blocks(void **state)
{
    (void)state;
    struct nrig *n = nrig_new(&(struct nrig_config){.namespaces = 1, .block_size = 4096});
    nrig_enable(n);
    uint64_t at = nrig_page(n);
    const uint8_t *page = nrig_memory(n, at, NRIG_PAGE);
    assert_int_equal(nrig_identify(n, 0, 1, at), STATUS_SUCCESS);
    assert_int_equal(nrig_number(page, 0, 8), NRIG_DISK / 4096);
    assert_int_equal(page[26], 1);
    assert_int_equal(nrig_number(page, 64, 2), 0); /* NPWG: one block */
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
    assert_int_equal(nrig_identify(n, 2, 0, at), STATUS_SUCCESS);
    assert_memory_equal(page, all, sizeof(all));
    assert_int_equal(nrig_identify(n, 2, 2, at), STATUS_SUCCESS);
    assert_memory_equal(page, rest, sizeof(rest));
    assert_int_equal(nrig_identify(n, 2, NVME_NSID_ALL, at), STATUS_INVALID_NAMESPACE);
    assert_int_equal(nrig_identify(n, 2, NVME_NSID_ALL - 1, at), STATUS_INVALID_NAMESPACE);
    assert_int_equal(nrig_identify(n, 3, 1, at), STATUS_SUCCESS);
    assert_int_equal(nrig_identify(n, 3, 2, other), STATUS_SUCCESS);
    static const uint8_t types[3][2] = {{1, 8}, {2, 16}, {3, 16}};
    for (unsigned i = 0, offset = 0; i < 3; offset += 4 + types[i][1], i++) {
        assert_memory_equal(page + offset, types[i], 2);
        assert_memory_not_equal(page + offset + 4, second + offset + 4, types[i][1]);
    }
    assert_int_equal(page[4 + 8 + 4 + 16 + 4 + 16], 0);
    nrig_free(n);
}

/*
 * Features and log pages
 */

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
        assert_int_equal(nrig_feature(n, ADMIN_GET_FEATURES, id, select), STATUS_SUCCESS);
        assert_int_equal(n->last.dw0, features[i].first);
        assert_int_equal(nrig_feature(n, ADMIN_SET_FEATURES, id, features[i].set | select),
                         STATUS_SUCCESS);
        assert_int_equal(nrig_feature(n, ADMIN_GET_FEATURES, id, select), STATUS_SUCCESS);
        assert_int_equal(n->last.dw0, features[i].set);
        for (unsigned which = 1; which <= 2; which++) { /* default, saved */
            assert_int_equal(nrig_feature(n, ADMIN_GET_FEATURES, which << 8 | id, select),
                             STATUS_SUCCESS);
            assert_int_equal(n->last.dw0, features[i].first);
        }
        assert_int_equal(nrig_feature(n, ADMIN_GET_FEATURES, 3 << 8 | id, select), STATUS_SUCCESS);
        assert_true(n->last.dw0 & 4); /* changeable */
        assert_int_equal(nrig_feature(n, ADMIN_SET_FEATURES, 1u << 31 | id, features[i].set),
                         STATUS_FEATURE_NOT_SAVEABLE);
    }
}

static void features_that_are_wrong(void **state)
{
    struct nrig *n = *state;
    nrig_enable(n);
    assert_int_equal(nrig_feature(n, ADMIN_GET_FEATURES, 0x7f, 0), STATUS_INVALID_FIELD);
    assert_int_equal(nrig_feature(n, ADMIN_SET_FEATURES, 0x7f, 0), STATUS_INVALID_FIELD);
    assert_int_equal(nrig_feature(n, ADMIN_GET_FEATURES, 4 << 8 | 6, 0), STATUS_INVALID_FIELD);
    assert_int_equal(nrig_feature(n, ADMIN_GET_FEATURES, 3 << 8 | 0x7f, 0), STATUS_INVALID_FIELD);
    assert_int_equal(nrig_feature(n, ADMIN_SET_FEATURES, FEATURE_POWER_MANAGEMENT, 1),
                     STATUS_INVALID_FIELD);
    assert_int_equal(nrig_feature(n, ADMIN_SET_FEATURES, FEATURE_TEMPERATURE_THRESHOLD, 2 << 20),
                     STATUS_INVALID_FIELD);
    assert_int_equal(nrig_feature(n, ADMIN_GET_FEATURES, FEATURE_TEMPERATURE_THRESHOLD, 1 << 16),
                     STATUS_INVALID_FIELD);
    assert_int_equal(nrig_feature(n, ADMIN_GET_FEATURES, FEATURE_INTERRUPT_VECTOR, 65),
                     STATUS_INVALID_FIELD);
    assert_int_equal(nrig_feature(n, ADMIN_SET_FEATURES, FEATURE_INTERRUPT_VECTOR, 65),
                     STATUS_INVALID_FIELD);
    assert_int_equal(nrig_feature(n, ADMIN_SET_FEATURES, FEATURE_ERROR_RECOVERY, 1 << 16),
                     STATUS_INVALID_FIELD);
}

static unsigned error_recovery(struct nrig *n, unsigned opcode, uint32_t nsid, uint32_t value)
{
    struct nvme_command c = {
        .opcode = (uint8_t)opcode, .nsid = nsid, .cdw10 = FEATURE_ERROR_RECOVERY, .cdw11 = value};
    return nrig_do(n, 0, &c);
}

static void assert_error_recovery(struct nrig *n, uint32_t nsid, uint32_t value)
{
    assert_int_equal(error_recovery(n, ADMIN_GET_FEATURES, nsid, 0), STATUS_SUCCESS);
    assert_int_equal(n->last.dw0, value);
}

static void error_recovery_is_set_for_one_namespace_or_for_all(void **state)
{
    (void)state;
    struct nrig *n = nrig_new(&(struct nrig_config){.namespaces = 2});
    nrig_enable(n);
    assert_int_equal(error_recovery(n, ADMIN_SET_FEATURES, 2, 77), STATUS_SUCCESS);
    assert_error_recovery(n, 1, 0);
    assert_error_recovery(n, 2, 77);
    assert_int_equal(error_recovery(n, ADMIN_SET_FEATURES, NVME_NSID_ALL, 0xffff), STATUS_SUCCESS);
    assert_error_recovery(n, 1, 0xffff);
    assert_error_recovery(n, 2, 0xffff);
    assert_int_equal(error_recovery(n, ADMIN_SET_FEATURES, 3, 0), STATUS_INVALID_NAMESPACE);
    assert_int_equal(error_recovery(n, ADMIN_GET_FEATURES, 3, 0), STATUS_INVALID_NAMESPACE);
    assert_int_equal(error_recovery(n, ADMIN_GET_FEATURES, NVME_NSID_ALL, 0),
                     STATUS_INVALID_NAMESPACE);
    assert_int_equal(nrig_feature(n, ADMIN_GET_FEATURES, 3 << 8 | FEATURE_ERROR_RECOVERY, 0),
                     STATUS_SUCCESS);
    assert_int_equal(n->last.dw0, 6); /* changeable, of a namespace */
    nrig_free(n);
}

static void the_number_of_queues_is_told_before_there_are_any(void **state)
{
    struct nrig *n = *state;
    nrig_enable(n);
    assert_int_equal(nrig_feature(n, ADMIN_SET_FEATURES, FEATURE_QUEUE_COUNT, 0xffff),
                     STATUS_INVALID_FIELD);
    assert_int_equal(nrig_feature(n, ADMIN_SET_FEATURES, FEATURE_QUEUE_COUNT, 0xffff0000),
                     STATUS_INVALID_FIELD);
    assert_int_equal(nrig_feature(n, ADMIN_SET_FEATURES, FEATURE_QUEUE_COUNT, 0x00030003),
                     STATUS_SUCCESS);
    assert_int_equal(n->last.dw0, 63 << 16 | 63);
    nrig_queue(n, 1, 4);
    assert_int_equal(nrig_feature(n, ADMIN_SET_FEATURES, FEATURE_QUEUE_COUNT, 0x00030003),
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

static void the_error_log_has_what_failed_newest_first(void **state)
{
    struct nrig *n = *state;
    nrig_enable(n);
    nrig_queue(n, 1, 4);
    uint64_t at = nrig_page(n);
    const uint8_t *page = nrig_memory(n, at, NRIG_PAGE);
    struct nvme_command read = nrig_rw(IO_READ_BLOCKS, UINT64_C(0x123456789a), 1, at, 0);
    assert_int_equal(nrig_log_page(n, LOG_PAGE_ERROR, at, 4096, 0), STATUS_SUCCESS);
    assert_int_equal(nrig_number(page, 0, 8), 0);
    assert_int_equal(nrig_feature(n, ADMIN_GET_FEATURES, 0x7f, 0), STATUS_INVALID_FIELD);
    assert_int_equal(n->last.status >> 13, 3); /* more information; do not retry */
    uint16_t first = n->last.cid;
    assert_int_equal(nrig_do(n, 1, &read), STATUS_LBA_OUT_OF_RANGE);
    assert_int_equal(nrig_log_page(n, LOG_PAGE_ERROR, at, 4096, 0), STATUS_SUCCESS);
    assert_int_equal(nrig_number(page, 0, 8), 2);
    assert_int_equal(nrig_number(page, 8, 2), 1); /* queue */
    assert_int_equal(nrig_number(page, 10, 2), n->queues[1].next_cid - 1);
    assert_int_equal(nrig_number(page, 12, 2) >> 1 & 0x7ff, STATUS_LBA_OUT_OF_RANGE);
    assert_int_equal(nrig_number(page, 14, 2), 0xffff);
    assert_int_equal(nrig_number(page, 16, 8), UINT64_C(0x123456789a));
    assert_int_equal(nrig_number(page, 24, 4), 1);
    assert_int_equal(nrig_number(page, 64, 8), 1);
    assert_int_equal(nrig_number(page, 72, 2), 0);
    assert_int_equal(nrig_number(page, 74, 2), first);
    assert_int_equal(nrig_number(page, 128, 8), 0);
    for (unsigned i = 0; i < 100; i++)
        nrig_feature(n, ADMIN_GET_FEATURES, 0x7f, 0);
    assert_int_equal(nrig_log_page(n, LOG_PAGE_ERROR, at, 4096, 0), STATUS_SUCCESS);
    for (unsigned i = 0; i < 64; i++)
        assert_int_equal(nrig_number(page, 64 * i, 8), 102 - i);
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
    struct nvme_command compare = nrig_rw(IO_COMPARE, 0, 8, data, 0);
    for (unsigned i = 0; i < 125; i++)
        assert_int_equal(nrig_do(n, 1, &compare), STATUS_SUCCESS);
    assert_int_equal(nrig_log_page(n, LOG_PAGE_SMART, at, 512, 0), STATUS_SUCCESS);
    assert_int_equal(page[0], 0);
    assert_int_equal(nrig_number(page, 1, 2), 300);
    assert_int_equal(page[3], 100);
    assert_int_equal(nrig_number(page, 32, 8), 3); /* 2008 blocks: two thousand and some */
    assert_int_equal(nrig_number(page, 48, 8), 1);
    assert_int_equal(nrig_number(page, 64, 8), 251); /* comparing is reading */
    assert_int_equal(nrig_number(page, 80, 8), 1);
    assert_int_equal(nrig_number(page, 160, 8), 0);
    assert_int_equal(nrig_number(page, 176, 8), 0);
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
    assert_int_equal(nrig_log_page(n, LOG_PAGE_FIRMWARE_SLOT, at, 512, 0), STATUS_SUCCESS);
    assert_int_equal(page[0], 1);
    assert_memory_equal(page + 8, "1.0     ", 8);
    assert_int_equal(nrig_log_page(n, LOG_PAGE_FIRMWARE_SLOT, at, 8, 8), STATUS_SUCCESS);
    assert_memory_equal(page, "1.0     ", 8);
    assert_int_equal(nrig_log_page(n, LOG_PAGE_EFFECTS, at, 4096, 0), STATUS_SUCCESS);
    assert_int_equal(nrig_number(page, 4 * ADMIN_IDENTIFY, 4), 1);
    assert_int_equal(nrig_number(page, 4 * 0x80, 4), 0);
    assert_int_equal(nrig_number(page, 1024 + 4 * IO_WRITE_BLOCKS, 4), 3);
    assert_int_equal(nrig_number(page, 1024 + 4 * IO_READ_BLOCKS, 4), 1);
    assert_int_equal(nrig_log_page(n, LOG_PAGE_CHANGED_NAMESPACES, at, 4096, 0), STATUS_SUCCESS);
    assert_int_equal(nrig_number(page, 0, 4), 0);
    /* beyond the end nothing is written */
    memset(page, 0xee, 2 * NRIG_PAGE);
    assert_int_equal(nrig_log_page(n, LOG_PAGE_SMART, at, 8192, 0), STATUS_SUCCESS);
    assert_int_equal(page[511], 0);
    assert_int_equal(page[512], 0xee);
    assert_int_equal(nrig_log_page(n, LOG_PAGE_SMART, at, 4, 512), STATUS_INVALID_FIELD);
    assert_int_equal(nrig_log_page(n, LOG_PAGE_SMART, at, 4, 2), STATUS_INVALID_FIELD);
    assert_int_equal(nrig_log_page(n, LOG_PAGE_SMART, at, 4, UINT64_MAX - 3), STATUS_INVALID_FIELD);
    assert_int_equal(nrig_log_page(n, 0x70, at, 512, 0), STATUS_LOG_PAGE_INVALID);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(identify_controller_field_by_field),
        TEST(identify_namespace_field_by_field),
        cmocka_unit_test(a_namespace_of_large_blocks),
        cmocka_unit_test(namespaces_are_listed_and_have_names_of_their_own),
        TEST(features_are_set_and_read_back),
        TEST(features_that_are_wrong),
        cmocka_unit_test(error_recovery_is_set_for_one_namespace_or_for_all),
        TEST(the_number_of_queues_is_told_before_there_are_any),
        TEST(the_timestamp_goes_on_from_what_was_set),
        TEST(the_error_log_has_what_failed_newest_first),
        TEST(health_counts_what_was_moved),
        TEST(log_pages_can_be_read_in_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
