/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * The virtio network device (src/dev/virtio/virtio_net.c and its neighbours): its configuration, commands of
 * the driver, several queues. Again: tools/run-tests unit/virtio_net_control_test
 */
#include "virtio_net_rig.h"

/*
 * Configuration.
 */

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

static uint8_t address_byte(struct bench *b, unsigned i)
{
    return (uint8_t)config(b, i, 1);
}

/* 5.1.6.5.2.1: when the command comes back, and until the next driver. */
static void the_address_that_a_driver_chooses_is_in_the_configuration(void **state)
{
    static const uint8_t other[6] = {2, 0, 0, 0, 0x77, 1};
    struct bench *b = *state;
    for (EACH_RING(ring)) {
        start(b, *ring | commands_of_all | NET_F_MAC, 8);
        for (uint8_t last = 0; last < 20; last++) {
            uint8_t address[6] = {2, 0, 0, 0, 0x66, last};
            assert_int_equal(command(b, CONTROL, 1, 1, address, 6), 0);
            for (unsigned i = 0; i < 6; i++)
                assert_int_equal(address_byte(b, i), address[i]);
        }
        assert_int_equal(command(b, CONTROL, 1, 1, other, 5), 1);
        assert_int_equal(address_byte(b, 4), 0x66);
        vrig_reset(b->v);
        for (unsigned i = 0; i < 6; i++)
            assert_int_equal(address_byte(b, i), mac[i]);
    }
}

/* On the network's thread, which has begun with one driver and now sees another come. */
static void come_and_ask(void *ctx)
{
    struct bench *b = ctx;
    struct driver_part parts[2] = {{VRIG_DATA, 3, false}, {VRIG_DATA + 0x30000, 1, true}};
    vrig_negotiate(b->v, commands_of_all);
    for (unsigned i = 0; i <= CONTROL; i++)
        vrig_queue(b->v, i, 8);
    vrig_go(b->v);
    memcpy(guest(b, VRIG_DATA), "\0\0\1", 3);
    assert_true(driver_add(&b->v->queues[CONTROL], parts, 2, 0) >= 0);
    vrig_kick(b->v, CONTROL);
    struct driver_part frame = {AT_SEND + 0x1000, HEADER + 60, false};
    memset(guest(b, frame.address), 0, frame.size);
    assert_true(driver_add(&b->v->queues[TRANSMIT], &frame, 1, 0) >= 0);
    vrig_kick(b->v, TRANSMIT);
}

static void doorbells_of_a_driver_that_has_just_come_are_heard(void **state)
{
    struct bench *b = *state;
    uint32_t written;
    start(b, 0, 8);
    b->net->ctx = b;
    b->net->on_features = come_and_ask;
    vrig_set_status(b->v, 0);
    fake_net_sync(b->net);
    vrig_get_used(b->v, CONTROL, &written);
    comes_back(b, TRANSMIT);
    assert_int_equal(*(uint8_t *)guest(b, VRIG_DATA + 0x30000), 0);
    assert_int_equal(b->net->sent_count, 1);
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
    rig_read(b->v->pci, b->v->isr, 1);
    assert_int_equal(command(b, CONTROL, 3, 0, "", 0), 0);
    assert_int_equal(config(b, 6, 2), 1); /* already, when the command comes back */
    rig_read(b->v->pci, b->v->isr, 1);
    assert_int_equal(command(b, CONTROL, 3, 0, "", 0), 0); /* for nothing */
    assert_int_equal(rig_read(b->v->pci, b->v->isr, 1), ISR_QUEUE);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BENCH(configuration_says_what_the_card_is),
        cmocka_unit_test(one_hart_has_one_pair_of_queues),
        ON_BENCH(the_link_is_told_to_this_driver_and_the_next),
        ON_BENCH(commands_are_answered),
        ON_BENCH(commands_without_room_for_an_answer_or_a_beginning_harm_nobody),
        ON_BENCH(the_driver_chooses_what_it_receives),
        ON_BENCH(the_address_that_a_driver_chooses_is_in_the_configuration),
        ON_BENCH(doorbells_of_a_driver_that_has_just_come_are_heard),
        ON_BENCH(longer_tables_than_there_is_room_for_let_all_pass),
        ON_BENCH(offloads_change_while_the_driver_runs),
        ON_BENCH(a_cable_that_is_plugged_in_again_is_announced),
        ON_BENCH(answers_come_to_the_queue_that_asked),
        cmocka_unit_test(connections_that_nobody_asked_for_are_spread_and_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
