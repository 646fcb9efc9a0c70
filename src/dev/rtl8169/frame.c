/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What the card does to frames: it inserts a VLAN tag, computes checksums of IPv4, TCP and UDP, and has
 * large TCP packets cut into segments; of received frames it says whether their checksums are right. It
 * knows nothing of IPv6.
 *
 * Headers of a frame to send are copied out of guest memory before they are looked at, and sent from
 * there. The checksum of TCP or UDP is left to the network (struct net_offload); what the guest has in
 * its place does not matter. A frame that does not look as its descriptor says goes out as it is.
 */
#include "base/big_endian.h"
#include "dev/rtl8169/card.h"
#include "net/checksum.h"
#include "net/frame.h"
#include "net/offload.h"

#include <string.h>

/* Where the headers of an IPv4 packet are. */
struct ip4 {
    size_t at, payload; /* offsets in the frame */
    size_t length;      /* of the packet, as it says: it may be any */
    unsigned protocol;
    bool fragment;
};

/* false: it is none, or not sound. */
static bool find_ip4(struct ip4 *ip, const uint8_t *head, size_t size)
{
    size_t at = ETHER_TYPE;
    for (unsigned tags = 0; tags < 2 && at + ETHER_VLAN_SIZE + 2 <= size;
         tags++, at += ETHER_VLAN_SIZE) {
        uint16_t type = get_be16(head + at);
        if (type != ETHER_TYPE_VLAN && type != ETHER_TYPE_QINQ)
            break;
    }
    ip->at = at + 2;
    if (ip->at + IPV4_HEADER_SIZE > size || get_be16(head + at) != ETHER_TYPE_IPV4)
        return false;
    const uint8_t *header = head + ip->at;
    size_t header_size = (header[0] & 15) * 4u;
    ip->payload = ip->at + header_size;
    ip->length = get_be16(header + IPV4_LENGTH);
    ip->protocol = header[IPV4_PROTOCOL];
    ip->fragment = get_be16(header + IPV4_FRAGMENT) & IPV4_IS_FRAGMENT;
    return header[0] >> 4 == 4 && header_size >= IPV4_HEADER_SIZE && ip->payload <= size;
}

/* The sum of the pseudo header of TCP and UDP. */
static uint32_t pseudo_sum(const struct ip4 *ip, const uint8_t *head)
{
    uint32_t sum = checksum_add(0, head + ip->at + IPV4_ADDRESSES, 8);
    sum = checksum_add_word(sum, (uint16_t)ip->protocol);
    return checksum_add_word(sum, (uint16_t)(ip->length - (ip->payload - ip->at)));
}

/*
 * To send
 */

static void set_header_checksum(const struct ip4 *ip, uint8_t *head)
{
    uint8_t *header = head + ip->at;
    put_be16(header + IPV4_CHECKSUM, 0);
    put_be16(header + IPV4_CHECKSUM,
             checksum_finish(checksum_add(0, header, ip->payload - ip->at)));
}

/* The network computes the checksum, from the packet's payload to the end of the frame. */
static void leave_checksum(struct rtl_frame *frame, const struct ip4 *ip)
{
    struct net_offload *todo = &frame->packet.offload;
    todo->csum_due = true;
    todo->csum_start = (uint16_t)ip->payload;
    todo->csum_offset = ip->protocol == PROTOCOL_TCP ? TCP_CHECKSUM : UDP_CHECKSUM;
    put_be16(frame->head + todo->csum_start + todo->csum_offset,
             checksum_fold(pseudo_sum(ip, frame->head)));
}

