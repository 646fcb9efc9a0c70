/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Disks (src/block/disk.h): requests, order, tasks, locks, each with io_uring and with threads only.
 * Again: tools/run-tests unit/disk_test
 */
#include "block/disk.h"
#include "host/file.h"
#include "host_facts.h"
#include "disk_rig.h"

#define SIZE (8u << 20)

static void bytes_written_are_read_back_from_pieces(void **state)
{
    struct rig *rig = rig_with_raw(state, SIZE);
    uint8_t out[10000], in[10000];
    for (unsigned i = 0; i < sizeof(out); i++)
        out[i] = (uint8_t)(i * 7 + (i >> 8));
    struct iovec to[] = {{out, 1}, {out + 1, 0}, {out + 1, 4096}, {out + 4097, sizeof(out) - 4097}};
    struct iovec from[] = {{in, 5000}, {in + 5000, 5000}};
    assert_int_equal(rig_do(rig, DISK_WRITE, 12345, sizeof(out), to, 4), 0);
    assert_int_equal(rig_do(rig, DISK_READ, 12345, sizeof(in), from, 2), 0);
    assert_memory_equal(in, out, sizeof(out));
    rig_end(rig);
}

static void what_lies_not_on_the_disk_is_refused(void **state)
{
    struct rig *rig = rig_with_raw(state, SIZE);
    uint8_t byte[512] = {0};
    struct iovec iov = {byte, 512};
    assert_int_equal(rig_do(rig, DISK_READ, SIZE, 512, &iov, 1), EINVAL);
    assert_int_equal(rig_do(rig, DISK_WRITE, SIZE - 511, 512, &iov, 1), EINVAL);
    assert_int_equal(rig_do(rig, DISK_WRITE, UINT64_MAX - 100, 512, &iov, 1), EINVAL);
    assert_int_equal(rig_do(rig, DISK_DISCARD, 512, UINT64_MAX, NULL, 0), EINVAL);
    assert_int_equal(rig_do(rig, DISK_WRITE_ZEROES, UINT64_MAX, 2, NULL, 0), EINVAL);
    /* Sizes that do not agree. */
    assert_int_equal(rig_do(rig, DISK_READ, 0, 1024, &iov, 1), EINVAL);
    assert_int_equal(rig_do(rig, DISK_READ, SIZE - 512, 512, &iov, 1), 0);
    assert_int_equal(rig_do(rig, DISK_READ, SIZE, 0, NULL, 0), 0);
    rig_end(rig);
}

static void nothing_is_written_to_a_read_only_disk(void **state)
{
    struct rig *rig = rig_with_raw(state, SIZE);
    rig->options.read_only = true;
    rig_open_again(rig);
    uint8_t bytes[512] = {1};
    struct iovec iov = {bytes, 512};
    assert_true(disk_info(rig->disk)->read_only);
    assert_int_equal(rig_do(rig, DISK_WRITE, 0, 512, &iov, 1), EROFS);
    assert_int_equal(rig_do(rig, DISK_WRITE_ZEROES, 0, 512, NULL, 0), EROFS);
    assert_int_equal(rig_do(rig, DISK_DISCARD, 0, 512, NULL, 0), EROFS);
    assert_int_equal(rig_do(rig, DISK_FLUSH, 0, 0, NULL, 0), 0);
    assert_int_equal(rig_do(rig, DISK_READ, 0, 512, &iov, 1), 0);
    assert_int_equal(bytes[0], 0);
    rig_end(rig);
}

static void zeroes_and_discards_give_space_back(void **state)
{
    if (!host_gives_space_back())
        skip();
    struct rig *rig = rig_with_raw(state, SIZE);
    static uint8_t full[1 << 20];
    memset(full, 0x5a, sizeof(full));
    struct iovec iov = {full, sizeof(full)};
    assert_int_equal(rig_do(rig, DISK_WRITE, 0, sizeof(full), &iov, 1), 0);
    assert_int_equal(rig_do(rig, DISK_FLUSH, 0, 0, NULL, 0), 0);
    uint64_t before = rig_allocated(rig);
    assert_true(before >= sizeof(full));
    assert_int_equal(rig_do(rig, DISK_DISCARD, 0, sizeof(full) / 2, NULL, 0), 0);
    struct disk_request zeroes = {
        .op = DISK_WRITE_ZEROES, .offset = sizeof(full) / 2, .size = 65537, .unmap = true};
    assert_int_equal(rig_run(rig, &zeroes), 0);
    assert_true(rig_allocated(rig) <= before - sizeof(full) / 2);
    uint8_t edge[2];
    struct iovec two = {edge, 2};
    assert_int_equal(rig_do(rig, DISK_READ, sizeof(full) / 2 + 65536, 2, &two, 1), 0);
    assert_int_equal(edge[0], 0);
    assert_int_equal(edge[1], 0x5a);
    rig_end(rig);
}

