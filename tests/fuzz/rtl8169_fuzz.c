/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * The RTL8169: registers, rings, frames both ways, a cable that comes and goes, in any order and over
 * memory that changes meanwhile. Each input begins at power-on. What the card sends must be what it says
 * of it, and after anything the card must still work.
 */
#include "drive_rig.h"

#include "../unit/fake_net.h"
#include "dev/net_card.h"
#include "dev/rtl8169/rtl8169.h"
#include "dev/rtl8169/spec.h"
#include "net/offload.h"

#define ENTRIES 8
#define TX_RING MACHINE_RAM_BASE
#define TX_HIGH_RING (MACHINE_RAM_BASE + 0x1000)
#define RX_RING (MACHINE_RAM_BASE + 0x2000)
#define BYTES (MACHINE_RAM_BASE + 0x8000)

static const uint8_t mac[] = {0x52, 0x54, 0, 0x12, 0x34, 0x56};

static void set_ring(struct machine *m, unsigned reg, uint64_t base)
{
    rig_write(m, reg + 4, 4, base >> 32);
    rig_write(m, reg, 4, base);
}

static bool is_reset(struct machine *m, unsigned n)
{
    (void)n;
    return !(rig_read(m, RTL_CR, 1) & CR_RST);
}

static void put(struct machine *m, uint64_t ring, unsigned i, uint32_t opts1, uint32_t opts2,
                uint64_t address)
{
    struct rtl_descriptor d = {opts1 | (i == ENTRIES - 1 ? DESC_EOR : 0), opts2, address};
    machine_dma_write(m, ring + i * sizeof(d), &d, sizeof(d));
}

static void start(struct machine *m)
{
    rig_write(m, RTL_CR, 1, CR_RST);
    check(rig_within(m, is_reset, 0));
    for (unsigned i = 0; i < ENTRIES; i++) {
        put(m, TX_RING, i, 0, 0, 0);
        put(m, TX_HIGH_RING, i, 0, 0, 0);
        put(m, RX_RING, i, DESC_OWN | 0x1000, 0, BYTES + 0x10000 + i * 0x1000);
    }
    set_ring(m, RTL_TNPDS, TX_RING);
    set_ring(m, RTL_THPDS, TX_HIGH_RING);
    set_ring(m, RTL_RDSAR, RX_RING);
    rig_write(m, RTL_RMS, 2, 0);
    rig_write(m, RTL_CPCR, 2, CPCR_RXCHKSUM | CPCR_RXVLAN);
    rig_write(m, RTL_CR, 1, CR_TE | CR_RE);
    rig_write(m, RTL_RCR, 4, RCR_APM | RCR_AB);
    rig_write(m, RTL_IMR, 2, 0xffff);
}

/* Headers that mostly make sense, and bytes of the input over them. */
static size_t make_frame(struct fuzz_input *in, uint8_t *frame)
{
    static const uint8_t ip[] = {0x08, 0x00, 0x45, 0,  0, 100, 0,  0,  0, 0, 64,
                                 6,    0,    0,    10, 0, 2,   15, 10, 0, 2, 2};
    size_t at = 12, size = 60 + (size_t)fuzz_take(in, 2) % 12000;
    unsigned shape = (unsigned)fuzz_take(in, 1);
    memset(frame, 0x50, size);
    memcpy(frame, mac, sizeof(mac));
    for (unsigned tags = shape & 3; tags && tags < 3; tags--, at += 4)
        memcpy(frame + at, "\x81\x00\x01\x23", 4);
    memcpy(frame + at, ip, sizeof(ip));
    frame[at + 4] = (uint8_t)((size - at - 2) >> 8);
    frame[at + 5] = (uint8_t)(size - at - 2);
    frame[at + 11] = shape & 4 ? 17 : 6;
    if (shape & 8)
        frame[at + 2] = (uint8_t)fuzz_take(in, 1);
    for (unsigned changes = shape >> 4; changes; changes--) {
        size_t where = (size_t)fuzz_take(in, 1) % size;
        frame[where] = (uint8_t)fuzz_take(in, 1);
    }
    return shape == 0xff ? (size_t)fuzz_take(in, 1) % size : size;
}

static void any_frame_to_send(struct machine *m, struct fuzz_input *in)
{
    static uint8_t frame[13000];
    size_t size = make_frame(in, frame), done = 0;
    unsigned at = (unsigned)fuzz_take(in, 1), cuts = at >> 4 & 3, first = at % ENTRIES;
    uint64_t ring = at & 0x80 ? TX_HIGH_RING : TX_RING;
    uint32_t bits = (uint32_t)fuzz_take(in, 2) << 16 & 0x0fff0000, tag = 0;
    if (at & 0x40)
        tag = (uint32_t)fuzz_take(in, 3);
    machine_dma_write(m, BYTES, frame, size);
    for (unsigned i = 0; i <= cuts; i++) {
        size_t part = i < cuts ? (size_t)fuzz_take(in, 1) % (size - done + 1) : size - done;
        uint32_t ends = (i ? 0 : DESC_FS) | (i < cuts ? 0 : DESC_LS);
        put(m, ring, (first + i) % ENTRIES, DESC_OWN | ends | bits | (uint32_t)part, tag,
            BYTES + done);
        done += part;
    }
}

