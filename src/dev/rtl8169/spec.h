/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Registers and descriptors of the RTL8169 (Realtek, "RTL8169 Registers", data sheet revision 1.2),
 * under the data sheet's names. All are little-endian.
 */
#ifndef RVVM_DEV_RTL8169_SPEC_H
#define RVVM_DEV_RTL8169_SPEC_H

#include <stdint.h>

#define RTL_REGISTERS 256 /* bytes: the size of both BARs */

enum rtl_register {
    RTL_IDR = 0x00,   /* 6 bytes: the station's address */
    RTL_MAR = 0x08,   /* 8 bytes: hash table of multicast addresses */
    RTL_DTCCR = 0x10, /* 8 bytes: where counters are written, and the command to do it */
    RTL_TNPDS = 0x20, /* 8 bytes: the ring for sending */
    RTL_THPDS = 0x28, /* 8 bytes: the one that goes first */
    RTL_CR = 0x37,
    RTL_TPPOLL = 0x38,
    RTL_IMR = 0x3c, /* 2 bytes */
    RTL_ISR = 0x3e, /* 2 bytes: written ones are cleared */
    RTL_TCR = 0x40,
    RTL_RCR = 0x44,
    RTL_TCTR = 0x48, /* counts cycles of the bus; any write sets it to 0 */
    RTL_MPC = 0x4c,  /* 3 bytes: frames that were lost; any write sets it to 0 */
    RTL_9346CR = 0x50,
    RTL_CONFIG0 = 0x51,
    RTL_CONFIG1,
    RTL_CONFIG2,
    RTL_CONFIG3,
    RTL_CONFIG4,
    RTL_CONFIG5,
    RTL_TIMERINT = 0x58, /* TCTR here: ISR_TIMEOUT; 0: never */
    RTL_PHYAR = 0x60,
    RTL_PHYSTATUS = 0x6c,
    RTL_WAKEUP = 0x84, /* patterns of frames that wake, to 0xd5 */
    RTL_WAKEUP_END = 0xd6,
    RTL_RMS = 0xda,      /* 2 bytes: the longest frame to receive; 0: any */
    RTL_CPCR = 0xe0,     /* 2 bytes: "C+ mode" */
    RTL_MITIGATE = 0xe2, /* 2 bytes */
    RTL_RDSAR = 0xe4,    /* 8 bytes: the ring for receiving */
    RTL_ETTHR = 0xec,
    RTL_FER = 0xf0, /* function event registers, of CardBus, to the end */
};

#define DTCCR_RESET 0x01 /* of the parts that came later; harmless */
#define DTCCR_DUMP 0x08

#define CR_TE 0x04
#define CR_RE 0x08
#define CR_RST 0x10

#define TPPOLL_FSWINT 0x01 /* set ISR_SWINT */
#define TPPOLL_NPQ 0x40
#define TPPOLL_HPQ 0x80

#define ISR_ROK 0x0001
#define ISR_RER 0x0002
#define ISR_TOK 0x0004
#define ISR_TER 0x0008
#define ISR_RDU 0x0010 /* no descriptor for a frame */
#define ISR_LINKCHG 0x0020
#define ISR_TDU 0x0080 /* no more descriptors to send */
#define ISR_SWINT 0x0100
#define ISR_TIMEOUT 0x4000
#define ISR_SERR 0x8000 /* of the bus: an address that nobody answers */
#define ISR_BITS 0xc1ff

/* The chip's version is in bits 31:26 and 23: RTL8169SC, also called RTL8110SCd. */
#define TCR_VERSION 0x18000000u
#define TCR_LOOPBACK 0x00060000u
#define TCR_WRITABLE 0x030f0700u

#define RCR_AAP 0x01 /* all stations' */
#define RCR_APM 0x02 /* ours */
#define RCR_AM 0x04  /* multicast in MAR */
#define RCR_AB 0x08
#define RCR_WRITABLE 0x0101ef3fu

#define EEM_SHIFT 6 /* of 9346CR */
#define EEM_NORMAL 0
#define EEM_LOAD 1
#define EEM_PROGRAM 2
#define EEM_UNLOCK 3
#define EE_CS 0x08
#define EE_SK 0x04
#define EE_DI 0x02
#define EE_DO 0x01

#define PHYAR_FLAG 0x80000000u

#define PHYSTATUS_TX_FLOW 0x40
#define PHYSTATUS_RX_FLOW 0x20
#define PHYSTATUS_1000 0x10
#define PHYSTATUS_100 0x08
#define PHYSTATUS_10 0x04
#define PHYSTATUS_LINK 0x02
#define PHYSTATUS_FULL 0x01

#define CPCR_RXCHKSUM 0x20
#define CPCR_RXVLAN 0x40

struct rtl_descriptor {
    uint32_t opts1, opts2;
    uint64_t address;
};

#define RTL_RING_MAX 1024 /* descriptors: the ring ends here if none says so before */

/* opts1 of both kinds. */
#define DESC_OWN 0x80000000u /* the card's */
#define DESC_EOR 0x40000000u /* the last of the ring */
#define DESC_FS 0x20000000u
#define DESC_LS 0x10000000u

/* opts1 for sending: the first of a frame decides. */
#define TX_LGSEN 0x08000000u /* cut it into segments of TX_MSS */
#define TX_MSS_SHIFT 16
#define TX_MSS_MASK 0x7ffu
#define TX_IPCS 0x00040000u /* these three mean this without LGSEN only */
#define TX_UDPCS 0x00020000u
#define TX_TCPCS 0x00010000u
#define TX_LENGTH 0x0000ffffu
#define TX_KEPT \
    (DESC_EOR | DESC_FS | DESC_LS | TX_LENGTH) /* all else is status afterwards: no error */

/* opts1 of received frames; the buffer's size before. */
#define RX_LENGTH 0x00003fffu
#define RX_MAR 0x08000000u
#define RX_PAM 0x04000000u
#define RX_BAR 0x02000000u
#define RX_TCP 0x00020000u /* protocols; both: neither, but IP */
#define RX_UDP 0x00040000u
#define RX_IP_BAD 0x00010000u
#define RX_UDP_BAD 0x00008000u
#define RX_TCP_BAD 0x00004000u

/* opts2 of both: a tag, in network order. */
#define DESC_TAG 0x00010000u
#define TX_TAG 0x00020000u

/* What DTCCR_DUMP writes. */
struct rtl_tally {
    uint64_t tx_ok, rx_ok, tx_errors;
    uint32_t rx_errors;
    uint16_t rx_missed, rx_misaligned;
    uint32_t tx_one_collision, tx_collisions;
    uint64_t rx_unicast, rx_broadcast;
    uint32_t rx_multicast;
    uint16_t tx_aborted, tx_underrun;
};
_Static_assert(sizeof(struct rtl_descriptor) == 16 && sizeof(struct rtl_tally) == 64,
               "as the card lays them out");

/* Longest frame with its check sequence: the card's memory for sending is 8 KiB. */
#define RTL_FRAME_MAX 8192
#define RTL_WIRE_MIN 60 /* shorter ones are padded, without the check sequence */
#define RTL_FCS 4

#endif
