/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Power cuts, more of them than one can make: all that a disk writes to its file is recorded, and then
 * the file is put together as a cut may have left it. What was written before the last sync is there;
 * of what was written since, any part, sector by sector, and in any case the image must be whole and
 * hold what had been flushed. Again: tools/run-tests unit/power_cut_test (RVVM_SEED=N)
 *
 * The functions by which the library writes are defined here and so take the place of libc's.
 */
#include "block/qcow2/check.h"
#include "block/qcow2/create.h"
#include "disk_rig.h"
#include "host/clock.h"
#include <sys/stat.h>
#include <sys/syscall.h>

enum { BLOCK = 4096, BLOCKS = 600, FILE_MAX = 16 << 20, REQUESTS = 250, CUTS = 100, SECTOR = 512 };

static uint64_t seed;

static uint32_t random_below(uint32_t limit)
{
    seed = seed * 6364136223846793005ull + 1442695040888963407ull;
    return (uint32_t)((seed >> 33) % limit);
}

/* The record */

enum kind { WRITTEN, HOLE, RESIZED, SYNC };

struct event {
    enum kind kind;
    uint64_t offset, size;
    uint8_t *bytes;
};

static struct event *events;
static size_t event_count, event_room;
static bool recording;
static pthread_mutex_t record_lock = PTHREAD_MUTEX_INITIALIZER;

static struct event *record(enum kind kind, uint64_t offset, uint64_t size)
{
    if (!recording)
        return NULL;
    pthread_mutex_lock(&record_lock);
    if (event_count == event_room) {
        event_room = event_room ? event_room * 2 : 1024;
        events = realloc(events, event_room * sizeof(events[0]));
    }
    struct event *e = &events[event_count++];
    *e = (struct event){.kind = kind, .offset = offset, .size = size};
    pthread_mutex_unlock(&record_lock);
    return e;
}

ssize_t pwritev(int fd, const struct iovec *iov, int count, off_t offset)
{
    uint64_t size = 0;
    for (int i = 0; i < count; i++)
        size += iov[i].iov_len;
    struct event *e = record(WRITTEN, (uint64_t)offset, size);
    if (e) {
        uint8_t *to = e->bytes = malloc(size);
        for (int i = 0; i < count; to += iov[i++].iov_len)
            memcpy(to, iov[i].iov_base, iov[i].iov_len);
    }
    return syscall(SYS_pwritev, fd, iov, count, offset, 0);
}

int fallocate(int fd, int mode, off_t offset, off_t size)
{
    record(HOLE, (uint64_t)offset, (uint64_t)size);
    return (int)syscall(SYS_fallocate, fd, mode, offset, size);
}

int ftruncate(int fd, off_t size)
{
    record(RESIZED, 0, (uint64_t)size);
    return (int)syscall(SYS_ftruncate, fd, size);
}

int fdatasync(int fd)
{
    int result = (int)syscall(SYS_fdatasync, fd);
    record(SYNC, 0, 0);
    return result;
}

static void forget_record(void)
{
    for (size_t i = 0; i < event_count; i++)
        free(events[i].bytes);
    free(events);
    events = NULL;
    event_count = event_room = 0;
}

/* What the guest did: blocks, each of one value */

struct write {
    uint32_t block, value;
    size_t after; /* events before it was begun */
};

static struct write writes[REQUESTS];
static unsigned write_count;

struct flush {
    size_t events;   /* so many when it was done */
    unsigned writes; /* that it covers */
};

static struct flush flushes[REQUESTS + 1];
static unsigned flush_count;

static uint32_t word_of(uint32_t value, unsigned index)
{
    return value ? value * 2654435761u + index : 0;
}

/* The first ones are for blocks that have no place yet. */
static void do_requests(struct rig *rig)
{
    static uint32_t words[BLOCK / 4];
    struct iovec iov = {words, BLOCK};
    write_count = flush_count = 0;
    flushes[flush_count++] = (struct flush){event_count, 0};
    for (unsigned i = 0; i < REQUESTS; i++) {
        uint32_t what = random_below(20), block = random_below(BLOCKS);
        if (i < 4) {
            what = 2;
            block = BLOCKS - 1 - i;
        }
        if (what < 2) {
            assert_int_equal(rig_do(rig, DISK_FLUSH, 0, 0, NULL, 0), 0);
            flushes[flush_count++] = (struct flush){event_count, write_count};
            continue;
        }
        uint32_t value = what < 16 ? i + 1 : 0;
        writes[write_count++] = (struct write){block, value, event_count};
        for (unsigned w = 0; w < BLOCK / 4; w++)
            words[w] = word_of(value, w);
        struct disk_request r = {.op = value ? DISK_WRITE : DISK_WRITE_ZEROES,
                                 .offset = (uint64_t)block * BLOCK,
                                 .size = BLOCK,
                                 .iov = &iov,
                                 .iovcnt = 1,
                                 .unmap = what & 1};
        assert_int_equal(rig_run(rig, &r), 0);
    }
}

