/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The inside of an RTL8169: what its files share.
 *
 *     rtl8169.c     the PCI function: its life, interrupts, the timer
 *     registers.c   what harts read and write
 *     phy.c         the transceiver behind PHYAR, and what speed the cable runs at
 *     eeprom.c      the 93C46 behind 9346CR
 *     transmit.c    the rings for sending
 *     receive.c     the ring for receiving, filters
 *     frame.c       headers of frames: checksums, segmentation, VLAN tags
 *
 * Harts keep their registers under the lock and never wait: what they write is noted, and the
 * network's thread follows. Everything with a ring happens on that thread, so rings need no lock. It
 * looks at a copy of the registers, struct rtl_setup, which it makes anew when they have changed; so a
 * frame costs no lock either.
 */
#ifndef RVVM_DEV_RTL8169_CARD_H
#define RVVM_DEV_RTL8169_CARD_H

#include "dev/net_card.h"
#include "dev/pci/pci.h"
#include "dev/rtl8169/rtl8169.h"
#include "dev/rtl8169/spec.h"
#include <pthread.h>
#include <stdatomic.h>

struct rtl_phy {
    uint16_t control, advertise, gigabit, interrupts, page;
    bool cable;
    bool was_down;  /* the status register shows once that the link was lost */
    bool settling;  /* no link until rtl_phy_settle */
    unsigned speed; /* Mbit/s, of when it has settled; 0: there is nothing in common */
    bool full;
};

struct rtl_eeprom {
    bool clock, out; /* SK and DO as they are */
    unsigned bits;   /* clocked in since the start bit, which counts; 0: none yet */
    uint32_t in;     /* those bits */
    unsigned left;   /* bits to clock out */
    unsigned word;   /* the word they are of */
};

enum rtl_ring { RTL_TX_NORMAL, RTL_TX_HIGH, RTL_RX, RTL_RINGS };

/* What the network's thread knows of the registers. */
struct rtl_setup {
    uint64_t base[RTL_RINGS];
    unsigned epoch[RTL_RINGS]; /* moves on when the ring is to begin at its base again */
    bool transmit, receive, loopback, connected;
    bool check, untag; /* received frames */
    uint32_t accept;   /* RCR */
    unsigned longest;  /* frame to receive, with its check sequence */
    uint8_t address[NET_ADDRESS_SIZE];
    uint8_t multicast[8];
};

/* Where the card is in a ring. */
struct rtl_place {
    unsigned index;
    unsigned epoch;
};

#define RTL_PIECES_MAX \
    (NET_IOV_MAX - 2) /* descriptors of a frame to send; padding and headers are more */

/* A descriptor that a frame lies in. */
struct rtl_piece {
    struct rtl_descriptor *at;
    uint32_t opts1; /* as it was when it was looked at */
};

/* Counted on the network's thread, added to the tally under the lock: causes are bits of ISR. */
struct rtl_news {
    unsigned causes;
    unsigned tx_ok, tx_errors, rx_ok, rx_errors, rx_missed, rx_unicast, rx_broadcast, rx_multicast;
};

struct rtl8169 {
    struct pci_function *pci;
    struct net *net;
    bool attached;                 /* to it */
    uint8_t mac[NET_ADDRESS_SIZE]; /* in the EEPROM */

    pthread_mutex_t lock; /* the registers: to wire */
    uint8_t registers[RTL_REGISTERS];
    unsigned epoch[RTL_RINGS];
    uint8_t rung;    /* TPPOLL bits that the thread has not seen */
    uint8_t running; /* those that it is at */
    bool resetting;  /* the thread has not followed a reset */
    bool wire;
    struct rtl_phy phy;
    struct rtl_eeprom eeprom;
    struct rtl_tally tally;
    uint64_t timer_start; /* when TCTR was 0: clock_monotonic_ns */

    _Atomic unsigned version;  /* of the registers that are in struct rtl_setup */
    _Atomic bool stalled;      /* a frame waits for descriptors: tell the thread of signs of life */
    struct event_call work;    /* a doorbell, a reset, or such a sign */
    struct event_timer timer;  /* TIMERINT */
    struct event_timer settle; /* phy.settling is over */
    struct event_timer retry;  /* looks for descriptors by itself */

    /* The network's thread's. */
    struct rtl_setup setup;
    unsigned setup_version;
    struct rtl_place places[RTL_RINGS];
    struct rtl_news news;
    bool blocked;         /* the network takes nothing just now */
    uint64_t retry_delay; /* ns; RTL_RETRY_MAX: frames are dropped; 0: no stall */
};

#define RTL_SETTLE UINT64_C(100000000) /* ns; a real pair takes two seconds */
#define RTL_RETRY_MIN UINT64_C(250000)
#define RTL_RETRY_MAX UINT64_C(256000000)

