/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Frames through the rings of an RTL8169 (src/dev/rtl8169), both ways: pieces, checksums, segmentation,
 * tags, filters, and what happens when one side has no room.
 * Again: tools/run-tests unit/rtl8169_frames_test
 */
#include "rtl8169_rig.h"

/*
 * Sending
 */

static void a_frame_goes_out_and_its_descriptor_comes_back(void **state)
{
    struct card *c = *state;
    uint8_t frame[200];
    make_frame(frame, sizeof(frame), 0x88b5);
    for (unsigned i = 0; i < 2 * CARD_ENTRIES; i++) { /* around the ring */
        frame[20] = (uint8_t)i;
        card_put(c, i % CARD_ENTRIES, frame, sizeof(frame), DESC_FS | DESC_LS, 0);
        card_ring(c);
        assert_int_equal(c->net->sent_count, i + 1);
        assert_int_equal(c->net->sent[i].size, sizeof(frame));
        assert_memory_equal(c->net->sent[i].bytes, frame, sizeof(frame));
        uint32_t end = i % CARD_ENTRIES == CARD_ENTRIES - 1 ? DESC_EOR : 0;
        assert_int_equal(card_opts1(c, CARD_TX, i % CARD_ENTRIES),
                         DESC_FS | DESC_LS | end | sizeof(frame));
        assert_int_equal(card_read(c, RTL_ISR, 2), ISR_TOK | ISR_TDU);
        assert_int_equal(card_read(c, RTL_TPPOLL, 1), 0);
        card_write(c, RTL_ISR, 2, ISR_TOK | ISR_TDU);
    }
}

static void a_frame_may_lie_in_several_pieces(void **state)
{
    struct card *c = *state;
    uint8_t frame[300];
    make_frame(frame, sizeof(frame), 0x88b5);
    card_put(c, 1, frame + 10, 1, 0, 0);
    card_put(c, 2, frame + 11, 0, 0, 0);
    card_put(c, 0, frame, 10, DESC_FS, 0);
    card_ring(c);
    assert_int_equal(c->net->sent_count, 0); /* the rest is yet to come */
    assert_true(card_opts1(c, CARD_TX, 0) & DESC_OWN);
    card_put(c, 3, frame + 11, sizeof(frame) - 11, DESC_LS, 0);
    card_ring(c);
    assert_int_equal(c->net->sent_count, 1);
    assert_int_equal(c->net->sent[0].size, sizeof(frame));
    assert_memory_equal(c->net->sent[0].bytes, frame, sizeof(frame));
    for (unsigned i = 0; i < 4; i++)
        assert_false(card_opts1(c, CARD_TX, i) & DESC_OWN);
}

static void short_frames_are_padded_with_zeros(void **state)
{
    struct card *c = *state;
    uint8_t frame[42];
    static const uint8_t zeros[18];
    make_frame(frame, sizeof(frame), 0x0806);
    card_put(c, 0, frame, sizeof(frame), DESC_FS | DESC_LS, 0);
    card_ring(c);
    assert_int_equal(c->net->sent[0].size, 60);
    assert_memory_equal(c->net->sent[0].bytes, frame, sizeof(frame));
    assert_memory_equal(c->net->sent[0].bytes + 42, zeros, 18);
}

static void many_frames_are_one_interrupt(void **state)
{
    struct card *c = *state;
    uint8_t frame[100];
    make_frame(frame, sizeof(frame), 0x88b5);
    rig_write(c->pci, ecam(0, DEV(1), 0x40 + 4), 4, RIG_MSI_BASE);
    rig_write(c->pci, ecam(0, DEV(1), 0x40 + 2), 2, 1);
    for (unsigned i = 0; i < CARD_ENTRIES; i++)
        card_put(c, i, frame, sizeof(frame), DESC_FS | DESC_LS, 0);
    card_ring(c);
    assert_int_equal(c->net->sent_count, CARD_ENTRIES);
    assert_int_equal(c->net->flushes, 1);
    assert_int_equal(c->pci->messages, 1);
}

