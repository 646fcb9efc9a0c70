/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * The virtio network device (src/dev/virtio/virtio_net.c and its neighbours), between a driver that does
 * what kernels do and a network whose other end is this test.
 * Again: tools/run-tests unit/virtio_net_test
 */
#include "dev/virtio/virtio_net.h"
#include "dev/virtio/virtio_net_parts.h"
#include "fake_net.h"
#include "virtio_rig.h"
#include <stdio.h>

#define HEADER 12
#define HARTS 3

/* Where frames that the driver sends lie, and buffers to receive into. */
#define AT_SEND VRIG_DATA
#define AT_RECEIVE (VRIG_DATA + 0x40000)

enum { RECEIVE = 0, TRANSMIT = 1 };
enum { CONTROL_ALONE = 2, CONTROL = 2 * HARTS };

static const uint8_t mac[NET_ADDRESS_SIZE] = {0x52, 0x54, 0, 1, 2, 3};

struct bench {
    struct net *net;
    struct vrig *v;
};

static int setup(void **state)
{
    struct bench *b = calloc(1, sizeof(*b));
    b->net = fake_net_new();
    struct net_card_config config = {.net = b->net, .harts = HARTS};
    memcpy(config.mac, mac, sizeof(mac));
    b->v = vrig_new(virtio_net_new(&config, NULL));
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    struct bench *b = *state;
    vrig_free(b->v);
    fake_net_free(b->net);
    free(b);
    return 0;
}

/* Every kind of ring. */
static const uint64_t rings[] = {0, F_EVENT_IDX | F_INDIRECT_DESC, F_RING_PACKED,
                                 F_RING_PACKED | F_EVENT_IDX | F_INDIRECT_DESC};
#define EACH_RING(r) \
    const uint64_t *r = rings; \
    r < rings + sizeof(rings) / sizeof(rings[0]); \
    r++

static void start(struct bench *b, uint64_t features, uint16_t size)
{
    vrig_negotiate(b->v, features);
    for (unsigned i = 0; i < (features & NET_F_MQ ? 2 * HARTS + 1 : 3); i++)
        vrig_queue(b->v, i, size);
    vrig_go(b->v);
    fake_net_sync(b->net);
    fake_net_forget(b->net);
}

static void *guest(struct bench *b, uint64_t address)
{
    return driver_at(&b->v->queues[0], address);
}

static void fill_frame(uint8_t *frame, size_t size, unsigned seed)
{
    for (size_t i = 0; i < size; i++)
        frame[i] = (uint8_t)(seed + i * 7 + (i >> 8));
    frame[0] &= 0xfe;
}

/* Puts header and frame in memory, makes `count` parts of `sizes` bytes of it, the last takes the rest. */
static void send_in_parts(struct bench *b, const struct virtio_net_header *header,
                          const uint8_t *frame, size_t size, unsigned count, const uint32_t *sizes,
                          uint64_t table)
{
    struct driver_part parts[DRIVER_SIZE_MAX];
    uint64_t at = AT_SEND, end = AT_SEND + HEADER + size;
    memcpy(guest(b, at), header, HEADER);
    memcpy(guest(b, at + HEADER), frame, size);
    for (unsigned i = 0; i < count; i++) {
        uint64_t n = i + 1 < count ? sizes[i] : end - at;
        parts[i] = (struct driver_part){at, (uint32_t)n, false};
        at += n;
    }
    assert_int_equal(at, end);
    assert_true(driver_add(&b->v->queues[TRANSMIT], parts, count, table) >= 0);
    vrig_kick(b->v, TRANSMIT);
}

static void comes_back(struct bench *b, unsigned queue)
{
    uint32_t written;
    vrig_get_used(b->v, queue, &written);
    assert_int_equal(written, 0);
}

static void send_frame(struct bench *b, const struct virtio_net_header *header,
                       const uint8_t *frame, size_t size)
{
    send_in_parts(b, header, frame, size, 1, NULL, 0);
    comes_back(b, TRANSMIT);
}

static void was_sent(struct bench *b, unsigned index, const uint8_t *frame, size_t size)
{
    assert_true(b->net->sent_count > index);
    assert_int_equal(b->net->sent[index].size, size);
    assert_memory_equal(b->net->sent[index].bytes, frame, size);
}

