/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * The virtio network device (src/dev/virtio/virtio_net.c and its neighbours): frames in both directions,
 * and drivers that come and go meanwhile. Again: tools/run-tests unit/virtio_net_test
 */
#include "virtio_net_rig.h"

/*
 * From the guest.
 */

static void frames_are_sent_from_where_they_lie(void **state)
{
    static const uint32_t own_header[] = {HEADER}, odd[] = {1, 10, 2, 5, 1, 700};
    struct bench *b = *state;
    uint8_t frame[1514];
    struct virtio_net_header header = {0};
    fill_frame(frame, sizeof(frame), 1);
    for (EACH_RING(ring)) {
        start(b, *ring, 32);
        uint64_t table = *ring & F_INDIRECT_DESC ? VRIG_DATA + 0x20000 : 0;
        send_in_parts(b, &header, frame, sizeof(frame), 1, NULL, 0);
        comes_back(b, TRANSMIT);
        send_in_parts(b, &header, frame, sizeof(frame), 2, own_header, table);
        comes_back(b, TRANSMIT);
        send_in_parts(b, &header, frame, sizeof(frame), 7, odd, table);
        comes_back(b, TRANSMIT);
        send_in_parts(b, &header, frame, 14, 1, NULL, table);
        comes_back(b, TRANSMIT);
        assert_int_equal(b->net->sent_count, 4);
        for (unsigned i = 0; i < 3; i++)
            was_sent(b, i, frame, sizeof(frame));
        was_sent(b, 3, frame, 14);
        assert_int_equal(b->net->sent[0].pieces, 1);
        assert_int_equal(b->net->sent[1].pieces, 1);
        assert_int_equal(b->net->sent[2].pieces, 5);
        assert_true(b->net->flushes);
    }
}

static void frames_in_more_pieces_than_the_network_takes_are_put_together(void **state)
{
    struct bench *b = *state;
    uint8_t frame[300];
    uint32_t sizes[256];
    struct virtio_net_header header = {0};
    fill_frame(frame, sizeof(frame), 2);
    for (unsigned i = 0; i < 256; i++)
        sizes[i] = 1;
    start(b, 0, 256);
    send_in_parts(b, &header, frame, sizeof(frame), HEADER + NET_IOV_MAX, sizes, 0);
    comes_back(b, TRANSMIT);
    send_in_parts(b, &header, frame, sizeof(frame), HEADER + NET_IOV_MAX + 1, sizes, 0);
    comes_back(b, TRANSMIT);
    send_in_parts(b, &header, frame, sizeof(frame), 256, sizes, 0);
    comes_back(b, TRANSMIT);
    assert_int_equal(b->net->sent[0].pieces, NET_IOV_MAX);
    assert_int_equal(b->net->sent[1].pieces, 1);
    for (unsigned i = 0; i < 3; i++)
        was_sent(b, i, frame, sizeof(frame));
}

static const uint64_t all_offloads =
    NET_F_CSUM | NET_F_HOST_TSO4 | NET_F_HOST_TSO6 | NET_F_HOST_ECN | NET_F_HOST_USO;