static void the_wire_follows_status_and_mask(void **state)
{
    struct card *c = *state;
    uint8_t frame[100];
    unsigned wire = 1; /* INTA of slot 1 */
    make_frame(frame, sizeof(frame), 0x88b5);
    card_write(c, RTL_IMR, 2, 0);
    card_put(c, 0, frame, sizeof(frame), DESC_FS | DESC_LS, 0);
    card_ring(c);
    assert_false(c->pci->wire[wire]);
    card_write(c, RTL_IMR, 2, ISR_TOK | ISR_ROK);
    assert_true(c->pci->wire[wire]);
    card_write(c, RTL_ISR, 2, ISR_TDU);
    assert_true(c->pci->wire[wire]);
    card_write(c, RTL_ISR, 2, ISR_TOK);
    assert_false(c->pci->wire[wire]);
    card_write(c, RTL_IMR, 2, ISR_SWINT);
    card_write(c, RTL_TPPOLL, 1, TPPOLL_FSWINT);
    assert_true(c->pci->wire[wire]);
    card_reset(c);
    assert_false(c->pci->wire[wire]);
}

static void the_high_priority_ring_goes_first(void **state)
{
    struct card *c = *state;
    uint8_t low[60], high[60];
    make_frame(low, sizeof(low), 0x88b5);
    make_frame(high, sizeof(high), 0x88b6);
    card_put(c, 0, low, sizeof(low), DESC_FS | DESC_LS, 0);
    card_put_in(c, CARD_TX_HIGH, 1, high, sizeof(high), DESC_FS | DESC_LS, 0);
    *card_descriptor(c, CARD_TX_HIGH, 0) = *card_descriptor(c, CARD_TX_HIGH, 1);
    card_ring(c);
    assert_memory_equal(c->net->sent[0].bytes, high, sizeof(high));
    assert_memory_equal(c->net->sent[1].bytes, high, sizeof(high));
    assert_memory_equal(c->net->sent[2].bytes, low, sizeof(low));
}

static void frames_wait_while_the_network_takes_none(void **state)
{
    struct card *c = *state;
    uint8_t frame[100];
    make_frame(frame, sizeof(frame), 0x88b5);
    c->net->takes = 1;
    for (unsigned i = 0; i < 3; i++)
        card_put(c, i, frame, sizeof(frame), DESC_FS | DESC_LS, 0);
    card_ring(c);
    assert_int_equal(c->net->sent_count, 1);
    assert_int_equal(card_read(c, RTL_ISR, 2), ISR_TOK);
    assert_true(card_opts1(c, CARD_TX, 1) & DESC_OWN);
    assert_true(card_read(c, RTL_TPPOLL, 1) & TPPOLL_NPQ);
    fake_net_take_more(c->net);
    fake_net_sync(c->net);
    assert_int_equal(c->net->sent_count, 3);
    assert_false(card_opts1(c, CARD_TX, 2) & DESC_OWN);
    assert_int_equal(card_read(c, RTL_TPPOLL, 1), 0);
}

/* The driver's checksum is not to be believed, and padding behind the packet is no part of it. */
static void checksums_are_put_in(void **state)
{
    struct card *c = *state;
    for (unsigned tcp = 0; tcp < 2; tcp++) {
        uint8_t frame[160], want[160];
        make_frame(frame, sizeof(frame), 0x0800);
        make_ip(frame, 150, 14, tcp ? 6 : 17);
        memcpy(want, frame, sizeof(frame));
        set_checksums(want, 150, 14);
        unsigned offset = tcp ? 16 : 6;
        put_be16(frame + 24, 0xdead);
        put_be16(frame + 34 + offset, 0xbeef);
        put_be16(want + 34 + offset, checksum_fold(pseudo(want, 150, 14)));
        card_put(c, tcp, frame, sizeof(frame),
                 DESC_FS | DESC_LS | TX_IPCS | (tcp ? TX_TCPCS : TX_UDPCS), 0);
        card_ring(c);
        const struct fake_frame *sent = &c->net->sent[tcp];
        assert_int_equal(sent->size, 150);
        assert_memory_equal(sent->bytes, want, 150);
        assert_true(sent->offload.csum_due);
        assert_int_equal(sent->offload.csum_start, 34);
        assert_int_equal(sent->offload.csum_offset, offset);
        assert_int_equal(sent->offload.gso, NET_GSO_NONE);
    }
}

