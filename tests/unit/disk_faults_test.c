/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Disks when something happens at the worst moment: guest memory changes while it is written, a write fails,
 * two requests meet in one cluster, more is given up than a cache holds, an image contradicts itself.
 * Again: tools/run-tests unit/disk_faults_test
 *
 * The function by which the library writes is defined here and so takes the place of libc's.
 */
#include "block/qcow2/check.h"
#include "block/qcow2/create.h"
#include "disk_rig.h"
#include <sys/syscall.h>
#include <time.h>

enum { CLUSTER = 65536, SMALL = 512 };

/* Before the next write: this becomes the magic number of qcow2. */
static uint8_t *_Atomic becomes_magic;
/* The next write that touches the byte at this offset fails; 0: none. */
static _Atomic uint64_t refused_offset;

ssize_t pwritev(int fd, const struct iovec *iov, int count, off_t offset)
{
    uint64_t size = 0, refused = refused_offset;
    uint8_t *start = atomic_exchange(&becomes_magic, NULL);
    if (start)
        memcpy(start, "QFI\xfb", 4);
    for (int i = 0; i < count; i++)
        size += iov[i].iov_len;
    if (refused && refused - (uint64_t)offset < size) {
        refused_offset = 0;
        errno = EIO;
        return -1;
    }
    return syscall(SYS_pwritev, fd, iov, count, offset, 0);
}

/* Raw images */

static void the_magic_of_qcow2_cannot_be_slipped_in_behind_the_look_at_it(void **state)
{
    struct rig *rig = rig_with_raw(state, 1u << 20);
    uint8_t sectors[3 * DISK_SECTOR] = {0}, there[sizeof(sectors)];
    struct iovec iov[] = {{sectors, 2}, {sectors + 2, sizeof(sectors) - 2}};
    rig->options.format = DISK_FORMAT_AUTO;
    rig_open_again(rig);
    for (size_t i = 0; i < sizeof(sectors); i++)
        sectors[i] = (uint8_t)(i + i / 256 + 1);
    memcpy(there, sectors, sizeof(there));
    becomes_magic = sectors;
    assert_int_equal(rig_do(rig, DISK_WRITE, 0, sizeof(sectors), iov, 2), 0);
    assert_null(becomes_magic);
    scratch_read(rig->path, 0, sectors, sizeof(sectors));
    assert_memory_equal(sectors, there, sizeof(there));
    rig_end(rig);
}

/* qcow2 images */

static char path[64];

static struct image *open_image(bool read_only, bool for_check, struct error *err)
{
    struct image_options options = {
        .path = path, .format = DISK_FORMAT_QCOW2, .read_only = read_only, .for_check = for_check};
    return image_open(&options, err);
}

static struct image *new_image(const struct qcow2_shape *shape)
{
    struct image_file file;
    struct error err = {0};
    strcpy(path, "/tmp/rvvm-faults-XXXXXX");
    scratch_make(path, 0);
    assert_true(image_file_open(&file, path, IMAGE_FILE_CREATE, &err));
    assert_true(qcow2_create(&file, shape, &err));
    image_file_close(&file);
    struct image *image = open_image(false, false, &err);
    if (!image)
        fail_msg("%s", err.text);
    return image;
}

static int move(struct image *image, bool write, uint64_t offset, void *bytes, size_t size)
{
    struct iovec iov = {bytes, size};
    struct iov_cursor at = iov_start(&iov, 1);
    return write ? image->ops->writev(image, offset, size, &at)
                 : image->ops->readv(image, offset, size, &at);
}

static uint8_t *filled(size_t size, int value)
{
    uint8_t *bytes = malloc(size);
    assert_non_null(bytes);
    return memset(bytes, value, size);
}

static void is_all(struct image *image, uint64_t offset, size_t size, int value)
{
    uint8_t *bytes = filled(size, ~value);
    assert_int_equal(move(image, false, offset, bytes, size), 0);
    for (size_t i = 0; i < size; i++)
        if (bytes[i] != value)
            fail_msg("byte %llu is 0x%02x, not 0x%02x", (unsigned long long)offset + i, bytes[i],
                     value);
    free(bytes);
}

static void end_whole(struct image *image)
{
    struct qcow2_report report = {0};
    struct error err = {0};
    image_close(image);
    image = open_image(true, true, &err);
    assert_non_null(image);
    assert_true(qcow2_check(qcow2_of(image), false, &report, &err));
    assert_int_equal(report.corruptions, 0);
    assert_int_equal(report.leaks, 0);
    image_close(image);
    unlink(path);
}

