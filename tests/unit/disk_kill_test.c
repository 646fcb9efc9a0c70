/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * kill -9 at random moments: a process writes to an image, several requests at a time, and says after
 * each flush which round that was. Whatever it had said is in the image afterwards, and the image is
 * whole. Again: tools/run-tests unit/disk_kill_test (RVVM_SEED=N)
 */
#include "block/qcow2/check.h"
#include "block/qcow2/create.h"
#include "disk_rig.h"
#include "host/clock.h"
#include <signal.h>
#include <sys/wait.h>

enum { BLOCK = 4096, BLOCKS = 4096, AT_ONCE = 12, KILLS = 34 /* for each of three shapes */ };

/* Round `round` changes AT_ONCE different blocks, the same ones each time it is asked. */
struct change {
    uint32_t block;
    enum disk_op op;
};

static uint64_t seed;

static uint32_t mix(uint64_t a, uint64_t b)
{
    uint64_t x = (a * 0x9e3779b97f4a7c15ull) ^ (b + seed) * 0xbf58476d1ce4e5b9ull;
    x ^= x >> 29;
    x *= 0x94d049bb133111ebull;
    return (uint32_t)(x >> 32);
}

static struct change change_of(uint32_t round, unsigned index)
{
    uint32_t what = mix(round, index);
    /* Each index has blocks of its own, so those of a round are different. */
    uint32_t block = what / 16 % (BLOCKS / AT_ONCE) * AT_ONCE + index;
    return (struct change){block, what % 16 < 12 ? DISK_WRITE : DISK_WRITE_ZEROES};
}

static void content_of(uint32_t round, uint32_t block, uint32_t *words)
{
    for (unsigned i = 0; i < BLOCK / 4; i++)
        words[i] = mix(round, block * 1024ull + i) | 1;
}

/* The process that is killed */

struct writer {
    struct disk_request request;
    _Atomic int *left;
    uint32_t words[BLOCK / 4];
    struct iovec iov;
};

static void written(struct disk_request *r, int error)
{
    if (error)
        _exit(3);
    atomic_fetch_sub(((struct writer *)r)->left, 1);
}

static void write_rounds(const struct disk_options *options, uint32_t round, int said)
{
    static struct writer writers[AT_ONCE + 1];
    struct error err = {0};
    struct disk *disk = disk_open(options, &err);
    _Atomic int left;
    if (!disk) {
        fprintf(stderr, "%s\n", err.text);
        _exit(2);
    }
    for (;; round++) {
        atomic_store(&left, AT_ONCE);
        for (unsigned i = 0; i < AT_ONCE; i++) {
            struct change change = change_of(round, i);
            struct writer *w = &writers[i];
            content_of(round, change.block, w->words);
            w->left = &left;
            w->iov = (struct iovec){w->words, BLOCK};
            w->request = (struct disk_request){.op = change.op,
                                               .offset = (uint64_t)change.block * BLOCK,
                                               .size = BLOCK,
                                               .iov = &w->iov,
                                               .iovcnt = 1,
                                               .unmap = round & 1,
                                               .done = written};
            disk_submit(disk, &w->request);
        }
        disk_drain(disk);
        writers[AT_ONCE].left = &left;
        writers[AT_ONCE].request = (struct disk_request){.op = DISK_FLUSH, .done = written};
        disk_submit(disk, &writers[AT_ONCE].request);
        disk_drain(disk);
        if (write(said, &round, sizeof(round)) != sizeof(round))
            _exit(4);
    }
}

