/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * What stands between cards and backends (src/net/net.c): two networks with a stream between them, and a
 * card of the test's on each. Also frames on streams (src/net/framing.h), captures (src/net/capture.h), and
 * pollers of the event loop, which nothing else needs. Again: tools/run-tests unit/net_test
 */
#include "host/clock.h"
#include "net/calls.h"
#include "net/forward.h"
#include "net/framing.h"
#include "net/net.h"
#include "net_frames.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#define PATIENCE_NS (UINT64_C(60) * 1000000000u)

/* A card: it counts, and keeps the last frame. Its fields are the network thread's, read through net_run or
 * while it is quiet. */
struct card {
    struct net *net;
    _Atomic unsigned received, rounds, writable, links;
    _Atomic bool link;
    _Atomic unsigned room; /* frames that it takes before it refuses */
    _Atomic uint64_t bytes;
    _Atomic size_t last; /* size of the last frame */
    struct net_offload offload;
    size_t size;
    uint8_t frame[NET_FRAME_MAX];
};

static bool card_receive(void *state, const struct net_packet *packet)
{
    struct card *card = state;
    /* The test sets it back when it has read the frame before. */
    (void)atomic_load(&card->received);
    if (!card->room)
        return false;
    card->room--;
    size_t at = 0;
    for (unsigned i = 0; i < packet->iov_count; i++) {
        memcpy(card->frame + at, packet->iov[i].iov_base, packet->iov[i].iov_len);
        at += packet->iov[i].iov_len;
    }
    assert_int_equal(at, packet->size);
    card->size = at;
    card->offload = packet->offload;
    card->bytes += at;
    card->last = at;
    card->received++;
    return true;
}

static void card_received(void *state)
{
    ((struct card *)state)->rounds++;
}

static void card_writable(void *state)
{
    ((struct card *)state)->writable++;
}

static void card_link(void *state, bool up)
{
    struct card *card = state;
    card->link = up;
    card->links++;
}

static const struct net_card_ops card_ops = {
    .name = "test",
    .receive = card_receive,
    .received = card_received,
    .writable = card_writable,
    .link = card_link,
};

static char socket_path[64], words[160];

static void plug(struct card *card, const char *text)
{
    struct net_config config = {.name = "net"};
    struct error err = {0};
    memset(card, 0, sizeof(*card));
    card->room = 1u << 30;
    card->net = net_open(text, &config, &err);
    assert_string_equal(err.text, "");
    assert_true(net_attach(card->net, &(struct net_card){&card_ops, card}, &err));
}

static void unplug(struct card *card)
{
    net_detach(card->net);
    net_close(card->net);
}

static const char *at_socket(const char *side, const char *more)
{
    snprintf(socket_path, sizeof(socket_path), "/tmp/rvvm-net-test.%ld", (long)getpid());
    snprintf(words, sizeof(words), "socket,%s=unix:%s%s", side, socket_path, more);
    return words;
}

static void wait_for(bool (*holds)(void *), void *ctx)
{
    const struct timespec pause = {.tv_nsec = 1000000};
    uint64_t end = clock_monotonic_ns() + PATIENCE_NS;
    while (!holds(ctx)) {
        assert_true(clock_monotonic_ns() < end);
        nanosleep(&pause, NULL);
    }
}

/* Sends on the network's thread. */
struct sending {
    struct card *card;
    struct net_packet packet;
    struct iovec iov[3];
    bool sent;
};

static void send_it(void *state)
{
    struct sending *s = state;
    s->sent = net_send(s->card->net, &s->packet);
    net_flush(s->card->net);
}

static bool send_frame(struct card *card, uint8_t *bytes, size_t size,
                       const struct net_offload *offload)
{
    /* In pieces, as from a ring. */
    struct sending s = {.card = card,
                        .iov = {{bytes, size / 3}, {NULL, 0}, {bytes + size / 3, size - size / 3}}};
    s.packet = (struct net_packet){.iov = s.iov, .iov_count = 3, .size = size};
    if (offload)
        s.packet.offload = *offload;
    net_run(card->net, send_it, &s);
    return s.sent;
}

static uint8_t frame[NET_FRAME_MAX];
static struct card a, b;

static bool has_one(void *ctx)
{
    return ((struct card *)ctx)->received >= 1;
}