static void checksums_and_segments_are_left_to_the_network(void **state)
{
    struct bench *b = *state;
    static uint8_t frame[NET_FRAME_MAX];
    fill_frame(frame, sizeof(frame), 3);
    frame[34 + 12] = 0x80; /* TCP with 32 bytes of header */
    frame[54 + 12] = 0x50;
    start(b, all_offloads, 8);
    send_frame(b, &(struct virtio_net_header){1, 0, 0, 0, 34, 6, 0}, frame, 100);
    /* hdr_len is not believed. */
    send_frame(b, &(struct virtio_net_header){1, 1, 9999, 1448, 34, 16, 0}, frame, 65550);
    send_frame(b, &(struct virtio_net_header){1, 0x84, 0, 1428, 54, 16, 0}, frame, 5000);
    send_frame(b, &(struct virtio_net_header){1, 5, 0, 1200, 34, 6, 0}, frame, 6000);
    send_frame(b, &(struct virtio_net_header){0, 0, 1, 2, 3, 4, 5}, frame, sizeof(frame));
    assert_int_equal(b->net->sent_count, 5);
    const struct net_offload want[5] = {
        {.csum_due = true, .csum_start = 34, .csum_offset = 6},
        {.csum_due = true,
         .csum_start = 34,
         .csum_offset = 16,
         .gso = NET_GSO_TCP4,
         .gso_size = 1448,
         .header_size = 66},
        {.csum_due = true,
         .csum_start = 54,
         .csum_offset = 16,
         .gso = NET_GSO_TCP6,
         .ecn = true,
         .gso_size = 1428,
         .header_size = 74},
        {.csum_due = true,
         .csum_start = 34,
         .csum_offset = 6,
         .gso = NET_GSO_UDP,
         .gso_size = 1200,
         .header_size = 42},
        {0},
    };
    for (unsigned i = 0; i < 5; i++) {
        const struct net_offload *o = &b->net->sent[i].offload;
        assert_int_equal(o->csum_due, want[i].csum_due);
        assert_int_equal(o->csum_start, want[i].csum_start);
        assert_int_equal(o->csum_offset, want[i].csum_offset);
        assert_int_equal(o->gso, want[i].gso);
        assert_int_equal(o->gso_size, want[i].gso_size);
        assert_int_equal(o->header_size, want[i].header_size);
        assert_int_equal(o->ecn, want[i].ecn);
        assert_false(o->csum_valid);
    }
}

/* Each is given back, and the one behind it is sent. */
static void what_makes_no_sense_is_not_sent(void **state)
{
    static const struct {
        struct virtio_net_header header;
        size_t size;
    } lies[] = {
        {{0}, 13},                      /* no frame */
        {{0}, NET_FRAME_MAX + 1},       /* none either */
        {{1, 0, 0, 0, 34, 65, 0}, 100}, /* a checksum that ends behind the frame */
        {{1, 0, 0, 0, 99, 0, 0}, 100},
        {{1, 0, 0, 0, 65535, 65535, 0}, 100},
        {{1, 2, 0, 100, 34, 16, 0}, 1000}, /* kinds of segments that there are none of */
        {{1, 3, 0, 100, 34, 6, 0}, 1000},
        {{1, 0x80, 0, 100, 34, 16, 0}, 1000},
        {{1, 127, 0, 100, 34, 16, 0}, 1000},
        {{1, 0x85, 0, 100, 34, 6, 0}, 1000}, /* UDP has no ECN */
        {{0, 1, 0, 100, 34, 16, 0}, 1000},   /* segments without checksums */
        {{1, 1, 0, 100, 34, 6, 0}, 1000},    /* at the wrong place */
        {{1, 5, 0, 100, 34, 16, 0}, 1000},
        {{1, 1, 0, 0, 34, 16, 0}, 1000},    /* of no bytes */
        {{1, 1, 0, 100, 200, 16, 0}, 1000}, /* a TCP header of 0 bytes */
        {{1, 1, 0, 100, 82, 16, 0}, 100},   /* one longer than the frame */
        {{1, 5, 0, 100, 93, 6, 0}, 100},
    };
    struct bench *b = *state;
    static uint8_t frame[NET_FRAME_MAX + 1];
    fill_frame(frame, sizeof(frame), 4);
    frame[34 + 12] = 0x50;
    frame[200 + 12] = 0x40;
    frame[82 + 12] = 0x50;
    start(b, all_offloads, 8);
    for (unsigned i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
        fake_net_forget(b->net);
        send_frame(b, &lies[i].header, frame, lies[i].size);
        send_frame(b, &(struct virtio_net_header){0}, frame, 60);
        assert_int_equal(b->net->sent_count, 1);
        was_sent(b, 0, frame, 60);
    }
    /* A buffer with nothing to read, and one that ends in the header. */
    fake_net_forget(b->net);
    struct driver_part parts[2] = {{AT_SEND, 100, true}, {AT_SEND, 5, false}};
    driver_add(&b->v->queues[TRANSMIT], &parts[0], 1, 0);
    driver_add(&b->v->queues[TRANSMIT], &parts[1], 1, 0);
    vrig_kick(b->v, TRANSMIT);
    comes_back(b, TRANSMIT);
    comes_back(b, TRANSMIT);
    assert_int_equal(b->net->sent_count, 0);
}