/* The cut */

static void apply(uint8_t *file, uint64_t *size, const struct event *e, unsigned chance)
{
    assert_true(e->kind == RESIZED || e->kind == SYNC || e->offset + e->size <= FILE_MAX);
    if (e->kind == SYNC)
        return;
    if (e->kind == RESIZED) {
        if (random_below(100) < chance)
            *size = e->size;
        return;
    }
    for (uint64_t at = 0, part; at < e->size; at += part) {
        part = SECTOR - (e->offset + at) % SECTOR;
        part = part < e->size - at ? part : e->size - at;
        if (random_below(100) >= chance)
            continue;
        if (e->kind == HOLE)
            memset(file + e->offset + at, 0, part);
        else
            memcpy(file + e->offset + at, e->bytes + at, part);
        if (e->kind == WRITTEN && *size < e->offset + at + part)
            *size = e->offset + at + part;
    }
}

static void write_file(const char *path, const uint8_t *bytes, uint64_t size)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    fclose(file);
}

/* The last `whole` events may be there in part only. */
static void cut_at(const char *path, const uint8_t *before, uint64_t before_size, size_t cut)
{
    uint8_t *file = malloc(FILE_MAX);
    uint64_t size = before_size;
    size_t synced = cut;
    unsigned chance = (unsigned[]){0, 50, 90, 100}[random_below(4)];
    memcpy(file, before, FILE_MAX);
    while (synced && events[synced - 1].kind != SYNC)
        synced--;
    for (size_t i = 0; i < cut; i++)
        apply(file, &size, &events[i], i < synced ? 100 : chance);
    write_file(path, file, size);
    free(file);
}

static void image_is_whole(const char *path, bool lazy)
{
    struct image_options options = {.path = path, .read_only = true, .for_check = true};
    struct qcow2_report report = {0};
    struct error err = {0};
    struct image *image = image_open(&options, &err);
    if (!image)
        fail_msg("%s", err.text);
    assert_true(qcow2_check(qcow2_of(image), false, &report, &err));
    if (!lazy && report.corruptions)
        fail_msg("%llu corruptions", (unsigned long long)report.corruptions);
    image_close(image);
}

/* Each block is what the last flush covered, or what was written to it since and before the cut. */
static void flushed_is_there(struct rig *rig, size_t cut)
{
    static uint32_t all[BLOCKS][BLOCK / 4];
    struct iovec iov = {all, sizeof(all)};
    unsigned flush = flush_count - 1;
    assert_int_equal(rig_do(rig, DISK_READ, 0, sizeof(all), &iov, 1), 0);
    while (flushes[flush].events > cut)
        flush--;
    for (uint32_t block = 0; block < BLOCKS; block++) {
        uint32_t possible[REQUESTS + 1];
        unsigned count = 1;
        possible[0] = 0;
        for (unsigned i = 0; i < write_count && writes[i].after <= cut; i++) {
            if (writes[i].block != block)
                continue;
            if (i < flushes[flush].writes)
                count = 0; /* this one is flushed, and those before it are gone */
            possible[count++] = writes[i].value;
        }
        const uint32_t *words = all[block];
        /* Sectors are whole; a block that was written to after the flush may be torn. */
        for (unsigned sector = 0; sector < BLOCK / SECTOR; sector++) {
            unsigned first = sector * SECTOR / 4, match = 0;
            for (unsigned i = 0; i < count; i++) {
                unsigned w = first;
                while (w < first + SECTOR / 4 && words[w] == word_of(possible[i], w))
                    w++;
                match += w == first + SECTOR / 4;
            }
            if (!match)
                fail_msg("block %u, sector %u: not what was flushed; word %08x of %u values", block,
                         sector, words[first], count);
        }
    }
}

static void try_cuts(struct rig *rig, const char *original, uint64_t size, bool lazy)
{
    uint8_t *before = calloc(1, FILE_MAX);
    FILE *file = fopen(original, "rb");
    assert_non_null(file);
    assert_int_equal(fread(before, 1, size, file), size);
    fclose(file);
    for (unsigned i = 0; i < CUTS; i++) {
        size_t cut = random_below((uint32_t)event_count + 1);
        cut_at(rig->path, before, size, cut);
        image_is_whole(rig->path, lazy);
        rig_open(rig);
        flushed_is_there(rig, cut);
        disk_close(rig->disk);
        image_is_whole(rig->path, false);
    }
    free(before);
}

static void copy_file(const char *from, const char *to, uint64_t *size)
{
    struct stat st;
    uint8_t *bytes = malloc(FILE_MAX);
    FILE *file = fopen(from, "rb");
    assert_non_null(file);
    assert_int_equal(fstat(fileno(file), &st), 0);
    *size = (uint64_t)st.st_size;
    assert_int_equal(fread(bytes, 1, *size, file), *size);
    fclose(file);
    write_file(to, bytes, *size);
    free(bytes);
}