/* Sends until one arrives: before the machines are connected frames go nowhere. */
static void connect_both(struct card *from, struct card *to)
{
    uint64_t end = clock_monotonic_ns() + PATIENCE_NS;
    const struct timespec pause = {.tv_nsec = 10000000};
    memset(frame, 0xff, 60);
    while (!to->received) {
        assert_true(send_frame(from, frame, 60, NULL));
        assert_true(clock_monotonic_ns() < end);
        nanosleep(&pause, NULL);
    }
}

#define MARK 77

static bool has_mark(void *ctx)
{
    return ((struct card *)ctx)->last == MARK;
}

/* Frames keep their order: behind this one nothing of before is on its way. */
static void settle(struct card *from, struct card *to)
{
    assert_true(send_frame(from, frame, MARK, NULL));
    wait_for(has_mark, to);
    to->last = 0;
    to->received = 0;
    to->bytes = 0;
}

static void plug_both(const char *more)
{
    plug(&a, at_socket("listen", more));
    plug(&b, at_socket("connect", ""));
    connect_both(&b, &a);
    settle(&b, &a);
    connect_both(&a, &b);
    settle(&a, &b);
}

static void unplug_both(void)
{
    unplug(&a);
    unplug(&b);
    assert_int_equal(access(socket_path, F_OK), -1);
}

static void frames_of_every_size_arrive(void **state)
{
    (void)state;
    plug_both("");
    for (size_t i = 0; i < sizeof(frame); i++)
        frame[i] = (uint8_t)(i * 7 + i / 251);
    for (size_t size = 14; size <= NET_FRAME_MAX; size = size == NET_FRAME_MAX ? size + 1
                                                         : size * 3 > NET_FRAME_MAX
                                                             ? NET_FRAME_MAX
                                                             : size * 3 - 20) {
        b.received = 0;
        assert_true(send_frame(&a, frame, size, NULL));
        wait_for(has_one, &b);
        assert_int_equal(b.size, size);
        assert_memory_equal(b.frame, frame, size);
    }
    struct net_counters counters;
    net_get_counters(a.net, &counters);
    uint64_t before = counters.frames_out;
    assert_true(send_frame(&a, frame, 13, NULL)); /* no frame */
    net_get_counters(a.net, &counters);
    assert_int_equal(counters.frames_out, before);
    assert_int_equal(counters.dropped_out, 1);
    unplug_both();
}

static bool has_all(void *ctx)
{
    (void)ctx;
    return b.received == 7;
}

/* What the backend does not take is done before, what the card does not take as well. */
static void large_packets_are_cut_and_checksums_completed(void **state)
{
    (void)state;
    struct frame_kind k = {.flags = TCP_ACK};
    plug_both("");
    size_t size = frame_headers(&k) + 7 * 1000 - 1;
    frame_make(&k, frame, size);
    struct net_offload offload = frame_offload(&k, 1000);
    assert_true(send_frame(&a, frame, size, &offload));
    wait_for(has_all, NULL);
    assert_int_equal(b.size, frame_headers(&k) + 999);
    assert_int_equal(b.bytes, size + 6 * frame_headers(&k));
    assert_true(frame_is_right(&k, b.frame, b.size));
    b.received = 0;
    offload.gso = NET_GSO_NONE;
    assert_true(send_frame(&a, frame, size, &offload));
    wait_for(has_one, &b);
    assert_true(frame_is_right(&k, b.frame, b.size));
    /* Malformed: dropped, and nothing else happens. */
    offload.csum_start = 60000;
    assert_true(send_frame(&a, frame, size, &offload));
    offload.gso = NET_GSO_TCP4;
    assert_true(send_frame(&a, frame, size, &offload));
    struct net_counters counters;
    net_get_counters(a.net, &counters);
    assert_int_equal(counters.dropped_out, 2);
    unplug_both();
}

static void make_room(void *state)
{
    struct card *card = state;
    card->room = 1u << 30;
    net_ready(card->net);
}

static bool has_thousand(void *ctx)
{
    (void)ctx;
    return b.received == 1000;
}

/* Also more than is kept: the sender's end is told to wait, and goes on. */
static void nothing_is_lost_when_the_card_has_no_room(void **state)
{
    (void)state;
    plug_both("");
    b.room = 3;
    const struct timespec pause = {.tv_nsec = 1000000};
    uint64_t end = clock_monotonic_ns() + PATIENCE_NS;
    unsigned refused = 0;
    for (unsigned i = 0; i < 1000; i++) {
        put_be32(frame, i);
        while (!send_frame(&a, frame, 9000, NULL)) {
            if (!refused++)
                net_run(b.net, make_room, &b);
            assert_true(clock_monotonic_ns() < end);
            nanosleep(&pause, NULL);
        }
    }
    assert_true(refused); /* 9 MB are more than sockets and buffers hold */
    wait_for(has_thousand, NULL);
    assert_int_equal(get_be32(b.frame), 999);
    assert_true(a.writable);
    assert_true(b.rounds);
    unplug_both();
}

