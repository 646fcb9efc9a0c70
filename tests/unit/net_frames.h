/* SPDX-License-Identifier: GPL-3.0-only */
/* Makes frames with TCP or UDP in them, and checks the checksums of others, word by word. */
#ifndef TESTS_UNIT_NET_FRAMES_H
#define TESTS_UNIT_NET_FRAMES_H

#include "base/big_endian.h"
#include "net/frame.h"
#include "net/net.h"
#include <string.h>

struct frame_kind {
    bool ipv6, udp, vlan;
    unsigned tcp_options; /* bytes, a multiple of 4 */
    uint8_t flags;
    uint32_t sequence;
    uint16_t source_port;
};

static inline unsigned frame_ip(const struct frame_kind *k)
{
    return NET_HEADER_SIZE + (k->vlan ? 4 : 0);
}

static inline unsigned frame_transport(const struct frame_kind *k)
{
    return frame_ip(k) + (k->ipv6 ? IPV6_HEADER_SIZE : IPV4_HEADER_SIZE);
}

static inline unsigned frame_headers(const struct frame_kind *k)
{
    return frame_transport(k) + (k->udp ? UDP_HEADER_SIZE : TCP_HEADER_SIZE + k->tcp_options);
}

/* As RFC 1071 has it, the slow way. */
static inline uint32_t plain_sum(uint32_t sum, const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        sum += (uint32_t)bytes[i] << (i & 1 ? 0 : 8);
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return sum;
}

static inline uint32_t pseudo_sum(const struct frame_kind *k, const uint8_t *frame, size_t size)
{
    const uint8_t *ip = frame + frame_ip(k);
    size_t length = size - frame_transport(k);
    uint8_t rest[4] = {0, k->udp ? PROTOCOL_UDP : PROTOCOL_TCP, (uint8_t)(length >> 8),
                       (uint8_t)length};
    uint32_t sum =
        k->ipv6 ? plain_sum(0, ip + IPV6_ADDRESSES, 32) : plain_sum(0, ip + IPV4_ADDRESSES, 8);
    return plain_sum(sum, rest, 4);
}

/* Headers before a payload that is there already; the checksum field has the pseudo header's sum. */
static inline void frame_make(const struct frame_kind *k, uint8_t *frame, size_t size)
{
    uint8_t *ip = frame + frame_ip(k), *l4 = frame + frame_transport(k);
    memset(frame, 0, frame_headers(k));
    memcpy(frame, "\x52\x54\x00\x12\x34\x56\x52\x55\x0a\x00\x02\x02", 12);
    if (k->vlan)
        memcpy(frame + 12, "\x81\x00\x00\x05", 4);
    put_be16(ip - 2, k->ipv6 ? ETHER_TYPE_IPV6 : ETHER_TYPE_IPV4);
    if (k->ipv6) {
        ip[0] = 0x60;
        put_be16(ip + IPV6_LENGTH, (uint16_t)(size - frame_transport(k)));
        ip[IPV6_NEXT] = k->udp ? PROTOCOL_UDP : PROTOCOL_TCP;
        ip[IPV6_HOPS] = 64;
        for (unsigned i = 0; i < 32; i++)
            ip[IPV6_ADDRESSES + i] = (uint8_t)(i * 7 + 1);
    } else {
        ip[0] = 0x45;
        put_be16(ip + IPV4_LENGTH, (uint16_t)(size - frame_ip(k)));
        put_be16(ip + IPV4_ID, 0xfffe);
        ip[IPV4_TTL] = 64;
        ip[IPV4_PROTOCOL] = k->udp ? PROTOCOL_UDP : PROTOCOL_TCP;
        memcpy(ip + IPV4_ADDRESSES, "\x0a\x00\x02\x02\x0a\x00\x02\x0f", 8);
        put_be16(ip + IPV4_CHECKSUM, (uint16_t)~plain_sum(0, ip, IPV4_HEADER_SIZE));
    }
    put_be16(l4, k->source_port ? k->source_port : 80);
    put_be16(l4 + 2, 1234);
    if (k->udp) {
        put_be16(l4 + UDP_LENGTH, (uint16_t)(size - frame_transport(k)));
    } else {
        put_be32(l4 + TCP_SEQUENCE, k->sequence);
        l4[TCP_OFFSET] = (uint8_t)((TCP_HEADER_SIZE + k->tcp_options) / 4 << 4);
        l4[TCP_FLAGS] = k->flags;
        put_be16(l4 + TCP_WINDOW, 8760);
        memset(l4 + TCP_HEADER_SIZE, 1, k->tcp_options);
    }
    put_be16(l4 + (k->udp ? UDP_CHECKSUM : TCP_CHECKSUM), (uint16_t)pseudo_sum(k, frame, size));
}

static inline struct net_offload frame_offload(const struct frame_kind *k, unsigned gso_size)
{
    return (struct net_offload){
        .csum_due = true,
        .csum_start = (uint16_t)frame_transport(k),
        .csum_offset = k->udp ? UDP_CHECKSUM : TCP_CHECKSUM,
        .gso = !gso_size ? NET_GSO_NONE
               : k->udp  ? NET_GSO_UDP
               : k->ipv6 ? NET_GSO_TCP6
                         : NET_GSO_TCP4,
        .gso_size = (uint16_t)gso_size,
        .header_size = (uint16_t)frame_headers(k),
    };
}

/* Whether a receiver finds IPv4's and the inner checksum right, and the lengths those of the frame. */
static inline bool frame_is_right(const struct frame_kind *k, const uint8_t *frame, size_t size)
{
    const uint8_t *ip = frame + frame_ip(k), *l4 = frame + frame_transport(k);
    size_t length = size - frame_transport(k);
    if (k->ipv6 ? get_be16(ip + IPV6_LENGTH) != length
                : get_be16(ip + IPV4_LENGTH) != size - frame_ip(k) ||
                      plain_sum(0, ip, IPV4_HEADER_SIZE) != 0xffff)
        return false;
    if (k->udp && get_be16(l4 + UDP_LENGTH) != length)
        return false;
    return plain_sum(pseudo_sum(k, frame, size), l4, length) == 0xffff;
}

#endif
