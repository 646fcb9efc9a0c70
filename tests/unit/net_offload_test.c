/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Checksums and segmentation in software (src/net/offload.h), and merging, which undoes it (src/net/gro.h).
 * Again: tools/run-tests unit/net_offload_test
 */
#include "net/gro.h"
#include "net/offload.h"
#include "net_frames.h"
#include "net/checksum.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static unsigned seed = 1;

static unsigned draw(unsigned below)
{
    seed = seed * 1103515245 + 12345;
    return (seed >> 8) % below;
}

static uint8_t frame[NET_FRAME_MAX + 100], whole[NET_FRAME_MAX], piece_bytes[NET_FRAME_MAX];

static void sums_are_those_of_words_one_by_one(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 3000; round++) {
        size_t start = draw(9), size = draw(round < 100 ? 40 : 3000);
        for (size_t i = 0; i < size; i++)
            frame[start + i] = round % 3 ? (uint8_t)draw(256) : 0xff;
        uint32_t sum = draw(0x10000);
        assert_int_equal(checksum_fold(checksum_add(sum, frame + start, size)) % 0xffff,
                         plain_sum(sum, frame + start, size) % 0xffff);
    }
}

static void a_checksum_that_is_due_is_put_in(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 400; i++) {
        struct frame_kind k = {.ipv6 = i & 1, .udp = i & 2, .vlan = i & 4};
        size_t size = frame_headers(&k) + draw(1500);
        for (size_t at = 0; at < size; at++)
            frame[at] = (uint8_t)draw(256);
        frame_make(&k, frame, size);
        struct net_offload offload = frame_offload(&k, 0);
        assert_true(offload_complete(frame, size, &offload));
        assert_true(frame_is_right(&k, frame, size));
    }
}

/* UDP without a checksum is something else than one that happens to be 0. */
static void a_checksum_of_0_is_sent_as_its_other_form(void **state)
{
    (void)state;
    struct frame_kind k = {.udp = true};
    size_t size = frame_headers(&k) + 2;
    struct net_offload offload = frame_offload(&k, 0);
    memset(frame, 0, size);
    frame_make(&k, frame, size);
    uint32_t sum = plain_sum(pseudo_sum(&k, frame, size), frame + frame_transport(&k), 6);
    put_be16(frame + size - 2, (uint16_t)~sum); /* all but the field sums to 0xffff */
    frame_make(&k, frame, size);
    assert_true(offload_complete(frame, size, &offload));
    assert_int_equal(get_be16(frame + frame_transport(&k) + UDP_CHECKSUM), 0xffff);
}

static void a_place_outside_the_frame_is_refused(void **state)
{
    (void)state;
    struct net_offload offload = {.csum_due = true, .csum_start = 34, .csum_offset = 16};
    assert_true(offload_complete(frame, 52, &offload));
    assert_false(offload_complete(frame, 51, &offload));
    offload.csum_start = 13;
    assert_false(offload_complete(frame, 100, &offload));
    offload.csum_start = offload.csum_offset = 0xffff;
    assert_false(offload_complete(frame, sizeof(frame), &offload));
}

static void check_piece(const struct frame_kind *k, const struct net_packet *piece, size_t done,
                        unsigned index, bool last)
{
    size_t at = 0;
    for (unsigned i = 0; i < piece->iov_count; i++) {
        memcpy(piece_bytes + at, piece->iov[i].iov_base, piece->iov[i].iov_len);
        at += piece->iov[i].iov_len;
    }
    assert_int_equal(at, piece->size);
    assert_true(frame_is_right(k, piece_bytes, at));
    assert_memory_equal(piece_bytes, whole, frame_ip(k));
    assert_memory_equal(piece_bytes + frame_headers(k), whole + frame_headers(k) + done,
                        at - frame_headers(k));
    if (!k->ipv6)
        assert_int_equal(get_be16(piece_bytes + frame_ip(k) + IPV4_ID), (uint16_t)(0xfffe + index));
    if (k->udp)
        return;
    const uint8_t *tcp = piece_bytes + frame_transport(k);
    uint8_t flags = k->flags;
    if (!last)
        flags &= (uint8_t) ~(TCP_FIN | TCP_PSH);
    if (index)
        flags &= (uint8_t)~TCP_CWR;
    assert_int_equal(tcp[TCP_FLAGS], flags);
    assert_int_equal(get_be32(tcp + TCP_SEQUENCE), (uint32_t)(k->sequence + done));
}

