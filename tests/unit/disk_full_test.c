/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * The host's disk is full: requests fail with ENOSPC, what was written before stays, and when there is
 * room again all goes on. On a small tmpfs, so only root can run it.
 * Again: tools/run-tests unit/disk_full_test
 */
#include "block/qcow2/check.h"
#include "block/qcow2/create.h"
#include "disk_rig.h"
#include <sys/mount.h>

enum { BLOCK = 16384, BLOCKS = 1024 };

static char folder[] = "/tmp/rvvm-full-XXXXXX";

static int mount_small(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(folder));
    return 0;
}

static int unmount(void **state)
{
    (void)state;
    rmdir(folder);
    return 0;
}

static uint8_t *block_of(unsigned number, unsigned round)
{
    static uint8_t bytes[BLOCK];
    memset(bytes, (int)(number * 7 + round * 31 + 1) | 1, BLOCK);
    return bytes;
}

static int move(struct rig *rig, enum disk_op op, unsigned number, void *bytes)
{
    struct iovec iov = {bytes, BLOCK};
    return rig_do(rig, op, (uint64_t)number * BLOCK, BLOCK, &iov, 1);
}

static void is_whole(const char *path)
{
    struct image_options options = {.path = path, .read_only = true, .for_check = true};
    struct qcow2_report report = {0};
    struct error err = {0};
    struct image *image = image_open(&options, &err);
    assert_non_null(image);
    if (image_is_qcow2(image)) {
        assert_true(qcow2_check(qcow2_of(image), false, &report, &err));
        assert_int_equal(report.corruptions, 0);
    }
    image_close(image);
}

static void holds(struct rig *rig, unsigned from, unsigned to, unsigned round)
{
    static uint8_t bytes[BLOCK];
    for (unsigned i = from; i < to; i++) {
        assert_int_equal(move(rig, DISK_READ, i, bytes), 0);
        assert_memory_equal(bytes, block_of(i, round), BLOCK);
    }
}

static void fill_up(enum disk_format format)
{
    struct rig rig = {.options.format = format};
    struct qcow2_shape shape = {.size = (uint64_t)BLOCK * BLOCKS, .cluster_size = 4096};
    struct image_file file;
    struct error err = {0};
    if (mount("rvvm-test", folder, "tmpfs", 0, "size=6m") < 0) {
        print_message("cannot mount a tmpfs: %s\n", strerror(errno));
        skip();
    }
    snprintf(rig.path, sizeof(rig.path), "%s/disk", folder);
    rig.options.path = rig.path;
    assert_true(image_file_open(&file, rig.path, IMAGE_FILE_CREATE, &err));
    assert_true(format == DISK_FORMAT_RAW ? !image_file_resize(&file, shape.size)
                                          : qcow2_create(&file, &shape, &err));
    image_file_close(&file);
    rig_open(&rig);

    /* Until it is full. */
    unsigned written = 0, flushed = 0;
    int error = 0;
    for (; written < BLOCKS && !error; written++) {
        error = move(&rig, DISK_WRITE, written, block_of(written, 0));
        if (!error && written % 50 == 49 && !rig_do(&rig, DISK_FLUSH, 0, 0, NULL, 0))
            flushed = written + 1;
    }
    assert_int_equal(error, ENOSPC);
    written--;
    assert_true(flushed >= 200 && written < BLOCKS);
    for (unsigned i = 0; i < 20; i++)
        assert_int_equal(move(&rig, DISK_WRITE, BLOCKS - 1 - i, block_of(i, 0)), ENOSPC);
    holds(&rig, 0, written, 0);
    /* What has its place already can be written still. */
    for (unsigned i = 0; i < 50; i++)
        assert_int_equal(move(&rig, DISK_WRITE, i, block_of(i, 1)), 0);

    /* Space is given back: it goes on. */
    for (unsigned i = 50; i < 150; i++)
        assert_int_equal(move(&rig, DISK_DISCARD, i, NULL), 0);
    int flush = rig_do(&rig, DISK_FLUSH, 0, 0, NULL, 0);
    assert_true(!flush || flush == ENOSPC);
    assert_int_equal(mount("rvvm-test", folder, "tmpfs", MS_REMOUNT, "size=20m"), 0);
    assert_int_equal(rig_do(&rig, DISK_FLUSH, 0, 0, NULL, 0), 0);
    for (unsigned i = written; i < BLOCKS; i++)
        assert_int_equal(move(&rig, DISK_WRITE, i, block_of(i, 2)), 0);
    rig_open_again(&rig);
    holds(&rig, 0, 50, 1);
    holds(&rig, 150, written, 0);
    holds(&rig, written, BLOCKS, 2);
    disk_close(rig.disk);
    is_whole(rig.path);
    assert_int_equal(umount(folder), 0);
}

static void a_full_host_costs_nothing_but_the_request(void **state)
{
    (void)state;
    fill_up(DISK_FORMAT_QCOW2);
}

static void raw_images_too(void **state)
{
    (void)state;
    fill_up(DISK_FORMAT_RAW);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_host_costs_nothing_but_the_request),
        cmocka_unit_test(raw_images_too),
    };
    return cmocka_run_group_tests(tests, mount_small, unmount);
}