/* `filled`: so many blocks have a place already, and are zeroes. */
static void begin(struct rig *rig, const struct qcow2_shape *shape, unsigned filled)
{
    static uint8_t zeroes[BLOCK];
    struct iovec iov = {zeroes, BLOCK};
    struct qcow2_shape sized = *shape;
    struct image_file file;
    struct error err = {0};
    *rig = (struct rig){.path = "/dev/shm/rvvm-cut-XXXXXX"};
    int fd = mkstemp(rig->path);
    if (fd < 0) {
        strcpy(rig->path, "/tmp/rvvm-cut-XXXXXX");
        fd = mkstemp(rig->path);
    }
    assert_true(fd >= 0);
    close(fd);
    sized.size = (uint64_t)BLOCK * BLOCKS;
    assert_true(image_file_open(&file, rig->path, IMAGE_FILE_CREATE, &err));
    assert_true(qcow2_create(&file, &sized, &err));
    image_file_close(&file);
    rig->options = (struct disk_options){.path = rig->path, .threads_only = true};
    rig_open(rig);
    for (unsigned i = 0; i < filled; i++)
        assert_int_equal(rig_do(rig, DISK_WRITE, (uint64_t)i * BLOCK, BLOCK, &iov, 1), 0);
}

/* The disk is closed, and what it is now is in `original`. */
static void begin_record(const struct rig *rig, char original[80], uint64_t *size)
{
    snprintf(original, 80, "%s.before", rig->path);
    copy_file(rig->path, original, size);
    forget_record(); /* of a case that failed */
    recording = true;
}

static void end(const struct rig *rig, const char *original)
{
    forget_record();
    unlink(original);
    unlink(rig->path);
}

static uint64_t reftable_of(const char *path)
{
    uint8_t field[8];
    scratch_read(path, HEADER_REFTABLE_OFFSET, field, sizeof(field));
    return get_be64(field);
}

static void cut_the_power(const struct qcow2_shape *shape, unsigned filled)
{
    struct rig rig;
    char original[80];
    uint64_t size;
    begin(&rig, shape, filled);
    disk_close(rig.disk);
    begin_record(&rig, original, &size);
    rig_open(&rig);
    do_requests(&rig);
    disk_close(rig.disk);
    recording = false;
    print_message("%zu events of the file, %u writes and %u flushes of the guest\n", event_count,
                  write_count, flush_count - 1);
    /* Zeroes where nothing is may need no write; three requests of four are writes of data. */
    assert_true(event_count > REQUESTS / 2);
    assert_int_equal(reftable_of(rig.path) != reftable_of(original), filled > 0);
    try_cuts(&rig, original, size, shape->lazy_refcounts);
    end(&rig, original);
}

static void a_cut_leaves_the_image_whole(void **state)
{
    (void)state;
    cut_the_power(&(struct qcow2_shape){.cluster_size = 65536}, 0);
}

static void also_while_the_refcount_table_grows(void **state)
{
    (void)state;
    /* The table has room for 2 MiB. */
    cut_the_power(&(struct qcow2_shape){.cluster_size = 512, .refcount_bits = 64}, 495);
}

static void also_with_lazy_refcounts(void **state)
{
    (void)state;
    cut_the_power(&(struct qcow2_shape){.cluster_size = 4096, .lazy_refcounts = true}, 0);
}

static void also_with_subclusters(void **state)
{
    (void)state;
    cut_the_power(&(struct qcow2_shape){.cluster_size = 16384, .extended_l2 = true}, 0);
}

static void also_while_the_disk_grows(void **state)
{
    (void)state;
    struct rig rig;
    struct image_options options = {.path = rig.path};
    struct error err = {0};
    char original[80];
    uint64_t size;
    begin(&rig, &(struct qcow2_shape){.cluster_size = 512}, 0);
    do_requests(&rig);
    disk_close(rig.disk);
    flushes[0] = (struct flush){0, write_count};
    flush_count = 1;
    begin_record(&rig, original, &size);
    struct image *image = image_open(&options, &err);
    assert_non_null(image);
    assert_int_equal(image->ops->resize(image, 64 << 20, &err), 0);
    image_close(image);
    recording = false;
    print_message("%zu events of the file\n", event_count);
    try_cuts(&rig, original, size, false);
    end(&rig, original);
}

int main(void)
{
    const char *given = getenv("RVVM_SEED");
    seed = given ? strtoull(given, NULL, 0) : clock_realtime_ns() % 1000000;
    print_message("RVVM_SEED=%llu\n", (unsigned long long)seed);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cut_leaves_the_image_whole),
        cmocka_unit_test(also_while_the_refcount_table_grows),
        cmocka_unit_test(also_with_lazy_refcounts),
        cmocka_unit_test(also_with_subclusters),
        cmocka_unit_test(also_while_the_disk_grows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
