/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * NVMe: commands that move data, by physical region pages and by scatter gather lists; what is under
 * way when queues, controller or machine are reset.
 */
#include "counting_disk.h"
#include "host_facts.h"
#include "nvme_rig.h"

#include <fcntl.h>

#define NOT_MEMORY UINT64_C(0x1000)

static int setup(void **state)
{
    struct nrig *n = nrig_new(&(struct nrig_config){.namespaces = 2});
    nrig_enable(n);
    nrig_queue(n, 1, 32);
    *state = n;
    return 0;
}

static int teardown(void **state)
{
    nrig_free(*state);
    return 0;
}

/* A pattern that tells blocks and places in them apart. */
static void fill(uint8_t *bytes, size_t size, unsigned seed)
{
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(seed + i * 7 + i / 251);
}

static uint64_t filled_page(struct nrig *n, unsigned seed)
{
    uint64_t page = nrig_page(n);
    fill(nrig_memory(n, page, NRIG_PAGE), NRIG_PAGE, seed);
    return page;
}

/* What the image of namespace nsid has. */
static void read_image(struct nrig *n, unsigned nsid, uint64_t offset, void *bytes, size_t size)
{
    scratch_read(n->paths[nsid - 1], offset, bytes, size);
}

static void assert_image(struct nrig *n, unsigned nsid, uint64_t offset, const void *bytes,
                         size_t size)
{
    uint8_t *found = malloc(size);
    read_image(n, nsid, offset, found, size);
    assert_memory_equal(found, bytes, size);
    free(found);
}

/*
 * Physical region pages
 */

static void one_page_from_any_offset(void **state)
{
    struct nrig *n = *state;
    uint64_t from = filled_page(n, 1), to = nrig_page(n);
    uint8_t *source = nrig_memory(n, from, NRIG_PAGE), *target = nrig_memory(n, to, NRIG_PAGE);
    struct nvme_command c = nrig_rw(IO_WRITE_BLOCKS, 5, 2, from + 2004, 0);
    assert_int_equal(nrig_do(n, 1, &c), STATUS_SUCCESS);
    assert_image(n, 1, 5 * 512, source + 2004, 1024);
    memset(target, 0xee, NRIG_PAGE);
    c = nrig_rw(IO_READ_BLOCKS, 5, 2, to + 100, 0);
    assert_int_equal(nrig_do(n, 1, &c), STATUS_SUCCESS);
    assert_memory_equal(target + 100, source + 2004, 1024);
    assert_int_equal(target[99], 0xee);
    assert_int_equal(target[100 + 1024], 0xee);
}

static void two_pages_that_are_not_neighbours(void **state)
{
    struct nrig *n = *state;
    uint64_t second = filled_page(n, 2), first = filled_page(n, 3);
    struct nvme_command c = nrig_rw(IO_WRITE_BLOCKS, 0, 8, first + 1536, second);
    assert_int_equal(nrig_do(n, 1, &c), STATUS_SUCCESS);
    assert_image(n, 1, 0, nrig_memory(n, first + 1536, 2560), 2560);
    assert_image(n, 1, 2560, nrig_memory(n, second, 1536), 1536);
}

/*
 * The largest transfer with a list whose first page has room for a few entries only, so that it links
 * twice. Its data lie in eight pages over and over again.
 */
static void a_list_that_goes_on_in_other_pages(void **state)
{
    struct nrig *n = *state;
    uint64_t data[8], lists[2] = {nrig_page(n), nrig_page(n)};
    for (unsigned i = 0; i < 8; i++)
        data[i] = filled_page(n, 10 * i);
    unsigned pages = NVME_TRANSFER_MAX / NRIG_PAGE;
    uint64_t at = lists[0] + NRIG_PAGE - 3 * 8, prp2 = at;
    for (unsigned i = 1; i < pages; i++, at += 8) {
        if (at % NRIG_PAGE == NRIG_PAGE - 8 && i < pages - 1) {
            memcpy(nrig_memory(n, at, 8), &lists[1], 8);
            at = lists[1];
        }
        memcpy(nrig_memory(n, at, 8), &data[i % 8], 8);
    }
    struct nvme_command c = nrig_rw(IO_WRITE_BLOCKS, 64, pages * 8, data[0], prp2);
    assert_int_equal(nrig_do(n, 1, &c), STATUS_SUCCESS);
    for (unsigned i = 0; i < pages; i++)
        assert_image(n, 1, 64 * 512 + i * NRIG_PAGE, nrig_memory(n, data[i % 8], NRIG_PAGE),
                     NRIG_PAGE);
    c.cdw12++;
    assert_int_equal(nrig_do(n, 1, &c), STATUS_INVALID_FIELD); /* MDTS */
}