static void add_checksums(struct rtl_frame *frame, size_t head_size, uint32_t opts1)
{
    struct net_packet *p = &frame->packet;
    struct ip4 ip;
    if (!find_ip4(&ip, frame->head, head_size))
        return;
    if (opts1 & TX_IPCS)
        set_header_checksum(&ip, frame->head);
    bool tcp = opts1 & TX_TCPCS && ip.protocol == PROTOCOL_TCP;
    bool udp = opts1 & TX_UDPCS && ip.protocol == PROTOCOL_UDP;
    size_t need = ip.payload + (tcp ? TCP_HEADER_SIZE : UDP_HEADER_SIZE);
    if ((tcp || udp) && !ip.fragment && need <= head_size && ip.at + ip.length >= need &&
        ip.at + ip.length <= p->size) {
        p->size = ip.at + ip.length; /* what is behind it is padding, and no part of the sum */
        leave_checksum(frame, &ip);
    }
}

static const char *add_segmentation(struct rtl_frame *frame, size_t head_size, uint32_t opts1)
{
    struct net_packet *p = &frame->packet;
    uint8_t *head = frame->head;
    unsigned mss = opts1 >> TX_MSS_SHIFT & TX_MSS_MASK;
    struct ip4 ip;
    if (!find_ip4(&ip, head, head_size) || ip.protocol != PROTOCOL_TCP || ip.fragment ||
        ip.payload + TCP_HEADER_SIZE > head_size)
        return "to be cut into segments, but not of TCP over IPv4";
    size_t header_size = ip.payload + (head[ip.payload + TCP_OFFSET] >> 4) * 4u;
    if (header_size < ip.payload + TCP_HEADER_SIZE || header_size > head_size ||
        p->size - ip.at > UINT16_MAX)
        return "to be cut into segments, but of impossible size";
    if (mss < OFFLOAD_PIECE_MIN)
        return "to be cut into segments of too few bytes";
    ip.length = p->size - ip.at;
    put_be16(head + ip.at + IPV4_LENGTH, (uint16_t)ip.length);
    set_header_checksum(&ip, head);
    leave_checksum(frame, &ip);
    if (p->size - header_size > mss) {
        p->offload.gso = NET_GSO_TCP4;
        p->offload.gso_size = (uint16_t)mss;
        p->offload.header_size = (uint16_t)header_size;
        p->offload.ecn = head[ip.payload + TCP_FLAGS] & TCP_CWR;
    }
    return NULL;
}

/* Moves bytes from the pieces, which begin at iov[1], to the head. The index of the first that is left. */
static unsigned take_head(struct rtl_frame *frame, unsigned pieces, size_t size)
{
    size_t taken = 0;
    unsigned first = 1;
    while (taken < size && first <= pieces) {
        struct iovec *piece = &frame->iov[first];
        size_t part = piece->iov_len < size - taken ? piece->iov_len : size - taken;
        memcpy(frame->head + taken, piece->iov_base, part);
        taken += part;
        piece->iov_base = (uint8_t *)piece->iov_base + part;
        piece->iov_len -= part;
        first += !piece->iov_len;
    }
    return first;
}

static size_t insert_tag(struct rtl_frame *frame, size_t head_size, uint32_t opts2)
{
    uint8_t *at = frame->head + ETHER_TYPE;
    memmove(at + ETHER_VLAN_SIZE, at, head_size - ETHER_TYPE);
    put_be16(at, ETHER_TYPE_VLAN);
    at[2] = (uint8_t)opts2;
    at[3] = (uint8_t)(opts2 >> 8);
    frame->packet.size += ETHER_VLAN_SIZE;
    return head_size + ETHER_VLAN_SIZE;
}

/* Entries first to last - 1 of iov are the frame, and more: brings it to packet.size, padded if need be. */
static void fit(struct rtl_frame *frame, unsigned first, unsigned last)
{
    static const uint8_t zeros[RTL_WIRE_MIN];
    struct net_packet *p = &frame->packet;
    p->iov = &frame->iov[first];
    size_t left = p->size;
    unsigned end = first;
    for (; end < last && left; end++) {
        if (frame->iov[end].iov_len > left)
            frame->iov[end].iov_len = left;
        left -= frame->iov[end].iov_len;
    }
    if (p->size < RTL_WIRE_MIN) {
        frame->iov[end++] = (struct iovec){(void *)(uintptr_t)zeros, RTL_WIRE_MIN - p->size};
        p->size = RTL_WIRE_MIN;
    }
    p->iov_count = end - first;
}