static void what_is_no_tcp_or_udp_goes_out_as_it_is(void **state)
{
    struct card *c = *state;
    uint8_t frames[5][100];
    for (unsigned i = 0; i < 5; i++) {
        make_frame(frames[i], sizeof(frames[i]), 0x0800);
        make_ip(frames[i], 100, 14, 6);
    }
    put_be16(frames[0] + 12, 0x86dd);
    put_be16(frames[1] + 20, 0x2000); /* a fragment */
    put_be16(frames[2] + 16, 3000);   /* longer than the frame */
    frames[3][23] = 1;
    frames[4][14] = 0x4f; /* a header longer than the packet */
    put_be16(frames[4] + 16, 40);
    for (unsigned i = 0; i < 5; i++) {
        card_put(c, i, frames[i], 100, DESC_FS | DESC_LS | TX_TCPCS, 0);
        card_ring(c);
        assert_int_equal(c->net->sent_count, i + 1);
        assert_int_equal(c->net->sent[i].size, 100);
        assert_memory_equal(c->net->sent[i].bytes, frames[i], 100);
        assert_false(c->net->sent[i].offload.csum_due);
    }
}

static void large_packets_are_left_to_the_network_to_cut(void **state)
{
    struct card *c = *state;
    static uint8_t frame[40000];
    make_frame(frame, sizeof(frame), 0x0800);
    make_ip(frame, sizeof(frame), 14, 6);
    frame[14 + 33] = 0x80;   /* CWR */
    put_be16(frame + 16, 0); /* BSD does not say */
    card_put(c, 0, frame, 30000, DESC_FS | TX_LGSEN | 1460 << TX_MSS_SHIFT, 0);
    card_put(c, 1, frame + 30000, 10000, DESC_LS | TX_LGSEN | 1460 << TX_MSS_SHIFT, 0);
    card_ring(c);
    const struct fake_frame *sent = &c->net->sent[0];
    assert_int_equal(sent->size, sizeof(frame));
    assert_int_equal(sent->offload.gso, NET_GSO_TCP4);
    assert_int_equal(sent->offload.gso_size, 1460);
    assert_int_equal(sent->offload.header_size, 54);
    assert_true(sent->offload.ecn);
    assert_true(sent->offload.csum_due);
    assert_int_equal(sent->offload.csum_start, 34);
    assert_int_equal(get_be16(sent->bytes + 16), sizeof(frame) - 14);
    assert_int_equal(checksum_fold(checksum_add(0, sent->bytes + 14, 20)), 0xffff);
    assert_int_equal(get_be16(sent->bytes + 50),
                     checksum_fold(pseudo(sent->bytes, sizeof(frame), 14)));
    assert_memory_equal(sent->bytes + 54, frame + 54, sizeof(frame) - 54);

    /* What fits into one segment is not cut. */
    make_ip(frame, 1000, 14, 6);
    card_put(c, 2, frame, 1000, DESC_FS | DESC_LS | TX_LGSEN | 1460 << TX_MSS_SHIFT, 0);
    card_ring(c);
    assert_int_equal(c->net->sent[1].offload.gso, NET_GSO_NONE);
    assert_true(c->net->sent[1].offload.csum_due);
}

static void tags_are_inserted(void **state)
{
    struct card *c = *state;
    uint8_t frame[120];
    make_frame(frame, sizeof(frame), 0x0800);
    make_ip(frame, sizeof(frame), 14, 17);
    card_put(c, 0, frame, sizeof(frame), DESC_FS | DESC_LS | TX_UDPCS, TX_TAG | 0x3412);
    card_ring(c);
    const struct fake_frame *sent = &c->net->sent[0];
    assert_int_equal(sent->size, sizeof(frame) + 4);
    assert_memory_equal(sent->bytes, frame, 12);
    assert_memory_equal(sent->bytes + 12, "\x81\x00\x12\x34\x08\x00", 6);
    assert_int_equal(sent->offload.csum_start, 38);
    assert_memory_equal(sent->bytes + 46, frame + 42, sizeof(frame) - 42);
}

static void jumbo_frames_go_both_ways(void **state)
{
    struct card *c = *state;
    static uint8_t frame[7168];
    uint32_t opts1, opts2;
    make_frame(frame, sizeof(frame), 0x88b5);
    card_put(c, 0, frame, sizeof(frame), DESC_FS | DESC_LS, 0);
    card_ring(c);
    assert_int_equal(c->net->sent[0].size, sizeof(frame));
    assert_memory_equal(c->net->sent[0].bytes, frame, sizeof(frame));
    fake_net_give(c->net, frame, sizeof(frame), NULL);
    assert_memory_equal(card_received(c, &opts1, &opts2), frame, sizeof(frame));
    assert_int_equal(opts1 & RX_LENGTH, sizeof(frame) + 4);
}