static void pages_that_are_wrong(void **state)
{
    struct nrig *n = *state;
    uint64_t page = nrig_page(n), list = nrig_page(n);
    uint64_t *entries = nrig_memory(n, list, NRIG_PAGE);
    for (unsigned i = 0; i < 512; i++)
        entries[i] = page;
    const struct {
        uint64_t prp1, prp2;
        unsigned blocks, status;
    } cases[] = {
        {page + 1, 0, 1, STATUS_PRP_OFFSET_INVALID},
        {NOT_MEMORY, 0, 1, STATUS_DATA_TRANSFER_ERROR},
        {UINT64_MAX - 4095, 0, 8, STATUS_DATA_TRANSFER_ERROR},
        {MACHINE_RAM_BASE + RIG_RAM, 0, 1, STATUS_DATA_TRANSFER_ERROR},
        {page + 512, page + 512, 8, STATUS_PRP_OFFSET_INVALID},
        {page + 512, NOT_MEMORY, 8, STATUS_DATA_TRANSFER_ERROR},
        {page, list + 4, 24, STATUS_PRP_OFFSET_INVALID},
        {page, NOT_MEMORY, 24, STATUS_DATA_TRANSFER_ERROR},
        {page, MACHINE_RAM_BASE + RIG_RAM, 24, STATUS_DATA_TRANSFER_ERROR},
        {page, list, 24, STATUS_SUCCESS},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct nvme_command c =
            nrig_rw(IO_READ_BLOCKS, 0, cases[i].blocks, cases[i].prp1, cases[i].prp2);
        assert_int_equal(nrig_do(n, 1, &c), cases[i].status);
    }
    struct nvme_command c = nrig_rw(IO_READ_BLOCKS, 0, 24, page, list);
    entries[1] = page + 512;
    assert_int_equal(nrig_do(n, 1, &c), STATUS_PRP_OFFSET_INVALID);
    entries[1] = NOT_MEMORY;
    assert_int_equal(nrig_do(n, 1, &c), STATUS_DATA_TRANSFER_ERROR);
    /* a list that has nothing but links to itself */
    entries[511] = list + 511 * 8;
    c = nrig_rw(IO_READ_BLOCKS, 0, 256, page, list + 511 * 8);
    assert_int_equal(nrig_do(n, 1, &c), STATUS_PRP_OFFSET_INVALID);
}

/*
 * Scatter gather lists
 */

static struct nvme_sgl sgl(unsigned type, uint64_t address, uint32_t length)
{
    return (struct nvme_sgl){
        .address = address, .length = length, .identifier = (uint8_t)(type << 4)};
}

static unsigned do_sgl(struct nrig *n, unsigned opcode, unsigned blocks, struct nvme_sgl first)
{
    struct nvme_command c = nrig_rw(opcode, 0, blocks, 0, 0);
    c.flags = 1 << 6;
    c.sgl = first;
    return nrig_do(n, 1, &c);
}

static void a_descriptor_of_all_the_data(void **state)
{
    struct nrig *n = *state;
    uint64_t page = filled_page(n, 4);
    filled_page(n, 5);
    assert_int_equal(do_sgl(n, IO_WRITE_BLOCKS, 8, sgl(SGL_DATA_BLOCK, page + 3, 4096)),
                     STATUS_SUCCESS);
    assert_image(n, 1, 0, nrig_memory(n, page + 3, 4096), 4096);
}

