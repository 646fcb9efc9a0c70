/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * The RTL8169 as its drivers use it (src/dev/rtl8169): what Linux's r8169 and the BSDs' re do when they
 * bind, send and receive, and what a hostile one may do.
 * Again: tools/run-tests unit/rtl8169_test
 */
#include "rtl8169_rig.h"

#include "base/big_endian.h"
#include "net/checksum.h"

#define FROM_GUEST 0x10 /* bytes of test frames begin with it */

static int setup(void **state)
{
    struct card *c = card_new();
    card_start(c);
    *state = c;
    return 0;
}

static int teardown(void **state)
{
    card_free(*state);
    return 0;
}

/* A frame to the card with bytes that tell where they belong. */
static void make_frame(uint8_t *frame, size_t size, uint16_t type)
{
    for (size_t i = 0; i < size; i++)
        frame[i] = (uint8_t)(FROM_GUEST + i * 7 + (i >> 8));
    memcpy(frame, card_mac, 6);
    memcpy(frame + 6, "\x52\x55\x0a\x00\x02\x02", 6);
    put_be16(frame + 12, type);
}

/* IPv4 and TCP or UDP headers behind `at`, with no checksums. The packet goes to the end of the frame. */
static void make_ip(uint8_t *frame, size_t size, size_t at, uint8_t protocol)
{
    uint8_t *ip = frame + at;
    memset(ip, 0, 40);
    ip[0] = 0x45;
    put_be16(ip + 2, (uint16_t)(size - at));
    put_be16(ip + 6, 0x4000);
    ip[8] = 64;
    ip[9] = protocol;
    memcpy(ip + 12, "\x0a\x00\x02\x0f\x0a\x00\x02\x02", 8);
    put_be16(ip + 20, 1234);
    put_be16(ip + 22, 80);
    if (protocol == 6)
        ip[32] = 0x50;
    else
        put_be16(ip + 24, (uint16_t)(size - at - 20));
}

static uint32_t pseudo(const uint8_t *frame, size_t size, size_t at)
{
    uint32_t sum = checksum_add(0, frame + at + 12, 8);
    sum = checksum_add_word(sum, frame[at + 9]);
    return checksum_add_word(sum, (uint16_t)(size - at - 20));
}

static void set_checksums(uint8_t *frame, size_t size, size_t at)
{
    size_t place = at + 20 + (frame[at + 9] == 6 ? 16 : 6);
    put_be16(frame + at + 10, 0);
    put_be16(frame + at + 10, checksum_finish(checksum_add(0, frame + at, 20)));
    put_be16(frame + place, 0);
    put_be16(frame + place, checksum_finish(checksum_add(pseudo(frame, size, at), frame + at + 20,
                                                         size - at - 20)));
}

/* The next received frame: its descriptors are given back, its bytes are the driver's memory. */
static const uint8_t *received(struct card *c, uint32_t *opts1, uint32_t *opts2)
{
    fake_net_sync(c->net);
    struct rtl_descriptor *d = card_descriptor(c, CARD_RX, c->rx);
    *opts1 = card_opts1(c, CARD_RX, c->rx);
    *opts2 = d->opts2;
    assert_false(*opts1 & DESC_OWN);
    card_give_rx(c, c->rx, CARD_RX_SIZE);
    const uint8_t *bytes = card_memory(c, CARD_RX_BYTES + c->rx * CARD_SLOT, CARD_RX_SIZE);
    c->rx = (c->rx + 1) % CARD_ENTRIES;
    return bytes;
}

static void nothing_received(struct card *c)
{
    fake_net_sync(c->net);
    assert_true(card_opts1(c, CARD_RX, c->rx) & DESC_OWN);
}

/*
 * Binding
 */

static void drivers_find_the_part_that_they_know(void **state)
{
    struct card *c = *state;
    assert_int_equal(rig_read(c->pci, ecam(0, DEV(1), 0), 4), 0x816910ec);
    assert_int_equal(rig_read(c->pci, ecam(0, DEV(1), 8), 4), 0x02000010);
    uint32_t tcr = card_read(c, RTL_TCR, 4);
    assert_int_equal(tcr >> 20 & 0xfc8, 0x180);     /* Linux: RTL8169sc/8110sc */
    assert_int_equal(tcr & 0x7c800000, 0x18000000); /* OpenBSD: RTL8169/8110SCd */
    card_write(c, RTL_TCR, 4, UINT32_MAX);
    assert_int_equal(card_read(c, RTL_TCR, 4) & 0xfc800000, 0x18000000);
    for (unsigned i = 0; i < 6; i++)
        assert_int_equal(card_read(c, RTL_IDR + i, 1), card_mac[i]);
    card_phy_write(c, 31, 0);
    assert_int_equal(card_phy_read(c, 2), 0x001c);
    assert_int_equal(card_phy_read(c, 3), 0xc912);
}