/* The last round that it said. */
static uint32_t run_and_kill(const struct disk_options *options, uint32_t next)
{
    int said[2];
    assert_int_equal(pipe(said), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (!pid) {
        close(said[0]);
        write_rounds(options, next, said[1]);
    }
    close(said[1]);
    uint32_t last = next - 1, round;
    uint64_t until = clock_monotonic_ns() + 5000000 + mix(next, 77) % 30000000;
    /* At least one, so that the image goes on changing on a busy host. */
    while (read(said[0], &round, sizeof(round)) == sizeof(round)) {
        last = round;
        if (clock_monotonic_ns() > until)
            kill(pid, SIGKILL);
    }
    close(said[0]);
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    return last;
}

/* What is left behind */

static void image_is_whole(const char *path, bool lazy)
{
    struct image_options options = {.path = path, .read_only = true, .for_check = true};
    struct qcow2_report report = {0};
    struct error err = {0};
    struct image *image = image_open(&options, &err);
    assert_non_null(image);
    assert_true(qcow2_check(qcow2_of(image), false, &report, &err));
    /* Refcounts that are written lazily are wrong until the next start counts. */
    if (!lazy)
        assert_int_equal(report.corruptions, 0);
    image_close(image);
}

static void content_after(uint32_t round, uint32_t block, enum disk_op op, uint32_t *words)
{
    if (round && op == DISK_WRITE)
        content_of(round, block, words);
    else
        memset(words, 0, BLOCK);
}

/*
 * last: of each block, the last round that was said; 0: never. The round after may be there in part:
 * of its blocks each piece is old or new. A killed host thread stops between two pages of the file, or
 * two system calls, so a block that is not in one page, in one cluster, may be cut through.
 */
static void what_was_said_is_there(struct rig *rig, const uint32_t *last, uint32_t said,
                                   unsigned piece)
{
    static uint32_t all[BLOCKS][BLOCK / 4], old[BLOCK / 4], new[BLOCK / 4];
    struct iovec iov = {all, sizeof(all)};
    assert_int_equal(rig_do(rig, DISK_READ, 0, sizeof(all), &iov, 1), 0);
    for (uint32_t block = 0; block < BLOCKS; block++) {
        unsigned index = block % AT_ONCE;
        struct change then = change_of(last[block], index), after = change_of(said + 1, index);
        bool cut_short = after.block == block;
        content_after(last[block], block, then.op, old);
        if (cut_short)
            content_after(said + 1, block, after.op, new);
        for (unsigned at = 0; at < BLOCK / 4; at += piece / 4) {
            const uint32_t *words = &all[block][at];
            if (memcmp(words, &old[at], piece) && (!cut_short || memcmp(words, &new[at], piece)))
                fail_msg("block %u, byte %u is not what round %u wrote, %u was said", block, at * 4,
                         last[block], said);
        }
    }
}

static void rounds_with(const struct qcow2_shape *shape)
{
    struct rig rig = {.path = "/dev/shm/rvvm-kill-XXXXXX"};
    static uint32_t last[BLOCKS];
    struct qcow2_shape sized = *shape;
    unsigned piece = shape->cluster_size < BLOCK ? (unsigned)shape->cluster_size : BLOCK;
    struct image_file file;
    struct error err = {0};
    int fd = mkstemp(rig.path);
    if (fd < 0) {
        strcpy(rig.path, "/tmp/rvvm-kill-XXXXXX");
        fd = mkstemp(rig.path);
    }
    assert_true(fd >= 0);
    close(fd);
    sized.size = (uint64_t)BLOCK * BLOCKS;
    assert_true(image_file_open(&file, rig.path, IMAGE_FILE_CREATE, &err));
    assert_true(qcow2_create(&file, &sized, &err));
    image_file_close(&file);
    memset(last, 0, sizeof(last));
    rig.options = (struct disk_options){.path = rig.path};
    uint32_t next = 1, rounds = 0;
    for (unsigned i = 0; i < KILLS; i++) {
        uint32_t said = run_and_kill(&rig.options, next);
        for (uint32_t round = next; round <= said; round++, rounds++)
            for (unsigned j = 0; j < AT_ONCE; j++)
                last[change_of(round, j).block] = round;
        image_is_whole(rig.path, shape->lazy_refcounts);
        rig_open(&rig);
        what_was_said_is_there(&rig, last, said, piece);
        disk_close(rig.disk);
        image_is_whole(rig.path, false);
        /* The round that was cut short is done again, so that all is known. */
        next = said + 1;
    }
    print_message("%u kills, %u rounds\n", KILLS, rounds);
    assert_true(rounds >= KILLS);
    unlink(rig.path);
}

static void nothing_that_was_said_is_lost(void **state)
{
    (void)state;
    rounds_with(&(struct qcow2_shape){.cluster_size = 65536});
}

static void nor_with_small_clusters(void **state)
{
    (void)state;
    rounds_with(&(struct qcow2_shape){.cluster_size = 512, .refcount_bits = 64});
}

static void nor_with_lazy_refcounts_and_subclusters(void **state)
{
    (void)state;
    rounds_with(
        &(struct qcow2_shape){.cluster_size = 32768, .lazy_refcounts = true, .extended_l2 = true});
}

int main(void)
{
    const char *given = getenv("RVVM_SEED");
    seed = given ? strtoull(given, NULL, 0) : clock_realtime_ns() % 1000000;
    print_message("RVVM_SEED=%llu\n", (unsigned long long)seed);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_that_was_said_is_lost),
        cmocka_unit_test(nor_with_small_clusters),
        cmocka_unit_test(nor_with_lazy_refcounts_and_subclusters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
