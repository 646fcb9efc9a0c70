/* SPDX-License-Identifier: GPL-3.0-only */
/* A disk by callbacks (struct disk_calls), as it is and under an overlay. */
#include "disk_rig.h"

#define SIZE (1u << 20)

struct store {
    uint8_t bytes[SIZE];
    unsigned flushes;
    int failing; /* errno of each read */
};

static int store_read(void *ctx, uint64_t offset, void *bytes, size_t size)
{
    struct store *s = ctx;
    assert_true(offset <= SIZE && size <= SIZE - offset);
    memcpy(bytes, s->bytes + offset, size);
    return s->failing;
}

static int store_write(void *ctx, uint64_t offset, const void *bytes, size_t size)
{
    struct store *s = ctx;
    assert_true(offset <= SIZE && size <= SIZE - offset);
    memcpy(s->bytes + offset, bytes, size);
    return 0;
}

static int store_flush(void *ctx)
{
    ((struct store *)ctx)->flushes++;
    return 0;
}

static struct store store;
static struct disk_calls calls;

static struct rig with_calls(void)
{
    memset(&store, 0, sizeof(store));
    calls = (struct disk_calls){SIZE, store_read, store_write, store_flush, &store};
    return (struct rig){.options = {.path = "store", .calls = &calls}};
}

static void requests_are_calls(void **state)
{
    (void)state;
    struct rig rig = with_calls();
    uint8_t first[512], second[1024], back[1536];
    struct iovec two[] = {{first, sizeof(first)}, {second, sizeof(second)}};
    struct iovec one = {back, sizeof(back)};
    memset(first, 1, sizeof(first));
    memset(second, 2, sizeof(second));
    rig_open(&rig);
    assert_int_equal(disk_info(rig.disk)->size, SIZE);
    assert_false(disk_info(rig.disk)->discard);
    assert_int_equal(rig_do(&rig, DISK_WRITE, SIZE - 1536, 1536, two, 2), 0);
    assert_int_equal(store.bytes[SIZE - 1536], 1);
    assert_int_equal(store.bytes[SIZE - 1], 2);
    assert_int_equal(rig_do(&rig, DISK_READ, SIZE - 1536, 1536, &one, 1), 0);
    assert_memory_equal(back, first, 512);
    assert_memory_equal(back + 512, second, 1024);
    assert_int_equal(rig_do(&rig, DISK_FLUSH, 0, 0, NULL, 0), 0);
    assert_true(store.flushes >= 1);
    assert_int_equal(rig_do(&rig, DISK_DISCARD, 0, 4096, NULL, 0), 0);
    memset(store.bytes, 7, SIZE);
    assert_int_equal(rig_do(&rig, DISK_WRITE_ZEROES, 512, SIZE - 1024, NULL, 0), 0);
    assert_int_equal(store.bytes[511], 7);
    assert_int_equal(store.bytes[512], 0);
    assert_int_equal(store.bytes[SIZE - 513], 0);
    assert_int_equal(store.bytes[SIZE - 512], 7);
    store.failing = EIO;
    assert_int_equal(rig_do(&rig, DISK_READ, 0, 1536, &one, 1), EIO);
    assert_true(rig_do(&rig, DISK_READ, SIZE, 1536, &one, 1) != 0);
    disk_close(rig.disk);
}

static void without_a_write_it_is_read_only(void **state)
{
    (void)state;
    struct rig rig = with_calls();
    uint8_t bytes[512] = {0};
    struct iovec iov = {bytes, sizeof(bytes)};
    calls.write = NULL;
    calls.flush = NULL;
    rig_open(&rig);
    assert_true(disk_info(rig.disk)->read_only);
    assert_int_equal(rig_do(&rig, DISK_WRITE, 0, 512, &iov, 1), EROFS);
    assert_int_equal(rig_do(&rig, DISK_WRITE_ZEROES, 0, 512, NULL, 0), EROFS);
    disk_close(rig.disk);
}

static void an_overlay_leaves_it_as_it_was(void **state)
{
    (void)state;
    struct rig rig = with_calls();
    uint8_t bytes[512], back[512];
    struct iovec out = {bytes, sizeof(bytes)}, in = {back, sizeof(back)};
    memset(bytes, 5, sizeof(bytes));
    store.bytes[1024] = 9;
    rig.options.overlay = true;
    rig_open(&rig);
    assert_int_equal(rig_do(&rig, DISK_WRITE, 512, 512, &out, 1), 0);
    assert_int_equal(rig_do(&rig, DISK_READ, 512, 512, &in, 1), 0);
    assert_memory_equal(back, bytes, 512);
    assert_int_equal(rig_do(&rig, DISK_READ, 1024, 512, &in, 1), 0);
    assert_int_equal(back[0], 9);
    assert_int_equal(store.bytes[512], 0);
    disk_close(rig.disk);
}

static void sizes_that_no_disk_has_are_refused(void **state)
{
    (void)state;
    struct error err = {0};
    struct rig rig = with_calls();
    calls.size = 1000;
    assert_null(disk_open(&rig.options, &err));
    assert_string_equal(err.text, "store: a disk has a read callback and a size that is a multiple "
                                  "of 512 bytes");
    calls.size = 0;
    assert_null(disk_open(&rig.options, &err));
    calls.size = SIZE;
    calls.read = NULL;
    assert_null(disk_open(&rig.options, &err));
    calls.read = store_read;
    rig.options.format = DISK_FORMAT_QCOW2;
    assert_null(disk_open(&rig.options, &err));
    assert_string_equal(err.text, "store: a disk by callbacks is raw, and has no snapshots");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_are_calls),
        cmocka_unit_test(without_a_write_it_is_read_only),
        cmocka_unit_test(an_overlay_leaves_it_as_it_was),
        cmocka_unit_test(sizes_that_no_disk_has_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
