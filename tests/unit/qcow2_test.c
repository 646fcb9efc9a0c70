/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * qcow2 images against QEMU's qemu-img: random requests on images of every shape, compared with a
 * copy in memory, and at the end with what qemu-img reads and says of the image.
 * Again: tools/run-tests unit/qcow2_test (RVVM_SEED=N for the same requests)
 */
#include "block/qcow2/create.h"
#include "block/qcow2/format.h"
#include "host_facts.h"
#include "disk_rig.h"
#include "host/clock.h"

#define SIZE_MAX_BYTES (6u << 20)
#define REQUESTS 600
#define WRITE_MAX 300000u

static uint64_t seed;

static uint32_t random_below(uint32_t limit)
{
    seed = seed * 6364136223846793005ull + 1442695040888963407ull;
    return (uint32_t)((seed >> 33) % limit);
}

/* Runs a shell command; its output goes to the log when it fails. */
static bool run(const char *format, ...)
{
    char command[1024], logged[1100];
    va_list ap;
    va_start(ap, format);
    vsnprintf(command, sizeof(command), format, ap);
    va_end(ap);
    snprintf(logged, sizeof(logged), "{ %s; } >/tmp/rvvm-qcow2-%d.log 2>&1", command, getpid());
    if (system(logged) == 0)
        return true;
    print_error("%s\n", command);
    snprintf(logged, sizeof(logged), "cat /tmp/rvvm-qcow2-%d.log >&2", getpid());
    return system(logged) < 0;
}

static bool has_qemu_img(void)
{
    return system("qemu-img --version >/dev/null 2>&1") == 0;
}

/* A disk, and what it should hold. */
struct model {
    struct rig rig;
    char base[80];
    uint8_t *bytes;
    uint32_t size;
};

static void fill(uint8_t *bytes, uint32_t size)
{
    /* Sometimes what compresses well, sometimes zeroes. */
    uint32_t kind = random_below(8), value = random_below(1u << 24);
    for (uint32_t i = 0; i < size; i++)
        bytes[i] = kind == 0 ? 0 : kind < 3 ? (uint8_t)value : (uint8_t)random_below(256);
}

static int do_one(struct model *m, enum disk_op op, uint32_t offset, uint32_t size, uint8_t *bytes)
{
    /* In three buffers, as guests have them. */
    uint32_t a = size / 3, b = size / 2;
    struct iovec iov[] = {{bytes, a}, {bytes + a, b - a}, {bytes + b, size - b}};
    struct disk_request r = {.op = op,
                             .offset = offset,
                             .size = size,
                             .iov = iov,
                             .iovcnt = 3,
                             .unmap = random_below(2),
                             .fua = op == DISK_WRITE && !random_below(16)};
    return rig_run(&m->rig, &r);
}

static void compare_all(struct model *m)
{
    static uint8_t now[SIZE_MAX_BYTES];
    assert_int_equal(do_one(m, DISK_READ, 0, m->size, now), 0);
    for (uint32_t i = 0; i < m->size; i++)
        if (now[i] != m->bytes[i])
            fail_msg("byte %u is 0x%02x, not 0x%02x", i, now[i], m->bytes[i]);
}

/* Each byte is zero or what it was. */
static void take_discarded(struct model *m, uint32_t offset, uint32_t size)
{
    static uint8_t now[SIZE_MAX_BYTES];
    assert_int_equal(do_one(m, DISK_READ, offset, size, now), 0);
    for (uint32_t i = 0; i < size; i++) {
        assert_true(!now[i] || now[i] == m->bytes[offset + i]);
        m->bytes[offset + i] = now[i];
    }
}