static void segments_of_uneven_pieces(void **state)
{
    struct nrig *n = *state;
    uint64_t page = filled_page(n, 6), lists = nrig_page(n);
    struct nvme_sgl *first = nrig_memory(n, lists, NRIG_PAGE), *second = first + 8;
    first[0] = sgl(SGL_DATA_BLOCK, page + 100, 1);
    first[1] = sgl(SGL_DATA_BLOCK, page + 301, 2000);
    first[2] = sgl(SGL_DATA_BLOCK, 0, 0);
    first[3] = sgl(SGL_LAST_SEGMENT, lists + 8 * 16, 32);
    second[0] = sgl(SGL_DATA_BLOCK, page + 7, 40);
    second[1] = sgl(SGL_DATA_BLOCK, page + 2400, 1024 - 17);
    assert_int_equal(do_sgl(n, IO_WRITE_BLOCKS, 6, sgl(SGL_SEGMENT, lists, 64)),
                     STATUS_SGL_LENGTH_INVALID); /* 3048 bytes of 3072 */
    second[0].length = 64;
    assert_int_equal(do_sgl(n, IO_WRITE_BLOCKS, 6, sgl(SGL_SEGMENT, lists, 64)), STATUS_SUCCESS);
    assert_image(n, 1, 0, nrig_memory(n, page + 100, 1), 1);
    assert_image(n, 1, 1, nrig_memory(n, page + 301, 2000), 2000);
    assert_image(n, 1, 2001, nrig_memory(n, page + 7, 64), 64);
    assert_image(n, 1, 2065, nrig_memory(n, page + 2400, 1007), 1007);
    second[0].length = 65;
    assert_int_equal(do_sgl(n, IO_WRITE_BLOCKS, 6, sgl(SGL_SEGMENT, lists, 64)),
                     STATUS_SGL_LENGTH_INVALID);
}

static void lists_that_are_wrong(void **state)
{
    struct nrig *n = *state;
    uint64_t page = nrig_page(n), lists = nrig_page(n);
    struct nvme_sgl *list = nrig_memory(n, lists, NRIG_PAGE);
    list[0] = sgl(SGL_DATA_BLOCK, page, 256);
    list[1] = sgl(SGL_DATA_BLOCK, page, 256);
    const struct {
        struct nvme_sgl first;
        unsigned status;
    } cases[] = {
        {sgl(SGL_LAST_SEGMENT, lists, 32), STATUS_SUCCESS},
        {sgl(SGL_DATA_BLOCK, page, 511), STATUS_SGL_LENGTH_INVALID},
        {sgl(SGL_DATA_BLOCK, page, 513), STATUS_SGL_LENGTH_INVALID},
        {sgl(SGL_DATA_BLOCK, NOT_MEMORY, 512), STATUS_DATA_TRANSFER_ERROR},
        {sgl(1, page, 512), STATUS_SGL_TYPE_INVALID},
        {sgl(4, page, 512), STATUS_SGL_TYPE_INVALID},
        {sgl(15, page, 512), STATUS_SGL_TYPE_INVALID},
        {sgl(SGL_LAST_SEGMENT, lists, 0), STATUS_INVALID_SGL_SEGMENT},
        {sgl(SGL_LAST_SEGMENT, lists, 33), STATUS_INVALID_SGL_SEGMENT},
        {sgl(SGL_LAST_SEGMENT, NOT_MEMORY, 32), STATUS_DATA_TRANSFER_ERROR},
        {sgl(SGL_LAST_SEGMENT, lists, 16), STATUS_SGL_LENGTH_INVALID},
        /* beyond the data there are empty descriptors, of which there are too many */
        {sgl(SGL_LAST_SEGMENT, lists, UINT32_MAX - 15), STATUS_INVALID_SGL_COUNT},
    };
    memset(list + 2, 0, NRIG_PAGE - 32);
    for (unsigned i = 0; i < 8; i++)
        memset(nrig_memory(n, nrig_page(n), NRIG_PAGE), 0, NRIG_PAGE);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(do_sgl(n, IO_READ_BLOCKS, 1, cases[i].first), cases[i].status);

    struct nvme_sgl bad = sgl(SGL_DATA_BLOCK, page, 512);
    bad.identifier |= 1; /* subtype */
    assert_int_equal(do_sgl(n, IO_READ_BLOCKS, 1, bad), STATUS_SGL_TYPE_INVALID);
    /* a link in the middle, one behind the last segment, one to itself */
    list[0] = sgl(SGL_SEGMENT, lists, 32);
    assert_int_equal(do_sgl(n, IO_READ_BLOCKS, 1, sgl(SGL_SEGMENT, lists, 32)),
                     STATUS_INVALID_SGL_SEGMENT);
    assert_int_equal(do_sgl(n, IO_READ_BLOCKS, 1, sgl(SGL_LAST_SEGMENT, lists, 16)),
                     STATUS_INVALID_SGL_SEGMENT);
    list[0] = sgl(SGL_SEGMENT, lists, 16);
    assert_int_equal(do_sgl(n, IO_READ_BLOCKS, 1, sgl(SGL_SEGMENT, lists, 16)),
                     STATUS_INVALID_SGL_COUNT);
    struct nvme_command c = nrig_rw(IO_READ_BLOCKS, 0, 1, page, 0);
    c.flags = 3 << 6;
    assert_int_equal(nrig_do(n, 1, &c), STATUS_INVALID_FIELD);
}

