/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * The virtio block device (src/dev/virtio/virtio_blk.c) on a raw image: requests of every kind, however
 * their parts are cut, errors, the cache mode, and resets while requests are under way.
 * Again: tools/run-tests unit/virtio_blk_test
 */
#include "block/disk.h"
#include "dev/virtio/virtio_blk.h"
#include "host_facts.h"
#include "scratch_file.h"
#include "virtio_rig.h"
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define IMAGE_SIZE (4u << 20)
#define SECTORS (IMAGE_SIZE / 512)

enum { T_IN = 0, T_OUT = 1, T_FLUSH = 4, T_GET_ID = 8, T_DISCARD = 11, T_WRITE_ZEROES = 13 };
enum { S_OK = 0, S_IOERR = 1, S_UNSUPP = 2, S_NONE = 0x55 };
#define F_RO (UINT64_C(1) << 5)
#define F_FLUSH (UINT64_C(1) << 9)
#define F_CONFIG_WCE (UINT64_C(1) << 11)
#define F_MQ (UINT64_C(1) << 12)
#define F_DISCARD (UINT64_C(1) << 13)
#define F_WRITE_ZEROES (UINT64_C(1) << 14)

/* Places in guest memory for one request. */
#define AT_HEADER VRIG_DATA
#define AT_STATUS (VRIG_DATA + 0x100)
#define AT_RANGES (VRIG_DATA + 0x200)
#define AT_DATA (VRIG_DATA + 0x1000)

static char path[] = "/tmp/rvvm-virtio-blk-XXXXXX";

static struct vrig *plug_with(bool read_only, unsigned queues, const char *serial)
{
    struct disk_options options = {.path = path, .format = DISK_FORMAT_RAW, .read_only = read_only};
    struct error err = {0};
    struct disk *disk = disk_open(&options, &err);
    assert_string_equal(err.text, "");
    struct virtio_blk_config config = {.disk = disk, .queues = queues, .serial = serial};
    return vrig_new(virtio_blk_new(&config, &err));
}

static struct vrig *start(uint64_t features)
{
    struct vrig *v = plug_with(false, 1, "SERIAL");
    vrig_negotiate(v, features);
    vrig_queue(v, 0, 64);
    vrig_go(v);
    return v;
}

static void *guest(struct vrig *v, uint64_t address)
{
    return driver_at(&v->queues[0], address);
}

/* A request as it should be cut: header, data, status. Returns its status. */
static uint8_t request(struct vrig *v, uint32_t type, uint64_t sector, uint64_t data, uint32_t size)
{
    struct driver_part parts[3];
    unsigned count = 0;
    uint32_t written;
    bool in = type == T_IN || type == T_GET_ID;
    uint64_t header[2] = {type, sector};
    memcpy(guest(v, AT_HEADER), header, sizeof(header));
    *(uint8_t *)guest(v, AT_STATUS) = S_NONE;
    parts[count++] = (struct driver_part){AT_HEADER, 16, false};
    if (size)
        parts[count++] = (struct driver_part){data, size, in};
    parts[count++] = (struct driver_part){AT_STATUS, 1, true};
    int id = driver_add(&v->queues[0], parts, count, 0);
    vrig_kick(v, 0);
    assert_int_equal(vrig_get_used(v, 0, &written), id);
    assert_int_equal(written, in ? size + 1 : 1);
    return *(uint8_t *)guest(v, AT_STATUS);
}

struct range {
    uint64_t sector;
    uint32_t sectors, flags;
};

static uint8_t ranges(struct vrig *v, uint32_t type, const struct range *list, unsigned bytes)
{
    memcpy(guest(v, AT_RANGES), list, bytes);
    return request(v, type, 0, AT_RANGES, bytes);
}

static void read_image(uint64_t offset, void *bytes, size_t size)
{
    scratch_read(path, offset, bytes, size);
}

/* The image anew, each byte made from its place. */
static int make_image(void **state)
{
    (void)state;
    uint8_t *bytes = malloc(IMAGE_SIZE);
    for (unsigned i = 0; i < IMAGE_SIZE; i++)
        bytes[i] = (uint8_t)(i / 512 * 7 + i);
    scratch_write(path, bytes, IMAGE_SIZE);
    free(bytes);
    return 0;
}