static void pieces_are_whole_frames_and_have_all_of_the_payload(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 600; i++) {
        struct frame_kind k = {.ipv6 = i & 1,
                               .udp = i & 2,
                               .vlan = i & 4,
                               .tcp_options = 4 * draw(11),
                               .flags = (uint8_t)draw(256),
                               .sequence = 0xffffff00};
        if (k.udp)
            k.tcp_options = 0;
        unsigned gso_size = 8 + draw(i % 7 ? 3000 : 65000);
        size_t headers = frame_headers(&k), limit = frame_ip(&k) + 65535;
        size_t size = headers + 1 + draw((unsigned)(limit - headers));
        for (size_t at = 0; at < size; at++)
            whole[at] = (uint8_t)(at * 31 + (at >> 8));
        frame_make(&k, whole, size);
        struct net_offload offload = frame_offload(&k, gso_size);
        struct offload_cut cut;
        struct net_packet piece;
        size_t done = 0;
        unsigned index = 0;
        assert_true(offload_cut_begin(&cut, whole, size, &offload));
        while (offload_cut_next(&cut, &piece)) {
            size_t payload = piece.size - headers;
            bool last = done + payload == size - headers;
            assert_true(last ? payload && payload <= gso_size : payload == gso_size);
            check_piece(&k, &piece, done, index++, last);
            done += payload;
        }
        assert_int_equal(done, size - headers);
    }
}

static bool is_cut(size_t size, const struct net_offload *offload)
{
    struct offload_cut cut;
    return offload_cut_begin(&cut, frame, size, offload);
}

static void what_is_not_what_it_says_is_refused(void **state)
{
    (void)state;
    struct frame_kind k = {.flags = TCP_ACK};
    const size_t size = 4000;
    struct net_offload good = frame_offload(&k, 1000), bad = good;
    frame_make(&k, frame, size);
    assert_true(is_cut(size, &good));
    bad.gso_size = 7, assert_false(is_cut(size, &bad)), bad = good;
    bad.gso = NET_GSO_TCP6, assert_false(is_cut(size, &bad)), bad = good;
    bad.gso = NET_GSO_UDP, assert_false(is_cut(size, &bad)), bad = good;
    bad.csum_due = false, assert_false(is_cut(size, &bad)), bad = good;
    bad.csum_offset = 6, assert_false(is_cut(size, &bad)), bad = good;
    bad.csum_start -= 2, assert_false(is_cut(size, &bad)), bad = good;
    bad.csum_start = 3990, assert_false(is_cut(size, &bad)), bad = good;
    assert_false(is_cut(frame_headers(&k), &good)); /* nothing to cut */
    assert_false(is_cut(20, &good));
    const struct {
        unsigned at;
        uint8_t value;
    } wrong[] = {{12, 0x09}, {14, 0x46}, {14, 0x65}, {14, 0x40},
                 {20, 0x20}, {21, 1},    {23, 17},   {46, 0x40}};
    for (unsigned i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        frame_make(&k, frame, size);
        frame[wrong[i].at] = wrong[i].value;
        assert_false(is_cut(size, &good));
    }
}

