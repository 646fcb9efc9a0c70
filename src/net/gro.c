/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Merging of TCP segments: see gro.h.
 *
 * A segment is appended to the packet of its connection when its headers are those of the packet but for
 * length, IPv4's identification, checksums, sequence number, window and PSH, and when its payload follows
 * without a gap. A packet ends with a segment that is shorter than its first one or has PSH set, and at
 * 64 KiB.
 */
#include "net/gro.h"

#include "base/big_endian.h"
#include "net/checksum.h"
#include "net/frame.h"
#include <stdlib.h>
#include <string.h>

#define FLOWS 16     /* connections that are merged at a time */
#define IP_MAX 65535 /* bytes of an IP packet */

/* Where things are in a frame that may be merged. */
struct segment {
    const uint8_t *frame;
    bool ipv6;
    unsigned tcp;         /* offset of the TCP header; IP is at NET_HEADER_SIZE */
    unsigned header_size; /* of all headers */
    unsigned payload;     /* bytes */
};

struct flow {
    unsigned segments; /* 0: free */
    unsigned header_size, tcp;
    bool ipv6;
    unsigned piece_size; /* payload of the first segment */
    size_t size;
    uint32_t next_sequence;
    uint8_t bytes[NET_HEADER_SIZE + IP_MAX];
};

struct gro {
    void (*emit)(void *ctx, const struct net_packet *packet);
    void *ctx;
    unsigned next; /* flow that gives way when all are taken */
    unsigned used; /* flows that have segments */
    struct flow flows[FLOWS];
};

struct gro *gro_new(void (*emit)(void *ctx, const struct net_packet *packet), void *ctx)
{
    struct gro *gro = calloc(1, sizeof(*gro));
    if (gro) {
        gro->emit = emit;
        gro->ctx = ctx;
    }
    return gro;
}

void gro_free(struct gro *gro)
{
    free(gro);
}

/* Finds the TCP header. Returns 0 when there is none behind a plain IP header, or it is not all there. */
static unsigned find_tcp(const uint8_t *frame, size_t size, bool *ipv6, size_t *ip_end)
{
    const uint8_t *ip = frame + NET_HEADER_SIZE;
    if (size < NET_HEADER_SIZE + IPV4_HEADER_SIZE + TCP_HEADER_SIZE)
        return 0;
    if (get_be16(frame + ETHER_TYPE) == ETHER_TYPE_IPV4) {
        *ipv6 = false;
        *ip_end = NET_HEADER_SIZE + get_be16(ip + IPV4_LENGTH);
        bool plain = ip[IPV4_VERSION] == 0x45 && ip[IPV4_PROTOCOL] == PROTOCOL_TCP &&
                     !(get_be16(ip + IPV4_FRAGMENT) & IPV4_IS_FRAGMENT);
        return plain ? NET_HEADER_SIZE + IPV4_HEADER_SIZE : 0;
    }
    if (get_be16(frame + ETHER_TYPE) != ETHER_TYPE_IPV6 || ip[IPV6_NEXT] != PROTOCOL_TCP ||
        ip[IPV6_VERSION] >> 4 != 6 || size < NET_HEADER_SIZE + IPV6_HEADER_SIZE + TCP_HEADER_SIZE)
        return 0;
    *ipv6 = true;
    *ip_end = NET_HEADER_SIZE + IPV6_HEADER_SIZE + get_be16(ip + IPV6_LENGTH);
    return NET_HEADER_SIZE + IPV6_HEADER_SIZE;
}

/* false: not TCP. */
static bool look_at(struct segment *s, const uint8_t *frame, size_t size)
{
    size_t end;
    s->frame = frame;
    s->tcp = find_tcp(frame, size, &s->ipv6, &end);
    if (!s->tcp || end > size)
        return false;
    s->header_size = s->tcp + 4u * (frame[s->tcp + TCP_OFFSET] >> 4);
    if (s->header_size < s->tcp + TCP_HEADER_SIZE || s->header_size > end)
        return false;
    s->payload = (unsigned)(end - s->header_size);
    return true;
}

static bool is_same_connection(const struct flow *flow, const struct segment *s)
{
    const unsigned ip = NET_HEADER_SIZE;
    if (!flow->segments || flow->ipv6 != s->ipv6)
        return false;
    return !memcmp(flow->bytes + flow->tcp, s->frame + s->tcp, TCP_SEQUENCE) &&
           (s->ipv6
                ? !memcmp(flow->bytes + ip + IPV6_ADDRESSES, s->frame + ip + IPV6_ADDRESSES, 32)
                : !memcmp(flow->bytes + ip + IPV4_ADDRESSES, s->frame + ip + IPV4_ADDRESSES, 8));
}

/* All that must be the same in headers of one packet's segments. */
static bool has_same_headers(const struct flow *flow, const struct segment *s)
{
    const uint8_t *a = flow->bytes, *b = s->frame, *ip_a = a + NET_HEADER_SIZE;
    const uint8_t *ip_b = b + NET_HEADER_SIZE;
    if (flow->header_size != s->header_size || memcmp(a, b, NET_HEADER_SIZE))
        return false;
    if (s->ipv6) {
        if (memcmp(ip_a, ip_b, IPV6_LENGTH) || ip_a[IPV6_HOPS] != ip_b[IPV6_HOPS])
            return false;
    } else if (ip_a[IPV4_TOS] != ip_b[IPV4_TOS] || ip_a[IPV4_TTL] != ip_b[IPV4_TTL] ||
               memcmp(ip_a + IPV4_FRAGMENT, ip_b + IPV4_FRAGMENT, 2)) {
        return false;
    }
    const uint8_t *tcp_a = a + flow->tcp, *tcp_b = b + s->tcp;
    return !memcmp(tcp_a + TCP_ACKNOWLEDGMENT, tcp_b + TCP_ACKNOWLEDGMENT, 4) &&
           !memcmp(tcp_a + TCP_HEADER_SIZE, tcp_b + TCP_HEADER_SIZE,
                   s->header_size - s->tcp - TCP_HEADER_SIZE);
}