/* A buffer to receive into. */
static void offer(struct bench *b, unsigned queue, uint64_t at, uint32_t size)
{
    struct driver_part part = {at, size, true};
    memset(guest(b, at), 0xee, size);
    assert_true(driver_add(&b->v->queues[queue], &part, 1, 0) >= 0);
    vrig_kick(b->v, queue);
}

/* It comes back with header and frame, all in one; the header. */
static struct virtio_net_header was_received(struct bench *b, unsigned queue, uint64_t at,
                                             const uint8_t *frame, size_t size)
{
    struct virtio_net_header header;
    uint32_t written;
    vrig_get_used(b->v, queue, &written);
    assert_int_equal(written, HEADER + size);
    memcpy(&header, guest(b, at), HEADER);
    assert_memory_equal(guest(b, at + HEADER), frame, size);
    assert_int_equal(*(uint8_t *)guest(b, at + HEADER + size), 0xee);
    return header;
}

static void receives_nothing(struct bench *b, unsigned queue)
{
    uint32_t written;
    fake_net_sync(b->net);
    assert_int_equal(driver_get(&b->v->queues[queue], &written), -1);
}

/*
 * Configuration.
 */

static uint32_t config(struct bench *b, unsigned offset, unsigned size)
{
    return (uint32_t)rig_read(b->v->pci, b->v->device + offset, size);
}

static void configuration_says_what_the_card_is(void **state)
{
    struct bench *b = *state;
    vrig_negotiate(b->v, NET_F_MAC | NET_F_STATUS | NET_F_MQ | NET_F_MTU | NET_F_SPEED_DUPLEX);
    for (unsigned i = 0; i < sizeof(mac); i++)
        assert_int_equal(config(b, i, 1), mac[i]);
    assert_int_equal(config(b, 6, 2), 1);
    assert_int_equal(config(b, 8, 2), HARTS);
    assert_int_equal(config(b, 10, 2), 1500);
    assert_int_equal(config(b, 12, 4), 10000);
    assert_int_equal(config(b, 16, 1), 1);
    assert_int_equal(vrig_get(b->v, 0x12, 2), 2 * HARTS + 1);
    assert_int_equal(vrig_config(b->v, 0x00, 4), 0x10411af4);
    assert_int_equal(vrig_config(b->v, 0x0a, 2), 0x0200);
    rig_write(b->v->pci, b->v->device, 1, 0x99); /* nothing in it is the driver's */
    assert_int_equal(config(b, 0, 1), mac[0]);
}

static void one_hart_has_one_pair_of_queues(void **state)
{
    (void)state;
    struct net *net = fake_net_new();
    net->mtu = 70000;
    struct net_card_config how = {.net = net, .harts = 0};
    struct bench b = {net, vrig_new(virtio_net_new(&how, NULL))};
    assert_int_equal(vrig_get(b.v, 0x12, 2), 3);
    assert_false(vrig_offered(b.v) & NET_F_MQ);
    assert_int_equal(config(&b, 8, 2), 1);
    assert_int_equal(config(&b, 10, 2), 65535);
    vrig_free(b.v);
    fake_net_free(net);
    net = fake_net_new();
    how = (struct net_card_config){.net = net, .harts = 1000};
    b = (struct bench){net, vrig_new(virtio_net_new(&how, NULL))};
    assert_int_equal(vrig_get(b.v, 0x12, 2), 127);
    vrig_free(b.v);
    fake_net_free(net);
}

static void the_link_is_told_to_this_driver_and_the_next(void **state)
{
    struct bench *b = *state;
    start(b, NET_F_STATUS, 8);
    rig_read(b->v->pci, b->v->isr, 1);
    net_set_link(b->net, false);
    assert_int_equal(config(b, 6, 2), 0);
    assert_int_equal(rig_read(b->v->pci, b->v->isr, 1), ISR_CONFIG);
    net_set_link(b->net, false);
    assert_int_equal(rig_read(b->v->pci, b->v->isr, 1), 0);
    vrig_reset(b->v);
    assert_int_equal(config(b, 6, 2), 0);
    net_set_link(b->net, true);
    assert_int_equal(config(b, 6, 2), 1);
}

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

/*
 * Commands.
 */

