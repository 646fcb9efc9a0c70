/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Many requests at a time on a qcow2 image: writes that share clusters, discards beside them, flushes,
 * reads of what is there. Each slot has sectors of its own, spread over all clusters, and knows what
 * they hold. Under TSan it is the proof of the locks. Again: tools/run-tests unit/disk_load_test
 */
#include "block/qcow2/check.h"
#include "block/qcow2/create.h"
#include "disk_rig.h"
#include "host/clock.h"

enum { SLOTS = 48, SECTORS = 120, ROUNDS = 250, SECTOR = 1024 };

struct slot {
    struct disk_request request;
    struct disk *disk;
    uint64_t seed;
    unsigned index, left, sector;
    struct iovec iov;
    uint32_t words[SECTOR / 4];
    uint32_t held[SECTORS]; /* what each sector of the slot holds: 0 for zeroes */
    _Atomic int *wrong;
};

static uint32_t random_below(struct slot *s, uint32_t limit)
{
    s->seed = s->seed * 6364136223846793005ull + 1442695040888963407ull;
    return (uint32_t)((s->seed >> 33) % limit);
}

static void fill(struct slot *s, uint32_t value)
{
    for (unsigned i = 0; i < SECTOR / 4; i++)
        s->words[i] = value;
}

static bool is_all(const struct slot *s, uint32_t value)
{
    for (unsigned i = 0; i < SECTOR / 4; i++)
        if (s->words[i] != value)
            return false;
    return true;
}

static void next(struct slot *s);

static void slot_done(struct disk_request *r, int error)
{
    struct slot *s = (struct slot *)r;
    uint32_t held = s->held[s->sector];
    if (error || (r->op == DISK_READ && !is_all(s, held)))
        atomic_fetch_add(s->wrong, 1);
    if (s->left--)
        next(s);
}

/* Slots' sectors lie between each other's, so that all write to the same clusters. */
static uint64_t place_of(const struct slot *s, unsigned sector)
{
    return ((uint64_t)sector * SLOTS + s->index) * SECTOR;
}

static void next(struct slot *s)
{
    uint32_t what = random_below(s, 100);
    s->sector = random_below(s, SECTORS);
    enum disk_op op = what < 45   ? DISK_WRITE
                      : what < 85 ? DISK_READ
                      : what < 95 ? DISK_WRITE_ZEROES
                                  : DISK_FLUSH;
    if (op == DISK_WRITE)
        fill(s, s->held[s->sector] = random_below(s, 1u << 30) + 1);
    if (op == DISK_WRITE_ZEROES)
        s->held[s->sector] = 0;
    s->request = (struct disk_request){.op = op,
                                       .offset = place_of(s, s->sector),
                                       .size = SECTOR,
                                       .iov = &s->iov,
                                       .iovcnt = 1,
                                       .unmap = what & 1,
                                       .fua = what == 7,
                                       .done = slot_done};
    disk_submit(s->disk, &s->request);
}

/* Behind the slots' sectors: written, discarded, zeroed as a whole, to have clusters come and go. */
struct churn {
    struct disk_request request;
    struct disk *disk;
    unsigned left;
    uint64_t start;
    struct iovec iov;
    uint8_t bytes[300000];
};

static void churn_done(struct disk_request *r, int error)
{
    static const enum disk_op ops[] = {DISK_WRITE, DISK_DISCARD, DISK_WRITE, DISK_WRITE_ZEROES};
    struct churn *c = (struct churn *)r;
    if (error || !c->left--)
        return;
    c->request = (struct disk_request){.op = ops[c->left % 4],
                                       .offset = c->start + c->left % 7 * 512,
                                       .size = sizeof(c->bytes),
                                       .iov = &c->iov,
                                       .iovcnt = 1,
                                       .unmap = true,
                                       .done = churn_done};
    disk_submit(c->disk, &c->request);
}