static void what_was_not_agreed_on_is_not_done(void **state)
{
    static const struct {
        uint64_t without;
        struct virtio_net_header header;
    } asks[] = {
        {NET_F_CSUM, {1, 0, 0, 0, 34, 16, 0}},
        {NET_F_HOST_TSO4, {1, 1, 0, 100, 34, 16, 0}},
        {NET_F_HOST_TSO6, {1, 4, 0, 100, 34, 16, 0}},
        {NET_F_HOST_USO, {1, 5, 0, 100, 34, 6, 0}},
        {NET_F_HOST_ECN, {1, 0x81, 0, 100, 34, 16, 0}},
    };
    struct bench *b = *state;
    uint8_t frame[1000];
    fill_frame(frame, sizeof(frame), 5);
    frame[34 + 12] = 0x50;
    for (unsigned i = 0; i < sizeof(asks) / sizeof(asks[0]); i++) {
        start(b, all_offloads, 8);
        send_frame(b, &asks[i].header, frame, sizeof(frame));
        assert_int_equal(b->net->sent_count, 1);
        start(b, all_offloads & ~asks[i].without, 8);
        send_frame(b, &asks[i].header, frame, sizeof(frame));
        assert_int_equal(b->net->sent_count, 0);
    }
}

static void frames_wait_for_the_network_in_their_order(void **state)
{
    struct bench *b = *state;
    uint32_t written;
    for (EACH_RING(ring)) {
        start(b, *ring, 16);
        b->net->takes = 3;
        b->net->refused = 0;
        for (unsigned i = 0; i < 10; i++) {
            uint64_t at = AT_SEND + 0x100 * i;
            memset(guest(b, at), 0, HEADER);
            memset(guest(b, at + HEADER), (int)(2 * i), 20);
            struct driver_part part = {at, HEADER + 20, false};
            assert_true(driver_add(&b->v->queues[TRANSMIT], &part, 1, 0) >= 0);
        }
        vrig_kick(b->v, TRANSMIT);
        for (unsigned i = 0; i < 3; i++)
            comes_back(b, TRANSMIT);
        fake_net_sync(b->net);
        assert_int_equal(driver_get(&b->v->queues[TRANSMIT], &written), -1);
        assert_int_equal(b->net->refused, 1);
        fake_net_take_more(b->net);
        for (unsigned i = 0; i < 7; i++)
            comes_back(b, TRANSMIT);
        assert_int_equal(b->net->sent_count, 10);
        for (unsigned i = 0; i < 10; i++)
            assert_int_equal(b->net->sent[i].bytes[5], 2 * i);
    }
}

/* More than are sent in a row, and no doorbell for the rest. */
static void long_rows_of_frames_are_sent_to_their_end(void **state)
{
    struct bench *b = *state;
    for (EACH_RING(ring)) {
        start(b, *ring, 256);
        memset(guest(b, AT_SEND), 0, HEADER + 60);
        struct driver_part part = {AT_SEND, HEADER + 60, false};
        for (unsigned i = 0; i < 256; i++)
            assert_true(driver_add(&b->v->queues[TRANSMIT], &part, 1, 0) >= 0);
        vrig_kick(b->v, TRANSMIT);
        for (unsigned i = 0; i < 256; i++)
            comes_back(b, TRANSMIT);
        assert_int_equal(b->net->sent_count, 256);
    }
}

/*
 * To the guest.
 */