static void a_raw_image_of_odd_size_ends_in_zeroes(void **state)
{
    struct rig *rig = rig_with_raw(state, 1000);
    uint8_t bytes[512];
    struct iovec iov = {bytes, 512};
    assert_int_equal(disk_info(rig->disk)->size, 1024);
    memset(bytes, 0xff, sizeof(bytes));
    assert_int_equal(rig_do(rig, DISK_READ, 512, 512, &iov, 1), 0);
    for (unsigned i = 0; i < 512; i++)
        assert_int_equal(bytes[i], 0);
    memset(bytes, 0x11, sizeof(bytes));
    assert_int_equal(rig_do(rig, DISK_WRITE, 512, 512, &iov, 1), 0);
    memset(bytes, 0, sizeof(bytes));
    assert_int_equal(rig_do(rig, DISK_READ, 512, 512, &iov, 1), 0);
    assert_int_equal(bytes[511], 0x11);
    rig_end(rig);
}

/* Thousands under way, submitted by two threads; each is done once. */
enum { MANY = 3000 };

struct many {
    struct rig *rig;
    struct disk_request *requests;
    struct iovec *iov;
    uint32_t (*data)[128];
    enum disk_op op;
    _Atomic int *done, *failed;
};

struct counted {
    struct disk_request request;
    struct many *many;
};

static void count_done(struct disk_request *r, int error)
{
    struct many *many = ((struct counted *)r)->many;
    atomic_fetch_add(many->done, 1);
    if (error)
        atomic_fetch_add(many->failed, 1);
}

static void *submit_many(void *arg)
{
    struct many *m = arg;
    struct counted *all = calloc(MANY, sizeof(*all));
    for (unsigned i = 0; i < MANY; i++) {
        m->iov[i] = (struct iovec){m->data[i], 512};
        all[i].request = (struct disk_request){.op = m->op,
                                               .offset = (m->data[i][0] + 0ull) * 512,
                                               .size = 512,
                                               .iov = &m->iov[i],
                                               .iovcnt = 1,
                                               .done = count_done};
        all[i].many = m;
        if (i % 7)
            all[i - 1].request.next = &all[i].request;
    }
    for (unsigned i = 0; i < MANY; i += 7)
        disk_submit(m->rig->disk, &all[i].request);
    m->requests = &all[0].request;
    return NULL;
}

static void thousands_may_be_under_way(void **state)
{
    struct rig *rig = rig_with_raw(state, SIZE);
    _Atomic int done = 0, failed = 0;
    struct many many[2];
    for (enum disk_op op = DISK_READ; op <= DISK_WRITE; op++) {
        /* First written, then read. */
        enum disk_op now = op == DISK_READ ? DISK_WRITE : DISK_READ;
        pthread_t threads[2];
        atomic_store(&done, 0);
        for (unsigned t = 0; t < 2; t++) {
            many[t] = (struct many){.rig = rig, .op = now, .done = &done, .failed = &failed};
            many[t].iov = calloc(MANY, sizeof(struct iovec));
            many[t].data = calloc(MANY, 512);
            for (unsigned i = 0; i < MANY; i++) {
                many[t].data[i][0] = t * MANY + i;
                many[t].data[i][127] = now == DISK_WRITE ? ~(t * MANY + i) : 0;
            }
            assert_int_equal(pthread_create(&threads[t], NULL, submit_many, &many[t]), 0);
        }
        for (unsigned t = 0; t < 2; t++)
            pthread_join(threads[t], NULL);
        disk_drain(rig->disk);
        assert_int_equal(done, 2 * MANY);
        assert_int_equal(failed, 0);
        for (unsigned t = 0; t < 2; t++) {
            for (unsigned i = 0; i < MANY; i++) {
                assert_int_equal(many[t].data[i][0], t * MANY + i);
                assert_int_equal(many[t].data[i][127], ~(t * MANY + i));
            }
            free(many[t].requests);
            free(many[t].iov);
            free(many[t].data);
        }
    }
    rig_end(rig);
}

