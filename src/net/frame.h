/* SPDX-License-Identifier: MPL-2.0 */
/* Offsets and bits of the headers that are looked into here, each from the beginning of its header. */
#ifndef RVVM_NET_FRAME_H
#define RVVM_NET_FRAME_H

/* Ethernet (IEEE 802.3): destination, source, type. */
enum { ETHER_TYPE = 12, ETHER_VLAN_SIZE = 4 };
enum {
    ETHER_TYPE_IPV4 = 0x0800,
    ETHER_TYPE_VLAN = 0x8100,
    ETHER_TYPE_IPV6 = 0x86dd,
    ETHER_TYPE_QINQ = 0x88a8
};

/* IPv4 (RFC 791) */
enum {
    IPV4_VERSION = 0, /* version, header length in words */
    IPV4_TOS = 1,
    IPV4_LENGTH = 2,
    IPV4_ID = 4,
    IPV4_FRAGMENT = 6, /* flags, offset */
    IPV4_TTL = 8,
    IPV4_PROTOCOL = 9,
    IPV4_CHECKSUM = 10,
    IPV4_ADDRESSES = 12, /* source, destination: 8 bytes */
    IPV4_HEADER_SIZE = 20,
};
enum { IPV4_DONT_FRAGMENT = 0x4000, IPV4_IS_FRAGMENT = 0x3fff /* more to come, or an offset */ };

/* IPv6 (RFC 8200) */
enum {
    IPV6_VERSION = 0, /* version, traffic class, flow */
    IPV6_LENGTH = 4,  /* of what follows */
    IPV6_NEXT = 6,
    IPV6_HOPS = 7,
    IPV6_ADDRESSES = 8, /* source, destination: 32 bytes */
    IPV6_HEADER_SIZE = 40,
};

enum { PROTOCOL_TCP = 6, PROTOCOL_UDP = 17 };

/* TCP (RFC 9293) */
enum {
    TCP_PORTS = 0, /* source, destination: 4 bytes */
    TCP_SEQUENCE = 4,
    TCP_ACKNOWLEDGMENT = 8,
    TCP_OFFSET = 12, /* header length in words, in the upper half */
    TCP_FLAGS = 13,
    TCP_WINDOW = 14,
    TCP_CHECKSUM = 16,
    TCP_HEADER_SIZE = 20,
};
enum { TCP_FIN = 0x01, TCP_PSH = 0x08, TCP_ACK = 0x10, TCP_CWR = 0x80 };

/* UDP (RFC 768) */
enum { UDP_LENGTH = 4, UDP_CHECKSUM = 6, UDP_HEADER_SIZE = 8 };

#endif
