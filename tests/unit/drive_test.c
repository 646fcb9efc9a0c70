/* SPDX-License-Identifier: GPL-3.0-only */
/* Drives as a user writes them: words, commas in names, serial numbers, what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dev/drive.h"
#include <string.h>

static struct drive parsed(enum drive_kind kind, const char *text)
{
    struct drive drive;
    struct error err = {0};
    if (!drive_parse(&drive, kind, text, &err))
        print_error("%s\n", err.text);
    assert_string_equal(err.text, "");
    return drive;
}

static void a_file_alone_is_used_with_the_defaults(void **state)
{
    (void)state;
    struct drive d = parsed(DRIVE_NVME, "disk.img");
    assert_string_equal(d.image.path, "disk.img");
    assert_int_equal(d.image.format, DISK_FORMAT_AUTO);
    assert_int_equal(d.image.cache, DISK_CACHE_WRITEBACK);
    assert_false(d.image.read_only || d.image.overlay || d.image.no_discard || d.packed_off);
    assert_null(d.image.snapshot);
    assert_int_equal(d.block_size, 0);
    drive_free(&d);
}

static void words_say_how_it_is_used(void **state)
{
    (void)state;
    struct drive d =
        parsed(DRIVE_NVME, "a,ro,discard=off,cache=none,format=qcow2,serial=X 1,block=4096");
    assert_string_equal(d.image.path, "a");
    assert_true(d.image.read_only && d.image.no_discard);
    assert_int_equal(d.image.cache, DISK_CACHE_NONE);
    assert_int_equal(d.image.format, DISK_FORMAT_QCOW2);
    assert_string_equal(d.serial, "X 1");
    assert_int_equal(d.block_size, 4096);
    drive_free(&d);
    d = parsed(DRIVE_VIRTIO_BLK, "a,snapshot,discard=on,cache=unsafe,format=raw,packed=off");
    assert_true(d.image.overlay && d.packed_off);
    assert_false(d.image.read_only || d.image.no_discard);
    assert_int_equal(d.image.cache, DISK_CACHE_UNSAFE);
    assert_int_equal(d.image.format, DISK_FORMAT_RAW);
    drive_free(&d);
}

static void the_past_is_read_only_unless_writes_go_elsewhere(void **state)
{
    (void)state;
    struct drive d = parsed(DRIVE_ATA, "a,snapshot=before");
    assert_string_equal(d.image.snapshot, "before");
    assert_true(d.image.read_only);
    drive_free(&d);
    d = parsed(DRIVE_ATA, "a,snapshot=before,snapshot");
    assert_string_equal(d.image.snapshot, "before");
    assert_true(d.image.overlay && !d.image.read_only);
    drive_free(&d);
}

static void two_commas_are_one_of_the_name(void **state)
{
    static const struct {
        const char *text, *path;
        bool read_only;
    } cases[] = {{"a,,b", "a,b", false}, {",,a", ",a", false},      {"a,,", "a,", false},
                 {"a,,,ro", "a,", true}, {"a,,,,b", "a,,b", false}, {"a,,b,ro", "a,b", true},
                 {"a=b,ro", "a=b", true}};
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct drive d = parsed(DRIVE_NVME, cases[i].text);
        assert_string_equal(d.image.path, cases[i].path);
        assert_int_equal(d.image.read_only, cases[i].read_only);
        drive_free(&d);
    }
}

static void serial_numbers_stay_and_differ(void **state)
{
    (void)state;
    struct drive a = parsed(DRIVE_NVME, "one.img"), b = parsed(DRIVE_ATA, "one.img,ro");
    struct drive c = parsed(DRIVE_NVME, "two.img");
    assert_string_equal(a.serial, b.serial);
    assert_string_not_equal(a.serial, c.serial);
    assert_int_equal(strlen(a.serial), DRIVE_SERIAL_MAX);
    drive_free(&a);
    drive_free(&b);
    drive_free(&c);
}

static void what_is_refused(void **state)
{
    static const struct {
        enum drive_kind kind;
        const char *text, *says;
    } cases[] = {
        {DRIVE_NVME, "", "a drive needs the name of an image"},
        {DRIVE_NVME, ",ro", "a drive needs the name of an image"},
        {DRIVE_NVME, "a,", "a: no such word for this kind of drive: "},
        {DRIVE_NVME, "a,rw", "a: no such word for this kind of drive: rw"},
        {DRIVE_NVME, "a,ro=on", "a: no such word for this kind of drive: ro=on"},
        {DRIVE_NVME, "a,discard", "a: no such word for this kind of drive: discard"},
        {DRIVE_NVME, "a,cache=writethrough",
         "a: no such word for this kind of drive: cache=writethrough"},
        {DRIVE_NVME, "a,block=513", "a: no such word for this kind of drive: block=513"},
        {DRIVE_NVME, "a,packed=on", "a: no such word for this kind of drive: packed=on"},
        {DRIVE_NVME, "a,serial=123456789012345678901",
         "a: no such word for this kind of drive: serial=123456789012345678901"},
        {DRIVE_NVME, "a,serial=\x1b", "a: no such word for this kind of drive: serial=?"},
        {DRIVE_NVME_NAMESPACE, "a,serial=1", "a: no such word for this kind of drive: serial=1"},
        {DRIVE_VIRTIO_BLK, "a,block=512", "a: no such word for this kind of drive: block=512"},
        {DRIVE_ATA, "a,block=4096", "a: no such word for this kind of drive: block=4096"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct drive d;
        struct error err = {0};
        assert_false(drive_parse(&d, cases[i].kind, cases[i].text, &err));
        assert_string_equal(err.text, cases[i].says);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_alone_is_used_with_the_defaults),
        cmocka_unit_test(words_say_how_it_is_used),
        cmocka_unit_test(the_past_is_read_only_unless_writes_go_elsewhere),
        cmocka_unit_test(two_commas_are_one_of_the_name),
        cmocka_unit_test(serial_numbers_stay_and_differ),
        cmocka_unit_test(what_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