static void load(const struct qcow2_shape *shape)
{
    static struct slot slots[SLOTS];
    static struct churn churn;
    struct rig rig = {.path = "/tmp/rvvm-load-XXXXXX", .options.threads_only = threads_only};
    struct qcow2_shape sized = *shape;
    struct image_file file;
    struct error err = {0};
    _Atomic int wrong = 0;
    scratch_make(rig.path, 0);
    uint64_t used = (uint64_t)SLOTS * SECTORS * SECTOR;
    sized.size = (used + sizeof(churn.bytes) + 65536) / 512 * 512;
    assert_true(image_file_open(&file, rig.path, IMAGE_FILE_CREATE, &err));
    assert_true(qcow2_create(&file, &sized, &err));
    image_file_close(&file);
    rig.options.path = rig.path;
    rig_open(&rig);
    churn = (struct churn){.disk = rig.disk, .left = 150, .start = used};
    churn.iov = (struct iovec){churn.bytes, sizeof(churn.bytes)};
    memset(churn.bytes, 0xaa, sizeof(churn.bytes));
    churn_done(&churn.request, 0);
    uint64_t seed = clock_realtime_ns();
    for (unsigned i = 0; i < SLOTS; i++) {
        slots[i] = (struct slot){
            .disk = rig.disk, .seed = seed + i, .index = i, .left = ROUNDS, .wrong = &wrong};
        slots[i].iov = (struct iovec){slots[i].words, SECTOR};
        next(&slots[i]);
    }
    disk_drain(rig.disk);
    assert_int_equal(wrong, 0);
    rig_open_again(&rig);
    for (unsigned i = 0; i < SLOTS; i++) {
        for (unsigned sector = 0; sector < SECTORS; sector++) {
            struct slot *s = &slots[i];
            assert_int_equal(rig_do(&rig, DISK_READ, place_of(s, sector), SECTOR, &s->iov, 1), 0);
            assert_true(is_all(s, s->held[sector]));
        }
    }
    disk_close(rig.disk);
    struct image_options options = {.path = rig.path, .read_only = true, .for_check = true};
    struct qcow2_report report = {0};
    struct image *image = image_open(&options, &err);
    assert_non_null(image);
    assert_true(qcow2_check(qcow2_of(image), false, &report, &err));
    assert_int_equal(report.corruptions, 0);
    assert_int_equal(report.leaks, 0);
    image_close(image);
    unlink(rig.path);
}

static void writes_share_clusters(void **state)
{
    (void)state;
    load(&(struct qcow2_shape){.cluster_size = 65536});
}

static void small_clusters_come_and_go(void **state)
{
    (void)state;
    load(&(struct qcow2_shape){.cluster_size = 4096, .lazy_refcounts = true});
}

static void subclusters_are_allocated_side_by_side(void **state)
{
    (void)state;
    load(&(struct qcow2_shape){.cluster_size = 65536, .extended_l2 = true});
}

static _Atomic int failed_neighbours;

static void neighbour_done(struct disk_request *r, int error)
{
    (void)r;
    atomic_fetch_add(&failed_neighbours, error != 0);
}

/* One behind the other, under way together: where one ends and the next begins they share a cluster. */
static void neighbours_lose_nothing(void **state)
{
    (void)state;
    enum { NEIGHBOURS = 8, SIZE = 150 * 512, TIMES = 60 };
    static uint8_t bytes[NEIGHBOURS][SIZE], read[NEIGHBOURS * SIZE];
    struct rig rig = {.path = "/tmp/rvvm-load-XXXXXX", .options.threads_only = threads_only};
    struct disk_request requests[NEIGHBOURS];
    struct iovec iov[NEIGHBOURS], whole = {read, sizeof(read)};
    struct image_file file;
    struct error err = {0};
    scratch_make(rig.path, 0);
    assert_true(image_file_open(&file, rig.path, IMAGE_FILE_CREATE, &err));
    assert_true(qcow2_create(&file, &(struct qcow2_shape){.size = sizeof(read)}, &err));
    image_file_close(&file);
    rig.options.path = rig.path;
    rig_open(&rig);
    for (unsigned time = 0; time < TIMES; time++) {
        for (unsigned i = 0; i < NEIGHBOURS; i++) {
            memset(bytes[i], (int)(time * NEIGHBOURS + i) % 255 + 1, SIZE);
            iov[i] = (struct iovec){bytes[i], SIZE};
            requests[i] = (struct disk_request){.op = DISK_WRITE,
                                                .offset = (uint64_t)i * SIZE,
                                                .size = SIZE,
                                                .iov = &iov[i],
                                                .iovcnt = 1,
                                                .done = neighbour_done,
                                                .next = i ? &requests[i - 1] : NULL};
        }
        failed_neighbours = 0;
        disk_submit(rig.disk, &requests[NEIGHBOURS - 1]);
        disk_drain(rig.disk);
        assert_int_equal(failed_neighbours, 0);
        assert_int_equal(rig_do(&rig, DISK_READ, 0, sizeof(read), &whole, 1), 0);
        assert_memory_equal(read, bytes, sizeof(read));
        assert_int_equal(rig_do(&rig, DISK_DISCARD, 0, sizeof(read), NULL, 0), 0);
    }
    disk_close(rig.disk);
    unlink(rig.path);
}

#define BOTH(f) \
    {#f, f, with_uring, NULL, NULL}, \
    { \
#f " (threads)", f, with_threads, NULL, NULL \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(writes_share_clusters),
        BOTH(small_clusters_come_and_go),
        BOTH(subclusters_are_allocated_side_by_side),
        BOTH(neighbours_lose_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