static inline uint32_t rtl_get(const struct rtl8169 *c, unsigned offset, unsigned size)
{
    uint32_t value = 0;
    for (unsigned i = size; i--;)
        value = value << 8 | c->registers[offset + i];
    return value;
}

static inline void rtl_set(struct rtl8169 *c, unsigned offset, unsigned size, uint32_t value)
{
    for (unsigned i = 0; i < size; i++)
        c->registers[offset + i] = (uint8_t)(value >> 8 * i);
}

/* rtl8169.c, under the lock: */
/* Sets bits of ISR. */
void rtl_raise(struct rtl8169 *c, unsigned causes);
/* After ISR or IMR were written. */
void rtl_update_interrupts(struct rtl8169 *c);
/* TIMERINT or TCTR were written. */
void rtl_arm_timer(struct rtl8169 *c);
uint32_t rtl_timer_count(const struct rtl8169 *c);

/* rtl8169.c, on the network's thread: */
/* Makes the setup anew if need be. Before each frame. */
void rtl_follow(struct rtl8169 *c);
/* Tells of what has happened: once for many frames. */
void rtl_publish(struct rtl8169 *c);

/* registers.c */
uint32_t rtl_read(struct rtl8169 *c, unsigned offset, unsigned size);
void rtl_write(struct rtl8169 *c, unsigned offset, unsigned size, uint32_t value);
/* Under the lock. Those that a reset by CR_RST clears; at power-on, then all. */
void rtl_registers_reset(struct rtl8169 *c);
void rtl_registers_power_on(struct rtl8169 *c);

/* phy.c, under the lock: */
void rtl_phy_power_on(struct rtl_phy *phy); /* leaves the cable as it is */
uint16_t rtl_phy_read(struct rtl_phy *phy, unsigned reg);
void rtl_phy_write(struct rtl_phy *phy, unsigned reg, uint16_t value);
/* RTL_SETTLE after a write that left phy.settling set: what was agreed upon. */
void rtl_phy_settle(struct rtl_phy *phy);
/* PHYSTATUS: link, speed, duplex. */
uint8_t rtl_phy_status(const struct rtl_phy *phy);
/* Bit 14 of the control register: what is sent comes back. */
bool rtl_phy_loops(const struct rtl_phy *phy);
void rtl_phy_cable(struct rtl_phy *phy, bool in);

/* eeprom.c, under the lock: the guest drives CS, SK and DI. Afterwards eeprom.out is DO. */
void rtl_eeprom_drive(struct rtl_eeprom *e, const uint8_t mac[NET_ADDRESS_SIZE], uint8_t lines);

/* The descriptor at a place, or NULL: it is not in memory. Where the one behind it is. */
static inline struct rtl_descriptor *rtl_descriptor(struct rtl8169 *c, enum rtl_ring ring,
                                                    unsigned index)
{
    return pci_dma_map(c->pci, c->setup.base[ring] + index * sizeof(struct rtl_descriptor),
                       sizeof(struct rtl_descriptor));
}

static inline unsigned rtl_next(unsigned index, uint32_t opts1)
{
    return opts1 & DESC_EOR || index + 1 == RTL_RING_MAX ? 0 : index + 1;
}

/* opts1 belongs to whom DESC_OWN says, and with it all of the descriptor. */
static inline uint32_t rtl_descriptor_look(const struct rtl_descriptor *at)
{
    return __atomic_load_n(&at->opts1, __ATOMIC_ACQUIRE);
}

static inline void rtl_descriptor_give(struct rtl8169 *c, struct rtl_descriptor *at, uint32_t opts1)
{
    __atomic_store_n(&at->opts1, opts1, __ATOMIC_RELEASE);
    pci_dma_written(c->pci, at, sizeof(*at));
}

/* transmit.c: sends from the rings that TPPOLL names. true: there may be more. */
bool rtl_transmit(struct rtl8169 *c, uint8_t poll);

/* receive.c */
/* As net_card_ops.receive. */
bool rtl_receive(struct rtl8169 *c, const struct net_packet *packet);
/* Whether there are descriptors again. */
bool rtl_can_receive(struct rtl8169 *c);

/* frame.c */

#define RTL_HEAD_MAX 192 /* Ethernet with two tags, IP and TCP with all options fit */

/* A frame on its way out. */
struct rtl_frame {
    struct iovec iov[NET_IOV_MAX];
    struct net_packet packet;
    uint8_t head[RTL_HEAD_MAX]; /* its first bytes, when they are not the guest's any more */
};

/*
 * Does to a frame of `pieces` pieces at iov[1] and on what its descriptor asks for, so that the
 * packet can be sent. NULL: done; else what is wrong with it.
 */
const char *rtl_frame_finish(struct rtl_frame *frame, unsigned pieces, size_t size, uint32_t opts1,
                             uint32_t opts2);
/* RX_TCP and so on for a frame with these first bytes. */
uint32_t rtl_frame_check(const struct net_packet *packet, const uint8_t *head, size_t head_size);

#endif