/* A task that submits reads from the disk's thread, and is woken while it runs. */
struct reader {
    struct disk_task task;
    struct disk_request request;
    struct disk *disk;
    struct iovec iov;
    uint8_t bytes[512];
    unsigned left;
    bool busy;
    _Atomic unsigned runs, done;
    pthread_t on;
};

static void reader_done(struct disk_request *r, int error)
{
    struct reader *reader = (struct reader *)((char *)r - offsetof(struct reader, request));
    assert_int_equal(error, 0);
    reader->busy = false;
    atomic_fetch_add(&reader->done, 1);
    disk_wake(reader->disk, &reader->task);
}

static void reader_run(struct disk_task *task)
{
    struct reader *reader = (struct reader *)task;
    if (!atomic_fetch_add(&reader->runs, 1))
        reader->on = pthread_self();
    assert_true(pthread_equal(reader->on, pthread_self()));
    if (reader->busy || !reader->left)
        return;
    reader->busy = true;
    reader->left--;
    reader->request = (struct disk_request){.op = DISK_READ,
                                            .offset = reader->left * 512ull,
                                            .size = 512,
                                            .iov = &reader->iov,
                                            .iovcnt = 1,
                                            .done = reader_done};
    disk_submit(reader->disk, &reader->request);
}

static void tasks_run_on_the_thread_of_the_disk(void **state)
{
    struct rig *rig = rig_with_raw(state, SIZE);
    struct reader reader = {.task = {.run = reader_run}, .disk = rig->disk, .left = 1000};
    reader.iov = (struct iovec){reader.bytes, 512};
    disk_wake(rig->disk, &reader.task);
    disk_drain(rig->disk);
    assert_int_equal(reader.left, 0);
    assert_int_equal(reader.done, 1000);
    assert_true(reader.runs >= 1000);
    rig_end(rig);
}

static void an_image_is_opened_once_for_writing(void **state)
{
    struct rig *rig = rig_with_raw(state, SIZE);
    struct error err = {0};
    assert_null(disk_open(&rig->options, &err));
    assert_non_null(strstr(err.text, "in use"));
    struct disk_options reading = rig->options;
    reading.read_only = true;
    assert_null(disk_open(&reading, &err));
    disk_close(rig->disk);
    struct disk *first = disk_open(&reading, &err), *second = disk_open(&reading, &err);
    assert_non_null(first);
    assert_non_null(second);
    assert_null(disk_open(&rig->options, &err));
    disk_close(first);
    disk_close(second);
    rig->disk = disk_open(&rig->options, &err);
    assert_non_null(rig->disk);
    rig_end(rig);
}

/* Otherwise the next start would take the guest's word for what its backing file is. */
static void a_guest_cannot_make_a_guessed_raw_image_qcow2(void **state)
{
    struct rig *rig = rig_with_raw(state, SIZE);
    uint8_t magic[] = "QFI\xfb";
    struct iovec whole = {magic, 4}, tail = {magic + 1, 3}, head = {magic, 1};
    rig->options.format = DISK_FORMAT_AUTO;
    rig_open_again(rig);
    assert_int_equal(rig_do(rig, DISK_WRITE, 0, 4, &whole, 1), EPERM);
    assert_int_equal(rig_do(rig, DISK_WRITE, 1, 3, &tail, 1), 0);
    assert_int_equal(rig_do(rig, DISK_WRITE, 0, 1, &head, 1), EPERM);
    rig->options.format = DISK_FORMAT_RAW;
    rig_open_again(rig);
    assert_int_equal(rig_do(rig, DISK_WRITE, 0, 4, &whole, 1), 0);
    rig_end(rig);
}