/* Lengths and checksums of what was merged, and what there is to do for who cuts it again. */
static void finish_headers(struct flow *flow, struct net_offload *offload)
{
    uint8_t *ip = flow->bytes + NET_HEADER_SIZE, *tcp = flow->bytes + flow->tcp;
    const size_t ip_size = flow->size - NET_HEADER_SIZE, tcp_size = flow->size - flow->tcp;
    uint32_t sum;
    if (flow->ipv6) {
        put_be16(ip + IPV6_LENGTH, (uint16_t)(ip_size - IPV6_HEADER_SIZE));
        sum = checksum_add(0, ip + IPV6_ADDRESSES, 32);
    } else {
        put_be16(ip + IPV4_LENGTH, (uint16_t)ip_size);
        put_be16(ip + IPV4_CHECKSUM, 0);
        put_be16(ip + IPV4_CHECKSUM, checksum_finish(checksum_add(0, ip, IPV4_HEADER_SIZE)));
        sum = checksum_add(0, ip + IPV4_ADDRESSES, 8);
    }
    sum = checksum_add_word(checksum_add_word(sum, PROTOCOL_TCP), (uint16_t)tcp_size);
    put_be16(tcp + TCP_CHECKSUM, checksum_fold(sum));
    *offload = (struct net_offload){
        .csum_due = true,
        .csum_valid = true,
        .csum_start = (uint16_t)flow->tcp,
        .csum_offset = TCP_CHECKSUM,
        .gso = flow->ipv6 ? NET_GSO_TCP6 : NET_GSO_TCP4,
        .gso_size = (uint16_t)flow->piece_size,
        .header_size = (uint16_t)flow->header_size,
    };
}

static void emit_flow(struct gro *gro, struct flow *flow)
{
    struct iovec iov = {flow->bytes, flow->size};
    struct net_packet packet = {.iov = &iov, .iov_count = 1, .size = flow->size};
    if (flow->segments > 1)
        finish_headers(flow, &packet.offload);
    else
        packet.offload.csum_valid = true;
    flow->segments = 0;
    gro->used--;
    gro->emit(gro->ctx, &packet);
}

/* Data that come with nothing but an acknowledgment. */
static bool may_begin(const struct segment *s)
{
    uint8_t flags = s->frame[s->tcp + TCP_FLAGS];
    return flags == TCP_ACK && s->payload &&
           s->header_size + s->payload <= NET_HEADER_SIZE + IP_MAX;
}

static void begin_flow(struct gro *gro, const struct segment *s)
{
    struct flow *flow = NULL;
    for (unsigned i = 0; i < FLOWS && !flow; i++)
        if (!gro->flows[i].segments)
            flow = &gro->flows[i];
    if (!flow) {
        flow = &gro->flows[gro->next++ % FLOWS];
        emit_flow(gro, flow);
    }
    gro->used++;
    flow->segments = 1;
    flow->header_size = s->header_size;
    flow->tcp = s->tcp;
    flow->ipv6 = s->ipv6;
    flow->piece_size = s->payload;
    flow->size = s->header_size + s->payload;
    flow->next_sequence = get_be32(s->frame + s->tcp + TCP_SEQUENCE) + s->payload;
    memcpy(flow->bytes, s->frame, flow->size);
}

/* false: it does not fit behind what is there. */
static bool append(struct gro *gro, struct flow *flow, const struct segment *s)
{
    const uint8_t *tcp = s->frame + s->tcp;
    if ((tcp[TCP_FLAGS] & ~TCP_PSH) != TCP_ACK || !s->payload || s->payload > flow->piece_size ||
        get_be32(tcp + TCP_SEQUENCE) != flow->next_sequence ||
        flow->size + s->payload > NET_HEADER_SIZE + IP_MAX || !has_same_headers(flow, s))
        return false;
    memcpy(flow->bytes + flow->size, s->frame + s->header_size, s->payload);
    flow->size += s->payload;
    flow->next_sequence += s->payload;
    flow->segments++;
    uint8_t *head = flow->bytes + flow->tcp;
    head[TCP_FLAGS] |= tcp[TCP_FLAGS];
    memcpy(head + TCP_WINDOW, tcp + TCP_WINDOW, 2);
    if (s->payload < flow->piece_size || (tcp[TCP_FLAGS] & TCP_PSH))
        emit_flow(gro, flow);
    return true;
}

bool gro_add(struct gro *gro, const uint8_t *frame, size_t size)
{
    struct segment s;
    if (!look_at(&s, frame, size))
        return false;
    for (unsigned i = 0; i < FLOWS && gro->used; i++) {
        struct flow *flow = &gro->flows[i];
        if (!is_same_connection(flow, &s))
            continue;
        if (append(gro, flow, &s))
            return true;
        emit_flow(gro, flow);
        break;
    }
    if (!may_begin(&s))
        return false;
    begin_flow(gro, &s);
    return true;
}

void gro_flush(struct gro *gro)
{
    for (unsigned i = 0; i < FLOWS && gro->used; i++)
        if (gro->flows[i].segments)
            emit_flow(gro, &gro->flows[i]);
}
