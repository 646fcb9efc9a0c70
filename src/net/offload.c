/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Checksums and segmentation in software: see offload.h.
 *
 * A large packet is cut as a card does it (and Linux, Documentation/networking/segmentation-offloads):
 * each piece has the headers with their lengths set, IPv4's identification counted up, TCP's sequence
 * number moved on; FIN and PSH are the last piece's, CWR is the first's. The field of the TCP or UDP
 * checksum holds the sum of the pseudo header with the large packet's length, so the pieces' pseudo
 * headers follow from it without a look at addresses, which routing headers may change on the way.
 */
#include "net/offload.h"

#include "base/big_endian.h"
#include "net/checksum.h"
#include "net/frame.h"
#include <string.h>

unsigned offload_needs(const struct net_offload *offload)
{
    unsigned needs = offload->csum_due ? NET_CSUM : 0;
    switch (offload->gso) {
    case NET_GSO_NONE:
        return needs;
    case NET_GSO_TCP4:
        return needs | NET_TSO4;
    case NET_GSO_TCP6:
        return needs | NET_TSO6;
    case NET_GSO_UDP:
        return needs | NET_USO;
    }
    return needs;
}

bool offload_complete(uint8_t *frame, size_t size, const struct net_offload *offload)
{
    const size_t start = offload->csum_start, field = start + offload->csum_offset;
    if (start < NET_HEADER_SIZE || field + 2 > size)
        return false;
    uint16_t sum = checksum_finish(checksum_add(0, frame + start, size - start));
    /* In UDP 0 says that there is none; the other zero is as good in both. */
    put_be16(frame + field, sum ? sum : 0xffff);
    return true;
}

/* Offset of the IP header; 0: it is not IP. */
static unsigned find_ip(const uint8_t *frame, size_t size, bool *ipv6)
{
    unsigned at = ETHER_TYPE;
    for (unsigned tags = 0; tags <= 2 && at + 2 <= size; tags++, at += ETHER_VLAN_SIZE) {
        uint16_t type = get_be16(frame + at);
        *ipv6 = type == ETHER_TYPE_IPV6;
        if (type == ETHER_TYPE_IPV4 || type == ETHER_TYPE_IPV6)
            return at + 2;
        if (type != ETHER_TYPE_VLAN && type != ETHER_TYPE_QINQ)
            return 0;
    }
    return 0;
}

static bool check_ipv4(const struct offload_cut *cut)
{
    const uint8_t *ip = cut->frame + cut->ip;
    unsigned header = 4u * (ip[IPV4_VERSION] & 15);
    uint8_t protocol = cut->gso == NET_GSO_UDP ? PROTOCOL_UDP : PROTOCOL_TCP;
    return ip[IPV4_VERSION] >> 4 == 4 && header >= IPV4_HEADER_SIZE &&
           cut->ip + header == cut->transport && ip[IPV4_PROTOCOL] == protocol &&
           !(get_be16(ip + IPV4_FRAGMENT) & IPV4_IS_FRAGMENT);
}

/* Extension headers are for the receiver to judge. */
static bool check_ipv6(const struct offload_cut *cut)
{
    return cut->frame[cut->ip] >> 4 == 6 && cut->transport >= cut->ip + IPV6_HEADER_SIZE;
}

/* Sets header_size from the TCP or UDP header itself. */
static bool check_transport(struct offload_cut *cut, unsigned csum_offset)
{
    const bool udp = cut->gso == NET_GSO_UDP;
    unsigned header = UDP_HEADER_SIZE;
    if (csum_offset != (udp ? UDP_CHECKSUM : TCP_CHECKSUM) ||
        cut->transport + (udp ? UDP_HEADER_SIZE : TCP_HEADER_SIZE) > cut->size)
        return false;
    if (!udp)
        header = 4u * (cut->frame[cut->transport + TCP_OFFSET] >> 4);
    cut->header_size = cut->transport + header;
    return (udp || header >= TCP_HEADER_SIZE) && cut->header_size < cut->size &&
           cut->header_size <= OFFLOAD_HEADERS_MAX;
}