/*
 * Receiving
 */

static void a_frame_comes_in_with_its_check_sequence_counted(void **state)
{
    struct card *c = *state;
    uint8_t frame[300];
    uint32_t opts1, opts2;
    make_frame(frame, sizeof(frame), 0x88b5);
    for (unsigned i = 0; i < 2 * CARD_ENTRIES; i++) {
        frame[20] = (uint8_t)i;
        fake_net_give(c->net, frame, sizeof(frame), NULL);
        assert_memory_equal(card_received(c, &opts1, &opts2), frame, sizeof(frame));
        uint32_t end = i % CARD_ENTRIES == CARD_ENTRIES - 1 ? DESC_EOR : 0;
        assert_int_equal(opts1, DESC_FS | DESC_LS | end | RX_PAM | (sizeof(frame) + 4));
        assert_int_equal(opts2, 0);
        assert_int_equal(card_read(c, RTL_ISR, 2), ISR_ROK);
        card_write(c, RTL_ISR, 2, ISR_ROK);
    }
}

static void received_frames_are_no_shorter_than_on_a_wire(void **state)
{
    struct card *c = *state;
    uint8_t frame[42];
    static const uint8_t zeros[22];
    uint32_t opts1, opts2;
    make_frame(frame, sizeof(frame), 0x0806);
    memset(card_memory(c, CARD_RX_BYTES, 64), 0xff, 64);
    fake_net_give(c->net, frame, sizeof(frame), NULL);
    const uint8_t *bytes = card_received(c, &opts1, &opts2);
    assert_int_equal(opts1 & RX_LENGTH, 64);
    assert_memory_equal(bytes, frame, sizeof(frame));
    assert_memory_equal(bytes + 42, zeros, 22);
}

static void checksums_of_received_frames_are_checked(void **state)
{
    struct card *c = *state;
    static const struct {
        uint8_t protocol;
        unsigned spoilt; /* byte that is changed on the way; 0: none */
        uint32_t status;
    } cases[] = {
        {6, 0, RX_TCP},
        {17, 0, RX_UDP},
        {6, 100, RX_TCP | RX_TCP_BAD},
        {17, 100, RX_UDP | RX_UDP_BAD},
        {6, 22, RX_TCP | RX_IP_BAD}, /* time to live: the header's only */
        {1, 0, RX_TCP | RX_UDP},
    };
    for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        uint8_t frame[151]; /* an odd size, and the network gives it in odd pieces */
        uint32_t opts1, opts2;
        make_frame(frame, sizeof(frame), 0x0800);
        make_ip(frame, sizeof(frame), 14, cases[i].protocol);
        set_checksums(frame, sizeof(frame), 14);
        frame[cases[i].spoilt] ^= cases[i].spoilt ? 1 : 0;
        fake_net_give(c->net, frame, sizeof(frame), NULL);
        card_received(c, &opts1, &opts2);
        uint32_t bits = RX_TCP | RX_UDP | RX_IP_BAD | RX_TCP_BAD | RX_UDP_BAD;
        assert_int_equal(opts1 & bits, cases[i].status);
    }
    /* Nobody has to look when the network has. */
    uint8_t frame[100];
    uint32_t opts1, opts2;
    make_frame(frame, sizeof(frame), 0x0800);
    make_ip(frame, sizeof(frame), 14, 6);
    const struct net_offload valid = {.csum_valid = true};
    fake_net_give(c->net, frame, sizeof(frame), &valid);
    card_received(c, &opts1, &opts2);
    assert_int_equal(opts1 & (RX_TCP | RX_UDP | RX_TCP_BAD), RX_TCP);
}

