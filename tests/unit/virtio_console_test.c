/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * The virtio console and entropy devices (src/dev/virtio/), which both work on the event loop's thread.
 * Again: tools/run-tests unit/virtio_console_test
 */
#include "dev/virtio/virtio_console.h"
#include "dev/virtio/virtio_rng.h"
#include "host/event_loop.h"
#include "virtio_rig.h"
#include <stdio.h>
#include <unistd.h>

#define F_MULTIPORT (UINT64_C(1) << 1)
enum {
    DEVICE_READY,
    PORT_ADD,
    PORT_REMOVE,
    PORT_READY,
    CONSOLE_PORT,
    RESIZE,
    PORT_OPEN,
    PORT_NAME
};
enum { CONTROL_IN = 2, CONTROL_OUT = 3 };

/* Where input is put, in guest memory; output is sent from VRIG_DATA. */
#define AT_INPUT (VRIG_DATA + 0x10000)
#define AT_CONTROL (VRIG_DATA + 0x20000)

/* A channel whose other side is this test. */
struct line {
    struct chardev cd;
    pthread_mutex_t lock;
    char in[8192], out[8192];
    size_t in_size, out_size, room; /* room: what it takes before somebody makes more */
    struct event_call readable, writable;
    unsigned attached;
    bool sink; /* takes everything, and counts it */
    uint64_t taken, in_turn, most_in_turn;
};

struct bench {
    struct event_loop *loop;
    struct line lines[2];
    struct vrig *v;
};

static size_t line_write(struct chardev *cd, const void *bytes, size_t size)
{
    struct line *l = (struct line *)cd;
    pthread_mutex_lock(&l->lock);
    if (l->sink) {
        l->taken += size;
        l->in_turn += size;
        l->most_in_turn = l->in_turn > l->most_in_turn ? l->in_turn : l->most_in_turn;
        pthread_mutex_unlock(&l->lock);
        return size;
    }
    size_t n = size < l->room ? size : l->room;
    if (n > sizeof(l->out) - l->out_size)
        n = sizeof(l->out) - l->out_size;
    memcpy(l->out + l->out_size, bytes, n);
    l->out_size += n;
    l->room -= n;
    pthread_mutex_unlock(&l->lock);
    return n;
}

static size_t line_read(struct chardev *cd, void *bytes, size_t size)
{
    struct line *l = (struct line *)cd;
    pthread_mutex_lock(&l->lock);
    size_t n = size < l->in_size ? size : l->in_size;
    memcpy(bytes, l->in, n);
    l->in_size -= n;
    memmove(l->in, l->in + n, l->in_size);
    pthread_mutex_unlock(&l->lock);
    return n;
}

static void line_attached(struct chardev *cd)
{
    ((struct line *)cd)->attached++;
}

static const struct chardev_ops line_ops = {
    .name = "line", .write = line_write, .read = line_read, .attached = line_attached};

static void line_is_readable(void *ctx)
{
    chardev_notify_readable(ctx);
}

static void line_is_writable(void *ctx)
{
    chardev_notify_writable(ctx);
}

static void line_init(struct line *l, struct event_loop *loop)
{
    chardev_init(&l->cd, &line_ops);
    pthread_mutex_init(&l->lock, NULL);
    l->room = sizeof(l->out);
    event_call_init(&l->readable, loop, line_is_readable, &l->cd);
    event_call_init(&l->writable, loop, line_is_writable, &l->cd);
}

static void type(struct line *l, const char *text)
{
    pthread_mutex_lock(&l->lock);
    memcpy(l->in + l->in_size, text, strlen(text));
    l->in_size += strlen(text);
    pthread_mutex_unlock(&l->lock);
    event_call_post(&l->readable);
}

static void make_room(struct line *l, size_t room)
{
    pthread_mutex_lock(&l->lock);
    l->room = room;
    pthread_mutex_unlock(&l->lock);
    event_call_post(&l->writable);
}

static size_t line_shown(struct line *l)
{
    pthread_mutex_lock(&l->lock);
    size_t size = l->out_size;
    pthread_mutex_unlock(&l->lock);
    return size;
}

static void shows(struct line *l, const char *text)
{
    time_t since = 0;
    while (line_shown(l) < strlen(text))
        assert_true(vrig_wait(&since));
    assert_int_equal(line_shown(l), strlen(text));
    assert_memory_equal(l->out, text, strlen(text));
}