static void tells_its_size_and_limits(void **state)
{
    struct vrig *v = plug_with(false, 4, NULL);
    (void)state;
    assert_int_equal(vrig_config(v, PCI_DEVICE_ID, 2), 0x1042);
    assert_int_equal(rig_read(v->pci, v->device, 4), SECTORS);
    assert_int_equal(rig_read(v->pci, v->device + 12, 4), 254); /* seg_max */
    assert_int_equal(rig_read(v->pci, v->device + 20, 4), 512); /* blk_size */
    assert_int_equal(rig_read(v->pci, v->device + 32, 1), 1);   /* writeback */
    assert_int_equal(rig_read(v->pci, v->device + 34, 2), 4);   /* num_queues */
    assert_int_equal(vrig_get(v, 0x12, 2), 4);
    uint64_t features = vrig_offered(v);
    assert_int_equal(features & (F_RO | F_FLUSH | F_MQ | F_DISCARD | F_WRITE_ZEROES),
                     F_FLUSH | F_MQ | F_DISCARD | F_WRITE_ZEROES);
    vrig_free(v);
    v = plug_with(true, 1, NULL);
    assert_int_equal(vrig_offered(v) & (F_RO | F_MQ | F_DISCARD | F_WRITE_ZEROES), F_RO);
    vrig_free(v);
}

static void reads_and_writes_the_image(void **state)
{
    static const uint64_t formats[] = {0, F_EVENT_IDX, F_RING_PACKED, F_RING_PACKED | F_EVENT_IDX};
    uint8_t bytes[8192];
    (void)state;
    for (unsigned f = 0; f < 4; f++) {
        struct vrig *v = start(formats[f] | F_FLUSH);
        for (unsigned round = 0; round < 50; round++) {
            uint64_t sector = (round * 37 + f) % (SECTORS - 16);
            read_image(sector * 512, bytes, sizeof(bytes));
            assert_int_equal(request(v, T_IN, sector, AT_DATA, 8192), S_OK);
            assert_memory_equal(guest(v, AT_DATA), bytes, 8192);
            memset(guest(v, AT_DATA), (int)round, 4096);
            assert_int_equal(request(v, T_OUT, sector, AT_DATA, 4096), S_OK);
            memset(bytes, (int)round, 4096);
            assert_int_equal(request(v, T_FLUSH, 0, 0, 0), S_OK);
            uint8_t now[8192];
            read_image(sector * 512, now, sizeof(now));
            assert_memory_equal(now, bytes, sizeof(now));
        }
        vrig_free(v);
    }
}

/* 2.6.4: framing has no meaning. One request, cut into parts of 1 to 7 bytes. */
static void parts_may_be_cut_anywhere(void **state)
{
    (void)state;
    for (unsigned piece = 1; piece < 8; piece += 2) {
        for (unsigned write = 0; write < 2; write++) {
            make_image(NULL); /* reads shall find something else than what was written */
            struct vrig *v = plug_with(false, 1, NULL);
            vrig_negotiate(v, F_INDIRECT_DESC);
            vrig_queue(v, 0, 64);
            vrig_go(v);
            uint64_t header[2] = {write ? T_OUT : T_IN, 3};
            memcpy(guest(v, AT_DATA), header, 16);
            memset(guest(v, AT_DATA + 16), 0x3c, 512 + 1);
            struct driver_part parts[256];
            unsigned count = 0, out = write ? 16 + 512 : 16, end = 16 + 512 + 1;
            /* In long pieces, or the chain gets longer than the device takes. */
            for (unsigned at = 0, size; at < end; at += size) {
                size = at < 21 || at > end - 5 ? piece : 64;
                if (at < out && at + size > out)
                    size = out - at;
                if (at + size > end)
                    size = end - at;
                parts[count++] = (struct driver_part){AT_DATA + at, size, at >= out};
            }
            uint32_t written;
            int id = driver_add(&v->queues[0], parts, count, AT_DATA + 0x10000);
            assert_true(id >= 0);
            vrig_kick(v, 0);
            assert_int_equal(vrig_get_used(v, 0, &written), id);
            assert_int_equal(*(uint8_t *)guest(v, AT_DATA + end - 1), S_OK);
            uint8_t sector[512];
            read_image(3 * 512, sector, 512);
            assert_memory_equal(guest(v, AT_DATA + 16), sector, 512);
            vrig_free(v);
        }
    }
}

