/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * The event loop and its streams, by what every system has (src/host/event_loop.h, src/host/stream.h): deadlines,
 * calls, sockets that listen, connect, fill up and end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "host/clock.h"
#include "host/event_loop.h"
#include "host/stream.h"
#include "host/thread.h"
#include <stdio.h>
#include <string.h>

#define PATIENCE_NS UINT64_C(60000000000)
#define MILLISECOND UINT64_C(1000000)

/* What callbacks tell the test. */
struct news {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned count;
};

static void news_init(struct news *n)
{
    pthread_mutex_init(&n->lock, NULL);
    thread_cond_init(&n->changed);
    n->count = 0;
}

static void news_tell(void *ctx)
{
    struct news *n = ctx;
    pthread_mutex_lock(&n->lock);
    n->count++;
    pthread_cond_broadcast(&n->changed);
    pthread_mutex_unlock(&n->lock);
}

/* false: there were not so many. */
static bool news_wait(struct news *n, unsigned count, uint64_t ns)
{
    uint64_t deadline = clock_monotonic_ns() + ns;
    pthread_mutex_lock(&n->lock);
    while (n->count < count)
        if (!thread_cond_wait_until(&n->changed, &n->lock, deadline))
            break;
    bool enough = n->count >= count;
    pthread_mutex_unlock(&n->lock);
    return enough;
}

static struct event_loop *loop_new(void)
{
    struct error err = {""};
    struct event_loop *loop = event_loop_new(&err);
    assert_non_null(loop);
    assert_true(event_loop_start(loop, &err));
    return loop;
}

static void a_timer_fires_once_and_not_before_its_time(void **state)
{
    (void)state;
    struct event_loop *loop = loop_new();
    struct event_timer timer;
    struct news news;
    news_init(&news);
    event_timer_init(&timer, loop, news_tell, &news);
    for (unsigned i = 1; i <= 20; i++) {
        uint64_t deadline = clock_monotonic_ns() + i * MILLISECOND / 4;
        event_timer_set(&timer, deadline);
        assert_true(news_wait(&news, i, PATIENCE_NS));
        assert_true(clock_monotonic_ns() >= deadline);
    }
    assert_false(news_wait(&news, 21, 20 * MILLISECOND));
    event_timer_remove(&timer);
    event_loop_free(loop);
}

static void a_timer_that_is_moved_to_sooner_ends_the_sleep(void **state)
{
    (void)state;
    struct event_loop *loop = loop_new();
    struct event_timer timer;
    struct news news;
    news_init(&news);
    event_timer_init(&timer, loop, news_tell, &news);
    event_timer_set(&timer, clock_monotonic_ns() + 100 * PATIENCE_NS);
    assert_false(news_wait(&news, 1, 20 * MILLISECOND));
    event_timer_set(&timer, clock_monotonic_ns());
    assert_true(news_wait(&news, 1, PATIENCE_NS));
    event_timer_remove(&timer);
    event_loop_free(loop);
}

static void calls_are_made_on_the_loops_thread(void **state)
{
    (void)state;
    struct event_loop *loop = loop_new();
    struct event_call call;
    struct news news;
    news_init(&news);
    event_call_init(&call, loop, news_tell, &news);
    for (unsigned i = 1; i <= 1000; i++) {
        event_call_post(&call);
        assert_true(news_wait(&news, i, PATIENCE_NS));
    }
    assert_false(event_loop_is_current(loop));
    event_call_remove(&call);
    event_loop_free(loop);
}

/* A call that posts itself while somebody waits for it to end. */
struct again {
    struct event_call call;
    struct news entered, removing, never;
    _Atomic unsigned runs;
};

static void run_again(void *ctx)
{
    struct again *a = ctx;
    a->runs++;
    news_tell(&a->entered);
    news_wait(&a->removing, 1, PATIENCE_NS);
    news_wait(&a->never, 1, 20 * MILLISECOND); /* most likely the other waits by now */
    event_call_post(&a->call);
}

static void a_call_that_is_removed_is_made_no_more(void **state)
{
    (void)state;
    struct event_loop *loop = loop_new();
    struct again again = {0};
    struct event_call later;
    struct news news;
    news_init(&again.entered);
    news_init(&again.removing);
    news_init(&again.never);
    news_init(&news);
    event_call_init(&again.call, loop, run_again, &again);
    event_call_init(&later, loop, news_tell, &news);
    event_call_post(&again.call);
    assert_true(news_wait(&again.entered, 1, PATIENCE_NS));
    news_tell(&again.removing);
    event_call_remove(&again.call);
    const unsigned runs = again.runs;
    for (unsigned i = 1; i <= 3; i++) {
        event_call_post(&later);
        assert_true(news_wait(&news, i, PATIENCE_NS));
    }
    assert_int_equal(again.runs, runs);
    event_call_remove(&later);
    event_loop_free(loop);
}

/*
 * A server that answers each byte by its complement, and a client, both on one loop.
 */

#define BYTES (8u << 20)

struct echo {
    struct news news; /* connected, done */
    struct event_loop *loop;
    struct event_watch listening, serving, asking;
    uint8_t held[4096]; /* what the server has yet to answer */
    size_t first, count;
    uint64_t sent, received, wrong;
    bool ended;
};

static uint8_t byte_at(uint64_t n)
{
    return (uint8_t)(n ^ n >> 11);
}