static enum cluster_kind kind_at(struct qcow2 *q, uint64_t offset)
{
    struct mapping m;
    assert_int_equal(qcow2_map(q, offset, 1, &m), 0);
    return m.kind;
}

static void *write_one_and_a_half(void *arg)
{
    uint8_t *bytes = filled(CLUSTER + CLUSTER / 2, 0x11);
    assert_int_equal(move(arg, true, 0, bytes, CLUSTER + CLUSTER / 2), 0);
    free(bytes);
    return NULL;
}

/* The other one is played here, for it to be in the middle of its work when the first comes. */
static void a_write_waits_for_another_one_in_any_of_its_clusters(void **state)
{
    (void)state;
    struct image *image = new_image(&(struct qcow2_shape){.size = 16 * CLUSTER});
    struct qcow2 *q = qcow2_of(image);
    struct run run = {.start = CLUSTER, .end = 2 * CLUSTER};
    uint8_t *bytes = filled(CLUSTER, 0x22);
    uint64_t host, got, old;
    bool virgin;
    pthread_t writer;
    pthread_mutex_lock(&q->meta);
    q->runs = &run;
    assert_int_equal(qcow2_own_l2(q, CLUSTER), 0);
    assert_int_equal(qcow2_allocate(q, 1, &host, &got, &virgin), 0);
    pthread_mutex_unlock(&q->meta);
    assert_int_equal(pthread_create(&writer, NULL, write_one_and_a_half, image), 0);
    while (kind_at(q, 0) != CLUSTER_DATA)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);

    pthread_mutex_lock(&q->meta);
    assert_int_equal(kind_at(q, CLUSTER), CLUSTER_ABSENT);
    assert_int_equal(image_file_write(&image->file, host, bytes, CLUSTER), 0);
    assert_int_equal(qcow2_set_entry(q, CLUSTER, host | ENTRY_COPIED, 0, &old), 0);
    struct run **link = &q->runs;
    while (*link != &run)
        link = &(*link)->next;
    *link = run.next;
    pthread_cond_broadcast(&q->run_ended);
    pthread_mutex_unlock(&q->meta);
    pthread_join(writer, NULL);
    is_all(image, 0, CLUSTER + CLUSTER / 2, 0x11);
    is_all(image, CLUSTER + CLUSTER / 2, CLUSTER / 2, 0x22);
    free(bytes);
    end_whole(image);
}

static void more_may_be_given_up_than_the_cache_of_refcounts_holds(void **state)
{
    (void)state;
    enum { SIZE = 4 << 20, SLICES = 64 };
    struct image *image = new_image(
        &(struct qcow2_shape){.size = 2 * SIZE, .cluster_size = SMALL, .refcount_bits = 64});
    struct qcow2 *q = qcow2_of(image);
    uint8_t *bytes = filled(SIZE, 0x33);
    assert_true(q->refcounts.count <= SLICES);
    q->refcounts.most = SLICES;
    assert_true(SIZE / SMALL * 8 > 2 * SLICES * q->refcounts.size - 1);
    assert_int_equal(move(image, true, 0, bytes, SIZE), 0);
    assert_int_equal(image->ops->flush(image), 0);
    assert_int_equal(image->ops->discard(image, 0, SIZE), 0);
    assert_int_equal(image->ops->flush(image), 0);
    assert_false(atomic_load(&q->corrupt));
    is_all(image, 0, SIZE, 0);
    /* They can be used again. */
    uint64_t size, now;
    assert_int_equal(image_file_size(&image->file, &size), 0);
    assert_int_equal(move(image, true, 0, bytes, SIZE), 0);
    assert_int_equal(image_file_size(&image->file, &now), 0);
    assert_true(now <= size + SIZE / 16);
    is_all(image, 0, SIZE, 0x33);
    free(bytes);
    end_whole(image);
}

static unsigned blocks_in_file(struct qcow2 *q)
{
    uint8_t table[SMALL];
    unsigned count = 0;
    assert_int_equal(q->reftable_size * 8, sizeof(table));
    assert_int_equal(image_file_read(&q->image.file, q->reftable_offset, table, sizeof(table)), 0);
    for (size_t i = 0; i < sizeof(table); i += 8)
        count += get_be64(table + i) != 0;
    return count;
}