static int setup(void **state)
{
    struct bench *b = calloc(1, sizeof(*b));
    b->loop = event_loop_new(NULL);
    for (unsigned i = 0; i < 2; i++)
        line_init(&b->lines[i], b->loop);
    struct virtio_console_port ports[2] = {{&b->lines[0].cd, NULL}, {&b->lines[1].cd, "org.test"}};
    struct virtio_console_config config = {.loop = b->loop, .ports = ports, .port_count = 2};
    b->v = vrig_new(virtio_console_new(&config, NULL));
    assert_true(event_loop_start(b->loop, NULL));
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    struct bench *b = *state;
    vrig_free(b->v);
    event_loop_stop(b->loop);
    for (unsigned i = 0; i < 2; i++) {
        event_call_remove(&b->lines[i].readable);
        event_call_remove(&b->lines[i].writable);
        chardev_destroy(&b->lines[i].cd);
    }
    event_loop_free(b->loop);
    free(b);
    return 0;
}

static void start(struct bench *b, uint64_t features)
{
    vrig_negotiate(b->v, features);
    for (unsigned i = 0; i < (features & F_MULTIPORT ? 6 : 2); i++)
        vrig_queue(b->v, i, 16);
    vrig_go(b->v);
}

static void *guest(struct bench *b, uint64_t address)
{
    return driver_at(&b->v->queues[0], address);
}

/* Gives the device a buffer for input. */
static void offer(struct bench *b, unsigned queue, uint64_t at, uint32_t size)
{
    struct driver_part part = {at, size, true};
    assert_true(driver_add(&b->v->queues[queue], &part, 1, 0) >= 0);
    vrig_kick(b->v, queue);
}

static void hears(struct bench *b, unsigned queue, uint64_t at, const char *text)
{
    uint32_t written;
    vrig_get_used(b->v, queue, &written);
    assert_int_equal(written, strlen(text));
    assert_memory_equal(guest(b, at), text, written);
}

/* Some time goes by, and nothing comes. */
static void hears_nothing(struct bench *b, unsigned queue)
{
    uint32_t written;
    usleep(20000);
    assert_int_equal(driver_get(&b->v->queues[queue], &written), -1);
}

static void say_control(struct bench *b, uint32_t port, uint16_t event, uint16_t value)
{
    struct {
        uint32_t id;
        uint16_t event, value;
    } message = {port, event, value};
    vrig_send(b->v, CONTROL_OUT, &message, sizeof(message), 0, 0);
}

/* The device says this on the control queue. */
static void told(struct bench *b, uint32_t port, uint16_t event, const char *rest)
{
    uint32_t written;
    offer(b, CONTROL_IN, AT_CONTROL, 64);
    vrig_get_used(b->v, CONTROL_IN, &written);
    uint32_t *words = guest(b, AT_CONTROL);
    assert_int_equal(words[0], port);
    assert_int_equal(words[1], event | 1u << 16);
    assert_int_equal(written, 8 + strlen(rest));
    assert_memory_equal(&words[2], rest, strlen(rest));
}

static void hello(struct bench *b)
{
    say_control(b, 0, DEVICE_READY, 1);
    told(b, 0, PORT_ADD, "");
    told(b, 1, PORT_ADD, "");
    say_control(b, 0, PORT_READY, 1);
    told(b, 0, CONSOLE_PORT, "");
    told(b, 0, PORT_OPEN, "");
    say_control(b, 1, PORT_READY, 1);
    told(b, 1, PORT_NAME, "org.test");
    told(b, 1, PORT_OPEN, "");
}

static void drivers_without_ports_have_a_console(void **state)
{
    struct bench *b = *state;
    start(b, 0);
    offer(b, 0, AT_INPUT, 64);
    type(&b->lines[0], "in");
    hears(b, 0, AT_INPUT, "in");
    vrig_send(b->v, 1, "out", 3, 0, 0);
    shows(&b->lines[0], "out");
    assert_int_equal(b->lines[0].attached, 1);
}

static void ports_are_announced_and_open_when_the_guest_says_so(void **state)
{
    struct bench *b = *state;
    start(b, F_MULTIPORT);
    assert_int_equal(rig_read(b->v->pci, b->v->device + 4, 4), 2); /* max_nr_ports */
    hello(b);
    offer(b, 0, AT_INPUT, 64);
    offer(b, 4, AT_INPUT + 64, 64);
    type(&b->lines[0], "zero");
    type(&b->lines[1], "one");
    hears_nothing(b, 0);
    say_control(b, 1, PORT_OPEN, 1);
    hears(b, 4, AT_INPUT + 64, "one");
    hears_nothing(b, 0);
    say_control(b, 0, PORT_OPEN, 1);
    hears(b, 0, AT_INPUT, "zero");
    vrig_send(b->v, 5, "from one", 8, 0, 0);
    shows(&b->lines[1], "from one");
    say_control(b, 1, PORT_OPEN, 0);
    offer(b, 4, AT_INPUT + 64, 64);
    type(&b->lines[1], "later");
    hears_nothing(b, 4);
    say_control(b, 1, PORT_OPEN, 1);
    hears(b, 4, AT_INPUT + 64, "later");
}