/* re(4) of OpenBSD reverses the multicast table when it sees PCI Express. */
static void it_is_a_conventional_function(void **state)
{
    struct card *c = *state;
    unsigned at = (unsigned)rig_read(c->pci, ecam(0, DEV(1), PCI_CAPABILITY_LIST), 1);
    bool msi = false;
    for (; at; at = (unsigned)rig_read(c->pci, ecam(0, DEV(1), at + 1), 1)) {
        unsigned id = (unsigned)rig_read(c->pci, ecam(0, DEV(1), at), 1);
        assert_int_not_equal(id, PCI_CAP_EXPRESS);
        msi |= id == PCI_CAP_MSI;
    }
    assert_true(msi);
}

static void ee_set(struct card *c, uint8_t lines)
{
    card_write(c, RTL_9346CR, 1, EEM_PROGRAM << EEM_SHIFT | lines);
}

/* As the BSDs do it: for a 93C46 with 6 bits of address, for a 93C56 with 8. */
static uint16_t ee_read(struct card *c, unsigned address, unsigned address_bits)
{
    unsigned command = 6u << address_bits | address;
    ee_set(c, 0);
    ee_set(c, EE_CS);
    for (unsigned bit = address_bits + 3; bit--;) {
        uint8_t lines = EE_CS | (command >> bit & 1 ? EE_DI : 0);
        ee_set(c, lines);
        ee_set(c, lines | EE_SK);
        ee_set(c, lines);
    }
    uint16_t word = 0;
    for (unsigned i = 0; i < 16; i++) {
        ee_set(c, EE_CS | EE_SK);
        word = (uint16_t)(word << 1 | (card_read(c, RTL_9346CR, 1) & EE_DO));
        ee_set(c, EE_CS);
    }
    ee_set(c, 0);
    card_write(c, RTL_9346CR, 1, 0);
    return word;
}

static void the_eeprom_says_its_size_and_the_address(void **state)
{
    struct card *c = *state;
    assert_int_not_equal(ee_read(c, 0, 8), 0x8129);
    assert_int_equal(ee_read(c, 0, 6), 0x8129);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(ee_read(c, 7 + i, 6), card_mac[2 * i] | card_mac[2 * i + 1] << 8);
}

static void the_address_is_locked_until_it_is_unlocked(void **state)
{
    struct card *c = *state;
    card_write(c, RTL_IDR, 4, 0x44332202);
    assert_int_equal(card_read(c, RTL_IDR, 4), 0x12005452);
    card_write(c, RTL_9346CR, 1, EEM_UNLOCK << EEM_SHIFT);
    card_write(c, RTL_IDR + 4, 4, 0x00006655);
    card_write(c, RTL_IDR, 4, 0x44332202);
    card_write(c, RTL_9346CR, 1, 0);
    assert_int_equal(card_read(c, RTL_IDR, 4), 0x44332202);
    uint8_t frame[60];
    uint32_t opts1, opts2;
    make_frame(frame, sizeof(frame), 0x88b5);
    fake_net_give(c->net, frame, sizeof(frame), NULL);
    nothing_received(c);
    memcpy(frame, "\x02\x22\x33\x44\x55\x66", 6);
    fake_net_give(c->net, frame, sizeof(frame), NULL);
    received(c, &opts1, &opts2);
    card_write(c, RTL_9346CR, 1, EEM_LOAD << EEM_SHIFT);
    assert_int_equal(card_read(c, RTL_IDR, 4), 0x12005452);
    assert_int_equal(card_read(c, RTL_9346CR, 1) >> EEM_SHIFT, EEM_NORMAL);
}