bool offload_cut_begin(struct offload_cut *cut, const uint8_t *frame, size_t size,
                       const struct net_offload *offload)
{
    cut->frame = frame;
    cut->size = size;
    cut->gso = offload->gso;
    cut->piece_size = offload->gso_size;
    cut->transport = offload->csum_start;
    cut->index = 0;
    cut->done = 0;
    cut->ip = find_ip(frame, size, &cut->ipv6);
    if (!cut->ip || size > NET_FRAME_MAX || offload->gso == NET_GSO_NONE || !offload->csum_due ||
        cut->piece_size < OFFLOAD_PIECE_MIN || !check_transport(cut, offload->csum_offset) ||
        cut->transport < cut->ip + IPV4_HEADER_SIZE)
        return false;
    if (cut->ipv6 ? offload->gso == NET_GSO_TCP4 || !check_ipv6(cut)
                  : offload->gso == NET_GSO_TCP6 || !check_ipv4(cut))
        return false;
    /* Ones' complement: taking the length away is adding its inverse. */
    uint32_t sum = get_be16(frame + cut->transport + offload->csum_offset);
    cut->pseudo_sum = checksum_add_word(sum, (uint16_t) ~(uint16_t)(size - cut->transport));
    return true;
}

static void write_ip(struct offload_cut *cut, size_t payload)
{
    uint8_t *ip = cut->headers + cut->ip;
    size_t length = cut->header_size - cut->ip + payload;
    if (cut->ipv6) {
        put_be16(ip + IPV6_LENGTH, (uint16_t)(length - IPV6_HEADER_SIZE));
        return;
    }
    put_be16(ip + IPV4_LENGTH, (uint16_t)length);
    put_be16(ip + IPV4_ID, (uint16_t)(get_be16(ip + IPV4_ID) + cut->index));
    put_be16(ip + IPV4_CHECKSUM, 0);
    put_be16(ip + IPV4_CHECKSUM, checksum_finish(checksum_add(0, ip, cut->transport - cut->ip)));
}

static void write_transport(struct offload_cut *cut, const uint8_t *payload, size_t size, bool last)
{
    const bool udp = cut->gso == NET_GSO_UDP;
    uint8_t *header = cut->headers + cut->transport;
    const size_t header_size = cut->header_size - cut->transport, length = header_size + size;
    uint8_t *field = header + (udp ? UDP_CHECKSUM : TCP_CHECKSUM);
    if (udp) {
        put_be16(header + UDP_LENGTH, (uint16_t)length);
    } else {
        put_be32(header + TCP_SEQUENCE, get_be32(header + TCP_SEQUENCE) + (uint32_t)cut->done);
        if (!last)
            header[TCP_FLAGS] &= (uint8_t) ~(TCP_FIN | TCP_PSH);
        if (cut->index)
            header[TCP_FLAGS] &= (uint8_t)~TCP_CWR;
    }
    put_be16(field, 0);
    uint32_t sum = checksum_add_word(cut->pseudo_sum, (uint16_t)length);
    sum = checksum_add(sum, header, header_size);
    sum = checksum_add(sum, payload, size);
    uint16_t due = checksum_finish(sum);
    put_be16(field, due ? due : 0xffff);
}

bool offload_cut_next(struct offload_cut *cut, struct net_packet *piece)
{
    const uint8_t *payload = cut->frame + cut->header_size + cut->done;
    size_t size = cut->size - cut->header_size - cut->done;
    if (!size)
        return false;
    const bool last = size <= cut->piece_size;
    if (!last)
        size = cut->piece_size;
    memcpy(cut->headers, cut->frame, cut->header_size);
    write_ip(cut, size);
    write_transport(cut, payload, size, last);
    cut->iov[0] = (struct iovec){cut->headers, cut->header_size};
    cut->iov[1] = (struct iovec){(void *)payload, size};
    *piece = (struct net_packet){.iov = cut->iov, .iov_count = 2, .size = cut->header_size + size};
    cut->index++;
    cut->done += size;
    return true;
}