static void what_does_not_lie_on_the_disk_fails(void **state)
{
    static const struct {
        uint64_t sector;
        uint32_t size;
    } bad[] = {{SECTORS, 512},    {SECTORS - 1, 1024},
               {UINT64_MAX, 512}, {UINT64_MAX / 512, 512},
               {1ull << 55, 512}, {0, 511},
               {0, 513},          {SECTORS + 1, 0 + 512}};
    struct vrig *v = start(0);
    uint8_t before[IMAGE_SIZE / 64], after[IMAGE_SIZE / 64];
    (void)state;
    read_image(IMAGE_SIZE - sizeof(before), before, sizeof(before));
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        for (unsigned type = T_IN; type <= T_OUT; type++)
            assert_int_equal(request(v, type, bad[i].sector, AT_DATA, bad[i].size), S_IOERR);
    read_image(IMAGE_SIZE - sizeof(after), after, sizeof(after));
    assert_memory_equal(before, after, sizeof(before));
    assert_int_equal(request(v, T_IN, SECTORS - 1, AT_DATA, 512), S_OK);
    vrig_free(v);
}

static void a_read_only_disk_is_not_written(void **state)
{
    struct vrig *v = plug_with(true, 1, NULL);
    uint8_t before[512], after[512];
    struct range range = {0, 1, 0};
    (void)state;
    vrig_negotiate(v, F_RO);
    vrig_queue(v, 0, 8);
    vrig_go(v);
    read_image(0, before, 512);
    assert_int_equal(request(v, T_OUT, 0, AT_DATA, 512), S_IOERR);
    assert_int_equal(ranges(v, T_WRITE_ZEROES, &range, sizeof(range)), S_IOERR);
    assert_int_equal(request(v, T_IN, 0, AT_DATA, 512), S_OK);
    assert_memory_equal(guest(v, AT_DATA), before, 512);
    read_image(0, after, 512);
    assert_memory_equal(before, after, 512);
    vrig_free(v);
}

static void zeroes_and_discards_take_several_ranges(void **state)
{
    if (!host_gives_space_back())
        skip();
    struct vrig *v = start(F_DISCARD | F_WRITE_ZEROES);
    struct range list[3] = {{8, 8, 0}, {100, 1, 1}, {SECTORS - 8, 8, 0}};
    uint8_t bytes[8 * 512], zero[8 * 512] = {0};
    (void)state;
    assert_int_equal(ranges(v, T_WRITE_ZEROES, list, sizeof(list)), S_OK);
    for (unsigned i = 0; i < 3; i++) {
        read_image(list[i].sector * 512, bytes, list[i].sectors * 512);
        assert_memory_equal(bytes, zero, list[i].sectors * 512);
    }
    read_image(101 * 512, bytes, 512);
    assert_memory_not_equal(bytes, zero, 512);
    uint64_t before = scratch_space(path);
    struct range half[2] = {{SECTORS / 4, SECTORS / 4, 0}, {SECTORS / 2, SECTORS / 4, 0}};
    assert_int_equal(ranges(v, T_DISCARD, half, sizeof(half)), S_OK);
    uint64_t after = scratch_space(path);
    print_message("discard of %u bytes gave back %llu\n", IMAGE_SIZE / 2,
                  (unsigned long long)(before - after));
    assert_true(after < before);
    assert_int_equal(scratch_size(path), IMAGE_SIZE);
    vrig_free(v);
}

static void ranges_that_are_none_are_refused(void **state)
{
    struct vrig *v = start(F_DISCARD | F_WRITE_ZEROES);
    struct range ok = {0, 1, 0}, flags = {0, 1, 2}, unmap = {0, 1, 1}, end = {SECTORS, 1, 0};
    struct range big = {0, UINT32_MAX, 0}, wraps = {UINT64_MAX, 2, 0};
    struct range pair[2] = {{5, 1, 0}, {SECTORS, 1, 0}}, many[33] = {{0}};
    uint8_t sector[512], zero[512] = {0};
    (void)state;
    for (unsigned type = T_DISCARD; type <= T_WRITE_ZEROES; type += 2) {
        assert_int_equal(ranges(v, type, &flags, 16), S_UNSUPP);
        assert_int_equal(ranges(v, type, &unmap, 16), type == T_DISCARD ? S_UNSUPP : S_OK);
        assert_int_equal(ranges(v, type, &end, 16), S_IOERR);
        assert_int_equal(ranges(v, type, &big, 16), S_IOERR);
        assert_int_equal(ranges(v, type, &wraps, 16), S_IOERR);
        assert_int_equal(ranges(v, type, &ok, 15), S_IOERR);
        assert_int_equal(request(v, type, 0, 0, 0), S_IOERR); /* no range at all */
        assert_int_equal(ranges(v, type, many, sizeof(many)), S_IOERR);
        assert_int_equal(ranges(v, type, pair, sizeof(pair)), S_IOERR);
        assert_int_equal(ranges(v, type, &ok, 16), S_OK);
    }
    read_image(5 * 512, sector, 512); /* of the pair, the one that was good */
    assert_memory_equal(sector, zero, 512);
    vrig_free(v);
}