static void io_ports_lead_to_the_same_registers(void **state)
{
    struct card *c = *state;
    rig_write(c->pci, ecam(0, DEV(1), PCI_BAR0), 4, 0x1000);
    rig_write(c->pci, ecam(0, DEV(1), PCI_COMMAND), 2, PCI_COMMAND_IO | PCI_COMMAND_MASTER);
    assert_int_equal(rig_read(c->pci, PCI_IO_WINDOW_BASE + 0x1000 + RTL_IDR, 4), 0x12005452);
}

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
    assert_memory_equal(received(c, &opts1, &opts2), frame, sizeof(frame));
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
        assert_memory_equal(received(c, &opts1, &opts2), frame, sizeof(frame));
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
    const uint8_t *bytes = received(c, &opts1, &opts2);
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
        received(c, &opts1, &opts2);
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
    received(c, &opts1, &opts2);
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
    const uint8_t *bytes = received(c, &opts1, &opts2);
    assert_int_equal(opts2, DESC_TAG | 0x3412);
    assert_int_equal(opts1 & RX_LENGTH, sizeof(frame));
    assert_int_equal(opts1 & (RX_TCP | RX_UDP | RX_UDP_BAD), RX_UDP);
    assert_memory_equal(bytes, frame, 12);
    assert_memory_equal(bytes + 12, frame + 16, sizeof(frame) - 16);

    card_write(c, RTL_CPCR, 2, 0);
    fake_net_give(c->net, frame, sizeof(frame), NULL);
    bytes = received(c, &opts1, &opts2);
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
        assert_int_equal(received(c, &opts1, &opts2)[20], i);
        card_write(c, RTL_IMR, 2, 0xffff); /* the end of a poll */
    }
    nothing_received(c);
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
        received(c, &opts1, &opts2);
    frame[20] = 1;
    fake_net_give(c->net, frame, sizeof(frame), NULL); /* it is back */
    assert_int_equal(received(c, &opts1, &opts2)[20], 1);
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
                received(c, &opts1, &opts2);
                assert_int_equal(opts1 & (RX_PAM | RX_BAR | RX_MAR), status[n]);
            } else {
                nothing_received(c);
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
    nothing_received(c);
    assert_int_equal(card_read(c, RTL_ISR, 2), ISR_RER);
    fake_net_give(c->net, frame, 1514, NULL);
    received(c, &opts1, &opts2);
    assert_int_equal(opts1 & RX_LENGTH, 1518);
}

/*
 * The cable, the timer, counters
 */

static void pulling_the_cable_is_told_and_remembered(void **state)
{
    struct card *c = *state;
    uint8_t frame[60];
    make_frame(frame, sizeof(frame), 0x88b5);
    assert_int_equal(card_read(c, RTL_PHYSTATUS, 1), 0x73); /* 1000, full duplex, flow control */
    card_phy_read(c, 1);
    assert_int_equal(card_phy_read(c, 1) & 0x24, 0x24);
    net_set_link(c->net, false);
    assert_int_equal(card_read(c, RTL_ISR, 2), ISR_LINKCHG);
    assert_int_equal(card_read(c, RTL_PHYSTATUS, 1), 0);
    card_put(c, 0, frame, sizeof(frame), DESC_FS | DESC_LS, 0);
    card_ring(c);
    assert_int_equal(c->net->sent_count, 0); /* lost, as on a wire */
    assert_false(card_opts1(c, CARD_TX, 0) & DESC_OWN);
    card_write(c, RTL_ISR, 2, 0xffff);
    net_set_link(c->net, true);
    assert_int_equal(card_read(c, RTL_ISR, 2), ISR_LINKCHG);
    assert_int_equal(card_phy_read(c, 1) & 4, 0); /* it was down meanwhile */
    assert_int_equal(card_phy_read(c, 1) & 4, 4);
    assert_int_equal(card_phy_read(c, 5), 0xcde1);
}

/* Linux looks at the speed only if it sees the link down in between. */
static void a_new_speed_takes_the_link_down_for_a_moment(void **state)
{
    struct card *c = *state;
    static const struct {
        uint16_t control, advertise, gigabit;
        uint8_t status;
    } cases[] = {
        {0x2100, 0x0de1, 0x0300, PHYSTATUS_LINK | PHYSTATUS_100 | PHYSTATUS_FULL}, /* set */
        {0x0000, 0x0de1, 0x0300, PHYSTATUS_LINK | PHYSTATUS_10},
        {0x1200, 0x0de1, 0x0300, 0x73}, /* negotiated */
        {0x1200, 0x0041, 0x0000, PHYSTATUS_LINK | PHYSTATUS_10 | PHYSTATUS_FULL},
        {0x1200, 0x0001, 0x0000, 0},
        {0x9000, 0x0001, 0x0000, 0x73}, /* reset */
    };
    for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        card_write(c, RTL_ISR, 2, 0xffff);
        card_phy_write(c, 4, cases[i].advertise);
        card_phy_write(c, 9, cases[i].gigabit);
        card_phy_write(c, 0, cases[i].control);
        card_wait(c, RTL_ISR, 2, ISR_LINKCHG, ISR_LINKCHG);
        card_wait(c, RTL_PHYSTATUS, 1, 0xff, cases[i].status);
        assert_int_equal(!!(card_phy_read(c, 1) & 4), 0);
        assert_int_equal(!!(card_phy_read(c, 1) & 4), !!cases[i].status);
    }
    assert_int_equal(card_phy_read(c, 0), 0x1140);
}