/* Whatever bits are wrong, nothing outside is read: for the sanitizer. */
static void noise_is_cut_or_refused(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 20000; i++) {
        struct frame_kind k = {.ipv6 = i & 1, .udp = i & 2, .vlan = i & 4, .flags = TCP_ACK};
        size_t size = 14 + draw(400);
        uint8_t *exact = malloc(size + 100);
        frame_make(&k, exact, size + 100);
        struct net_offload offload = frame_offload(&k, 1 + draw(300));
        for (unsigned n = draw(4); n; n--)
            exact[draw((unsigned)size)] = (uint8_t)draw(256);
        if (i % 5 == 0)
            offload.csum_start = (uint16_t)draw(0x10000);
        exact = realloc(exact, size);
        struct offload_cut cut;
        struct net_packet piece;
        if (offload_cut_begin(&cut, exact, size, &offload))
            while (offload_cut_next(&cut, &piece))
                assert_true(piece.size <= size);
        offload_complete(exact, size, &offload);
        free(exact);
    }
}

/*
 * Merging
 */

struct sink {
    unsigned packets;
    struct net_offload offload; /* of the last */
    size_t size;
    uint8_t bytes[NET_FRAME_MAX];
};

static void take(void *ctx, const struct net_packet *packet)
{
    struct sink *sink = ctx;
    assert_int_equal(packet->iov_count, 1);
    assert_int_equal(packet->iov[0].iov_len, packet->size);
    memcpy(sink->bytes, packet->iov[0].iov_base, packet->size);
    sink->size = packet->size;
    sink->offload = packet->offload;
    sink->packets++;
}

static struct sink sink;

/* Cuts `whole` and gives the pieces to be merged. Returns how many were not taken. */
static unsigned merge_pieces(struct gro *gro, size_t size, const struct net_offload *offload)
{
    struct offload_cut cut;
    struct net_packet piece;
    unsigned left = 0;
    assert_true(offload_cut_begin(&cut, whole, size, offload));
    while (offload_cut_next(&cut, &piece)) {
        memcpy(piece_bytes, piece.iov[0].iov_base, piece.iov[0].iov_len);
        memcpy(piece_bytes + piece.iov[0].iov_len, piece.iov[1].iov_base, piece.iov[1].iov_len);
        left += !gro_add(gro, piece_bytes, piece.size);
    }
    return left;
}

static void what_was_cut_is_merged_to_the_same_packet(void **state)
{
    (void)state;
    struct gro *gro = gro_new(take, &sink);
    for (unsigned i = 0; i < 400; i++) {
        struct frame_kind k = {.ipv6 = i & 1,
                               .tcp_options = i & 2 ? 12 : 0,
                               .flags = TCP_ACK | (i & 4 ? TCP_PSH : 0),
                               .sequence = 0xffffff00 - i};
        size_t headers = frame_headers(&k), size = headers + 1001 + draw(60000);
        unsigned gso_size = 500 + draw(500);
        for (size_t at = 0; at < size; at++)
            whole[at] = (uint8_t)draw(256);
        frame_make(&k, whole, size);
        struct net_offload offload = frame_offload(&k, gso_size);
        sink.packets = 0;
        assert_int_equal(merge_pieces(gro, size, &offload), 0);
        gro_flush(gro);
        assert_int_equal(sink.packets, 1);
        assert_int_equal(sink.size, size);
        offload.csum_valid = true;
        assert_int_equal(sink.offload.gso, offload.gso);
        assert_int_equal(sink.offload.gso_size, gso_size);
        assert_int_equal(sink.offload.header_size, offload.header_size);
        assert_int_equal(sink.offload.csum_start, offload.csum_start);
        assert_memory_equal(sink.bytes, whole, size);
    }
    gro_free(gro);
}

/* Adds a segment that the sender has finished; what was emitted since the last call. */
static unsigned add(struct gro *gro, struct frame_kind k, size_t payload, bool taken)
{
    size_t size = frame_headers(&k) + payload;
    unsigned before = sink.packets;
    for (size_t at = 0; at < size; at++)
        frame[at] = (uint8_t)at;
    frame_make(&k, frame, size);
    assert_int_equal(gro_add(gro, frame, size), taken);
    return sink.packets - before;
}