/*
 * Commands
 */

static void blocks_beyond_the_end(void **state)
{
    static const unsigned opcodes[] = {IO_READ_BLOCKS, IO_WRITE_BLOCKS, IO_COMPARE,
                                       IO_WRITE_ZEROES};
    struct nrig *n = *state;
    uint64_t page = nrig_page(n), blocks = NRIG_DISK / 512;
    for (size_t i = 0; i < sizeof(opcodes) / sizeof(opcodes[0]); i++) {
        struct nvme_command c = nrig_rw(opcodes[i], blocks - 1, 1, page, 0);
        assert_int_equal(nrig_do(n, 1, &c), STATUS_SUCCESS);
        c = nrig_rw(opcodes[i], blocks - 1, 2, page, 0);
        assert_int_equal(nrig_do(n, 1, &c), STATUS_LBA_OUT_OF_RANGE);
        c = nrig_rw(opcodes[i], blocks, 1, page, 0);
        assert_int_equal(nrig_do(n, 1, &c), STATUS_LBA_OUT_OF_RANGE);
        c = nrig_rw(opcodes[i], UINT64_MAX, 1, page, 0);
        assert_int_equal(nrig_do(n, 1, &c), STATUS_LBA_OUT_OF_RANGE);
        c = nrig_rw(opcodes[i], UINT64_MAX / 512 + 1, 1, page, 0);
        assert_int_equal(nrig_do(n, 1, &c), STATUS_LBA_OUT_OF_RANGE);
    }
}

static void namespaces_and_opcodes_that_are_not_there(void **state)
{
    struct nrig *n = *state;
    struct nvme_command c = nrig_rw(IO_READ_BLOCKS, 0, 1, nrig_page(n), 0);
    for (unsigned i = 0; i < 3; i++) {
        c.nsid = (uint32_t[]){0, 3, NVME_NSID_ALL}[i];
        assert_int_equal(nrig_do(n, 1, &c), STATUS_INVALID_NAMESPACE);
    }
    c.nsid = 1;
    c.opcode = 0x7f;
    assert_int_equal(nrig_do(n, 1, &c), STATUS_INVALID_OPCODE);
    c.opcode = IO_READ_BLOCKS;
    c.flags = 1; /* fused */
    assert_int_equal(nrig_do(n, 1, &c), STATUS_INVALID_FIELD);
}

static void each_namespace_has_its_own_blocks(void **state)
{
    struct nrig *n = *state;
    uint64_t first = filled_page(n, 20), second = filled_page(n, 21);
    struct nvme_command a = nrig_rw(IO_WRITE_BLOCKS, 8, 8, first, 0);
    struct nvme_command b = nrig_rw(IO_WRITE_BLOCKS, 8, 8, second, 0);
    b.nsid = 2;
    nrig_put(n, 1, &a);
    nrig_put(n, 1, &b);
    nrig_ring_tail(n, 1);
    assert_int_equal(nrig_complete(n, 1), STATUS_SUCCESS);
    assert_int_equal(nrig_complete(n, 1), STATUS_SUCCESS);
    assert_image(n, 1, NRIG_PAGE, nrig_memory(n, first, NRIG_PAGE), NRIG_PAGE);
    assert_image(n, 2, NRIG_PAGE, nrig_memory(n, second, NRIG_PAGE), NRIG_PAGE);
    struct nvme_command all = {.opcode = IO_FLUSH, .nsid = NVME_NSID_ALL};
    assert_int_equal(nrig_do(n, 1, &all), STATUS_SUCCESS);
    all.nsid = 2;
    assert_int_equal(nrig_do(n, 1, &all), STATUS_SUCCESS);
}