static void a_frame_fills_a_buffer(void **state)
{
    struct bench *b = *state;
    uint8_t frame[1514];
    fill_frame(frame, sizeof(frame), 6);
    for (EACH_RING(ring)) {
        start(b, *ring, 8);
        offer(b, RECEIVE, AT_RECEIVE, 1600);
        offer(b, RECEIVE, AT_RECEIVE + 0x1000, 1600);
        /* While there are buffers nobody needs to hear of more. */
        fake_net_sync(b->net);
        struct driver_part part = {AT_RECEIVE + 0x2000, 1600, true};
        driver_add(&b->v->queues[RECEIVE], &part, 1, 0);
        assert_false(driver_must_kick(&b->v->queues[RECEIVE]));
        fake_net_give(b->net, frame, sizeof(frame), NULL);
        fake_net_give(b->net, frame, 60, NULL);
        struct virtio_net_header h = was_received(b, RECEIVE, AT_RECEIVE, frame, sizeof(frame));
        assert_memory_equal(&h, (&(struct virtio_net_header){.num_buffers = 1}), HEADER);
        was_received(b, RECEIVE, AT_RECEIVE + 0x1000, frame, 60);
    }
}

static void a_buffer_may_have_many_parts(void **state)
{
    struct bench *b = *state;
    uint8_t frame[200];
    fill_frame(frame, sizeof(frame), 7);
    for (EACH_RING(ring)) {
        start(b, *ring, 8);
        memset(guest(b, AT_RECEIVE), 0xee, 300);
        struct driver_part parts[4] = {{AT_RECEIVE, 5, true},
                                       {AT_RECEIVE + 5, 7, true},
                                       {AT_RECEIVE + 12, 1, true},
                                       {AT_RECEIVE + 13, 280, true}};
        driver_add(&b->v->queues[RECEIVE], parts, 4,
                   *ring & F_INDIRECT_DESC ? VRIG_DATA + 0x20000 : 0);
        vrig_kick(b->v, RECEIVE);
        fake_net_give(b->net, frame, sizeof(frame), NULL);
        was_received(b, RECEIVE, AT_RECEIVE, frame, sizeof(frame));
    }
}

/* Parts of one frame in buffers one behind the other, `counts` bytes each. */
static void was_merged(struct bench *b, const uint8_t *frame, unsigned count,
                       const uint32_t *counts)
{
    uint32_t written, at = 0;
    struct virtio_net_header header;
    memcpy(&header, guest(b, AT_RECEIVE), HEADER);
    assert_int_equal(header.num_buffers, count);
    for (unsigned i = 0; i < count; i++) {
        vrig_get_used(b->v, RECEIVE, &written);
        assert_int_equal(written, counts[i]);
        uint32_t skip = i ? 0 : HEADER;
        assert_memory_equal(guest(b, AT_RECEIVE + 0x1000 * i + skip), frame + at, written - skip);
        at += written - skip;
    }
}

static void a_frame_may_take_several_buffers(void **state)
{
    struct bench *b = *state;
    uint8_t frame[1514];
    fill_frame(frame, sizeof(frame), 8);
    for (EACH_RING(ring)) {
        start(b, *ring | NET_F_MRG_RXBUF, 8);
        for (unsigned i = 0; i < 4; i++)
            offer(b, RECEIVE, AT_RECEIVE + 0x1000 * i, 600);
        fake_net_give(b->net, frame, sizeof(frame), NULL);
        fake_net_sync(b->net);
        was_merged(b, frame, 3, (uint32_t[]){600, 600, HEADER + 1514 - 1200});
        receives_nothing(b, RECEIVE);
        /* The fourth is untouched, and is the next one's. */
        fake_net_give(b->net, frame, 100, NULL);
        was_received(b, RECEIVE, AT_RECEIVE + 0x3000, frame, 100);
    }
}

