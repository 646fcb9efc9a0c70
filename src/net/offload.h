/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Does in software what one side of a cable leaves to do and the other side does not take: checksums
 * (RFC 1071), and large packets cut into pieces (struct net_offload). Frames are in one piece of memory
 * that nobody else writes; whatever they hold, nothing outside them is touched, and what makes no sense
 * is refused.
 *
 *     struct offload_cut cut;
 *     struct net_packet piece;
 *     if (offload_cut_begin(&cut, frame, size, &offload))
 *         while (offload_cut_next(&cut, &piece))
 *             ... a plain frame, good until the next call
 */
#ifndef RVVM_NET_OFFLOAD_H
#define RVVM_NET_OFFLOAD_H

#include "net/net.h"

/* Which of enum net_feature the other side needs to take a packet as it is. */
unsigned offload_needs(const struct net_offload *offload);

/* Puts the checksum in that is due. false: its place is not inside the frame. */
bool offload_complete(uint8_t *frame, size_t size, const struct net_offload *offload);

/* Ethernet, two VLAN tags, IPv6 with some extension headers, TCP with options. */
#define OFFLOAD_HEADERS_MAX 256
/* Payload bytes of a piece: as Linux has it, what is left of the smallest segment that TCP must take when
 * all options are there. Less would only make work. */
#define OFFLOAD_PIECE_MIN 8

struct offload_cut {
    const uint8_t *frame;
    size_t size;
    enum net_gso gso;
    unsigned piece_size;    /* payload bytes, but of the last */
    unsigned ip, transport; /* offsets of headers */
    unsigned header_size;   /* of all of them: where the payload begins */
    bool ipv6;
    uint32_t pseudo_sum; /* of the pseudo header, without the length */
    unsigned index;      /* of the next piece */
    size_t done;         /* payload bytes in the pieces before it */
    struct iovec iov[2];
    uint8_t headers[OFFLOAD_HEADERS_MAX];
};

/* false: it is not what its offload says. The frame stays the caller's, until the last piece. */
bool offload_cut_begin(struct offload_cut *cut, const uint8_t *frame, size_t size,
                       const struct net_offload *offload);
/* false: there are no more. */
bool offload_cut_next(struct offload_cut *cut, struct net_packet *piece);

#endif