static void random_request(struct model *m)
{
    static uint8_t buffer[SIZE_MAX_BYTES];
    uint32_t what = random_below(100), unit = random_below(3) ? 512 : 1;
    uint32_t most = random_below(4) ? 20000 : WRITE_MAX;
    uint32_t offset = random_below(m->size) / unit * unit;
    uint32_t size = random_below(most) / unit * unit;
    size = size > m->size - offset ? m->size - offset : size;
    if (what < 50) {
        fill(buffer, size);
        assert_int_equal(do_one(m, DISK_WRITE, offset, size, buffer), 0);
        memcpy(m->bytes + offset, buffer, size);
    } else if (what < 70) {
        assert_int_equal(do_one(m, DISK_READ, offset, size, buffer), 0);
        assert_memory_equal(buffer, m->bytes + offset, size);
    } else if (what < 82) {
        assert_int_equal(do_one(m, DISK_WRITE_ZEROES, offset, size, buffer), 0);
        memset(m->bytes + offset, 0, size);
    } else if (what < 94) {
        assert_int_equal(do_one(m, DISK_DISCARD, offset, size, buffer), 0);
        take_discarded(m, offset, size);
    } else if (what < 98) {
        assert_int_equal(do_one(m, DISK_FLUSH, 0, 0, buffer), 0);
    } else {
        rig_open_again(&m->rig);
    }
}

static void begin(struct model *m, uint32_t size)
{
    *m = (struct model){.size = size};
    /* Mostly where a sync costs nothing; also where the file system is another one. */
    const char *folder = random_below(4) && !access("/dev/shm", W_OK) ? "/dev/shm" : "/tmp";
    snprintf(m->rig.path, sizeof(m->rig.path), "%s/rvvm-qcow2-XXXXXX", folder);
    int fd = mkstemp(m->rig.path);
    assert_true(fd >= 0);
    close(fd);
    snprintf(m->base, sizeof(m->base), "%s.base", m->rig.path);
    m->bytes = calloc(1, size);
    m->rig.options = (struct disk_options){
        .path = m->rig.path, .format = DISK_FORMAT_QCOW2, .threads_only = !random_below(3)};
}

static void end(struct model *m)
{
    disk_close(m->rig.disk);
    /* 3 is leaks only, which a clean end must not leave either. */
    assert_true(run("qemu-img check -f qcow2 %s", m->rig.path));
    char raw[100];
    snprintf(raw, sizeof(raw), "%s.raw", m->rig.path);
    FILE *file = fopen(raw, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(m->bytes, 1, m->size, file), m->size);
    fclose(file);
    assert_true(run("qemu-img compare -f qcow2 -F raw %s %s", m->rig.path, raw));
    unlink(raw);
    unlink(m->rig.path);
    unlink(m->base);
    snprintf(raw, sizeof(raw), "/tmp/rvvm-qcow2-%d.log", getpid());
    unlink(raw);
    free(m->bytes);
}

static void go(struct model *m)
{
    rig_open(&m->rig);
    assert_int_equal(disk_info(m->rig.disk)->size, m->size);
    compare_all(m);
    for (unsigned i = 0; i < REQUESTS; i++)
        random_request(m);
    compare_all(m);
}

/* Images that qemu-img made */

static void random_requests_on_images_of_qemu_img(void **state)
{
    (void)state;
    static const char *const shapes[] = {
        "compat=v3",
        "compat=0.10",
        "cluster_size=512",
        "cluster_size=4k,refcount_bits=1",
        "cluster_size=2M",
        "cluster_size=1k,refcount_bits=64",
        "refcount_bits=8,lazy_refcounts=on",
        "cluster_size=16k,extended_l2=on",
        "extended_l2=on,cluster_size=64k,lazy_refcounts=on",
        "preallocation=metadata",
        "cluster_size=8k,refcount_bits=2,compression_type=zstd",
    };
    if (!has_qemu_img())
        skip();
    for (unsigned i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        struct model m;
        print_message("%s\n", shapes[i]);
        begin(&m, 3u << 20);
        assert_true(run("qemu-img create -f qcow2 -o %s %s %u", shapes[i], m.rig.path, m.size));
        go(&m);
        end(&m);
    }
}

/* Images that we made */