static void what_does_not_follow_begins_anew(void **state)
{
    (void)state;
    struct gro *gro = gro_new(take, &sink);
    const struct frame_kind k = {.flags = TCP_ACK, .sequence = 1000};
    struct frame_kind next = k;
    sink.packets = 0;
    assert_int_equal(add(gro, k, 100, true), 0);
    next.sequence = 1101; /* a gap */
    assert_int_equal(add(gro, next, 100, true), 1);
    assert_int_equal(sink.size, frame_headers(&k) + 100);
    assert_int_equal(sink.offload.gso, NET_GSO_NONE);
    assert_true(sink.offload.csum_valid);
    next.sequence = 1201;
    assert_int_equal(add(gro, next, 101, true), 1); /* longer than the first */
    next.sequence = 1302, next.tcp_options = 12;
    assert_int_equal(add(gro, next, 50, true), 1);
    next.sequence = 1352,
    next.flags = TCP_ACK | TCP_FIN; /* ends what is there, and goes by itself */
    assert_int_equal(add(gro, next, 50, false), 1);
    next = k, next.flags = TCP_ACK;
    assert_int_equal(add(gro, next, 0, false), 0);
    next.udp = true;
    assert_int_equal(add(gro, next, 10, false), 0);
    gro_free(gro);
}

static void connections_do_not_mix(void **state)
{
    (void)state;
    struct gro *gro = gro_new(take, &sink);
    sink.packets = 0;
    for (unsigned round = 0; round < 10; round++) {
        for (unsigned c = 0; c < 8; c++) {
            struct frame_kind k = {.flags = TCP_ACK,
                                   .ipv6 = c & 1,
                                   .sequence = 7 * c + 100 * round,
                                   .source_port = (uint16_t)(1000 + c / 2)};
            assert_int_equal(add(gro, k, 100, true), 0);
        }
    }
    gro_flush(gro);
    assert_int_equal(sink.packets, 8);
    assert_int_equal(sink.size, frame_headers(&(struct frame_kind){.ipv6 = true}) + 1000);
    for (unsigned c = 0; c < 100; c++) /* more than there is room for: the oldest gives way */
        add(gro, (struct frame_kind){.flags = TCP_ACK, .source_port = (uint16_t)(1 + c)}, 5, true);
    gro_flush(gro);
    assert_int_equal(sink.packets, 108);
    gro_free(gro);
}

static void a_packet_ends_at_64_kib(void **state)
{
    (void)state;
    struct gro *gro = gro_new(take, &sink);
    struct frame_kind k = {.flags = TCP_ACK};
    unsigned emitted = 0;
    sink.packets = 0;
    for (unsigned i = 0; i < 100; i++, k.sequence += 1460)
        emitted += add(gro, k, 1460, true);
    assert_int_equal(emitted, 2);
    assert_int_equal(sink.size, frame_headers(&k) + 44 * 1460);
    k.ipv6 = true, k.sequence = 0; /* the largest that can be said */
    assert_int_equal(add(gro, k, 65535 - TCP_HEADER_SIZE, false), 0);
    gro_free(gro);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_are_those_of_words_one_by_one),
        cmocka_unit_test(a_checksum_that_is_due_is_put_in),
        cmocka_unit_test(a_checksum_of_0_is_sent_as_its_other_form),
        cmocka_unit_test(a_place_outside_the_frame_is_refused),
        cmocka_unit_test(pieces_are_whole_frames_and_have_all_of_the_payload),
        cmocka_unit_test(what_is_not_what_it_says_is_refused),
        cmocka_unit_test(noise_is_cut_or_refused),
        cmocka_unit_test(what_was_cut_is_merged_to_the_same_packet),
        cmocka_unit_test(what_does_not_follow_begins_anew),
        cmocka_unit_test(connections_do_not_mix),
        cmocka_unit_test(a_packet_ends_at_64_kib),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