static void the_serial_number_is_twenty_bytes(void **state)
{
    struct vrig *v = start(0);
    char id[20] = "SERIAL";
    (void)state;
    memset(guest(v, AT_DATA), 'x', 32);
    assert_int_equal(request(v, T_GET_ID, 0, AT_DATA, 20), S_OK);
    assert_memory_equal(guest(v, AT_DATA), id, 20);
    assert_int_equal(((char *)guest(v, AT_DATA))[20], 'x');
    assert_int_equal(request(v, T_GET_ID, 0, AT_DATA, 3), S_OK);
    assert_memory_equal(guest(v, AT_DATA), "SER", 3);
    vrig_free(v);
    v = plug_with(false, 1, NULL); /* the image's name, cut */
    vrig_negotiate(v, 0);
    vrig_queue(v, 0, 8);
    vrig_go(v);
    assert_int_equal(request(v, T_GET_ID, 0, AT_DATA, 20), S_OK);
    assert_memory_equal(guest(v, AT_DATA), strrchr(path, '/') + 1, 20);
    vrig_free(v);
}

static void requests_that_are_none_are_answered(void **state)
{
    struct vrig *v = start(0);
    uint32_t written;
    (void)state;
    assert_int_equal(request(v, 99, 0, AT_DATA, 512), S_UNSUPP);
    assert_int_equal(request(v, UINT32_MAX, 0, 0, 0), S_UNSUPP);
    /* Half a header; nothing to write a status to; nothing at all. */
    struct driver_part half[2] = {{AT_HEADER, 15, false}, {AT_STATUS, 1, true}};
    driver_add(&v->queues[0], half, 2, 0);
    *(uint8_t *)guest(v, AT_STATUS) = S_NONE;
    vrig_kick(v, 0);
    vrig_get_used(v, 0, &written);
    assert_int_equal(*(uint8_t *)guest(v, AT_STATUS), S_IOERR);
    struct driver_part header = {AT_HEADER, 16, false}, nothing = {0, 0, true};
    driver_add(&v->queues[0], &header, 1, 0);
    driver_add(&v->queues[0], &nothing, 1, 0);
    vrig_kick(v, 0);
    vrig_get_used(v, 0, &written);
    assert_int_equal(written, 0);
    vrig_get_used(v, 0, &written);
    assert_int_equal(written, 0);
    /* A read into the status byte alone is one of nothing. */
    assert_int_equal(request(v, T_IN, 0, 0, 0), S_OK);
    assert_int_equal(request(v, T_OUT, 0, 0, 0), S_OK);
    vrig_free(v);
}

static void the_cache_mode_is_the_drivers_who_asked_for_it(void **state)
{
    struct vrig *v = start(F_FLUSH);
    (void)state;
    rig_write(v->pci, v->device + 32, 1, 0);
    assert_int_equal(rig_read(v->pci, v->device + 32, 1), 1);
    vrig_negotiate(v, F_FLUSH | F_CONFIG_WCE);
    rig_write(v->pci, v->device + 32, 1, 2);
    assert_int_equal(rig_read(v->pci, v->device + 32, 1), 1);
    rig_write(v->pci, v->device + 32, 1, 0);
    assert_int_equal(rig_read(v->pci, v->device + 32, 1), 0);
    vrig_queue(v, 0, 8);
    vrig_go(v);
    memset(guest(v, AT_DATA), 0x77, 512);
    assert_int_equal(request(v, T_OUT, 9, AT_DATA, 512), S_OK);
    uint8_t sector[512];
    read_image(9 * 512, sector, 512);
    assert_int_equal(sector[100], 0x77);
    vrig_reset(v);
    assert_int_equal(rig_read(v->pci, v->device + 32, 1), 1);
    /* 5.2.5.2: one that does not promise to flush has no cache, unless it says otherwise. */
    vrig_negotiate(v, F_CONFIG_WCE);
    assert_int_equal(rig_read(v->pci, v->device + 32, 1), 0);
    rig_write(v->pci, v->device + 32, 1, 1);
    assert_int_equal(rig_read(v->pci, v->device + 32, 1), 1);
    vrig_free(v);
}

