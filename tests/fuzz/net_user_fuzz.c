/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * A user-mode network (src/net/user.c) with a hostile guest: frames of noise, and frames whose headers and
 * checksums are right before something else. restrict=on keeps all of it inside; the network is one for
 * all inputs, since what libslirp remembers is part of what is tried.
 */
#include "fuzz.h"

#include "net/checksum.h"
#include "net/frame.h"
#include "net/net.h"
#include "base/big_endian.h"
#include <stdlib.h>
#include <string.h>

static struct net *net;

static bool receive(void *state, const struct net_packet *packet)
{
    (void)state;
    /* Touches all of it. */
    uint32_t sum = 0;
    for (unsigned i = 0; i < packet->iov_count; i++)
        sum = checksum_add(sum, packet->iov[i].iov_base, packet->iov[i].iov_len);
    return sum != 0x12345678;
}

static void nothing(void *state)
{
    (void)state;
}

static void link_changed(void *state, bool up)
{
    (void)state, (void)up;
}

/* Right lengths and checksums of IPv4 and what is in it. */
static void mend(uint8_t *frame, size_t size)
{
    uint8_t *ip = frame + NET_HEADER_SIZE, *l4 = ip + IPV4_HEADER_SIZE;
    if (size < NET_HEADER_SIZE + IPV4_HEADER_SIZE + 8)
        return;
    const size_t length = size - NET_HEADER_SIZE - IPV4_HEADER_SIZE;
    put_be16(frame + ETHER_TYPE, ETHER_TYPE_IPV4);
    ip[0] = 0x45;
    put_be16(ip + IPV4_LENGTH, (uint16_t)(size - NET_HEADER_SIZE));
    memcpy(ip + IPV4_ADDRESSES, "\x0a\x00\x02\x0f\x0a\x00\x02", 7);
    put_be16(ip + IPV4_CHECKSUM, 0);
    put_be16(ip + IPV4_CHECKSUM, checksum_finish(checksum_add(0, ip, IPV4_HEADER_SIZE)));
    uint32_t sum = checksum_add(0, ip + IPV4_ADDRESSES, 8);
    sum = checksum_add_word(checksum_add_word(sum, ip[IPV4_PROTOCOL]), (uint16_t)length);
    size_t field = ip[IPV4_PROTOCOL] == PROTOCOL_TCP   ? TCP_CHECKSUM
                   : ip[IPV4_PROTOCOL] == PROTOCOL_UDP ? UDP_CHECKSUM
                                                       : 2;
    if (field == 2)
        sum = 0; /* ICMP has no pseudo header */
    if (field + 2 > length)
        return;
    if (field == UDP_CHECKSUM)
        put_be16(l4 + UDP_LENGTH, (uint16_t)length);
    put_be16(l4 + field, 0);
    put_be16(l4 + field, checksum_finish(checksum_add(sum, l4, length)));
}

static void send_all(void *state)
{
    struct fuzz_input *in = state;
    while (fuzz_left(in)) {
        uint8_t kind = (uint8_t)fuzz_take(in, 1);
        size_t size = 14 + fuzz_take(in, 2) % (kind & 1 ? 1500 : 65520);
        uint8_t *frame = calloc(1, size), *end = frame + size;
        memcpy(frame, kind & 2 ? "\x52\x55\x0a\x00\x02\x02" : "\xff\xff\xff\xff\xff\xff", 6);
        memcpy(frame + 6, "\x52\x54\x00\x12\x34\x56", 6);
        for (uint8_t *at = frame + 12; at < end && at < frame + 200 && fuzz_left(in); at++)
            *at = (uint8_t)fuzz_take(in, 1);
        if (kind & 4)
            mend(frame, size);
        struct iovec iov = {frame, size};
        struct net_packet packet = {.iov = &iov, .iov_count = 1, .size = size};
        if (kind & 8) {
            packet.offload.csum_due = true;
            packet.offload.csum_start = (uint16_t)fuzz_take(in, 2);
            packet.offload.csum_offset = (uint16_t)fuzz_take(in, 2);
            packet.offload.gso = (enum net_gso)(fuzz_take(in, 1) % 4);
            packet.offload.gso_size = (uint16_t)fuzz_take(in, 2);
        }
        if (!net_send(net, &packet))
            abort(); /* user mode takes everything at once */
        free(frame);
    }
    net_flush(net);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct net_card_ops ops = {"fuzz", receive, nothing, nothing, link_changed};
    struct fuzz_input in = {data, size};
    if (!net_has_user_mode())
        return 0;
    if (!net) {
        struct net_config config = {.name = "net", .mac = {0x52, 0x54, 0, 0x12, 0x34, 0x56}};
        net = net_open("user,restrict=on", &config, NULL);
        if (!net || !net_attach(net, &(struct net_card){&ops, NULL}, NULL))
            abort();
    }
    net_run(net, send_all, &in);
    return 0;
}