static void the_transceiver_can_be_switched_off(void **state)
{
    struct card *c = *state;
    card_phy_write(c, 0, 0x1940);
    assert_int_equal(card_read(c, RTL_PHYSTATUS, 1), 0);
    assert_int_equal(card_read(c, RTL_ISR, 2), ISR_LINKCHG);
    card_phy_write(c, 31, 1); /* another page: not this register is meant */
    card_phy_write(c, 0, 0x1140);
    card_phy_write(c, 31, 0);
    assert_int_equal(card_phy_read(c, 0), 0x1940);
    card_phy_write(c, 0, 0x1140);
    card_wait(c, RTL_PHYSTATUS, 1, 0xff, 0x73);
}

/* OpenBSD lets the timer interrupt instead of each frame. */
static void the_timer_goes_off(void **state)
{
    struct card *c = *state;
    card_write(c, RTL_TIMERINT, 4, 125 * 33);
    card_write(c, RTL_TCTR, 4, 1);
    card_wait(c, RTL_ISR, 2, ISR_TIMEOUT, ISR_TIMEOUT);
    assert_true(card_read(c, RTL_TCTR, 4) >= 125 * 33);
    card_write(c, RTL_TIMERINT, 4, 0);
    card_write(c, RTL_TCTR, 4, 1);
    card_write(c, RTL_ISR, 2, 0xffff);
    fake_net_sync(c->net);
    assert_int_equal(card_read(c, RTL_ISR, 2), 0);
}

static void counters_are_written_to_memory(void **state)
{
    struct card *c = *state;
    uint8_t frame[60];
    uint32_t opts1, opts2;
    make_frame(frame, sizeof(frame), 0x88b5);
    card_put(c, 0, frame, sizeof(frame), DESC_FS | DESC_LS, 0);
    card_put(c, 1, frame, 5, DESC_FS | DESC_LS, 0); /* too short */
    card_ring(c);
    for (unsigned i = 0; i < 3; i++) {
        fake_net_give(c->net, frame, sizeof(frame), NULL);
        received(c, &opts1, &opts2);
        memset(frame, 0xff, 6);
    }
    const uint64_t at = CARD_TX_BYTES + 0x40;
    card_write(c, RTL_DTCCR + 4, 4, (uint32_t)(at >> 32));
    card_write(c, RTL_DTCCR, 4, (uint32_t)at | DTCCR_DUMP);
    card_wait(c, RTL_DTCCR, 4, DTCCR_DUMP, 0);
    const struct rtl_tally *t = card_memory(c, at, sizeof(*t));
    assert_int_equal(t->tx_ok, 1);
    assert_int_equal(t->tx_errors, 1);
    assert_int_equal(t->rx_ok, 3);
    assert_int_equal(t->rx_unicast, 1);
    assert_int_equal(t->rx_broadcast, 2);
    card_write(c, RTL_DTCCR, 4, 0x12345640 | DTCCR_DUMP);
    card_write(c, RTL_DTCCR + 4, 4, UINT32_MAX);
    card_write(c, RTL_DTCCR, 4, 0x12345640 | DTCCR_DUMP);
    assert_true(card_read(c, RTL_ISR, 2) & ISR_SERR);
}