/* Fills a queue with reads of 4 KiB, each into its own page. */
static unsigned fill_queue(struct vrig *v, unsigned queue)
{
    unsigned count = 0;
    for (;; count++) {
        uint64_t page = AT_DATA + 0x1000u * (count + 16 * queue);
        uint64_t header[2] = {T_IN, 8u * count};
        uint64_t at = VRIG_DATA + 16u * (count + 16 * queue);
        memcpy(guest(v, at), header, 16);
        struct driver_part parts[3] = {
            {at, 16, false}, {page, 4096, true}, {AT_DATA - 1 - count, 1, true}};
        if (driver_add(&v->queues[queue], parts, 3, 0) < 0)
            return count;
    }
}

static void queues_work_side_by_side(void **state)
{
    struct vrig *v = plug_with(false, 4, NULL);
    uint8_t bytes[4096];
    uint32_t written;
    (void)state;
    vrig_negotiate(v, F_MQ | F_EVENT_IDX);
    for (unsigned i = 0; i < 4; i++)
        vrig_queue(v, i, 32);
    vrig_go(v);
    for (unsigned round = 0; round < 50; round++) {
        unsigned count = 0;
        for (unsigned i = 0; i < 4; i++)
            count = fill_queue(v, i);
        assert_int_equal(count, 10);
        for (unsigned i = 0; i < 4; i++)
            vrig_kick(v, i);
        for (unsigned i = 0; i < 4; i++)
            for (unsigned n = 0; n < count; n++) {
                vrig_get_used(v, i, &written);
                assert_int_equal(written, 4097);
            }
    }
    for (unsigned n = 0; n < 10; n++) {
        read_image(n * 4096, bytes, 4096);
        assert_memory_equal(guest(v, AT_DATA + 0x1000u * n), bytes, 4096);
    }
    vrig_free(v);
}

/* What was under way is done with when the status says so: memory does not change after that. */
static void resets_end_what_is_under_way(void **state)
{
    struct vrig *v = plug_with(false, 1, NULL);
    uint8_t *data = v->pci->m->ram.data + (AT_DATA - MACHINE_RAM_BASE);
    uint8_t *before = malloc(0x20000);
    (void)state;
    for (unsigned round = 0; round < 200; round++) {
        vrig_negotiate(v, round & 1 ? F_RING_PACKED | F_EVENT_IDX : 0);
        vrig_queue(v, 0, 64);
        vrig_go(v);
        assert_int_equal(fill_queue(v, 0), 21);
        vrig_ring(v, 0);
        if (round % 3 == 0)
            sched_yield();
        vrig_reset(v);
        memset(data, 0, 0x20000);
        memcpy(before, data, 0x20000);
        if (round % 16 == 0)
            usleep(1000);
        assert_memory_equal(before, data, 0x20000);
    }
    free(before);
    vrig_free(v);
}

static int make_path(void **state)
{
    (void)state;
    scratch_make(path, 0);
    return 0;
}

static int remove_path(void **state)
{
    (void)state;
    return unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(tells_its_size_and_limits, make_image),
        cmocka_unit_test_setup(reads_and_writes_the_image, make_image),
        cmocka_unit_test_setup(parts_may_be_cut_anywhere, make_image),
        cmocka_unit_test_setup(what_does_not_lie_on_the_disk_fails, make_image),
        cmocka_unit_test_setup(a_read_only_disk_is_not_written, make_image),
        cmocka_unit_test_setup(zeroes_and_discards_take_several_ranges, make_image),
        cmocka_unit_test_setup(ranges_that_are_none_are_refused, make_image),
        cmocka_unit_test_setup(the_serial_number_is_twenty_bytes, make_image),
        cmocka_unit_test_setup(requests_that_are_none_are_answered, make_image),
        cmocka_unit_test_setup(the_cache_mode_is_the_drivers_who_asked_for_it, make_image),
        cmocka_unit_test_setup(queues_work_side_by_side, make_image),
        cmocka_unit_test_setup(resets_end_what_is_under_way, make_image),
    };
    return cmocka_run_group_tests(tests, make_path, remove_path);
}