static void frames_wait_for_buffers(void **state)
{
    struct bench *b = *state;
    uint8_t frame[1514];
    fill_frame(frame, sizeof(frame), 9);
    for (EACH_RING(ring)) {
        start(b, *ring | NET_F_MRG_RXBUF, 8);
        for (unsigned round = 0; round < 10; round++) {
            fake_net_give(b->net, frame, sizeof(frame), NULL);
            receives_nothing(b, RECEIVE);
            for (unsigned i = 0; i < 2; i++) {
                offer(b, RECEIVE, AT_RECEIVE + 0x1000 * i, 600);
                receives_nothing(b, RECEIVE);
            }
            offer(b, RECEIVE, AT_RECEIVE + 0x2000, 600);
            fake_net_sync(b->net);
            was_merged(b, frame, 3, (uint32_t[]){600, 600, HEADER + 1514 - 1200});
        }
        assert_int_equal(b->net->given_count, 0);
    }
}

/* A burst is told of once, with one interrupt. */
static void many_frames_make_one_interrupt(void **state)
{
    struct bench *b = *state;
    uint8_t frame[60];
    fill_frame(frame, sizeof(frame), 10);
    for (EACH_RING(ring)) {
        start(b, *ring, 64);
        vrig_enable_msix(b->v);
        vrig_set(b->v, 0x16, 2, RECEIVE);
        vrig_set(b->v, 0x1a, 2, 1);
        driver_interrupts(&b->v->queues[RECEIVE], DRIVER_CALLS);
        for (unsigned i = 0; i < 50; i++)
            fake_net_give(b->net, frame, sizeof(frame), NULL);
        receives_nothing(b, RECEIVE);
        unsigned before = b->v->pci->messages;
        struct driver_part part = {AT_RECEIVE, 100, true};
        for (unsigned i = 0; i < 50; i++)
            assert_true(driver_add(&b->v->queues[RECEIVE], &part, 1, 0) >= 0);
        vrig_kick(b->v, RECEIVE);
        for (unsigned i = 0; i < 50; i++) {
            uint32_t written;
            vrig_get_used(b->v, RECEIVE, &written);
            assert_int_equal(written, HEADER + 60);
        }
        fake_net_sync(b->net);
        assert_int_equal(b->v->pci->messages, before + 1);
        b->v->pci->messages = 0;
    }
}

static void frames_that_can_never_fit_are_lost_and_others_are_not(void **state)
{
    struct bench *b = *state;
    uint8_t frame[1514];
    fill_frame(frame, sizeof(frame), 11);
    for (EACH_RING(ring)) {
        /* One buffer a frame, and it is too small. */
        start(b, *ring, 8);
        offer(b, RECEIVE, AT_RECEIVE, 1000);
        fake_net_give(b->net, frame, sizeof(frame), NULL);
        fake_net_give(b->net, frame, 500, NULL);
        was_received(b, RECEIVE, AT_RECEIVE, frame, 500);
        /* All buffers that the ring has room for. */
        start(b, *ring | NET_F_MRG_RXBUF, 4);
        for (unsigned i = 0; i < 4; i++)
            offer(b, RECEIVE, AT_RECEIVE + 0x1000 * i, 300);
        fake_net_give(b->net, frame, sizeof(frame), NULL);
        fake_net_give(b->net, frame, 100, NULL);
        was_received(b, RECEIVE, AT_RECEIVE, frame, 100);
    }
}

static void buffers_that_make_no_sense_harm_nobody(void **state)
{
    struct bench *b = *state;
    uint8_t frame[100];
    uint32_t written;
    fill_frame(frame, sizeof(frame), 12);
    for (EACH_RING(ring)) {
        start(b, *ring | NET_F_MRG_RXBUF, 8);
        /* Nothing to write, nothing at all, less than a header, memory to read in front. */
        struct driver_part parts[5] = {{AT_RECEIVE, 50, false},
                                       {AT_RECEIVE, 0, true},
                                       {AT_RECEIVE, 7, true},
                                       {AT_RECEIVE + 0x1000, 3, false},
                                       {AT_RECEIVE + 7, 200, true}};
        memset(guest(b, AT_RECEIVE), 0xee, 300);
        for (unsigned i = 0; i < 3; i++)
            driver_add(&b->v->queues[RECEIVE], &parts[i], 1, 0);
        driver_add(&b->v->queues[RECEIVE], &parts[3], 2, 0);
        vrig_kick(b->v, RECEIVE);
        fake_net_give(b->net, frame, sizeof(frame), NULL);
        static const uint32_t lengths[4] = {0, 0, 7, HEADER + 100 - 7};
        for (unsigned i = 0; i < 4; i++) {
            vrig_get_used(b->v, RECEIVE, &written);
            assert_int_equal(written, lengths[i]);
        }
        struct virtio_net_header header;
        memcpy(&header, guest(b, AT_RECEIVE), HEADER);
        assert_int_equal(header.num_buffers, 4);
        assert_memory_equal(guest(b, AT_RECEIVE + HEADER), frame, sizeof(frame));
    }
}