static void any_descriptor(struct machine *m, struct fuzz_input *in)
{
    static const uint64_t rings[] = {TX_RING, TX_HIGH_RING, RX_RING};
    unsigned i = (unsigned)fuzz_take(in, 1);
    uint32_t opts1 = (uint32_t)fuzz_take(in, 4);
    put(m, rings[i >> 4 & 3 ? (i >> 4 & 3) - 1 : 2], i % ENTRIES, opts1 | DESC_OWN,
        (uint32_t)fuzz_take(in, 3), rig_address(in));
}

static void any_frame_to_receive(struct net *net, struct fuzz_input *in)
{
    static uint8_t frame[13000];
    const struct net_offload valid = {.csum_valid = true};
    size_t size = make_frame(in, frame);
    fake_net_give(net, frame, size < NET_HEADER_SIZE ? NET_HEADER_SIZE : size,
                  fuzz_take(in, 1) & 1 ? &valid : NULL);
}

static void operate(struct machine *m, struct net *net, struct fuzz_input *in)
{
    unsigned what = (unsigned)fuzz_take(in, 1), size = 1u << (what >> 4) % 3;
    switch (what & 15) {
    case 0:
        rig_read(m, fuzz_take(in, 1) & ~(size - 1), size);
        break;
    case 1:
        rig_write(m, fuzz_take(in, 1) & ~(size - 1), size, fuzz_take(in, size));
        break;
    case 2:
        rig_poke(m, in);
        break;
    case 3:
        set_ring(m, what & 0x10 ? RTL_RDSAR : RTL_TNPDS, rig_address(in));
        break;
    case 4:
        start(m);
        break;
    case 5:
        rig_pause(in);
        break;
    case 6:
        rig_config(m, PCI_COMMAND, 2, fuzz_take(in, 2) | PCI_COMMAND_MEMORY);
        break;
    case 7:
        net_set_link(net, what & 0x10);
        break;
    case 8: /* the network takes no more, or all again */
        if (what & 0x10)
            net->takes = (unsigned)fuzz_take(in, 1) % 4;
        else
            fake_net_take_more(net);
        break;
    case 9:
    case 10:
        any_descriptor(m, in);
        break;
    case 11:
        rig_write(m, RTL_PHYAR, 4, fuzz_take(in, 4));
        break;
    case 12:
    case 13:
        any_frame_to_receive(net, in);
        break;
    default:
        any_frame_to_send(m, in);
        rig_write(m, RTL_TPPOLL, 1, what & 0x10 ? TPPOLL_HPQ | TPPOLL_NPQ : TPPOLL_NPQ);
    }
}

/* A frame is as long as one on a wire, and one with more to do can be made into such ones. */
static void check_sent(const struct fake_frame *f)
{
    struct offload_cut cut;
    struct net_packet piece;
    check(f->size >= RTL_WIRE_MIN && f->size <= NET_FRAME_MAX && f->pieces <= NET_IOV_MAX);
    if (f->offload.gso) {
        check(offload_cut_begin(&cut, f->bytes, f->size, &f->offload));
        while (offload_cut_next(&cut, &piece))
            check(piece.size <= f->size);
    } else {
        check(f->size <= RTL_FRAME_MAX);
        check(!f->offload.csum_due || offload_complete(f->bytes, f->size, &f->offload));
    }
}

static void check_all_sent(struct net *net)
{
    fake_net_sync(net);
    for (unsigned i = 0; i < net->sent_count && i < FAKE_FRAMES; i++)
        check_sent(&net->sent[i]);
    fake_net_forget(net);
}

static bool has_sent(struct machine *m, unsigned n)
{
    return !(atomic_load((_Atomic uint32_t *)machine_dma_map(m, TX_RING + n * 16, 4)) & DESC_OWN);
}

static bool has_received(struct machine *m, unsigned n)
{
    return !(atomic_load((_Atomic uint32_t *)machine_dma_map(m, RX_RING + n * 16, 4)) & DESC_OWN);
}

static void must_work(struct machine *m, struct net *net)
{
    uint8_t frame[60] = {0};
    memcpy(frame, mac, sizeof(mac));
    rig_power_on(m, 1);
    net_set_link(net, true);
    fake_net_take_more(net);
    start(m);
    fake_net_sync(net);
    fake_net_forget(net);
    machine_dma_write(m, BYTES, frame, sizeof(frame));
    put(m, TX_RING, 0, DESC_OWN | DESC_FS | DESC_LS | sizeof(frame), 0, BYTES);
    rig_write(m, RTL_TPPOLL, 1, TPPOLL_NPQ);
    check(rig_within(m, has_sent, 0));
    fake_net_sync(net);
    check(net->sent_count == 1 && net->sent[0].size == sizeof(frame));
    fake_net_give(net, frame, sizeof(frame), NULL);
    check(rig_within(m, has_received, 0));
    fake_net_sync(net);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct machine *m;
    static struct net *net;
    struct fuzz_input in = {data, size};
    if (!m) {
        struct net_card_config config;
        net = fake_net_new();
        config = (struct net_card_config){.net = net};
        memcpy(config.mac, mac, sizeof(mac));
        m = rig_machine(rtl8169_new(&config, NULL));
    }
    rig_power_on(m, 1);
    net_set_link(net, true);
    start(m);
    for (unsigned n = 0; fuzz_left(&in) && n < RIG_OPERATIONS_MAX; n++)
        operate(m, net, &in);
    fake_net_take_more(net);
    check_all_sent(net);
    must_work(m, net);
    check_all_sent(net);
    return 0;
}