static bool link_is_up(void *ctx)
{
    return ((struct card *)ctx)->link;
}

static bool has_been_told(void *ctx)
{
    return ((struct card *)ctx)->links;
}

static bool link_is_down(void *ctx)
{
    return !link_is_up(ctx);
}

/* One that the guest sent, and one for it. */
static bool has_dropped(void *ctx)
{
    struct net_counters counters;
    net_get_counters(((struct card *)ctx)->net, &counters);
    return counters.dropped_in == 1 && counters.dropped_out == 1;
}

static void a_cable_that_is_not_plugged_in_carries_nothing(void **state)
{
    (void)state;
    plug(&a, at_socket("listen", ",link=off"));
    plug(&b, at_socket("connect", ""));
    wait_for(link_is_up, &b);
    wait_for(has_been_told, &a);
    assert_false(a.link);
    net_set_link(a.net, true);
    wait_for(link_is_up, &a);
    connect_both(&a, &b);
    settle(&a, &b);
    net_set_link(a.net, false);
    wait_for(link_is_down, &a);
    assert_true(send_frame(&a, frame, 60, NULL));
    assert_true(send_frame(&b, frame, 60, NULL));
    wait_for(has_dropped, &a);
    a.received = 0;
    net_set_link(a.net, true);
    wait_for(link_is_up, &a);
    connect_both(&b, &a);
    settle(&a, &b);
    unplug_both();
}

static void whoever_connects_comes_back(void **state)
{
    (void)state;
    plug_both("");
    for (unsigned i = 0; i < 3; i++) {
        if (i & 1) {
            unplug(&a);
            assert_true(send_frame(&b, frame, 60, NULL)); /* lost, not stuck */
            plug(&a, at_socket("listen", ""));
        } else {
            unplug(&b);
            assert_true(send_frame(&a, frame, 60, NULL));
            plug(&b, at_socket("connect", ""));
        }
        a.received = b.received = 0;
        connect_both(&b, &a);
        connect_both(&a, &b);
    }
    unplug_both();
}

/* What the library calls, in place of libc's: a process with too many descriptors cannot take a peer. */
static _Atomic bool has_no_descriptor;
static _Atomic unsigned refused_peers;

int accept4(int fd, struct sockaddr *address, socklen_t *size, int flags)
{
    if (!has_no_descriptor)
        return (int)syscall(SYS_accept4, fd, address, size, flags);
    refused_peers++;
    errno = EMFILE;
    return -1;
}

static bool has_refused(void *ctx)
{
    (void)ctx;
    return refused_peers > 0;
}

static void a_peer_that_cannot_be_taken_is_taken_later(void **state)
{
    (void)state;
    const struct timespec while_it_might_spin = {.tv_nsec = 200000000};
    has_no_descriptor = true;
    plug(&a, at_socket("listen", ""));
    plug(&b, at_socket("connect", ""));
    wait_for(has_refused, NULL);
    nanosleep(&while_it_might_spin, NULL);
    unsigned tries = refused_peers;
    has_no_descriptor = false;
    assert_true(tries < 50);
    connect_both(&b, &a);
    unplug_both();
}

static void a_capture_has_every_frame(void **state)
{
    (void)state;
    char path[64], more[80];
    snprintf(path, sizeof(path), "/tmp/rvvm-net-test.%ld.pcap", (long)getpid());
    snprintf(more, sizeof(more), ",dump=%s", path);
    plug_both(more);
    struct net_counters counters;
    memset(frame, 0x55, 100);
    assert_true(send_frame(&a, frame, 100, NULL));
    wait_for(has_one, &b);
    net_get_counters(a.net, &counters);
    unplug_both();
    FILE *file = fopen(path, "rb");
    uint32_t head[6], record[4];
    uint64_t frames = 0, bytes = 0;
    static uint8_t got[NET_FRAME_MAX];
    assert_int_equal(fread(head, 4, 6, file), 6);
    assert_int_equal(head[0], 0xa1b2c3d4);
    assert_int_equal(head[5], 1);
    while (fread(record, 4, 4, file) == 4) {
        assert_int_equal(record[2], record[3]);
        assert_true(record[0] > 1600000000 && record[1] < 1000000);
        assert_int_equal(fread(got, 1, record[2], file), record[2]);
        frames++;
        bytes += record[2];
    }
    fclose(file);
    unlink(path);
    assert_int_equal(frames, counters.frames_in + counters.frames_out);
    assert_int_equal(bytes, counters.bytes_in + counters.bytes_out);
    assert_memory_equal(got, frame, 100);
}