static void tags_are_taken_out(void **state)
{
    struct card *c = *state;
    uint8_t frame[124];
    uint32_t opts1, opts2;
    make_frame(frame, sizeof(frame), 0x8100);
    put_be16(frame + 14, 0x1234);
    put_be16(frame + 16, 0x0800);
    make_ip(frame, sizeof(frame), 18, 17);
    set_checksums(frame, sizeof(frame), 18);
    fake_net_give(c->net, frame, sizeof(frame), NULL);
    const uint8_t *bytes = card_received(c, &opts1, &opts2);
    assert_int_equal(opts2, DESC_TAG | 0x3412);
    assert_int_equal(opts1 & RX_LENGTH, sizeof(frame));
    assert_int_equal(opts1 & (RX_TCP | RX_UDP | RX_UDP_BAD), RX_UDP);
    assert_memory_equal(bytes, frame, 12);
    assert_memory_equal(bytes + 12, frame + 16, sizeof(frame) - 16);

    card_write(c, RTL_CPCR, 2, 0);
    fake_net_give(c->net, frame, sizeof(frame), NULL);
    bytes = card_received(c, &opts1, &opts2);
    assert_int_equal(opts2, 0);
    assert_int_equal(opts1 & (RX_TCP | RX_UDP), 0);
    assert_memory_equal(bytes, frame, sizeof(frame));
}

static void a_frame_may_take_several_buffers(void **state)
{
    struct card *c = *state;
    uint8_t frame[600];
    make_frame(frame, sizeof(frame), 0x88b5);
    for (unsigned i = 0; i < CARD_ENTRIES; i++)
        card_give_rx(c, i, 256);
    fake_net_give(c->net, frame, sizeof(frame), NULL);
    fake_net_sync(c->net);
    assert_int_equal(card_opts1(c, CARD_RX, 0), DESC_FS | RX_PAM | 256);
    assert_int_equal(card_opts1(c, CARD_RX, 1), RX_PAM | 256);
    assert_int_equal(card_opts1(c, CARD_RX, 2), DESC_LS | RX_PAM | 604);
    assert_true(card_opts1(c, CARD_RX, 3) & DESC_OWN);
    assert_memory_equal(card_memory(c, CARD_RX_BYTES, 256), frame, 256);
    assert_memory_equal(card_memory(c, CARD_RX_BYTES + CARD_SLOT, 256), frame + 256, 256);
    assert_memory_equal(card_memory(c, CARD_RX_BYTES + 2 * CARD_SLOT, 88), frame + 512, 88);
}

static void frames_wait_for_descriptors(void **state)
{
    struct card *c = *state;
    uint8_t frame[100];
    uint32_t opts1, opts2;
    make_frame(frame, sizeof(frame), 0x88b5);
    for (unsigned i = 0; i < CARD_ENTRIES + 2; i++) {
        frame[20] = (uint8_t)i;
        fake_net_give(c->net, frame, sizeof(frame), NULL);
    }
    fake_net_sync(c->net);
    assert_int_equal(card_read(c, RTL_ISR, 2), ISR_ROK | ISR_RDU);
    for (unsigned i = 0; i < CARD_ENTRIES + 2; i++) {
        assert_int_equal(card_received(c, &opts1, &opts2)[20], i);
        card_write(c, RTL_IMR, 2, 0xffff); /* the end of a poll */
    }
    card_nothing_received(c);
    assert_int_equal(card_read(c, RTL_MPC, 4), 0);
}

/* No register tells the card of it: it looks by itself. */
static void descriptors_are_found_without_being_told(void **state)
{
    struct card *c = *state;
    uint8_t frame[100];
    make_frame(frame, sizeof(frame), 0x88b5);
    for (unsigned i = 0; i < CARD_ENTRIES + 1; i++)
        fake_net_give(c->net, frame, sizeof(frame), NULL);
    fake_net_sync(c->net);
    card_give_rx(c, 0, CARD_RX_SIZE);
    time_t end = time(NULL) + CARD_PATIENCE;
    /* Lost only if we were away for a quarter of a second. */
    while (card_opts1(c, CARD_RX, 0) & DESC_OWN && !card_read(c, RTL_MPC, 4))
        assert_true(time(NULL) < end);
}

static void frames_are_lost_when_the_driver_is_away_for_long(void **state)
{
    struct card *c = *state;
    uint8_t frame[100];
    uint32_t opts1, opts2;
    make_frame(frame, sizeof(frame), 0x88b5);
    for (unsigned i = 0; i < CARD_ENTRIES + 3; i++)
        fake_net_give(c->net, frame, sizeof(frame), NULL);
    card_wait(c, RTL_MPC, 4, UINT32_MAX, 3);
    card_write(c, RTL_MPC, 4, 0);
    for (unsigned i = 0; i < CARD_ENTRIES; i++)
        card_received(c, &opts1, &opts2);
    frame[20] = 1;
    fake_net_give(c->net, frame, sizeof(frame), NULL); /* it is back */
    assert_int_equal(card_received(c, &opts1, &opts2)[20], 1);
    assert_int_equal(card_read(c, RTL_MPC, 4), 0);
}

