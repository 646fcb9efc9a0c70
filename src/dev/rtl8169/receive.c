/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Receiving. A frame that passes the filter is copied into the buffers of as many descriptors as it
 * takes. They go back to the driver last one first, so that whoever sees the first one sees all.
 *
 * The card has no doorbell that tells of new descriptors. A frame that finds none waits in the network
 * instead of being lost; signs of life of the driver (it writes IMR or ISR) and a timer have the thread
 * look again, the timer less and less often, and then frames are lost as with the real part.
 */
#include "dev/rtl8169/card.h"

#include "base/big_endian.h"
#include "base/log.h"
#include "host/iov.h"
#include "net/frame.h"
#include <string.h>

#define RX_HEAD 128      /* bytes of a frame that decide anything about it */
#define RX_PIECES_MAX 64 /* descriptors of a frame */

struct arrival {
    const struct net_packet *packet;
    uint8_t head[RX_HEAD];
    size_t head_size;
    size_t size; /* in guest memory, with the check sequence */
    uint32_t status, opts2;
    bool untag;
    struct rtl_piece pieces[RX_PIECES_MAX];
    void *buffers[RX_PIECES_MAX];
    unsigned count, next;
};

/*
 * Filters
 */

/* Bit of the multicast table: the upper six bits of the address's CRC (IEEE 802.3, 3.2.9). */
static unsigned multicast_hash(const uint8_t address[NET_ADDRESS_SIZE])
{
    uint32_t crc = UINT32_MAX;
    for (unsigned i = 0; i < NET_ADDRESS_SIZE; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            bool flip = (crc >> 31) ^ (address[i] >> bit & 1);
            crc = crc << 1 ^ (flip ? 0x04c11db7 : 0);
        }
    }
    return crc >> 26;
}

/* false: the frame is for somebody else. */
static bool accept(const struct rtl_setup *s, const uint8_t *to, uint32_t *status)
{
    static const uint8_t broadcast[NET_ADDRESS_SIZE] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    bool wanted;
    if (!memcmp(to, broadcast, sizeof(broadcast))) {
        *status = RX_BAR;
        wanted = s->accept & RCR_AB;
    } else if (to[0] & 1) {
        unsigned hash = multicast_hash(to);
        *status = RX_MAR;
        wanted = s->accept & RCR_AM && s->multicast[hash / 8] >> hash % 8 & 1;
    } else {
        bool ours = !memcmp(to, s->address, NET_ADDRESS_SIZE);
        *status = ours ? RX_PAM : 0;
        wanted = ours && s->accept & RCR_APM;
    }
    return wanted || s->accept & RCR_AAP;
}

/* false: it is not for the guest. */
static bool look_at(struct rtl8169 *c, struct arrival *a)
{
    const struct rtl_setup *s = &c->setup;
    const struct net_packet *p = a->packet;
    if (!s->receive || !(s->connected || s->loopback) || p->size < NET_HEADER_SIZE)
        return false;
    a->head_size = p->size < RX_HEAD ? p->size : RX_HEAD;
    struct iov_cursor at = iov_start(p->iov, p->iov_count);
    iov_copy_out(&at, a->head, a->head_size);
    if (!accept(s, a->head, &a->status))
        return false;
    a->untag = s->untag && get_be16(a->head + ETHER_TYPE) == ETHER_TYPE_VLAN &&
               p->size >= NET_HEADER_SIZE + ETHER_VLAN_SIZE;
    a->opts2 =
        a->untag ? DESC_TAG | a->head[ETHER_TYPE + 2] | (uint32_t)a->head[ETHER_TYPE + 3] << 8 : 0;
    size_t frame = p->size < RTL_WIRE_MIN ? RTL_WIRE_MIN : p->size;
    a->size = frame - (a->untag ? ETHER_VLAN_SIZE : 0) + RTL_FCS;
    if (frame + RTL_FCS > s->longest) {
        c->news.rx_errors++;
        c->news.causes |= ISR_RER;
        return false;
    }
    if (s->check)
        a->status |= rtl_frame_check(p, a->head, a->head_size);
    return true;
}

/*
 * Descriptors
 */

enum room { ROOM, NO_ROOM, NEVER };