static void only_user_mode_forwards_ports(void **state)
{
    (void)state;
    struct net_forward forward;
    struct error err = {0};
    assert_true(net_forward_parse(&forward, "80=80", NULL));
    plug(&a, at_socket("listen", ""));
    assert_false(net_add_forward(a.net, &forward, &err));
    assert_non_null(strstr(err.text, "user mode"));
    unplug(&a);
}

static void a_forward_that_is_taken_says_so(void **state)
{
    (void)state;
    struct net_forward forward;
    struct error err = {0};
    if (!net_has_user_mode())
        skip();
    plug(&a, "user");
    plug(&b, "user,ipv6=off");
    uint16_t port;
    do /* some port that is free */
        port = (uint16_t)(20000 + rand() % 20000);
    while (snprintf(words, sizeof(words), "%u=22", port),
           assert_true(net_forward_parse(&forward, words, NULL)),
           !net_add_forward(a.net, &forward, &err));
    assert_false(net_add_forward(b.net, &forward, &err));
    snprintf(words, sizeof(words), "tcp/127.0.0.1:%u: cannot be forwarded: in use", port);
    assert_string_equal(err.text, words);
    assert_true(net_remove_forward(a.net, &forward, &err));
    assert_false(net_remove_forward(a.net, &forward, &err));
    assert_true(net_add_forward(b.net, &forward, &err));
    unplug(&a);
    unplug(&b);
}

/*
 * Frames on a stream
 */

static struct framing out, in;

static void frames_survive_any_cutting_of_the_stream(void **state)
{
    (void)state;
    unsigned next_in = 0, next_out = 0, seed = 5;
    framing_clear(&out);
    framing_clear(&in);
    while (next_out < 20000) {
        seed = seed * 1103515245 + 12345;
        size_t size = next_in % 100 ? 1 + (seed >> 8) % 1500 : NET_FRAME_MAX - (seed >> 8) % 3;
        memset(frame, (int)next_in, size);
        struct iovec iov = {frame, size};
        if (framing_put(&out, &(struct net_packet){.iov = &iov, .iov_count = 1, .size = size}))
            next_in++;
        else
            assert_true(framing_used(&out) > FRAMING_BUFFER_SIZE / 2);
        size_t room, moved = (seed >> 4) % (framing_used(&out) + 1);
        uint8_t *to = framing_room(&in, &room);
        assert_true(room >= 1);
        moved = moved < room ? moved : room;
        memcpy(to, out.bytes + out.first, moved);
        framing_skip(&out, moved);
        framing_fill(&in, moved);
        const uint8_t *got;
        while (framing_next(&in, &got, &size) == FRAMING_FRAME) {
            assert_int_equal(got[0], (uint8_t)next_out);
            assert_int_equal(got[size - 1], (uint8_t)next_out);
            next_out++;
        }
    }
}

static void lengths_that_no_frame_has_are_bad(void **state)
{
    (void)state;
    const uint32_t bad[] = {0, NET_FRAME_MAX + 1, 0x80000000, 0xffffffff};
    const uint8_t *got;
    size_t size;
    for (unsigned i = 0; i < 4; i++) {
        framing_clear(&in);
        put_be32(framing_room(&in, &size), bad[i]);
        framing_fill(&in, 3);
        assert_int_equal(framing_next(&in, &got, &size), FRAMING_MORE);
        framing_fill(&in, 1);
        assert_int_equal(framing_next(&in, &got, &size), FRAMING_BAD);
    }
}

/*
 * Pollers
 */

struct poll_test {
    struct event_loop *loop;
    struct event_poller poller;
    int pipe[2], index;
    uint64_t until; /* 0: no deadline */
    _Atomic unsigned asked, told, got;
};

static void ask(void *ctx, struct event_poll *poll)
{
    struct poll_test *t = ctx;
    t->asked++;
    t->index = event_poll_add(poll, t->pipe[0], EVENT_READ);
    if (t->until)
        event_poll_until(poll, t->until);
}