const char *rtl_frame_finish(struct rtl_frame *frame, unsigned pieces, size_t size, uint32_t opts1,
                             uint32_t opts2)
{
    bool large = opts1 & TX_LGSEN, tag = opts2 & TX_TAG;
    uint32_t checksums = large ? 0 : opts1 & (TX_IPCS | TX_TCPCS | TX_UDPCS);
    unsigned first = 1;
    const char *wrong = NULL;
    frame->packet = (struct net_packet){.size = size};
    if (size < NET_HEADER_SIZE)
        return "shorter than its header";
    if (size + ETHER_VLAN_SIZE > (large ? NET_FRAME_MAX : RTL_FRAME_MAX - RTL_FCS))
        return "longer than the card can send";
    if (large || tag || checksums) {
        size_t head_size =
            size < RTL_HEAD_MAX - ETHER_VLAN_SIZE ? size : RTL_HEAD_MAX - ETHER_VLAN_SIZE;
        first = take_head(frame, pieces, head_size) - 1;
        if (tag)
            head_size = insert_tag(frame, head_size, opts2);
        frame->iov[first] = (struct iovec){frame->head, head_size};
        if (large)
            wrong = add_segmentation(frame, head_size, opts1);
        else if (checksums)
            add_checksums(frame, head_size, opts1);
    }
    fit(frame, first, pieces + 1);
    return wrong;
}

/*
 * Received
 */

/* The sum of `size` bytes of the packet from an offset on. */
static uint32_t sum_packet(uint32_t sum, const struct net_packet *p, size_t offset, size_t size)
{
    bool odd = false;
    for (unsigned i = 0; i < p->iov_count && size; i++) {
        size_t length = p->iov[i].iov_len;
        if (offset >= length) {
            offset -= length;
            continue;
        }
        size_t part = length - offset < size ? length - offset : size;
        uint16_t words =
            checksum_fold(checksum_add(0, (const uint8_t *)p->iov[i].iov_base + offset, part));
        sum = checksum_add_word(sum, odd ? __builtin_bswap16(words) : words);
        odd ^= part & 1;
        size -= part;
        offset = 0;
    }
    return sum;
}

static bool payload_is_right(const struct net_packet *p, const struct ip4 *ip, const uint8_t *head,
                             size_t head_size)
{
    bool udp = ip->protocol == PROTOCOL_UDP;
    size_t end = ip->at + ip->length;
    if (end > p->size || end < ip->payload + (udp ? UDP_HEADER_SIZE : TCP_HEADER_SIZE))
        return false;
    size_t checksum = ip->payload + UDP_CHECKSUM;
    if (p->offload.csum_valid || (udp && checksum + 2 <= head_size &&
                                  !get_be16(head + checksum))) /* 0: the sender made none */
        return true;
    return checksum_fold(sum_packet(pseudo_sum(ip, head), p, ip->payload, end - ip->payload)) ==
           0xffff;
}

uint32_t rtl_frame_check(const struct net_packet *packet, const uint8_t *head, size_t head_size)
{
    struct ip4 ip;
    if (!find_ip4(&ip, head, head_size))
        return 0;
    uint32_t status = 0;
    if (checksum_fold(checksum_add(0, head + ip.at, ip.payload - ip.at)) != 0xffff)
        status |= RX_IP_BAD;
    if (ip.fragment || (ip.protocol != PROTOCOL_TCP && ip.protocol != PROTOCOL_UDP))
        return status | RX_TCP | RX_UDP;
    bool right = payload_is_right(packet, &ip, head, head_size);
    if (ip.protocol == PROTOCOL_TCP)
        return status | RX_TCP | (right ? 0 : RX_TCP_BAD);
    return status | RX_UDP | (right ? 0 : RX_UDP_BAD);
}
