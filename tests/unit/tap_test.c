/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * A third one on a serial line (src/debug/tap.h): he hears what the device says, also when another one comes or
 * goes, and is told what he has missed. Again: tools/run-tests unit/tap_test
 */
#include "debug/tap.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* A back that takes everything and says nothing. */
static size_t take_all(struct chardev *cd, const void *bytes, size_t size)
{
    (void)cd, (void)bytes;
    return size;
}

static size_t say_nothing(struct chardev *cd, void *bytes, size_t size)
{
    (void)cd, (void)bytes, (void)size;
    return 0;
}

static void do_nothing(struct chardev *cd)
{
    (void)cd;
}

static void free_back(struct chardev *cd)
{
    chardev_destroy(cd);
    free(cd);
}

static const struct chardev_ops back_ops = {
    .name = "test",
    .write = take_all,
    .read = say_nothing,
    .drain = do_nothing,
    .attached = do_nothing,
    .free = free_back,
};

static struct event_loop *loop;
static struct tap *tap;
static unsigned calls;

static void heard(void *ctx)
{
    (void)ctx;
    calls++;
}

static int set_up(void **state)
{
    (void)state;
    struct error err;
    struct chardev *back = calloc(1, sizeof(*back));
    loop = event_loop_new(&err);
    if (!back || !loop)
        return -1;
    chardev_init(back, &back_ops);
    tap = tap_new(back, loop, &err);
    calls = 0;
    return tap ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    chardev_free(tap_chardev(tap));
    event_loop_free(loop);
    return 0;
}

static void device_says(const char *text)
{
    assert_int_equal(chardev_write(tap_chardev(tap), text, strlen(text)), strlen(text));
}

static void listener_hears(const char *text, uint64_t lost_bytes)
{
    char got[256];
    uint64_t lost;
    assert_int_equal(tap_fetch(tap, got, sizeof(got), &lost), strlen(text));
    assert_memory_equal(got, text, strlen(text));
    assert_int_equal(lost, lost_bytes);
}

static void only_who_listens_hears(void **state)
{
    (void)state;
    device_says("before");
    tap_listen(tap, heard, NULL);
    listener_hears("", 0);
    device_says("one");
    device_says("two");
    assert_int_equal(calls, 1);
    listener_hears("onetwo", 0);
    tap_listen(tap, NULL, NULL);
    device_says("behind");
    tap_listen(tap, heard, NULL);
    listener_hears("", 0);
}

static void nothing_is_lost_when_another_one_comes_or_goes(void **state)
{
    (void)state;
    tap_listen(tap, heard, NULL);
    device_says("waits");
    tap_listen(tap, heard, NULL);
    listener_hears("waits", 0);
}

static void what_is_too_much_is_counted(void **state)
{
    (void)state;
    enum { PIECES = 70, PIECE = 1000, ROOM = 65536 };
    char piece[PIECE + 1], got[ROOM];
    uint64_t lost;
    memset(piece, 'x', PIECE);
    piece[PIECE] = 0;
    tap_listen(tap, heard, NULL);
    for (unsigned n = 0; n < PIECES; n++)
        device_says(piece);
    tap_listen(tap, heard, NULL);
    assert_int_equal(tap_fetch(tap, got, 5, &lost), 5);
    assert_int_equal(lost, 0);
    assert_int_equal(tap_fetch(tap, got, sizeof(got), &lost), ROOM - 5);
    assert_int_equal(lost, PIECES * PIECE - ROOM);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(only_who_listens_hears),
        TEST(nothing_is_lost_when_another_one_comes_or_goes),
        TEST(what_is_too_much_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