/* The answer; 0xff: none. */
static uint8_t command(struct bench *b, unsigned queue, uint8_t class, uint8_t number,
                       const void *data, uint32_t size)
{
    uint8_t bytes[1024] = {class, number};
    memcpy(bytes + 2, data, size);
    *(uint8_t *)guest(b, VRIG_DATA + 0x30000) = 0xff;
    assert_int_equal(vrig_send(b->v, queue, bytes, 2 + size, VRIG_DATA + 0x30000, 1), 1);
    return *(uint8_t *)guest(b, VRIG_DATA + 0x30000);
}

static const uint64_t commands_of_all =
    NET_F_CTRL_VQ | NET_F_CTRL_RX | NET_F_CTRL_RX_EXTRA | NET_F_CTRL_VLAN | NET_F_CTRL_MAC_ADDR |
    NET_F_MQ | NET_F_GUEST_ANNOUNCE | NET_F_CTRL_GUEST_OFFLOADS | NET_F_GUEST_OFFLOADS;

static void commands_are_answered(void **state)
{
    static const struct {
        uint8_t class, number;
        uint32_t size;
        uint8_t data[16];
        uint8_t answer;
        uint64_t feature; /* without it: an error */
    } cases[] = {
        {0, 0, 1, {1}, 0, NET_F_CTRL_RX},
        {0, 1, 1, {1}, 0, NET_F_CTRL_RX},
        {0, 2, 1, {1}, 0, NET_F_CTRL_RX_EXTRA},
        {0, 5, 1, {0}, 0, NET_F_CTRL_RX_EXTRA},
        {0, 6, 1, {1}, 1, 0},
        {0, 0, 0, {0}, 1, 0},
        {1, 0, 8, {0}, 0, NET_F_CTRL_RX},
        {1, 0, 14, {1, 0, 0, 0, 2, 2, 2, 2, 2, 2}, 0, NET_F_CTRL_RX},
        {1, 0, 7, {0}, 1, 0},
        {1, 0, 8, {1}, 1, 0},
        {1, 0, 8, {0, 0, 0, 0, 1}, 1, 0},
        {1, 0, 8, {0xff, 0xff, 0xff, 0xff}, 1, 0},
        {1, 0, 8, {0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff}, 1, 0},
        {1, 0, 14, {0, 0, 0, 0, 2, 0, 0, 0, 1, 1, 1, 1, 1, 1}, 1, 0},
        {1, 0, 0, {0}, 1, 0},
        {1, 1, 6, {2, 0, 0, 0, 0, 1}, 0, NET_F_CTRL_MAC_ADDR},
        {1, 1, 6, {3, 0, 0, 0, 0, 1}, 1, 0}, /* of a group */
        {1, 1, 5, {2, 0, 0, 0, 0}, 1, 0},
        {1, 2, 6, {2}, 1, 0},
        {2, 0, 2, {0xff, 0x0f}, 0, NET_F_CTRL_VLAN},
        {2, 1, 2, {0xff, 0x0f}, 0, NET_F_CTRL_VLAN},
        {2, 0, 2, {0x00, 0x10}, 1, 0},
        {2, 0, 1, {1}, 1, 0},
        {2, 2, 2, {1}, 1, 0},
        {3, 0, 0, {0}, 0, NET_F_GUEST_ANNOUNCE},
        {4, 0, 2, {HARTS}, 0, NET_F_MQ},
        {4, 0, 2, {0}, 1, 0},
        {4, 0, 2, {HARTS + 1}, 1, 0},
        {4, 0, 2, {1, 1}, 1, 0},
        {4, 0, 1, {1}, 1, 0},
        {4, 1, 2, {1}, 1, 0},
        {5, 0, 8, {0x82, 3, 0, 0, 0, 0, 0xc0, 0}, 0, NET_F_CTRL_GUEST_OFFLOADS},
        {5, 0, 8, {0}, 0, NET_F_CTRL_GUEST_OFFLOADS},
        {5, 0, 8, {0, 4}, 1, 0}, /* UFO, which is not offered */
        {5, 0, 8, {1}, 1, 0},
        {5, 0, 7, {0}, 1, 0},
        {6, 0, 8, {0}, 1, 0},
        {255, 255, 8, {0}, 1, 0},
    };
    struct bench *b = *state;
    for (unsigned without = 0; without < 2; without++) {
        for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
            if (without && !cases[i].feature)
                continue;
            start(b, commands_of_all & ~(without ? cases[i].feature : 0), 8);
            unsigned queue = b->v->features & NET_F_MQ ? CONTROL : CONTROL_ALONE;
            assert_int_equal(
                command(b, queue, cases[i].class, cases[i].number, cases[i].data, cases[i].size),
                without ? 1 : cases[i].answer);
        }
    }
}