static void compare_tells_equal_from_different(void **state)
{
    struct nrig *n = *state;
    uint64_t page = filled_page(n, 30);
    struct nvme_command write = nrig_rw(IO_WRITE_BLOCKS, 0, 8, page, 0);
    struct nvme_command compare = nrig_rw(IO_COMPARE, 0, 8, page, 0);
    assert_int_equal(nrig_do(n, 1, &write), STATUS_SUCCESS);
    assert_int_equal(nrig_do(n, 1, &compare), STATUS_SUCCESS);
    *(uint8_t *)nrig_memory(n, page + 4095, 1) ^= 1;
    /* several at once share a buffer */
    for (unsigned i = 0; i < 10; i++) {
        compare.cdw12 = i % 2 ? 8 - 1 : 7 - 1;
        nrig_put(n, 1, &compare);
    }
    nrig_ring_tail(n, 1);
    for (unsigned i = 0; i < 10; i++) {
        unsigned status = nrig_complete(n, 1);
        assert_int_equal(status, n->last.cid % 2 ? STATUS_COMPARE_FAILURE : STATUS_SUCCESS);
    }
}

static void zeroes_and_deallocated_blocks(void **state)
{
    struct nrig *n = *state;
    static const uint8_t zeroes[65536];
    uint64_t page = filled_page(n, 40), list = nrig_page(n);
    for (unsigned i = 0; i < 64; i++) {
        struct nvme_command write = nrig_rw(IO_WRITE_BLOCKS, 8 * i, 8, page, 0);
        assert_int_equal(nrig_do(n, 1, &write), STATUS_SUCCESS);
    }
    struct nvme_command zero = nrig_rw(IO_WRITE_ZEROES, 3, 10, 0, 0);
    assert_int_equal(nrig_do(n, 1, &zero), STATUS_SUCCESS);
    assert_image(n, 1, 0, nrig_memory(n, page, 1536), 1536);
    assert_image(n, 1, 1536, zeroes, 5120);
    assert_image(n, 1, 6656, nrig_memory(n, page + 2560, 1536), 1536);

    if (!host_gives_space_back())
        skip();
    uint64_t before = scratch_space(n->paths[0]);
    struct nvme_dsm_range *ranges = nrig_memory(n, list, NRIG_PAGE);
    memset(ranges, 0, NRIG_PAGE);
    ranges[0] = (struct nvme_dsm_range){.first = 128, .blocks = 128};
    ranges[2] = (struct nvme_dsm_range){.first = 384, .blocks = 64};
    struct nvme_command trim = {.opcode = IO_DATASET_MANAGEMENT, .nsid = 1, .prp1 = list};
    trim.cdw10 = 3 - 1;
    assert_int_equal(nrig_do(n, 1, &trim), STATUS_SUCCESS); /* a hint that means nothing */
    assert_image(n, 1, 128 * 512, nrig_memory(n, page, NRIG_PAGE), NRIG_PAGE);
    trim.cdw11 = DSM_DEALLOCATE;
    assert_int_equal(nrig_do(n, 1, &trim), STATUS_SUCCESS);
    assert_image(n, 1, 128 * 512, zeroes, 65536);
    assert_image(n, 1, 384 * 512, zeroes, 32768);
    assert_image(n, 1, 256 * 512, nrig_memory(n, page, NRIG_PAGE), NRIG_PAGE);
    assert_int_equal(before - scratch_space(n->paths[0]), 192 * 512);
    ranges[1] = (struct nvme_dsm_range){.first = NRIG_DISK / 512, .blocks = 1};
    assert_int_equal(nrig_do(n, 1, &trim), STATUS_LBA_OUT_OF_RANGE);
    ranges[1] = (struct nvme_dsm_range){.first = UINT64_MAX, .blocks = UINT32_MAX};
    assert_int_equal(nrig_do(n, 1, &trim), STATUS_LBA_OUT_OF_RANGE);
}