static void a_refcount_table_that_could_not_be_written_is_written_next_time(void **state)
{
    (void)state;
    enum { SIZE = 128 << 10 };
    struct image *image = new_image(
        &(struct qcow2_shape){.size = 2 * SIZE, .cluster_size = SMALL, .refcount_bits = 64});
    struct qcow2 *q = qcow2_of(image);
    uint8_t *bytes = filled(SIZE, 0x44);
    unsigned before = blocks_in_file(q);
    assert_int_equal(move(image, true, 0, bytes, SIZE), 0);
    refused_offset = q->reftable_offset;
    assert_int_equal(image->ops->flush(image), EIO);
    assert_int_equal(refused_offset, 0);
    assert_int_equal(image->ops->flush(image), 0);
    assert_true(blocks_in_file(q) >= before + SIZE / SMALL / 64 - 1);
    free(bytes);
    end_whole(image);
}

/* What is in the file is what is left when the process is killed here. */
static void a_larger_refcount_table_names_no_block_that_is_not_written(void **state)
{
    (void)state;
    enum { SIZE = 4 << 20, PART = 4096 };
    struct image *image =
        new_image(&(struct qcow2_shape){.size = SIZE, .cluster_size = SMALL, .refcount_bits = 64});
    struct qcow2 *q = qcow2_of(image);
    struct image_options options = {
        .path = path, .read_only = true, .unlocked = true, .for_check = true};
    struct qcow2_report report = {0};
    struct error err = {0};
    uint8_t *bytes = filled(PART, 0x66);
    uint64_t table = q->reftable_offset, at = 0;
    for (; at < SIZE && q->reftable_offset == table; at += PART)
        assert_int_equal(move(image, true, at, bytes, PART), 0);
    assert_true(at < SIZE);
    struct image *killed = image_open(&options, &err);
    assert_non_null(killed);
    assert_true(qcow2_check(qcow2_of(killed), false, &report, &err));
    assert_int_equal(report.corruptions, 0);
    image_close(killed);
    free(bytes);
    end_whole(image);
}

static void ranges_that_share_a_refcount_block_are_found_and_mended(void **state)
{
    (void)state;
    struct error err = {0};
    struct qcow2_report report = {0};
    struct image *image = new_image(&(struct qcow2_shape){.size = 1u << 20});
    uint8_t entry[8];
    uint64_t table = qcow2_of(image)->reftable_offset;
    assert_int_equal(image_file_read(&image->file, table, entry, 8), 0);
    assert_int_equal(image_file_write(&image->file, table + 5 * 8, entry, 8), 0);
    image_close(image);

    assert_null(open_image(false, false, &err));
    assert_non_null(strstr(err.text, "named twice"));
    image = open_image(true, false, &err);
    assert_non_null(image);
    is_all(image, 0, CLUSTER, 0);
    image_close(image);
    image = open_image(false, true, &err);
    assert_non_null(image);
    assert_true(qcow2_check(qcow2_of(image), true, &report, &err));
    assert_int_equal(report.corruptions, 1);
    image_close(image);
    image = open_image(false, false, &err);
    assert_non_null(image);
    end_whole(image);
}

static void what_was_unpacked_is_forgotten_when_its_place_is_used_again(void **state)
{
    (void)state;
    if (!compression_exists(COMPRESSION_ZLIB))
        skip();
    struct image *image = new_image(&(struct qcow2_shape){.size = 16 * CLUSTER});
    uint64_t places[2];
    for (int round = 0; round < 2; round++) {
        struct mapping m;
        uint8_t *bytes = filled(CLUSTER, 0x55 + round);
        assert_int_equal(qcow2_write_compressed(image, 0, bytes, CLUSTER), 0);
        assert_int_equal(qcow2_map(qcow2_of(image), 0, CLUSTER, &m), 0);
        assert_int_equal(m.kind, CLUSTER_COMPRESSED);
        places[round] = m.entry;
        is_all(image, 0, CLUSTER, 0x55 + round);
        if (!round) {
            assert_int_equal(image->ops->discard(image, 0, CLUSTER), 0);
            assert_int_equal(image->ops->flush(image), 0);
        }
        free(bytes);
    }
    assert_int_equal(places[0], places[1]);
    end_whole(image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_magic_of_qcow2_cannot_be_slipped_in_behind_the_look_at_it),
        cmocka_unit_test(a_write_waits_for_another_one_in_any_of_its_clusters),
        cmocka_unit_test(more_may_be_given_up_than_the_cache_of_refcounts_holds),
        cmocka_unit_test(a_refcount_table_that_could_not_be_written_is_written_next_time),
        cmocka_unit_test(a_larger_refcount_table_names_no_block_that_is_not_written),
        cmocka_unit_test(ranges_that_share_a_refcount_block_are_found_and_mended),
        cmocka_unit_test(what_was_unpacked_is_forgotten_when_its_place_is_used_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