static void the_network_hears_what_the_driver_takes(void **state)
{
    static const struct {
        uint64_t agreed;
        unsigned features;
    } cases[] = {
        {0, 0},
        {NET_F_GUEST_CSUM, NET_CSUM},
        {NET_F_GUEST_CSUM | NET_F_GUEST_TSO4 | NET_F_GUEST_ECN, NET_CSUM | NET_TSO4},
        {NET_F_GUEST_CSUM | NET_F_GUEST_TSO6 | NET_F_GUEST_ECN, NET_CSUM | NET_TSO6},
        /* Without ECN such segments may not come, and these are not told apart. */
        {NET_F_GUEST_CSUM | NET_F_GUEST_TSO4 | NET_F_GUEST_TSO6, NET_CSUM},
        {NET_F_GUEST_CSUM | NET_F_GUEST_USO4, NET_CSUM},
        {NET_F_GUEST_CSUM | NET_F_GUEST_USO4 | NET_F_GUEST_USO6, NET_CSUM | NET_USO},
        {NET_F_GUEST_TSO4 | NET_F_GUEST_ECN, 0}, /* segments need checksums */
    };
    struct bench *b = *state;
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        start(b, cases[i].agreed, 8);
        assert_int_equal(b->net->features, cases[i].features);
        vrig_reset(b->v);
        fake_net_sync(b->net);
        assert_int_equal(b->net->features, 0);
    }
}

static void received_frames_say_what_is_left_to_do(void **state)
{
    struct bench *b = *state;
    uint8_t frame[1000];
    fill_frame(frame, sizeof(frame), 13);
    const struct {
        struct net_offload offload;
        struct virtio_net_header header;
    } cases[] = {
        {{.csum_valid = true}, {.flags = 2}},
        {{.csum_due = true, .csum_start = 34, .csum_offset = 16},
         {.flags = 1, .csum_start = 34, .csum_offset = 16}},
        {{.csum_due = true, .csum_valid = true, .csum_start = 34, .csum_offset = 6},
         {.flags = 1, .csum_start = 34, .csum_offset = 6}},
        {{.csum_due = true,
          .csum_start = 34,
          .csum_offset = 16,
          .gso = NET_GSO_TCP4,
          .gso_size = 500,
          .header_size = 54},
         {1, 1, 54, 500, 34, 16, 0}},
        {{.csum_due = true,
          .csum_start = 54,
          .csum_offset = 16,
          .gso = NET_GSO_TCP6,
          .ecn = true,
          .gso_size = 400,
          .header_size = 74},
         {1, 0x84, 74, 400, 54, 16, 0}},
        {{.csum_due = true,
          .csum_start = 34,
          .csum_offset = 6,
          .gso = NET_GSO_UDP,
          .gso_size = 300,
          .header_size = 42},
         {1, 5, 42, 300, 34, 6, 0}},
    };
    start(b, NET_F_GUEST_OFFLOADS, 8);
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        offer(b, RECEIVE, AT_RECEIVE, 1100);
        fake_net_give(b->net, frame, sizeof(frame), &cases[i].offload);
        struct virtio_net_header h = was_received(b, RECEIVE, AT_RECEIVE, frame, sizeof(frame));
        struct virtio_net_header want = cases[i].header;
        want.num_buffers = 1;
        assert_memory_equal(&h, &want, HEADER);
    }
    /* A driver that takes none of it gets none of it. */
    start(b, 0, 8);
    offer(b, RECEIVE, AT_RECEIVE, 1100);
    for (unsigned i = 1; i < sizeof(cases) / sizeof(cases[0]); i++)
        fake_net_give(b->net, frame, sizeof(frame), &cases[i].offload);
    receives_nothing(b, RECEIVE);
    fake_net_give(b->net, frame, 60, &cases[0].offload);
    struct virtio_net_header h = was_received(b, RECEIVE, AT_RECEIVE, frame, 60);
    assert_int_equal(h.flags, 0);
}

