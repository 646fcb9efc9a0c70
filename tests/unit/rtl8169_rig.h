/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * An RTL8169 on the PCI bus of a machine without harts that run, a network whose other end is the test,
 * and a driver of a few lines.
 *
 *     struct card *c = card_new();
 *     card_start(c);                              reset, rings, enabled, as a driver does it
 *     card_put(c, 0, frame, size, DESC_FS | DESC_LS, 0);
 *     card_ring(c);
 *     c->net->sent[0].bytes ...
 */
#ifndef RVVM_TESTS_RTL8169_RIG_H
#define RVVM_TESTS_RTL8169_RIG_H

#include "pci_rig.h"

#include "base/big_endian.h"
#include "dev/rtl8169/card.h"
#include "fake_net.h"
#include "net/checksum.h"
#include <time.h>

#define CARD_BAR UINT64_C(0x40000000)
#define CARD_TX (UINT64_C(0) + MACHINE_RAM_BASE + 0x1000)
#define CARD_TX_HIGH (UINT64_C(0) + MACHINE_RAM_BASE + 0x2000)
#define CARD_RX (UINT64_C(0) + MACHINE_RAM_BASE + 0x3000)
#define CARD_TX_BYTES (UINT64_C(0) + MACHINE_RAM_BASE + 0x10000)
#define CARD_RX_BYTES (UINT64_C(0) + MACHINE_RAM_BASE + 0x80000)
#define CARD_ENTRIES 8 /* of each ring */
#define CARD_SLOT 0x10000u
#define CARD_RX_SIZE 0x2400u
#define CARD_PATIENCE 20 /* seconds that the card may take for anything */

static const uint8_t card_mac[] = {0x52, 0x54, 0x00, 0x12, 0x34, 0x56};

struct card {
    struct rig *pci;
    struct net *net;
    unsigned rx; /* the driver's next descriptor */
};

static inline uint32_t card_read(struct card *c, unsigned reg, unsigned size)
{
    return (uint32_t)rig_read(c->pci, CARD_BAR + reg, size);
}

static inline void card_write(struct card *c, unsigned reg, unsigned size, uint32_t value)
{
    rig_write(c->pci, CARD_BAR + reg, size, value);
}

static inline void *card_memory(struct card *c, uint64_t address, size_t size)
{
    void *bytes = machine_dma_map(c->pci->m, address, size);
    assert_non_null(bytes);
    return bytes;
}

static inline struct rtl_descriptor *card_descriptor(struct card *c, uint64_t ring, unsigned i)
{
    return card_memory(c, ring + i * sizeof(struct rtl_descriptor), sizeof(struct rtl_descriptor));
}

static inline uint32_t card_opts1(struct card *c, uint64_t ring, unsigned i)
{
    return __atomic_load_n(&card_descriptor(c, ring, i)->opts1, __ATOMIC_ACQUIRE);
}