static void serve(void *ctx, unsigned events)
{
    struct echo *e = ctx;
    size_t done;
    (void)events;
    if (!e->count) {
        enum stream_result result = stream_read(e->serving.fd, e->held, sizeof(e->held), &done);
        e->first = 0;
        e->count = done;
        for (size_t i = 0; i < done; i++)
            e->held[i] ^= 0xff;
        e->ended = result == STREAM_END;
    }
    if (e->count && stream_write(e->serving.fd, e->held + e->first, e->count, &done) == STREAM_OK) {
        e->first += done;
        e->count -= done;
    }
    event_watch_set(&e->serving, e->ended ? 0 : e->count ? EVENT_WRITE : EVENT_READ);
    if (e->ended)
        news_tell(&e->news);
}

static void welcome(void *ctx, unsigned events)
{
    struct echo *e = ctx;
    (void)events;
    int fd = stream_accept(e->listening.fd);
    if (fd == -1)
        return;
    event_watch_init(&e->serving, e->loop, fd, EVENT_READ, serve, e);
    news_tell(&e->news);
}

/* It asks for more than the server holds before it reads an answer, so that both directions fill up. */
static void ask(void *ctx, unsigned events)
{
    struct echo *e = ctx;
    static uint8_t bytes[65536];
    size_t size = sizeof(bytes) < BYTES - e->sent ? sizeof(bytes) : (size_t)(BYTES - e->sent), done;
    if (events & EVENT_WRITE) {
        for (size_t i = 0; i < size; i++)
            bytes[i] = byte_at(e->sent + i);
        stream_write(e->asking.fd, bytes, size, &done);
        e->sent += done;
    }
    if (events & EVENT_READ) {
        stream_read(e->asking.fd, bytes, sizeof(bytes), &done);
        for (size_t i = 0; i < done; i++)
            e->wrong += bytes[i] + byte_at(e->received + i) != 255;
        e->received += done;
    }
    event_watch_set(&e->asking, e->received == BYTES ? 0
                                : e->sent == BYTES   ? EVENT_READ
                                                     : EVENT_READ | EVENT_WRITE);
    if (e->received == BYTES)
        news_tell(&e->news);
}

static void a_stream_carries_both_ways_more_than_it_holds(void **state)
{
    (void)state;
    struct echo e = {.loop = loop_new()};
    struct error err = {""};
    char name[64], where[80];
    news_init(&e.news);
    int listener = stream_listen_tcp("127.0.0.1:0", name, sizeof(name), &err);
    if (listener == -1)
        fail_msg("%s", err.text);
    assert_int_equal(stream_accept(listener), -1);
    event_watch_init(&e.listening, e.loop, listener, EVENT_READ, welcome, &e);

    struct stream_address address;
    snprintf(where, sizeof(where), "tcp:%s", name);
    assert_true(stream_resolve(where, &address, &err));
    int client = stream_connect(&address);
    assert_int_not_equal(client, -1);
    assert_true(stream_wait_writable(client, 60000));
    assert_true(stream_connected(client));
    assert_true(news_wait(&e.news, 1, PATIENCE_NS));

    event_watch_init(&e.asking, e.loop, client, EVENT_READ | EVENT_WRITE, ask, &e);
    assert_true(news_wait(&e.news, 2, 10 * PATIENCE_NS));
    assert_int_equal(e.wrong, 0);
    event_watch_remove(&e.asking);
    stream_close(client);
    assert_true(news_wait(&e.news, 3, PATIENCE_NS));
    event_watch_remove(&e.serving);
    event_watch_remove(&e.listening);
    stream_close(e.serving.fd);
    stream_close(listener);
    event_loop_free(e.loop);
}

static void nobody_listens_where_a_listener_was_closed(void **state)
{
    (void)state;
    struct error err = {""};
    struct stream_address address;
    char name[64], where[80];
    int listener = stream_listen_tcp("127.0.0.1:0", name, sizeof(name), &err);
    assert_int_not_equal(listener, -1);
    snprintf(where, sizeof(where), "%s", name);
    /* The port is taken. */
    assert_int_equal(stream_listen_tcp(where, name, sizeof(name), &err), -1);
    assert_non_null(strstr(err.text, "cannot listen"));
    stream_close(listener);
    snprintf(where, sizeof(where), "tcp:%s", name);
    assert_true(stream_resolve(where, &address, &err));
    int client = stream_connect(&address);
    assert_true(client == -1 || !stream_wait_writable(client, 60000) || !stream_connected(client));
    if (client != -1)
        stream_close(client);
}

static void bad_addresses_are_named(void **state)
{
    (void)state;
    struct error err = {""};
    struct stream_address address;
    char name[64];
    static const char *const bad[] = {"tcp:", "tcp:nowhere", "tcp:127.0.0.1:66666", "unix:", "x:y"};
    for (unsigned i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_false(stream_resolve(bad[i], &address, &err));
    assert_int_equal(stream_listen_tcp("127.0.0.1", name, sizeof(name), &err), -1);
    assert_non_null(strstr(err.text, "127.0.0.1: not HOST:PORT"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_timer_fires_once_and_not_before_its_time),
        cmocka_unit_test(a_timer_that_is_moved_to_sooner_ends_the_sleep),
        cmocka_unit_test(calls_are_made_on_the_loops_thread),
        cmocka_unit_test(a_call_that_is_removed_is_made_no_more),
        cmocka_unit_test(a_stream_carries_both_ways_more_than_it_holds),
        cmocka_unit_test(nobody_listens_where_a_listener_was_closed),
        cmocka_unit_test(bad_addresses_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