static void what_is_write_protected_is_only_read(void **state)
{
    (void)state;
    struct nrig *n = nrig_new(&(struct nrig_config){.namespaces = 1, .read_only = true});
    nrig_enable(n);
    nrig_queue(n, 1, 8);
    uint64_t page = nrig_page(n);
    struct nvme_command c = nrig_rw(IO_READ_BLOCKS, 0, 8, page, 0);
    assert_int_equal(nrig_do(n, 1, &c), STATUS_SUCCESS);
    c.opcode = IO_WRITE_BLOCKS;
    assert_int_equal(nrig_do(n, 1, &c), STATUS_WRITE_PROTECTED);
    c.opcode = IO_WRITE_ZEROES;
    assert_int_equal(nrig_do(n, 1, &c), STATUS_WRITE_PROTECTED);
    c = (struct nvme_command){
        .opcode = IO_DATASET_MANAGEMENT, .nsid = 1, .prp1 = page, .cdw11 = DSM_DEALLOCATE};
    memset(nrig_memory(n, page, 16), 0, 16);
    assert_int_equal(nrig_do(n, 1, &c), STATUS_WRITE_PROTECTED);
    struct nvme_command identify = {.opcode = ADMIN_IDENTIFY, .nsid = 1, .prp1 = page, .cdw10 = 0};
    assert_int_equal(nrig_do(n, 0, &identify), STATUS_SUCCESS);
    assert_int_equal(*(uint8_t *)nrig_memory(n, page + 99, 1), 1);
    nrig_free(n);
}

static _Atomic unsigned flushes;

static void a_cache_that_is_switched_off_is_flushed(void **state)
{
    static const struct disk_calls calls = COUNTING_DISK(NRIG_DISK, &flushes);
    (void)state;
    struct nrig *n = nrig_new(&(struct nrig_config){.namespaces = 2, .calls = &calls});
    nrig_enable(n);
    nrig_queue(n, 1, 8);
    struct nvme_command write = nrig_rw(IO_WRITE_BLOCKS, 0, 1, nrig_page(n), 0);
    flushes = 0;
    assert_int_equal(nrig_do(n, 1, &write), STATUS_SUCCESS);
    assert_int_equal(flushes, 0);
    assert_int_equal(nrig_feature(n, ADMIN_SET_FEATURES, FEATURE_VOLATILE_WRITE_CACHE, 0),
                     STATUS_SUCCESS);
    assert_int_equal(flushes, 2); /* of both namespaces */
    assert_int_equal(nrig_feature(n, ADMIN_SET_FEATURES, FEATURE_VOLATILE_WRITE_CACHE, 0),
                     STATUS_SUCCESS);
    assert_int_equal(flushes, 2);
    assert_int_equal(nrig_do(n, 1, &write), STATUS_SUCCESS);
    assert_int_equal(flushes, 3); /* from now on each write is */
    assert_int_equal(nrig_feature(n, ADMIN_SET_FEATURES, FEATURE_VOLATILE_WRITE_CACHE, 1),
                     STATUS_SUCCESS);
    assert_int_equal(nrig_do(n, 1, &write), STATUS_SUCCESS);
    assert_int_equal(flushes, 3);
    nrig_free(n);
}

static void blocks_of_4_kib(void **state)
{
    (void)state;
    struct nrig *n = nrig_new(&(struct nrig_config){.namespaces = 1, .block_size = 4096});
    nrig_enable(n);
    nrig_queue(n, 1, 8);
    uint64_t page = filled_page(n, 50);
    struct nvme_command c = nrig_rw(IO_WRITE_BLOCKS, NRIG_DISK / 4096 - 1, 1, page, 0);
    assert_int_equal(nrig_do(n, 1, &c), STATUS_SUCCESS);
    assert_image(n, 1, NRIG_DISK - 4096, nrig_memory(n, page, NRIG_PAGE), NRIG_PAGE);
    c.cdw10++;
    assert_int_equal(nrig_do(n, 1, &c), STATUS_LBA_OUT_OF_RANGE);
    nrig_free(n);
}

/*
 * What is under way
 */

static void put_writes(struct nrig *n, unsigned count)
{
    uint64_t page = n->free - NRIG_PAGE;
    for (unsigned i = 0; i < count; i++) {
        struct nvme_command c = nrig_rw(IO_WRITE_BLOCKS, 8 * i, 8, page, 0);
        c.cdw12 |= RW_FUA; /* so that it takes its time */
        c.nsid = 1 + i % 2;
        nrig_put(n, 1, &c);
    }
    nrig_ring_tail(n, 1);
}