static void random_requests_on_our_images(void **state)
{
    (void)state;
    static const struct qcow2_shape shapes[] = {
        {.version = 3},
        {.version = 2, .cluster_size = 4096},
        {.cluster_size = 512, .refcount_bits = 64},
        {.cluster_size = 1024, .refcount_bits = 4, .lazy_refcounts = true},
        {.cluster_size = 2u << 20, .refcount_bits = 32},
        {.cluster_size = 16384, .extended_l2 = true, .compression = COMPRESSION_ZSTD},
    };
    if (!has_qemu_img())
        skip();
    for (unsigned i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        struct model m;
        struct image_file file;
        struct error err = {0};
        struct qcow2_shape shape = shapes[i];
        begin(&m, (3u << 20) + 512);
        shape.size = m.size;
        assert_true(image_file_open(&file, m.rig.path, IMAGE_FILE_CREATE, &err));
        assert_true(qcow2_create(&file, &shape, &err));
        image_file_close(&file);
        assert_true(run("qemu-img check -f qcow2 %s", m.rig.path));
        go(&m);
        end(&m);
    }
}

/* In front of a backing file, which is shorter than the image */

static void make_base(struct model *m, uint32_t size, const char *format)
{
    char raw[100];
    snprintf(raw, sizeof(raw), "%s.raw", m->rig.path);
    fill(m->bytes, size / 2);
    for (uint32_t i = 0; i < size / 2; i += 5000)
        m->bytes[i] = 77;
    FILE *file = fopen(raw, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(m->bytes, 1, size, file), size);
    fclose(file);
    assert_true(run("qemu-img convert -f raw %s %s %s", format, raw, m->base));
    unlink(raw);
}

static void backing_files_show_through(void **state)
{
    (void)state;
    static const struct {
        const char *base, *name, *shape;
    } chains[] = {
        {"-O raw", "raw", "compat=v3"},
        {"-O raw", "raw", "compat=0.10,cluster_size=4k"},
        {"-O qcow2 -c", "qcow2", "cluster_size=4k"},
        {"-O qcow2 -c -o compression_type=zstd", "qcow2", "cluster_size=16k,extended_l2=on"},
        {"-O qcow2 -o cluster_size=512", "qcow2", "cluster_size=32k,lazy_refcounts=on"},
    };
    if (!has_qemu_img())
        skip();
    for (unsigned i = 0; i < sizeof(chains) / sizeof(chains[0]); i++) {
        struct model m;
        print_message("%s, %s\n", chains[i].base, chains[i].shape);
        begin(&m, 3u << 20);
        make_base(&m, (1u << 20) + 1536, chains[i].base);
        /* A relative name, which is looked for where the image is. */
        assert_true(run("qemu-img create -f qcow2 -o %s -b %s -F %s %s %u", chains[i].shape,
                        strrchr(m.base, '/') + 1, chains[i].name, m.rig.path, m.size));
        go(&m);
        end(&m);
    }
}

static void compressed_images_are_read_and_written(void **state)
{
    (void)state;
    static const char *const shapes[] = {"-o cluster_size=4k", "-o compression_type=zstd",
                                         "-o cluster_size=2M", "-o compat=0.10",
                                         "-o cluster_size=16k,extended_l2=on"};
    if (!has_qemu_img())
        skip();
    for (unsigned i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        struct model m;
        char format[100];
        print_message("%s\n", shapes[i]);
        begin(&m, 3u << 20);
        snprintf(format, sizeof(format), "-c -O qcow2 %s", shapes[i]);
        make_base(&m, m.size, format);
        assert_int_equal(rename(m.base, m.rig.path), 0);
        go(&m);
        end(&m);
    }
}

/* Snapshots */