static void commands_without_room_for_an_answer_or_a_beginning_harm_nobody(void **state)
{
    struct bench *b = *state;
    for (EACH_RING(ring)) {
        start(b, *ring | commands_of_all, 8);
        assert_int_equal(vrig_send(b->v, CONTROL, "\0\0\1", 3, 0, 0), 0);
        assert_int_equal(vrig_send(b->v, CONTROL, "", 1, VRIG_DATA + 0x30000, 9), 1);
        assert_int_equal(vrig_send(b->v, CONTROL, NULL, 0, VRIG_DATA + 0x30000, 9), 1);
        assert_int_equal(*(uint8_t *)guest(b, VRIG_DATA + 0x30000), 1);
        assert_int_equal(command(b, CONTROL, 0, 0, "\1", 1), 0);
    }
}

static void give_to(struct bench *b, const uint8_t *to, uint16_t vlan, bool passes)
{
    uint8_t frame[64] = {0};
    uint32_t written;
    memcpy(frame, to, 6);
    frame[12] = vlan ? 0x81 : 0x08;
    frame[14] = (uint8_t)(vlan >> 8);
    frame[15] = (uint8_t)vlan;
    fake_net_give(b->net, frame, sizeof(frame), NULL);
    fake_net_sync(b->net);
    int id = driver_get(&b->v->queues[RECEIVE], &written);
    if (id >= 0)
        offer(b, RECEIVE, AT_RECEIVE, 100);
    assert_int_equal(id >= 0, passes);
}