/*
 * Resets.
 */

static void resets_end_what_was_under_way(void **state)
{
    struct bench *b = *state;
    uint8_t frame[1514];
    uint32_t written;
    fill_frame(frame, sizeof(frame), 14);
    for (EACH_RING(ring)) {
        /* A frame that waits for buffers, and one that waits for the network. */
        start(b, *ring | NET_F_MRG_RXBUF, 8);
        b->net->takes = 0;
        send_in_parts(b, &(struct virtio_net_header){0}, frame, 100, 1, NULL, 0);
        offer(b, RECEIVE, AT_RECEIVE, 600);
        fake_net_give(b->net, frame, sizeof(frame), NULL);
        fake_net_sync(b->net);
        vrig_reset(b->v);
        fake_net_sync(b->net);
        assert_int_equal(b->net->given_count, 0);
        assert_int_equal(driver_get(&b->v->queues[RECEIVE], &written), -1);
        /* They are gone for the next driver. */
        start(b, *ring, 8);
        fake_net_take_more(b->net);
        assert_int_equal(b->net->sent_count, 0);
        offer(b, RECEIVE, AT_RECEIVE, 600);
        receives_nothing(b, RECEIVE);
        fake_net_give(b->net, frame, 200, NULL);
        was_received(b, RECEIVE, AT_RECEIVE, frame, 200);
        send_frame(b, &(struct virtio_net_header){0}, frame, 150);
        was_sent(b, 0, frame, 150);
    }
}

static void frames_for_nobody_are_dropped(void **state)
{
    struct bench *b = *state;
    uint8_t frame[100];
    fill_frame(frame, sizeof(frame), 15);
    fake_net_give(b->net, frame, sizeof(frame), NULL);
    fake_net_sync(b->net);
    assert_int_equal(b->net->given_count, 0);
    /* One queue alone is reset, and comes again. */
    start(b, F_RING_RESET, 8);
    vrig_set(b->v, 0x16, 2, RECEIVE);
    vrig_set(b->v, 0x3a, 2, 1);
    fake_net_give(b->net, frame, sizeof(frame), NULL);
    fake_net_sync(b->net);
    assert_int_equal(b->net->given_count, 0);
    vrig_queue(b->v, RECEIVE, 4);
    offer(b, RECEIVE, AT_RECEIVE, 600);
    fake_net_give(b->net, frame, sizeof(frame), NULL);
    was_received(b, RECEIVE, AT_RECEIVE, frame, sizeof(frame));
}

/* On the network's thread, so that the card cannot see meanwhile that there is another driver. */
static void change_driver_and_receive(void *state)
{
    struct bench *b = state;
    uint8_t frame[60] = {0};
    struct iovec iov = {frame, sizeof(frame)};
    struct net_packet packet = {
        .iov = &iov, .iov_count = 1, .size = sizeof(frame), .offload.csum_valid = true};
    vrig_negotiate(b->v, 0);
    vrig_queue(b->v, RECEIVE, 8);
    struct driver_part part = {AT_RECEIVE, 600, true};
    driver_add(&b->v->queues[RECEIVE], &part, 1, 0);
    vrig_go(b->v);
    assert_true(b->net->card.ops->receive(b->net->card.state, &packet));
    b->net->card.ops->received(b->net->card.state);
}