/* Takes as many as the frame needs. NEVER: it is lost. */
static enum room find_room(struct rtl8169 *c, struct arrival *a)
{
    size_t room = 0;
    const char *wrong = NULL;
    a->count = 0;
    a->next = c->places[RTL_RX].index;
    do {
        struct rtl_descriptor *at = rtl_descriptor(c, RTL_RX, a->next);
        uint32_t opts1 = at ? rtl_descriptor_look(at) : 0;
        if (at && !(opts1 & DESC_OWN))
            return NO_ROOM;
        size_t size = opts1 & RX_LENGTH;
        void *buffer =
            at ? pci_dma_map(c->pci, __atomic_load_n(&at->address, __ATOMIC_RELAXED), size) : NULL;
        if (!buffer) {
            wrong = "buffer is not in memory";
            c->news.causes |= ISR_SERR;
            break;
        }
        a->buffers[a->count] = buffer;
        a->pieces[a->count++] = (struct rtl_piece){at, opts1};
        room += size;
        a->next = rtl_next(a->next, opts1);
        if (room < a->size && (a->count == RX_PIECES_MAX || a->next == c->places[RTL_RX].index))
            wrong = "all its buffers are smaller than a frame";
    } while (room < a->size && !wrong);
    if (wrong)
        log_line(pci_log(c->pci), LOG_GUEST, "rtl8169: ring for receiving: %s", wrong);
    return wrong ? NEVER : ROOM;
}

bool rtl_can_receive(struct rtl8169 *c)
{
    const struct rtl_descriptor *at = rtl_descriptor(c, RTL_RX, c->places[RTL_RX].index);
    return !c->setup.receive || !at || rtl_descriptor_look(at) & DESC_OWN;
}

/* Copies bytes of the frame into the buffers, from `offset` in them on. */
static void fill(const struct arrival *a, size_t offset, struct iov_cursor *from, size_t size)
{
    for (unsigned i = 0; i < a->count && size; i++) {
        size_t room = a->pieces[i].opts1 & RX_LENGTH;
        if (offset >= room) {
            offset -= room;
            continue;
        }
        size_t part = room - offset < size ? room - offset : size;
        uint8_t *to = (uint8_t *)a->buffers[i] + offset;
        if (from)
            iov_copy_out(from, to, part);
        else
            memset(to, 0, part);
        offset = 0;
        size -= part;
    }
}

static void copy_frame(const struct arrival *a)
{
    const struct net_packet *p = a->packet;
    struct iov_cursor from = iov_start(p->iov, p->iov_count);
    size_t size = p->size;
    size_t at = 0;
    if (a->untag) {
        uint8_t tag[ETHER_VLAN_SIZE];
        fill(a, 0, &from, ETHER_TYPE);
        iov_copy_out(&from, tag, sizeof(tag));
        at = ETHER_TYPE;
        size -= ETHER_VLAN_SIZE;
    }
    fill(a, at, &from, size - at);
    fill(a, size, NULL, a->size - size);
}

/* The driver's again: the length of all in the last one, the size of its buffer in each other. */
static void give_back(struct rtl8169 *c, const struct arrival *a)
{
    size_t left = a->size;
    for (unsigned i = 0; i < a->count; i++) {
        size_t room = a->pieces[i].opts1 & RX_LENGTH;
        size_t part = room < left ? room : left;
        pci_dma_written(c->pci, a->buffers[i], part);
        left -= part;
    }
    for (unsigned i = a->count; i--;) {
        uint32_t opts1 = (a->pieces[i].opts1 & DESC_EOR) | a->status;
        opts1 |= i ? 0 : DESC_FS;
        if (i + 1 == a->count)
            opts1 |= DESC_LS | (uint32_t)a->size;
        else
            opts1 |= a->pieces[i].opts1 & RX_LENGTH;
        __atomic_store_n(&a->pieces[i].at->opts2, a->opts2, __ATOMIC_RELAXED);
        rtl_descriptor_give(c, a->pieces[i].at, opts1);
    }
    c->places[RTL_RX].index = a->next;
}

static void count(struct rtl8169 *c, uint32_t status)
{
    c->news.causes |= ISR_ROK;
    c->news.rx_ok++;
    c->news.rx_unicast += !!(status & RX_PAM);
    c->news.rx_broadcast += !!(status & RX_BAR);
    c->news.rx_multicast += !!(status & RX_MAR);
}

bool rtl_receive(struct rtl8169 *c, const struct net_packet *packet)
{
    struct arrival a;
    a.packet = packet;
    rtl_follow(c);
    if (!look_at(c, &a))
        return true;
    enum room room = find_room(c, &a);
    if (room == ROOM) {
        copy_frame(&a);
        give_back(c, &a);
        count(c, a.status);
    }
    c->news.rx_missed += room == NEVER;
    return room != NO_ROOM;
}