static void the_driver_chooses_what_it_receives(void **state)
{
    static const uint8_t other[6] = {2, 0, 0, 0, 0, 1}, third[6] = {2, 0, 0, 0, 0, 2},
                         all[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, group[6] = {1, 0, 0x5e},
                         group2[6] = {1, 0, 0x5f};
    struct bench *b = *state;
    start(b, commands_of_all, 8);
    offer(b, RECEIVE, AT_RECEIVE, 100);
    give_to(b, third, 5, true); /* everything until something is said */
    command(b, CONTROL, 0, 0, "", 1);
    give_to(b, mac, 0, true);
    give_to(b, all, 0, true);
    give_to(b, other, 0, false);
    give_to(b, group, 0, false);
    uint8_t tables[4 + 6 + 4 + 6] = {1};
    memcpy(tables + 4, other, 6);
    tables[10] = 1;
    memcpy(tables + 14, group, 6);
    assert_int_equal(command(b, CONTROL, 1, 0, tables, sizeof(tables)), 0);
    give_to(b, other, 0, true);
    give_to(b, third, 0, false);
    give_to(b, group, 0, true);
    give_to(b, group2, 0, false);
    command(b, CONTROL, 0, 1, "\1", 1);
    give_to(b, group2, 0, true);
    command(b, CONTROL, 0, 3, "\1", 1);
    give_to(b, group, 0, false);
    command(b, CONTROL, 0, 5, "\1", 1);
    give_to(b, all, 0, false);
    command(b, CONTROL, 0, 2, "\1", 1);
    give_to(b, third, 0, true);
    command(b, CONTROL, 0, 2, "", 1);
    command(b, CONTROL, 0, 4, "\1", 1);
    give_to(b, mac, 0, false);
    command(b, CONTROL, 0, 4, "", 1);
    command(b, CONTROL, 1, 1, third, 6);
    give_to(b, third, 0, true);
    give_to(b, mac, 0, false);
    give_to(b, third, 0x2005, false); /* VLAN 5, with a priority */
    command(b, CONTROL, 2, 0, "\5", 2);
    give_to(b, third, 0x2005, true);
    give_to(b, third, 6, false);
    give_to(b, third, 0x2000, true);
    command(b, CONTROL, 2, 1, "\5", 2);
    give_to(b, third, 0x2005, false);
    /* The next driver finds nothing of it. */
    start(b, NET_F_CTRL_VQ | NET_F_CTRL_RX | NET_F_MQ, 8);
    offer(b, RECEIVE, AT_RECEIVE, 100);
    command(b, CONTROL, 0, 0, "", 1);
    give_to(b, mac, 6, true);
    give_to(b, third, 6, false);
    give_to(b, group, 0, false);
}

static void longer_tables_than_there_is_room_for_let_all_pass(void **state)
{
    static const uint8_t station[6] = {2, 9}, group[6] = {1, 9}, named[6] = {1, 8};
    struct bench *b = *state;
    uint8_t tables[4 + 65 * 6 + 4 + 65 * 6];
    start(b, commands_of_all, 8);
    offer(b, RECEIVE, AT_RECEIVE, 100);
    command(b, CONTROL, 0, 0, "", 1);
    for (uint8_t count = 64; count <= 65; count++) {
        /* Of stations, with a group behind them. */
        memset(tables, 0, sizeof(tables));
        tables[0] = count;
        for (uint8_t i = 0; i < count; i++)
            memcpy(tables + 4 + 6 * i, (uint8_t[6]){2, 0, 0, 0, 0, i}, 6);
        tables[4 + 6 * count] = 1;
        memcpy(tables + 8 + 6 * count, named, 6);
        assert_int_equal(command(b, CONTROL, 1, 0, tables, 14 + 6 * count), 0);
        give_to(b, station, 0, count == 65);
        give_to(b, (uint8_t[6]){2, 0, 0, 0, 0, 63}, 0, true);
        give_to(b, group, 0, false);
        give_to(b, named, 0, true);
        /* Of groups. */
        memset(tables, 0, sizeof(tables));
        tables[4] = count;
        for (uint8_t i = 0; i < count; i++)
            memcpy(tables + 8 + 6 * i, (uint8_t[6]){1, 0, 0, 0, 0, i}, 6);
        assert_int_equal(command(b, CONTROL, 1, 0, tables, 8 + 6 * count), 0);
        give_to(b, group, 0, count == 65);
        give_to(b, (uint8_t[6]){1, 0, 0, 0, 0, 63}, 0, true);
        give_to(b, station, 0, false);
    }
}

static void offloads_change_while_the_driver_runs(void **state)
{
    struct bench *b = *state;
    uint8_t frame[100];
    uint64_t on = NET_F_GUEST_CSUM;
    fill_frame(frame, sizeof(frame), 17);
    start(b, commands_of_all, 8);
    assert_int_equal(b->net->features, NET_CSUM | NET_TSO4 | NET_TSO6 | NET_USO);
    assert_int_equal(command(b, CONTROL, 5, 0, &on, 8), 0);
    assert_int_equal(b->net->features, NET_CSUM);
    /* One that was under way. */
    offer(b, RECEIVE, AT_RECEIVE, 200);
    struct net_offload gso = {.csum_due = true, .gso = NET_GSO_TCP4, .gso_size = 10};
    fake_net_give(b->net, frame, sizeof(frame), &gso);
    receives_nothing(b, RECEIVE);
    on = NET_F_GUEST_OFFLOADS;
    command(b, CONTROL, 5, 0, &on, 8);
    fake_net_give(b->net, frame, sizeof(frame), &gso);
    was_received(b, RECEIVE, AT_RECEIVE, frame, sizeof(frame));
}

static void a_cable_that_is_plugged_in_again_is_announced(void **state)
{
    struct bench *b = *state;
    start(b, commands_of_all | NET_F_STATUS, 8);
    net_set_link(b->net, false);
    net_set_link(b->net, true);
    assert_int_equal(config(b, 6, 2), 3);
    assert_int_equal(command(b, CONTROL, 3, 0, "", 0), 0);
    fake_net_sync(b->net);
    assert_int_equal(config(b, 6, 2), 1);
    net_set_link(b->net, false);
    net_set_link(b->net, true);
    start(b, NET_F_STATUS, 8);
    assert_int_equal(config(b, 6, 2), 1);
    net_set_link(b->net, false);
    net_set_link(b->net, true);
    assert_int_equal(config(b, 6, 2), 1);
}

/*
 * Several queues.
 */

/* A frame between two ports; the other way with `back`. */
static void make_flow(uint8_t *frame, uint16_t type, uint8_t port, bool back)
{
    memset(frame, 0, 100);
    frame[12] = (uint8_t)(type >> 8);
    frame[13] = (uint8_t)type;
    uint8_t *ip = frame + 14, *ports;
    if (type == 0x8100) {
        frame[16] = 8;
        ip += 4;
    }
    if (type == 0x86dd) {
        ip[6] = 6;
        ip[8 + 15] = back ? 2 : 1;
        ip[24 + 15] = back ? 1 : 2;
        ports = ip + 40;
    } else {
        ip[0] = 0x46; /* with options */
        ip[9] = 17;
        ip[15] = back ? 2 : 1;
        ip[19] = back ? 1 : 2;
        ports = ip + 24;
    }
    ports[back ? 3 : 1] = port;
    ports[back ? 0 : 2] = 99;
}

static void answers_come_to_the_queue_that_asked(void **state)
{
    static const uint16_t types[] = {0x0800, 0x86dd, 0x8100};
    struct bench *b = *state;
    uint8_t frame[100];
    for (EACH_RING(ring)) {
        start(b, *ring | commands_of_all, 8);
        for (unsigned i = 0; i < HARTS; i++)
            offer(b, 2 * i, AT_RECEIVE + 0x1000 * i, 200);
        assert_int_equal(command(b, CONTROL, 4, 0, (uint8_t[]){HARTS, 0}, 2), 0);
        for (unsigned i = 0; i < 3 * HARTS; i++) {
            unsigned pair = i % HARTS;
            uint16_t type = types[i / HARTS];
            make_flow((uint8_t *)guest(b, AT_SEND) + HEADER, type, (uint8_t)i, false);
            memset(guest(b, AT_SEND), 0, HEADER);
            struct driver_part part = {AT_SEND, HEADER + 100, false};
            driver_add(&b->v->queues[2 * pair + 1], &part, 1, 0);
            vrig_kick(b->v, 2 * pair + 1);
            comes_back(b, 2 * pair + 1);
            make_flow(frame, type, (uint8_t)i, true);
            fake_net_give(b->net, frame, sizeof(frame), NULL);
            was_received(b, 2 * pair, AT_RECEIVE + 0x1000 * pair, frame, sizeof(frame));
            offer(b, 2 * pair, AT_RECEIVE + 0x1000 * pair, 200);
        }
        /* Queues that are no longer in use get nothing. */
        assert_int_equal(command(b, CONTROL, 4, 0, (uint8_t[]){1, 0}, 2), 0);
        for (unsigned i = 0; i < HARTS; i++) {
            make_flow(frame, 0x0800, (uint8_t)i, true);
            fake_net_give(b->net, frame, sizeof(frame), NULL);
            was_received(b, 0, AT_RECEIVE, frame, sizeof(frame));
            offer(b, 0, AT_RECEIVE, 200);
        }
    }
}

static void connections_that_nobody_asked_for_are_spread_and_stay(void **state)
{
    (void)state;
    struct net_steer steer;
    unsigned got[4] = {0};
    uint8_t frame[100];
    net_steer_reset(&steer);
    for (unsigned i = 0; i < 256; i++) {
        make_flow(frame, 0x0800, (uint8_t)i, true);
        unsigned pair = net_steer_received(&steer, frame, 4);
        assert_in_range(pair, 0, 3);
        assert_int_equal(net_steer_received(&steer, frame, 4), pair);
        got[pair]++;
    }
    for (unsigned i = 0; i < 4; i++)
        assert_true(got[i] > 30);
    /* A fragment goes by its addresses: what stands where ports would be does not count. */
    make_flow(frame, 0x0800, 1, false);
    frame[14 + 6] = 0x20;
    unsigned pair = net_steer_received(&steer, frame, 63);
    for (unsigned i = 0; i < 256; i++) {
        make_flow(frame, 0x0800, (uint8_t)i, false);
        frame[14 + 6] = 0x20;
        assert_int_equal(net_steer_received(&steer, frame, 63), pair);
    }
}

#define ON_BENCH(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BENCH(configuration_says_what_the_card_is),
        cmocka_unit_test(one_hart_has_one_pair_of_queues),
        ON_BENCH(the_link_is_told_to_this_driver_and_the_next),
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
        ON_BENCH(commands_are_answered),
        ON_BENCH(commands_without_room_for_an_answer_or_a_beginning_harm_nobody),
        ON_BENCH(the_driver_chooses_what_it_receives),
        ON_BENCH(longer_tables_than_there_is_room_for_let_all_pass),
        ON_BENCH(offloads_change_while_the_driver_runs),
        ON_BENCH(a_cable_that_is_plugged_in_again_is_announced),
        ON_BENCH(answers_come_to_the_queue_that_asked),
        cmocka_unit_test(connections_that_nobody_asked_for_are_spread_and_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