static void snapshots_keep_what_they_have(void **state)
{
    (void)state;
    static const char *const shapes[] = {"compat=v3", "cluster_size=512", "compat=0.10",
                                         "cluster_size=16k,extended_l2=on",
                                         "cluster_size=4k,lazy_refcounts=on"};
    if (!has_qemu_img())
        skip();
    for (unsigned i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        struct model m;
        print_message("%s\n", shapes[i]);
        begin(&m, 2u << 20);
        uint8_t *then = malloc(m.size);
        assert_true(run("qemu-img create -f qcow2 -o %s %s %u", shapes[i], m.rig.path, m.size));
        rig_open(&m.rig);
        for (unsigned j = 0; j < 100; j++)
            random_request(&m);
        disk_close(m.rig.disk);
        memcpy(then, m.bytes, m.size);
        assert_true(
            run("qemu-img snapshot -c then %s && qemu-img check %s", m.rig.path, m.rig.path));
        go(&m);
        disk_close(m.rig.disk);
        /* As it was, then; and now. */
        m.rig.options.read_only = true;
        m.rig.options.snapshot = "then";
        uint8_t *now = m.bytes;
        m.bytes = then;
        rig_open(&m.rig);
        compare_all(&m);
        disk_close(m.rig.disk);
        m.bytes = now;
        m.rig.options.read_only = false;
        m.rig.options.snapshot = NULL;
        rig_open(&m.rig);
        compare_all(&m);
        free(then);
        end(&m);
    }
}

/* The overlay takes what is written, the image stays as it was */
static void an_overlay_leaves_the_image_alone(void **state)
{
    (void)state;
    for (unsigned raw = 0; raw < 2; raw++) {
        struct model m;
        struct error err = {0};
        struct image_file file;
        begin(&m, 2u << 20);
        struct qcow2_shape shape = {.size = m.size};
        assert_true(image_file_open(&file, m.rig.path, IMAGE_FILE_CREATE, &err));
        assert_true(raw ? !image_file_resize(&file, m.size) : qcow2_create(&file, &shape, &err));
        image_file_close(&file);
        if (raw)
            m.rig.options.format = DISK_FORMAT_RAW;
        rig_open(&m.rig);
        for (unsigned i = 0; i < 100; i++)
            random_request(&m);
        disk_close(m.rig.disk);
        uint8_t *before = malloc(m.size);
        memcpy(before, m.bytes, m.size);
        m.rig.options.overlay = true;
        rig_open(&m.rig);
        compare_all(&m);
        assert_false(disk_info(m.rig.disk)->read_only);
        for (unsigned i = 0; i < 300; i++) {
            uint64_t was = seed;
            /* Not one that opens it again, which would lose the overlay. */
            if (random_below(100) < 98) {
                seed = was;
                random_request(&m);
            }
        }
        compare_all(&m);
        disk_close(m.rig.disk);
        m.rig.options.overlay = false;
        memcpy(m.bytes, before, m.size);
        rig_open(&m.rig);
        compare_all(&m);
        disk_close(m.rig.disk);
        free(before);
        free(m.bytes);
        unlink(m.rig.path);
    }
}

/* QEMU's programs and we keep out of each other's way. */
static void qemu_img_leaves_an_open_image_alone(void **state)
{
    (void)state;
    struct model m;
    char command[200];
    if (!has_qemu_img() || !host_locks_as_qemu())
        skip();
    begin(&m, 1u << 20);
    assert_true(run("qemu-img create -f qcow2 %s %u", m.rig.path, m.size));
    rig_open(&m.rig);
    snprintf(command, sizeof(command), "qemu-img resize %s +1M 2>&1 | grep -q lock", m.rig.path);
    assert_int_equal(system(command), 0);
    snprintf(command, sizeof(command), "qemu-img map %s 2>&1 | grep -q lock", m.rig.path);
    assert_int_equal(system(command), 0);
    m.rig.options.read_only = true;
    rig_open_again(&m.rig);
    assert_true(run("qemu-img map %s", m.rig.path));
    end(&m);
}

int main(void)
{
    const char *given = getenv("RVVM_SEED");
    seed = given ? strtoull(given, NULL, 0) : clock_realtime_ns() % 1000000;
    print_message("RVVM_SEED=%llu\n", (unsigned long long)seed);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_requests_on_images_of_qemu_img),
        cmocka_unit_test(random_requests_on_our_images),
        cmocka_unit_test(backing_files_show_through),
        cmocka_unit_test(compressed_images_are_read_and_written),
        cmocka_unit_test(snapshots_keep_what_they_have),
        cmocka_unit_test(an_overlay_leaves_the_image_alone),
        cmocka_unit_test(qemu_img_leaves_an_open_image_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