static void a_controller_reset_waits_for_the_disk_and_tells_nothing_more(void **state)
{
    struct nrig *n = *state;
    for (unsigned round = 0; round < 20; round++) {
        filled_page(n, round);
        put_writes(n, 31);
        if (round % 2)
            sched_yield();
        nrig_disable(n);
        uint8_t seen[512];
        memcpy(seen, nrig_memory(n, n->queues[1].cq, 512), 512);
        usleep(2000);
        assert_memory_equal(nrig_memory(n, n->queues[1].cq, 512), seen, 512);
        n->free = MACHINE_RAM_BASE;
        nrig_enable(n);
        nrig_queue(n, 1, 32);
        struct nvme_command c = nrig_rw(IO_READ_BLOCKS, 0, 8, nrig_page(n), 0);
        assert_int_equal(nrig_do(n, 1, &c), STATUS_SUCCESS);
    }
}

static void deletion_of_a_queue_waits_for_its_commands(void **state)
{
    struct nrig *n = *state;
    for (unsigned round = 0; round < 20; round++) {
        filled_page(n, round);
        put_writes(n, 31);
        assert_int_equal(nrig_delete(n, ADMIN_DELETE_SQ, 1), STATUS_SUCCESS);
        unsigned done = 0;
        while (nrig_poll(n, 1))
            done++;
        assert_true(done <= 31);
        usleep(1000);
        assert_false(nrig_poll(n, 1));
        assert_int_equal(nrig_delete(n, ADMIN_DELETE_CQ, 1), STATUS_SUCCESS);
        n->free -= NRIG_PAGE;
        nrig_queue(n, 1, 32);
        n->free -= 2 * NRIG_PAGE;
    }
}

static void a_machine_reset_waits_for_the_disk(void **state)
{
    struct nrig *n = *state;
    struct machine *m = n->pci->m;
    for (unsigned round = 0; round < 20; round++) {
        filled_page(n, round);
        put_writes(n, 31);
        rig_reset_ends_all(m);
        rig_write(n->pci, ecam(0, DEV(1), 0x10), 4, NRIG_BAR);
        rig_write(n->pci, ecam(0, DEV(1), PCI_COMMAND), 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
        n->free = MACHINE_RAM_BASE;
        nrig_enable(n);
        nrig_queue(n, 1, 32);
    }
}

static void a_shutdown_comes_after_what_was_begun(void **state)
{
    struct nrig *n = *state;
    filled_page(n, 60);
    put_writes(n, 31);
    nrig_write_cc(n, CC_EN | 1 << CC_SHN_SHIFT);
    nrig_until(n, CSTS_SHST_MASK, CSTS_SHST_COMPLETE);
    unsigned done = 0;
    while (nrig_poll(n, 1))
        done++;
    usleep(2000);
    assert_false(nrig_poll(n, 1));
    nrig_disable(n);
}

static void without_bus_mastering_nothing_is_fetched(void **state)
{
    struct nrig *n = *state;
    struct nvme_command c = nrig_rw(IO_READ_BLOCKS, 0, 8, nrig_page(n), 0);
    rig_write(n->pci, ecam(0, DEV(1), PCI_COMMAND), 2, PCI_COMMAND_MEMORY);
    nrig_put(n, 1, &c);
    nrig_ring_tail(n, 1);
    usleep(5000);
    assert_false(nrig_poll(n, 1));
    rig_write(n->pci, ecam(0, DEV(1), PCI_COMMAND), 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    nrig_ring_tail(n, 1);
    assert_int_equal(nrig_complete(n, 1), STATUS_SUCCESS);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(one_page_from_any_offset),
        TEST(two_pages_that_are_not_neighbours),
        TEST(a_list_that_goes_on_in_other_pages),
        TEST(pages_that_are_wrong),
        TEST(a_descriptor_of_all_the_data),
        TEST(segments_of_uneven_pieces),
        TEST(lists_that_are_wrong),
        TEST(blocks_beyond_the_end),
        TEST(namespaces_and_opcodes_that_are_not_there),
        TEST(each_namespace_has_its_own_blocks),
        TEST(compare_tells_equal_from_different),
        TEST(zeroes_and_deallocated_blocks),
        cmocka_unit_test(what_is_write_protected_is_only_read),
        cmocka_unit_test(a_cache_that_is_switched_off_is_flushed),
        cmocka_unit_test(blocks_of_4_kib),
        TEST(a_controller_reset_waits_for_the_disk_and_tells_nothing_more),
        TEST(deletion_of_a_queue_waits_for_its_commands),
        TEST(a_machine_reset_waits_for_the_disk),
        TEST(a_shutdown_comes_after_what_was_begun),
        TEST(without_bus_mastering_nothing_is_fetched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