/* As Linux computes the table: the upper bits of the big-endian CRC. 01:00:5e:00:00:01 is bit 31. */
static void filters_let_through_what_was_asked_for(void **state)
{
    struct card *c = *state;
    static const uint8_t to[4][6] = {
        {0x52, 0x54, 0x00, 0x12, 0x34, 0x56},
        {0x52, 0x54, 0x00, 0x12, 0x34, 0x57},
        {0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
        {0x01, 0x00, 0x5e, 0x00, 0x00, 0x01},
    };
    static const uint32_t status[4] = {RX_PAM, 0, RX_BAR, RX_MAR};
    static const struct {
        uint32_t rcr, table;
        unsigned passes; /* bits of to */
    } cases[] = {
        {0, UINT32_MAX, 0},      {RCR_APM, UINT32_MAX, 1}, {RCR_AB, UINT32_MAX, 4},
        {RCR_AM, UINT32_MAX, 8}, {RCR_AM, 1u << 31, 8},    {RCR_AM, ~(1u << 31), 0},
        {RCR_AAP, 0, 15},
    };
    for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        card_write(c, RTL_MAR, 4, cases[i].table);
        card_write(c, RTL_MAR + 4, 4, cases[i].table == UINT32_MAX ? UINT32_MAX : 0);
        card_write(c, RTL_RCR, 4, cases[i].rcr);
        for (unsigned n = 0; n < 4; n++) {
            uint8_t frame[60];
            uint32_t opts1, opts2;
            make_frame(frame, sizeof(frame), 0x88b5);
            memcpy(frame, to[n], 6);
            fake_net_give(c->net, frame, sizeof(frame), NULL);
            if (cases[i].passes >> n & 1) {
                card_received(c, &opts1, &opts2);
                assert_int_equal(opts1 & (RX_PAM | RX_BAR | RX_MAR), status[n]);
            } else {
                card_nothing_received(c);
            }
        }
    }
}

static void frames_longer_than_the_driver_wants_are_errors(void **state)
{
    struct card *c = *state;
    uint8_t frame[1515];
    uint32_t opts1, opts2;
    make_frame(frame, sizeof(frame), 0x88b5);
    card_write(c, RTL_RMS, 2, 1518);
    fake_net_give(c->net, frame, 1515, NULL);
    card_nothing_received(c);
    assert_int_equal(card_read(c, RTL_ISR, 2), ISR_RER);
    fake_net_give(c->net, frame, 1514, NULL);
    card_received(c, &opts1, &opts2);
    assert_int_equal(opts1 & RX_LENGTH, 1518);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, card_setup, card_teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_frame_goes_out_and_its_descriptor_comes_back),
        TEST(a_frame_may_lie_in_several_pieces),
        TEST(short_frames_are_padded_with_zeros),
        TEST(many_frames_are_one_interrupt),
        TEST(the_wire_follows_status_and_mask),
        TEST(the_high_priority_ring_goes_first),
        TEST(frames_wait_while_the_network_takes_none),
        TEST(checksums_are_put_in),
        TEST(what_is_no_tcp_or_udp_goes_out_as_it_is),
        TEST(large_packets_are_left_to_the_network_to_cut),
        TEST(tags_are_inserted),
        TEST(jumbo_frames_go_both_ways),
        TEST(a_frame_comes_in_with_its_check_sequence_counted),
        TEST(received_frames_are_no_shorter_than_on_a_wire),
        TEST(checksums_of_received_frames_are_checked),
        TEST(tags_are_taken_out),
        TEST(a_frame_may_take_several_buffers),
        TEST(frames_wait_for_descriptors),
        TEST(descriptors_are_found_without_being_told),
        TEST(frames_are_lost_when_the_driver_is_away_for_long),
        TEST(filters_let_through_what_was_asked_for),
        TEST(frames_longer_than_the_driver_wants_are_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