/* Aligned for IO around the page cache, and not; flushes between. */
static void every_cache_mode_reads_what_was_written(void **state)
{
    static uint8_t out[65536 + 512] __attribute__((aligned(4096)));
    static uint8_t in[65536 + 512] __attribute__((aligned(4096)));
    static const struct {
        unsigned offset, size, shift;
    } moves[] = {{0, 65536, 0}, {4096, 8192, 0},        {512, 4096, 0},      {8192, 4096, 1},
                 {100, 300, 7}, {SIZE - 4096, 4096, 0}, {SIZE - 512, 512, 0}};
    for (enum disk_cache cache = DISK_CACHE_WRITEBACK; cache <= DISK_CACHE_UNSAFE; cache++) {
        struct rig *rig = rig_with_raw(state, SIZE);
        rig->options.cache = cache;
        rig_open_again(rig);
        for (unsigned i = 0; i < sizeof(moves) / sizeof(moves[0]); i++) {
            for (unsigned j = 0; j < moves[i].size; j++)
                out[moves[i].shift + j] = (uint8_t)(i * 31 + j * 7 + (j >> 8));
            struct iovec to = {out + moves[i].shift, moves[i].size};
            struct iovec from = {in + moves[i].shift, moves[i].size};
            assert_int_equal(rig_do(rig, DISK_WRITE, moves[i].offset, moves[i].size, &to, 1), 0);
            assert_int_equal(rig_do(rig, DISK_FLUSH, 0, 0, NULL, 0), 0);
            assert_int_equal(rig_do(rig, DISK_READ, moves[i].offset, moves[i].size, &from, 1), 0);
            assert_memory_equal(from.iov_base, to.iov_base, moves[i].size);
        }
        rig_end(rig);
    }
}

/* More buffers than the host takes in one call. */
static void any_number_of_buffers_will_do(void **state)
{
    enum { BUFFERS = 3000, EACH = 3 };
    static uint8_t out[BUFFERS * EACH], in[BUFFERS * EACH];
    static struct iovec to[BUFFERS], from[BUFFERS];
    struct rig *rig = rig_with_raw(state, SIZE);
    for (unsigned i = 0; i < BUFFERS; i++) {
        to[i] = (struct iovec){out + i * EACH, EACH};
        from[BUFFERS - 1 - i] = (struct iovec){in + (BUFFERS - 1 - i) * EACH, EACH};
        memset(to[i].iov_base, (int)i, EACH);
    }
    static const unsigned counts[] = {63, 64, 65, 1023, 1024, 1025, BUFFERS};
    for (unsigned i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        unsigned count = counts[i];
        memset(in, 0, sizeof(in));
        assert_int_equal(rig_do(rig, DISK_WRITE, 777, count * EACH, to, count), 0);
        assert_int_equal(rig_do(rig, DISK_READ, 777, count * EACH, from, count), 0);
        assert_memory_equal(in, out, count * EACH);
    }
    rig_end(rig);
}

static void bad_images_are_named(void **state)
{
    struct rig *rig = rig_with_raw(state, 512);
    struct error err = {0};
    struct disk_options options = {.path = "/nonexistent/disk.img"};
    assert_null(disk_open(&options, &err));
    assert_non_null(strstr(err.text, "/nonexistent/disk.img: cannot open"));
    options.path = "/dev";
    options.read_only = true;
    assert_null(disk_open(&options, &err));
    assert_non_null(strstr(err.text, "is a directory"));
    options.path = "/dev/null";
    assert_null(disk_open(&options, &err));
    options.path = "";
    assert_null(disk_open(&options, &err));
    rig_end(rig);
}

#define BOTH(f) \
    {#f, f, with_uring, NULL, NULL}, \
    { \
#f " (threads)", f, with_threads, NULL, NULL \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(bytes_written_are_read_back_from_pieces),
        BOTH(what_lies_not_on_the_disk_is_refused),
        BOTH(nothing_is_written_to_a_read_only_disk),
        BOTH(zeroes_and_discards_give_space_back),
        BOTH(a_raw_image_of_odd_size_ends_in_zeroes),
        BOTH(thousands_may_be_under_way),
        BOTH(tasks_run_on_the_thread_of_the_disk),
        BOTH(an_image_is_opened_once_for_writing),
        BOTH(a_guest_cannot_make_a_guessed_raw_image_qcow2),
        BOTH(every_cache_mode_reads_what_was_written),
        BOTH(any_number_of_buffers_will_do),
        BOTH(bad_images_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