static void what_is_owed_waits_for_buffers_and_does_not_pile_up(void **state)
{
    struct bench *b = *state;
    uint32_t written;
    start(b, F_MULTIPORT);
    for (unsigned i = 0; i < 100; i++) {
        say_control(b, 0, DEVICE_READY, 1);
        say_control(b, 1, PORT_READY, 1);
    }
    told(b, 0, PORT_ADD, "");
    told(b, 1, PORT_ADD, "");
    told(b, 1, PORT_NAME, "org.test");
    told(b, 1, PORT_OPEN, "");
    offer(b, CONTROL_IN, AT_CONTROL, 64);
    usleep(20000);
    assert_int_equal(driver_get(&b->v->queues[CONTROL_IN], &written), -1);
}

static void nonsense_on_the_control_queue_is_ignored(void **state)
{
    struct bench *b = *state;
    start(b, F_MULTIPORT);
    say_control(b, 2, PORT_READY, 1);
    say_control(b, UINT32_MAX, PORT_OPEN, 1);
    say_control(b, 0, 99, 1);
    say_control(b, 0, PORT_READY, 0);
    say_control(b, 0, DEVICE_READY, 0);
    vrig_send(b->v, CONTROL_OUT, "short", 5, 0, 0);
    hello(b);
}

static void input_waits_for_buffers_and_is_cut_to_their_size(void **state)
{
    struct bench *b = *state;
    start(b, F_EVENT_IDX);
    type(&b->lines[0], "0123456789");
    offer(b, 0, AT_INPUT, 4);
    hears(b, 0, AT_INPUT, "0123");
    offer(b, 0, AT_INPUT, 3);
    hears(b, 0, AT_INPUT, "456");
    offer(b, 0, AT_INPUT, 100);
    hears(b, 0, AT_INPUT, "789");
}

static void output_waits_for_the_channel_and_nothing_is_lost(void **state)
{
    struct bench *b = *state;
    uint32_t written;
    start(b, F_RING_PACKED | F_EVENT_IDX);
    make_room(&b->lines[0], 5);
    memcpy(guest(b, VRIG_DATA), "hello, world", 12);
    struct driver_part parts[2] = {{VRIG_DATA, 3, false}, {VRIG_DATA + 3, 9, false}};
    driver_add(&b->v->queues[1], parts, 2, 0);
    vrig_kick(b->v, 1);
    shows(&b->lines[0], "hello");
    assert_int_equal(driver_get(&b->v->queues[1], &written), -1);
    make_room(&b->lines[0], 2);
    shows(&b->lines[0], "hello, ");
    assert_int_equal(driver_get(&b->v->queues[1], &written), -1);
    make_room(&b->lines[0], 100);
    shows(&b->lines[0], "hello, world");
    vrig_get_used(b->v, 1, &written);
}

static void a_reset_gives_up_output_that_waits(void **state)
{
    struct bench *b = *state;
    start(b, 0);
    make_room(&b->lines[0], 2);
    struct driver_part part = {VRIG_DATA, 5, false};
    memcpy(guest(b, VRIG_DATA), "lost?", 5);
    driver_add(&b->v->queues[1], &part, 1, 0);
    vrig_kick(b->v, 1);
    shows(&b->lines[0], "lo");
    start(b, 0);
    make_room(&b->lines[0], 100);
    vrig_send(b->v, 1, "st", 2, 0, 0);
    shows(&b->lines[0], "lost");
}

/* A turn of the loop's thread, in which others come to theirs. */
struct turns {
    struct event_call call;
    struct line *line;
};

static void begin_turn(void *ctx)
{
    struct turns *t = ctx;
    pthread_mutex_lock(&t->line->lock);
    t->line->in_turn = 0;
    pthread_mutex_unlock(&t->line->lock);
    event_call_post(&t->call);
}

