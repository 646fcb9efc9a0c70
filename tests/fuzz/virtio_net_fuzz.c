/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * The virtio network device and its transport (virtio_fuzz.h). Each time the device has done all it can,
 * something happens on the network: frames of all kinds come, the network takes none for a while or takes
 * more, the cable is pulled. What the card sent is read, and cut to pieces where it says so, as a backend
 * would.
 */
#include "../unit/fake_net.h"
#include "dev/virtio/virtio_net.h"
#include "net/offload.h"
#include "virtio_fuzz.h"

#define HARTS 3
#define QUEUES (2 * HARTS + 1)

static struct net *net;
static unsigned turn; /* of what happens */

static void read_frame(const struct fake_frame *f)
{
    struct offload_cut cut;
    struct net_packet piece;
    size_t bytes = 0;
    fuzz_check(f->size >= NET_HEADER_SIZE && f->size <= NET_FRAME_MAX);
    fuzz_check(f->pieces <= NET_IOV_MAX);
    if (f->offload.gso != NET_GSO_NONE) {
        fuzz_check(f->offload.csum_due && f->offload.gso_size);
        fuzz_check(f->offload.header_size <= f->size);
        if (offload_cut_begin(&cut, f->bytes, f->size, &f->offload))
            while (offload_cut_next(&cut, &piece))
                bytes += piece.size;
    } else if (f->offload.csum_due) {
        fuzz_check(offload_complete(f->bytes, f->size, &f->offload) ||
                   f->offload.csum_start < NET_HEADER_SIZE);
    }
    volatile size_t sink = bytes;
    (void)sink;
}

/* A frame that differs each time, and says something else of itself. */
static void give_frame(void)
{
    static uint8_t bytes[NET_FRAME_MAX];
    static const size_t sizes[] = {14, 60, 100, 700, 1514, 5000, 65535 + 18};
    static const enum net_gso kinds[] = {NET_GSO_NONE, NET_GSO_TCP4, NET_GSO_TCP6, NET_GSO_UDP};
    struct net_offload offload = {.csum_valid = turn & 1, .csum_start = 34, .csum_offset = 16};
    offload.csum_due = turn & 2;
    offload.gso = offload.csum_due ? kinds[turn >> 2 & 3] : NET_GSO_NONE;
    offload.gso_size = 500;
    offload.header_size = 54;
    memset(bytes, (int)turn, 64);
    bytes[0] = turn & 4 ? 0x52 : turn & 8 ? 0xff : 0x01;
    bytes[12] = turn & 16 ? 0x81 : 0x08;
    bytes[13] = 0;
    bytes[14] = turn & 32 ? 0x45 : 0;
    fake_net_give(net, bytes, sizes[turn % 7], &offload);
}

static void sync_net(void)
{
    fake_net_sync(net);
    for (unsigned i = 0; i < net->sent_count && i < FAKE_FRAMES; i++)
        read_frame(&net->sent[i]);
    net_run(net, fake_net_forget_sent, net);
    turn++;
    if (turn % 16 == 15)
        net_set_link(net, turn & 16);
    if (turn % 8 == 3)
        net->takes = 2;
    if (turn % 8 == 7)
        fake_net_take_more(net);
    give_frame();
    fake_net_sync(net);
}

static struct fuzz_device *make_device(void)
{
    net = fake_net_new();
    struct net_card_config config = {.net = net, .mac = {0x52, 0x54, 0, 0, 0, 1}, .harts = HARTS};
    return fuzz_device_new(virtio_net_new(&config, NULL), QUEUES, sync_net);
}

static void begin_anew(void *state)
{
    (void)state;
    fake_net_forget_all(net);
    net->takes = UINT32_MAX;
    net->sent_count = 0;
    turn = 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct fuzz_device *device;
    if (!device)
        device = make_device();
    net_run(net, begin_anew, NULL);
    net_set_link(net, true);
    fuzz_run(device, data, size);
    return 0;
}