/* FreeBSD's test of the first parts. */
static void loopback_brings_frames_back(void **state)
{
    struct card *c = *state;
    uint8_t frame[100];
    uint32_t opts1, opts2;
    make_frame(frame, sizeof(frame), 0x0800);
    make_ip(frame, sizeof(frame), 14, 17);
    for (unsigned i = 0; i < 2; i++) {
        card_write(c, RTL_TCR, 4, i ? 0 : TCR_LOOPBACK);
        card_phy_write(c, 0, i ? 0x5140 : 0x1140);
        card_put(c, i, frame, sizeof(frame), DESC_FS | DESC_LS | TX_UDPCS, 0);
        card_ring(c);
        assert_int_equal(c->net->sent_count, 0);
        assert_memory_equal(received(c, &opts1, &opts2), frame, 24);
        assert_int_equal(opts1 & (RX_UDP | RX_TCP | RX_UDP_BAD), RX_UDP);
    }
}

/*
 * A reset, and misuse
 */

static void a_reset_begins_anew_at_any_time(void **state)
{
    struct card *c = *state;
    uint8_t frame[100];
    uint32_t opts1, opts2;
    make_frame(frame, sizeof(frame), 0x88b5);
    for (unsigned i = 0; i < 50; i++) {
        for (unsigned n = 0; n < i % CARD_ENTRIES; n++)
            card_put(c, n, frame, sizeof(frame), DESC_FS | DESC_LS, 0);
        card_write(c, RTL_TPPOLL, 1, TPPOLL_NPQ);
        fake_net_give(c->net, frame, sizeof(frame), NULL);
        card_start(c);
        fake_net_forget(c->net);
        frame[20] = (uint8_t)i;
        card_put(c, 0, frame, sizeof(frame), DESC_FS | DESC_LS, 0);
        card_ring(c);
        assert_int_equal(c->net->sent_count, 1);
        assert_memory_equal(c->net->sent[0].bytes, frame, sizeof(frame));
        fake_net_give(c->net, frame, sizeof(frame), NULL);
        assert_memory_equal(received(c, &opts1, &opts2), frame, sizeof(frame));
    }
}

static void a_machine_reset_stops_it(void **state)
{
    struct card *c = *state;
    uint8_t frame[60];
    make_frame(frame, sizeof(frame), 0x88b5);
    card_put(c, 0, frame, sizeof(frame), DESC_FS | DESC_LS, 0);
    for (unsigned i = 0; i < c->pci->m->device_count; i++)
        if (c->pci->m->devices[i]->ops->reset)
            c->pci->m->devices[i]->ops->reset(c->pci->m->devices[i]->state);
    rig_write(c->pci, ecam(0, DEV(1), PCI_BAR0 + 4), 4, CARD_BAR);
    rig_write(c->pci, ecam(0, DEV(1), PCI_COMMAND), 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    assert_int_equal(card_read(c, RTL_CR, 1), 0);
    card_ring(c);
    fake_net_give(c->net, frame, sizeof(frame), NULL);
    nothing_received(c);
    assert_int_equal(c->net->sent_count, 0);
    card_start(c);
    card_put(c, 0, frame, sizeof(frame), DESC_FS | DESC_LS, 0);
    card_ring(c);
    assert_int_equal(c->net->sent_count, 1);
}

/* After anything, a reset by the driver makes it work again. */
static void still_works(struct card *c)
{
    uint8_t frame[60];
    uint32_t opts1, opts2;
    card_start(c);
    fake_net_forget(c->net);
    make_frame(frame, sizeof(frame), 0x88b5);
    card_put(c, 0, frame, sizeof(frame), DESC_FS | DESC_LS, 0);
    card_ring(c);
    assert_int_equal(c->net->sent_count, 1);
    fake_net_give(c->net, frame, sizeof(frame), NULL);
    received(c, &opts1, &opts2);
}

static void malformed_frames_are_dropped_and_counted(void **state)
{
    struct card *c = *state;
    static uint8_t frame[40000];
    static const struct {
        size_t size;
        uint32_t opts1;
    } cases[] = {
        {13, DESC_FS | DESC_LS},
        {0, DESC_FS | DESC_LS},
        {100, DESC_LS},            /* no beginning */
        {8192, DESC_FS | DESC_LS}, /* too long */
        {1000, DESC_FS | DESC_LS | TX_LGSEN},
        {1000, DESC_FS | DESC_LS | TX_LGSEN | 1 << TX_MSS_SHIFT},
        {40, DESC_FS | DESC_LS | TX_LGSEN | 1000 << TX_MSS_SHIFT}, /* half a header */
    };
    make_frame(frame, sizeof(frame), 0x0800);
    make_ip(frame, sizeof(frame), 14, 6);
    for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        card_put(c, i, frame, cases[i].size, cases[i].opts1, 0);
        card_ring(c);
        assert_int_equal(c->net->sent_count, 0);
        assert_false(card_opts1(c, CARD_TX, i) & DESC_OWN);
        assert_true(card_read(c, RTL_ISR, 2) & ISR_TER);
        card_write(c, RTL_ISR, 2, 0xffff);
    }
    still_works(c);
}