static void tell(void *ctx, const struct event_poll *poll)
{
    struct poll_test *t = ctx;
    char byte;
    t->told++;
    t->until = 0;
    if (event_poll_result(poll, t->index) & EVENT_READ)
        t->got += (unsigned)read(t->pipe[0], &byte, 1);
}

static bool got_it(void *ctx)
{
    return ((struct poll_test *)ctx)->got == 1;
}

static bool told_once(void *ctx)
{
    return ((struct poll_test *)ctx)->told >= 1;
}

static void a_poller_is_asked_and_told_in_each_round(void **state)
{
    (void)state;
    struct poll_test t = {.until = clock_monotonic_ns() + 20000000};
    assert_int_equal(pipe(t.pipe), 0);
    t.loop = event_loop_new(NULL);
    event_poller_init(&t.poller, t.loop, ask, tell, &t);
    assert_true(event_loop_start(t.loop, NULL));
    wait_for(told_once, &t); /* by its deadline alone */
    assert_int_equal(write(t.pipe[1], "x", 1), 1);
    wait_for(got_it, &t);
    event_poller_remove(&t.poller);
    unsigned asked = t.asked;
    assert_true(t.told + 1 >= asked); /* of the last round it need not have been told */
    event_loop_stop(t.loop);
    assert_int_equal(t.asked, asked);
    assert_true(asked < 20); /* it sleeps */
    event_loop_free(t.loop);
    close(t.pipe[0]);
    close(t.pipe[1]);
}

/*
 * The program as the other end
 */

struct heard {
    _Atomic unsigned frames;
    size_t size;
    uint8_t last;
};

static void hear(void *ctx, const void *bytes, size_t size)
{
    struct heard *heard = ctx;
    heard->size = size;
    heard->last = ((const uint8_t *)bytes)[size - 1];
    heard->frames++;
}

static void frames_go_to_and_come_from_the_program(void **state)
{
    (void)state;
    struct heard heard = {.size = 0};
    struct net_calls *wire = NULL;
    struct net_calls_config calls = {hear, &heard, &wire};
    struct net_config config = {.name = "net", .calls = &calls};
    struct error err = {0};
    memset(&a, 0, sizeof(a));
    a.net = net_open("", &config, &err);
    assert_non_null(a.net);
    assert_non_null(wire);
    /* Before there is a card frames are lost, as on a wire; then they wait for room. */
    assert_true(net_attach(a.net, &(struct net_card){&card_ops, &a}, &err));
    for (uint8_t i = 0; i < 3; i++) {
        memset(frame, i, sizeof(frame));
        assert_true(net_calls_deliver(wire, frame, 60u + i));
    }
    a.room = 3;
    net_run(a.net, (void (*)(void *))net_ready, a.net);
    const struct timespec pause = {.tv_nsec = 1000000};
    while (a.received < 3) {
        net_run(a.net, (void (*)(void *))net_ready, a.net);
        nanosleep(&pause, NULL);
    }
    assert_int_equal(a.last, 62);
    assert_int_equal(a.frame[0], 2);

    memset(frame, 8, sizeof(frame));
    assert_true(send_frame(&a, frame, 1514, NULL));
    assert_int_equal(heard.frames, 1);
    assert_int_equal(heard.size, 1514);
    assert_int_equal(heard.last, 8);

    assert_false(net_calls_deliver(wire, frame, 13));
    assert_false(net_calls_deliver(wire, frame, NET_FRAME_MAX + 1));
    unsigned given = 0;
    while (given < 1000000 && net_calls_deliver(wire, frame, 60000))
        given++;
    assert_true(given >= 69 && given < 1000000); /* 4 MiB wait here, and 4 at the card */
    unplug(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_go_to_and_come_from_the_program),
        cmocka_unit_test(frames_of_every_size_arrive),
        cmocka_unit_test(large_packets_are_cut_and_checksums_completed),
        cmocka_unit_test(nothing_is_lost_when_the_card_has_no_room),
        cmocka_unit_test(a_cable_that_is_not_plugged_in_carries_nothing),
        cmocka_unit_test(whoever_connects_comes_back),
        cmocka_unit_test(a_peer_that_cannot_be_taken_is_taken_later),
        cmocka_unit_test(a_capture_has_every_frame),
        cmocka_unit_test(only_user_mode_forwards_ports),
        cmocka_unit_test(a_forward_that_is_taken_says_so),
        cmocka_unit_test(frames_survive_any_cutting_of_the_stream),
        cmocka_unit_test(lengths_that_no_frame_has_are_bad),
        cmocka_unit_test(a_poller_is_asked_and_told_in_each_round),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
