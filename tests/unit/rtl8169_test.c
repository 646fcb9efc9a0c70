/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * The RTL8169 as its drivers use it (src/dev/rtl8169): what Linux's r8169 and the BSDs' re do when they
 * bind; the cable, the timer, counters, resets; and what a hostile driver may do. Frames are
 * rtl8169_frames_test.c's.
 * Again: tools/run-tests unit/rtl8169_test
 */
#include "rtl8169_rig.h"

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
    card_nothing_received(c);
    memcpy(frame, "\x02\x22\x33\x44\x55\x66", 6);
    fake_net_give(c->net, frame, sizeof(frame), NULL);
    card_received(c, &opts1, &opts2);
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
        card_received(c, &opts1, &opts2);
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
        assert_memory_equal(card_received(c, &opts1, &opts2), frame, 24);
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
        assert_memory_equal(card_received(c, &opts1, &opts2), frame, sizeof(frame));
    }
}

/* Its last frames are sent when it is on its way out, and there are more than it sends in one go. */
static void a_card_that_goes_leaves_no_call_behind(void **state)
{
    (void)state;
    enum { FRAMES = 100 };
    struct card *c = card_new();
    struct net *net = c->net;
    uint8_t frame[60];
    make_frame(frame, sizeof(frame), 0x88b5);
    card_start(c);
    for (unsigned i = 0; i < FRAMES; i++) {
        struct rtl_descriptor *d = card_descriptor(c, CARD_TX, i);
        memcpy(card_memory(c, CARD_TX_BYTES, sizeof(frame)), frame, sizeof(frame));
        *d =
            (struct rtl_descriptor){DESC_OWN | DESC_FS | DESC_LS | sizeof(frame), 0, CARD_TX_BYTES};
    }
    card_descriptor(c, CARD_TX, FRAMES)->opts1 = 0;
    net->takes = 0;
    card_ring(c);
    assert_true(net->refused);
    void *rig = c->pci;
    rig_teardown(&rig);
    assert_true(net->sent_count && net->sent_count < FRAMES);
    assert_true(event_loop_start(net->loop, NULL)); /* what was left would run now */
    fake_net_sync(net);
    fake_net_free(net);
    free(c);
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
    card_nothing_received(c);
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
    card_received(c, &opts1, &opts2);
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
        card_nothing_received(c);
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
        card_nothing_received(c);
    }
    assert_int_equal(card_read(c, RTL_MPC, 4), 2);
    still_works(c);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, card_setup, card_teardown)
    const struct CMUnitTest tests[] = {
        TEST(drivers_find_the_part_that_they_know),
        TEST(it_is_a_conventional_function),
        TEST(the_eeprom_says_its_size_and_the_address),
        TEST(the_address_is_locked_until_it_is_unlocked),
        TEST(io_ports_lead_to_the_same_registers),
        TEST(pulling_the_cable_is_told_and_remembered),
        TEST(a_new_speed_takes_the_link_down_for_a_moment),
        TEST(the_transceiver_can_be_switched_off),
        TEST(the_timer_goes_off),
        TEST(counters_are_written_to_memory),
        TEST(loopback_brings_frames_back),
        TEST(a_reset_begins_anew_at_any_time),
        cmocka_unit_test(a_card_that_goes_leaves_no_call_behind),
        TEST(a_machine_reset_stops_it),
        TEST(malformed_frames_are_dropped_and_counted),
        TEST(a_ring_without_an_end_ends),
        TEST(addresses_where_nothing_is_are_errors_of_the_bus),
        TEST(buffers_smaller_than_any_frame_lose_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