static void a_ring_without_an_end_ends(void **state)
{
    struct card *c = *state;
    struct rtl_descriptor *d = card_memory(c, CARD_TX_BYTES, RTL_RING_MAX * sizeof(*d));
    /* Not one last piece in it. */
    for (unsigned i = 0; i < RTL_RING_MAX; i++)
        d[i] = (struct rtl_descriptor){DESC_OWN | DESC_FS | 100, 0, CARD_RX_BYTES};
    card_write(c, RTL_TNPDS, 4, (uint32_t)CARD_TX_BYTES);
    card_ring(c);
    card_wait(c, RTL_TPPOLL, 1, TPPOLL_NPQ, 0);
    assert_int_equal(c->net->sent_count, 0);
    assert_true(card_read(c, RTL_ISR, 2) & ISR_TER);
    still_works(c);
}

static void addresses_where_nothing_is_are_errors_of_the_bus(void **state)
{
    struct card *c = *state;
    uint8_t frame[60];
    make_frame(frame, sizeof(frame), 0x88b5);
    static const uint64_t bad[] = {0, MACHINE_RAM_BASE + RIG_RAM - 10, UINT64_MAX - 50, CARD_BAR};
    for (unsigned i = 0; i < 4; i++) {
        card_put(c, i, frame, sizeof(frame), DESC_FS | DESC_LS, 0);
        card_descriptor(c, CARD_TX, i)->address = bad[i];
        card_ring(c);
        assert_int_equal(c->net->sent_count, 0);
        assert_true(card_read(c, RTL_ISR, 2) & ISR_SERR);
        card_write(c, RTL_ISR, 2, 0xffff);

        card_descriptor(c, CARD_RX, 0)->address = bad[i];
        fake_net_give(c->net, frame, sizeof(frame), NULL);
        nothing_received(c);
        assert_true(card_read(c, RTL_ISR, 2) & ISR_SERR);
        card_write(c, RTL_ISR, 2, 0xffff);
    }
    for (unsigned i = 0; i < 4; i++) {
        card_write(c, RTL_TNPDS, 4, (uint32_t)bad[i]);
        card_write(c, RTL_TNPDS + 4, 4, (uint32_t)(bad[i] >> 32));
        card_write(c, RTL_RDSAR, 4, (uint32_t)bad[i]);
        card_write(c, RTL_RDSAR + 4, 4, (uint32_t)(bad[i] >> 32));
        card_ring(c);
        fake_net_give(c->net, frame, sizeof(frame), NULL);
        fake_net_sync(c->net);
    }
    still_works(c);
}

static void buffers_smaller_than_any_frame_lose_it(void **state)
{
    struct card *c = *state;
    uint8_t frame[1000];
    make_frame(frame, sizeof(frame), 0x88b5);
    for (unsigned size = 0; size <= 64; size += 64) {
        for (unsigned i = 0; i < CARD_ENTRIES; i++)
            card_give_rx(c, i, size);
        fake_net_give(c->net, frame, sizeof(frame), NULL);
        nothing_received(c);
    }
    assert_int_equal(card_read(c, RTL_MPC, 4), 2);
    still_works(c);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(drivers_find_the_part_that_they_know),
        TEST(it_is_a_conventional_function),
        TEST(the_eeprom_says_its_size_and_the_address),
        TEST(the_address_is_locked_until_it_is_unlocked),
        TEST(io_ports_lead_to_the_same_registers),
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
        TEST(pulling_the_cable_is_told_and_remembered),
        TEST(a_new_speed_takes_the_link_down_for_a_moment),
        TEST(the_transceiver_can_be_switched_off),
        TEST(the_timer_goes_off),
        TEST(counters_are_written_to_memory),
        TEST(loopback_brings_frames_back),
        TEST(a_reset_begins_anew_at_any_time),
        TEST(a_machine_reset_stops_it),
        TEST(malformed_frames_are_dropped_and_counted),
        TEST(a_ring_without_an_end_ends),
        TEST(addresses_where_nothing_is_are_errors_of_the_bus),
        TEST(buffers_smaller_than_any_frame_lose_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