/* Sixteen times all memory there is, for a channel that never fills up. */
static void output_without_end_leaves_the_thread_to_others(void **state)
{
    struct bench *b = *state;
    struct turns turns = {.line = &b->lines[0]};
    struct driver_part parts[16];
    uint32_t written;
    start(b, 0);
    b->lines[0].sink = true;
    event_call_init(&turns.call, b->loop, begin_turn, &turns);
    event_call_post(&turns.call);
    for (unsigned i = 0; i < 16; i++)
        parts[i] = (struct driver_part){MACHINE_RAM_BASE, RIG_RAM, false};
    assert_true(driver_add(&b->v->queues[1], parts, 16, 0) >= 0);
    vrig_kick(b->v, 1);
    vrig_get_used(b->v, 1, &written);
    event_call_remove(&turns.call);
    assert_true(b->lines[0].taken == 16 * RIG_RAM);
    assert_in_range(b->lines[0].most_in_turn, 1, RIG_RAM);
}

/* The device reads ahead a little: that stays for the next driver. */
static void input_outlives_resets(void **state)
{
    struct bench *b = *state;
    uint32_t written, total = 0;
    for (unsigned round = 0; round < 100; round++) {
        start(b, round & 1 ? F_RING_PACKED : 0);
        type(&b->lines[0], "abc");
        if (round % 2 == 0)
            continue;
        offer(b, 0, AT_INPUT, 1);
        vrig_get_used(b->v, 0, &written);
        assert_int_equal(*(char *)guest(b, AT_INPUT), "abc"[total % 3]);
        total += written;
    }
    assert_int_equal(total, 50);
    while (total < 300) {
        offer(b, 0, AT_INPUT, 7);
        vrig_get_used(b->v, 0, &written);
        for (uint32_t i = 0; i < written; i++, total++)
            assert_int_equal(((char *)guest(b, AT_INPUT))[i], "abc"[total % 3]);
    }
    offer(b, 0, AT_INPUT, 7);
    hears_nothing(b, 0);
}

static void random_bytes_fill_buffers(void **state)
{
    (void)state;
    struct event_loop *loop = event_loop_new(NULL);
    struct virtio_rng_config config = {.loop = loop};
    struct vrig *v = vrig_new(virtio_rng_new(&config, NULL));
    uint8_t *data, seen[256] = {0};
    unsigned different = 0;
    assert_true(event_loop_start(loop, NULL));
    vrig_negotiate(v, 0);
    vrig_queue(v, 0, 8);
    vrig_go(v);
    data = driver_at(&v->queues[0], VRIG_DATA);
    memset(data, 0, 8192);
    assert_int_equal(vrig_send(v, 0, NULL, 0, VRIG_DATA, 1000), 1000);
    for (unsigned i = 0; i < 1000; i++)
        different += !seen[data[i]]++;
    assert_true(different >
                200); /* 251 on average; below 200 once in far more runs than there are */
    assert_int_equal(data[1000], 0);
    /* A buffer gets no more than a page, a period no more than 64 KiB: this takes some periods. */
    uint64_t total = 0;
    struct timespec from, to;
    clock_gettime(CLOCK_MONOTONIC, &from);
    for (unsigned i = 0; i < 100; i++) {
        uint32_t n = vrig_send(v, 0, NULL, 0, VRIG_DATA, 65536);
        assert_true(n > 0 && n <= 4096);
        total += n;
    }
    clock_gettime(CLOCK_MONOTONIC, &to);
    double ms = (double)(to.tv_sec - from.tv_sec) * 1e3 + (double)(to.tv_nsec - from.tv_nsec) / 1e6;
    print_message("%llu random bytes in %.0f ms\n", (unsigned long long)total, ms);
    assert_true((double)total / 65536 * 10 < ms + 20);
    /* For nothing, nothing. */
    struct driver_part nothing = {0, 0, true}, readable = {VRIG_DATA, 8, false};
    uint32_t written;
    driver_add(&v->queues[0], &nothing, 1, 0);
    driver_add(&v->queues[0], &readable, 1, 0);
    vrig_kick(v, 0);
    vrig_get_used(v, 0, &written);
    assert_int_equal(written, 0);
    vrig_get_used(v, 0, &written);
    assert_int_equal(written, 0);
    vrig_free(v);
    event_loop_stop(loop);
    event_loop_free(loop);
}

#define ON_BENCH(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BENCH(drivers_without_ports_have_a_console),
        ON_BENCH(ports_are_announced_and_open_when_the_guest_says_so),
        ON_BENCH(what_is_owed_waits_for_buffers_and_does_not_pile_up),
        ON_BENCH(nonsense_on_the_control_queue_is_ignored),
        ON_BENCH(input_waits_for_buffers_and_is_cut_to_their_size),
        ON_BENCH(output_waits_for_the_channel_and_nothing_is_lost),
        ON_BENCH(a_reset_gives_up_output_that_waits),
        ON_BENCH(output_without_end_leaves_the_thread_to_others),
        ON_BENCH(input_outlives_resets),
        cmocka_unit_test(random_bytes_fill_buffers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