static void a_frame_between_two_drivers_is_nobodys(void **state)
{
    struct bench *b = *state;
    uint8_t frame[100];
    fill_frame(frame, sizeof(frame), 18);
    start(b, NET_F_GUEST_OFFLOADS | NET_F_MRG_RXBUF, 8);
    net_run(b->net, change_driver_and_receive, b);
    receives_nothing(b, RECEIVE);
    memset(guest(b, AT_RECEIVE), 0xee, 600);
    fake_net_give(b->net, frame, sizeof(frame), &(struct net_offload){.csum_valid = true});
    struct virtio_net_header h = was_received(b, RECEIVE, AT_RECEIVE, frame, sizeof(frame));
    assert_int_equal(h.flags, 0);
}

/* Drivers come and go while frames go both ways; each finds the card as it should be. */
static void drivers_change_while_frames_come_and_go(void **state)
{
    struct bench *b = *state;
    uint8_t frame[1000];
    fill_frame(frame, sizeof(frame), 16);
    for (unsigned round = 0; round < 200; round++) {
        uint64_t features = rings[round % 4] | (round & 4 ? NET_F_MRG_RXBUF : 0) |
                            (round & 8 ? NET_F_MQ | NET_F_CTRL_VQ : 0);
        vrig_negotiate(b->v, features);
        for (unsigned i = 0; i < (features & NET_F_MQ ? 2 * HARTS + 1 : 3); i++)
            vrig_queue(b->v, i, 16);
        vrig_go(b->v);
        struct driver_part out = {AT_SEND, HEADER + 500, false};
        memset(guest(b, AT_SEND), 0, HEADER);
        memcpy(guest(b, AT_SEND + HEADER), frame, 500);
        for (unsigned i = 0; i < 16; i++) {
            struct driver_part in = {AT_RECEIVE + 0x1000 * i, 700, true};
            driver_add(&b->v->queues[RECEIVE], &in, 1, 0);
            driver_add(&b->v->queues[TRANSMIT], &out, 1, 0);
            vrig_kick(b->v, RECEIVE);
            vrig_kick(b->v, TRANSMIT);
            if (i % 4 == 1)
                fake_net_give(b->net, frame, i % 8 == 1 ? 1000 : 300, NULL);
        }
        assert_int_equal(vrig_status(b->v) & STATUS_BROKEN, 0);
    }
    start(b, F_EVENT_IDX, 8);
    b->net->sent_count = 0;
    send_frame(b, &(struct virtio_net_header){0}, frame, 150);
    was_sent(b, 0, frame, 150);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BENCH(frames_are_sent_from_where_they_lie),
        ON_BENCH(frames_in_more_pieces_than_the_network_takes_are_put_together),
        ON_BENCH(checksums_and_segments_are_left_to_the_network),
        ON_BENCH(what_makes_no_sense_is_not_sent),
        ON_BENCH(what_was_not_agreed_on_is_not_done),
        ON_BENCH(frames_wait_for_the_network_in_their_order),
        ON_BENCH(long_rows_of_frames_are_sent_to_their_end),
        ON_BENCH(a_frame_fills_a_buffer),
        ON_BENCH(a_buffer_may_have_many_parts),
        ON_BENCH(a_frame_may_take_several_buffers),
        ON_BENCH(frames_wait_for_buffers),
        ON_BENCH(many_frames_make_one_interrupt),
        ON_BENCH(frames_that_can_never_fit_are_lost_and_others_are_not),
        ON_BENCH(buffers_that_make_no_sense_harm_nobody),
        ON_BENCH(the_network_hears_what_the_driver_takes),
        ON_BENCH(received_frames_say_what_is_left_to_do),
        ON_BENCH(resets_end_what_was_under_way),
        ON_BENCH(frames_for_nobody_are_dropped),
        ON_BENCH(a_frame_between_two_drivers_is_nobodys),
        ON_BENCH(drivers_change_while_frames_come_and_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