static inline struct card *card_new(void)
{
    struct card *c = calloc(1, sizeof(*c));
    void *rig;
    rig_setup(&rig);
    c->pci = rig;
    c->net = fake_net_new();
    struct net_card_config config = {.net = c->net};
    memcpy(config.mac, card_mac, sizeof(card_mac));
    struct pci_function *f = rtl8169_new(&config, NULL);
    assert_non_null(f);
    assert_true(pci_plug_at(c->pci->root, f, DEV(1), NULL));
    rig_write(c->pci, ecam(0, DEV(1), PCI_BAR0 + 4), 4, CARD_BAR);
    rig_write(c->pci, ecam(0, DEV(1), PCI_COMMAND), 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    return c;
}

static inline void card_free(struct card *c)
{
    void *rig = c->pci;
    rig_teardown(&rig);
    fake_net_free(c->net);
    free(c);
}

/* Reads a register until these bits of it have this value; they have some time for it. */
static inline void card_wait(struct card *c, unsigned reg, unsigned size, uint32_t bits,
                             uint32_t value)
{
    time_t end = time(NULL) + CARD_PATIENCE;
    while ((card_read(c, reg, size) & bits) != value)
        assert_true(time(NULL) < end);
}

static inline void card_reset(struct card *c)
{
    card_write(c, RTL_CR, 1, CR_RST);
    card_wait(c, RTL_CR, 1, CR_RST, 0);
}

static inline void card_give_rx(struct card *c, unsigned i, unsigned size)
{
    struct rtl_descriptor *d = card_descriptor(c, CARD_RX, i);
    d->address = CARD_RX_BYTES + i * CARD_SLOT;
    d->opts2 = 0;
    uint32_t end = i == CARD_ENTRIES - 1 ? DESC_EOR : 0;
    __atomic_store_n(&d->opts1, DESC_OWN | end | size, __ATOMIC_RELEASE);
}

static inline void card_start(struct card *c)
{
    card_reset(c);
    c->rx = 0;
    for (unsigned i = 0; i < CARD_ENTRIES; i++)
        card_give_rx(c, i, CARD_RX_SIZE);
    memset(card_descriptor(c, CARD_TX, 0), 0, CARD_ENTRIES * sizeof(struct rtl_descriptor));
    memset(card_descriptor(c, CARD_TX_HIGH, 0), 0, CARD_ENTRIES * sizeof(struct rtl_descriptor));
    card_write(c, RTL_9346CR, 1, EEM_UNLOCK << EEM_SHIFT);
    card_write(c, RTL_CPCR, 2, CPCR_RXCHKSUM | CPCR_RXVLAN);
    card_write(c, RTL_RMS, 2, 0x4000);
    card_write(c, RTL_TNPDS + 4, 4, (uint32_t)(CARD_TX >> 32));
    card_write(c, RTL_TNPDS, 4, (uint32_t)CARD_TX);
    card_write(c, RTL_THPDS + 4, 4, (uint32_t)(CARD_TX_HIGH >> 32));
    card_write(c, RTL_THPDS, 4, (uint32_t)CARD_TX_HIGH);
    card_write(c, RTL_RDSAR + 4, 4, (uint32_t)(CARD_RX >> 32));
    card_write(c, RTL_RDSAR, 4, (uint32_t)CARD_RX);
    card_write(c, RTL_9346CR, 1, 0);
    card_write(c, RTL_CR, 1, CR_TE | CR_RE);
    card_write(c, RTL_RCR, 4, 0xe700 | RCR_APM | RCR_AB | RCR_AM);
    card_write(c, RTL_TCR, 4, 0x03000700);
    card_write(c, RTL_ISR, 2, 0xffff);
    card_write(c, RTL_IMR, 2, 0xffff & ~ISR_TDU);
    fake_net_sync(c->net);
}

/* A piece of a frame to send, in the i-th descriptor of a ring. */
static inline void card_put_in(struct card *c, uint64_t ring, unsigned i, const void *bytes,
                               size_t size, uint32_t opts1, uint32_t opts2)
{
    struct rtl_descriptor *d = card_descriptor(c, ring, i);
    d->address = CARD_TX_BYTES + (uint64_t)i * CARD_SLOT / 2;
    memcpy(card_memory(c, d->address, size), bytes, size);
    d->opts2 = opts2;
    uint32_t end = i == CARD_ENTRIES - 1 ? DESC_EOR : 0;
    __atomic_store_n(&d->opts1, DESC_OWN | end | opts1 | (uint32_t)size, __ATOMIC_RELEASE);
}

static inline void card_put(struct card *c, unsigned i, const void *bytes, size_t size,
                            uint32_t opts1, uint32_t opts2)
{
    card_put_in(c, CARD_TX, i, bytes, size, opts1, opts2);
}

/* The doorbell; what comes of it has happened then. */
static inline void card_ring(struct card *c)
{
    card_write(c, RTL_TPPOLL, 1, TPPOLL_NPQ | TPPOLL_HPQ);
    fake_net_sync(c->net);
}

static inline uint16_t card_phy_read(struct card *c, unsigned reg)
{
    card_write(c, RTL_PHYAR, 4, reg << 16);
    card_wait(c, RTL_PHYAR, 4, PHYAR_FLAG, PHYAR_FLAG);
    return (uint16_t)card_read(c, RTL_PHYAR, 4);
}

static inline void card_phy_write(struct card *c, unsigned reg, uint16_t value)
{
    card_write(c, RTL_PHYAR, 4, PHYAR_FLAG | reg << 16 | value);
    card_wait(c, RTL_PHYAR, 4, PHYAR_FLAG, 0);
}

/*
 * Frames
 */

#define FROM_GUEST 0x10 /* bytes of test frames begin with it */

static inline int card_setup(void **state)
{
    struct card *c = card_new();
    card_start(c);
    *state = c;
    return 0;
}

static inline int card_teardown(void **state)
{
    card_free(*state);
    return 0;
}

/* A frame to the card with bytes that tell where they belong. */
static inline void make_frame(uint8_t *frame, size_t size, uint16_t type)
{
    for (size_t i = 0; i < size; i++)
        frame[i] = (uint8_t)(FROM_GUEST + i * 7 + (i >> 8));
    memcpy(frame, card_mac, 6);
    memcpy(frame + 6, "\x52\x55\x0a\x00\x02\x02", 6);
    put_be16(frame + 12, type);
}

/* IPv4 and TCP or UDP headers behind `at`, with no checksums. The packet goes to the end of the frame. */
static inline void make_ip(uint8_t *frame, size_t size, size_t at, uint8_t protocol)
{
    uint8_t *ip = frame + at;
    memset(ip, 0, 40);
    ip[0] = 0x45;
    put_be16(ip + 2, (uint16_t)(size - at));
    put_be16(ip + 6, 0x4000);
    ip[8] = 64;
    ip[9] = protocol;
    memcpy(ip + 12, "\x0a\x00\x02\x0f\x0a\x00\x02\x02", 8);
    put_be16(ip + 20, 1234);
    put_be16(ip + 22, 80);
    if (protocol == 6)
        ip[32] = 0x50;
    else
        put_be16(ip + 24, (uint16_t)(size - at - 20));
}

static inline uint32_t pseudo(const uint8_t *frame, size_t size, size_t at)
{
    uint32_t sum = checksum_add(0, frame + at + 12, 8);
    sum = checksum_add_word(sum, frame[at + 9]);
    return checksum_add_word(sum, (uint16_t)(size - at - 20));
}

static inline void set_checksums(uint8_t *frame, size_t size, size_t at)
{
    size_t place = at + 20 + (frame[at + 9] == 6 ? 16 : 6);
    put_be16(frame + at + 10, 0);
    put_be16(frame + at + 10, checksum_finish(checksum_add(0, frame + at, 20)));
    put_be16(frame + place, 0);
    put_be16(frame + place, checksum_finish(checksum_add(pseudo(frame, size, at), frame + at + 20,
                                                         size - at - 20)));
}

/* The next received frame: its descriptors are given back, its bytes are the driver's memory. */
static inline const uint8_t *card_received(struct card *c, uint32_t *opts1, uint32_t *opts2)
{
    fake_net_sync(c->net);
    struct rtl_descriptor *d = card_descriptor(c, CARD_RX, c->rx);
    *opts1 = card_opts1(c, CARD_RX, c->rx);
    *opts2 = d->opts2;
    assert_false(*opts1 & DESC_OWN);
    card_give_rx(c, c->rx, CARD_RX_SIZE);
    const uint8_t *bytes = card_memory(c, CARD_RX_BYTES + c->rx * CARD_SLOT, CARD_RX_SIZE);
    c->rx = (c->rx + 1) % CARD_ENTRIES;
    return bytes;
}

static inline void card_nothing_received(struct card *c)
{
    fake_net_sync(c->net);
    assert_true(card_opts1(c, CARD_RX, c->rx) & DESC_OWN);
}

#endif
