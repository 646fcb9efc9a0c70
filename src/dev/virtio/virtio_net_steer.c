/* SPDX-License-Identifier: MPL-2.0 */
/* Where received frames go: see virtio_net_steer.h. */
#include "dev/virtio/virtio_net_steer.h"

#include <string.h>

enum {
    AT_TYPE = 12,
    TYPE_IPV4 = 0x0800,
    TYPE_IPV6 = 0x86dd,
    TYPE_VLAN = 0x8100,
    TYPE_QINQ = 0x88a8
};
enum { PROTOCOL_TCP = 6, PROTOCOL_UDP = 17, IPV6_HEADER = 40 };
enum { NOT_SEEN = 0xff };

static uint32_t load16(const uint8_t *p)
{
    return (uint32_t)p[0] << 8 | p[1];
}

static uint32_t load32(const uint8_t *p)
{
    return load16(p) << 16 | load16(p + 2);
}

static uint32_t mix(uint32_t hash, uint32_t value)
{
    hash = (hash ^ value) * 0x9e3779b1u;
    return hash ^ hash >> 15;
}

/* Both directions of a connection have the same: what lies at src and dst only comes in as a sum. */
static uint32_t mix_pair(uint32_t hash, const uint8_t *src, const uint8_t *dst, unsigned words)
{
    for (unsigned i = 0; i < words; i++)
        hash = mix(hash, load32(src + 4 * i) + load32(dst + 4 * i));
    return hash;
}

static uint32_t mix_ports(uint32_t hash, unsigned protocol, const uint8_t *ports)
{
    if (protocol != PROTOCOL_TCP && protocol != PROTOCOL_UDP)
        return hash;
    return mix(hash, protocol << 24 ^ (load16(ports) + load16(ports + 2)));
}

/* Of a fragment only the addresses count: those behind the first have no ports. */
static uint32_t hash_ipv4(const uint8_t *ip)
{
    uint32_t hash = mix_pair(4, ip + 12, ip + 16, 1);
    unsigned header = 4u * (ip[0] & 15);
    return load16(ip + 6) & 0x3fff ? hash : mix_ports(hash, ip[9], ip + header);
}

static uint32_t hash_ipv6(const uint8_t *ip)
{
    return mix_ports(mix_pair(6, ip + 8, ip + 24, 4), ip[6], ip + IPV6_HEADER);
}

static uint32_t hash_frame(const uint8_t *head)
{
    const uint8_t *at = head + AT_TYPE;
    for (unsigned tags = 0; tags < 2; tags++)
        if (load16(at) == TYPE_VLAN || load16(at) == TYPE_QINQ)
            at += 4;
    switch (load16(at)) {
    case TYPE_IPV4:
        return hash_ipv4(at + 2);
    case TYPE_IPV6:
        return hash_ipv6(at + 2);
    default:
        return 0;
    }
}

void net_steer_reset(struct net_steer *s)
{
    memset(s->pair, NOT_SEEN, sizeof(s->pair));
}

void net_steer_sent(struct net_steer *s, const uint8_t head[NET_STEER_HEAD], unsigned pair)
{
    s->pair[hash_frame(head) % NET_STEER_ENTRIES] = (uint8_t)pair;
}

unsigned net_steer_received(const struct net_steer *s, const uint8_t head[NET_STEER_HEAD],
                            unsigned pairs)
{
    uint32_t hash = hash_frame(head);
    unsigned pair = s->pair[hash % NET_STEER_ENTRIES];
    return pair < pairs ? pair : hash / NET_STEER_ENTRIES % pairs;
}
