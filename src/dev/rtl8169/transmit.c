/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Sending. A frame lies in one or more descriptors, from one with FS to one with LS. They are the
 * card's until the frame has been sent, and then all the driver's again. A frame that is not complete
 * yet stays where it is until the next doorbell.
 *
 * A frame is sent from guest memory. Each run is of TX_FRAMES_MAX frames, so that a guest which fills
 * its ring as fast as it is emptied does not have the thread for itself.
 */
#include "dev/rtl8169/card.h"

#include "base/log.h"
#include "host/iov.h"
#include "net/offload.h"

#define TX_FRAMES_MAX 64

enum result {
    TX_SENT,   /* or lost: its descriptors are the driver's again */
    TX_DRY,    /* there is none */
    TX_REFUSED /* the network takes none now */
};

struct job {
    struct rtl_piece pieces[RTL_PIECES_MAX];
    unsigned count;        /* of pieces, those without bytes too */
    unsigned filled;       /* entries of frame.iov, from 1 on */
    unsigned next;         /* index behind them */
    uint32_t opts1, opts2; /* of the first */
    size_t size;
    const char *wrong;
    struct rtl_frame frame;
};

static void complain(struct rtl8169 *c, const char *what)
{
    log_line(pci_log(c->pci), LOG_GUEST, "rtl8169: frame to send: %s", what);
}

/* Adds the descriptor's bytes to the frame. */
static void add_piece(struct rtl8169 *c, struct job *job, struct rtl_descriptor *at, uint32_t opts1)
{
    size_t size = opts1 & TX_LENGTH;
    uint64_t address = __atomic_load_n(&at->address, __ATOMIC_RELAXED);
    if (!job->count) {
        job->opts1 = opts1;
        job->opts2 = __atomic_load_n(&at->opts2, __ATOMIC_RELAXED);
        if (!(opts1 & DESC_FS))
            job->wrong = "its first descriptor is not marked so";
    }
    job->pieces[job->count++] = (struct rtl_piece){at, opts1};
    if (!size)
        return;
    void *bytes = pci_dma_map(c->pci, address, size);
    if (!bytes) {
        job->wrong = "it is not in memory";
        c->news.causes |= ISR_SERR;
        return;
    }
    job->frame.iov[1 + job->filled++] = (struct iovec){bytes, size};
    job->size += size;
}

/* false: there is no whole frame. */
static bool gather(struct rtl8169 *c, enum rtl_ring ring, struct job *job)
{
    job->count = job->filled = 0;
    job->size = 0;
    job->wrong = NULL;
    job->next = c->places[ring].index;
    uint32_t opts1;
    do {
        struct rtl_descriptor *at = rtl_descriptor(c, ring, job->next);
        if (!at) {
            c->news.causes |= ISR_SERR;
            complain(c, "the ring is not in memory");
            return false;
        }
        opts1 = rtl_descriptor_look(at);
        if (!(opts1 & DESC_OWN))
            return false;
        add_piece(c, job, at, opts1);
        job->next = rtl_next(job->next, opts1);
    } while (!(opts1 & DESC_LS) && job->count < RTL_PIECES_MAX);
    if (!(opts1 & DESC_LS))
        job->wrong = "too many descriptors";
    return true;
}

/* Back to the guest itself: from a copy, since its buffers may be the same ones. */
static void loop_back(struct rtl8169 *c, const struct net_packet *packet)
{
    uint8_t bytes[RTL_FRAME_MAX];
    if (packet->size > sizeof(bytes) || packet->offload.gso)
        return;
    struct iov_cursor at = iov_start(packet->iov, packet->iov_count);
    iov_copy_out(&at, bytes, packet->size);
    if (packet->offload.csum_due)
        offload_complete(bytes, packet->size, &packet->offload);
    const struct iovec iov = {bytes, packet->size};
    const struct net_packet copy = {.iov = &iov, .iov_count = 1, .size = packet->size};
    c->news.rx_missed += !rtl_receive(c, &copy);
}

/* false: the network takes none. */
static bool send_frame(struct rtl8169 *c, struct job *job)
{
    const struct net_packet *packet = &job->frame.packet;
    if (!c->setup.loopback)
        return !c->setup.connected || net_send(c->net, packet);
    loop_back(c, packet);
    return true;
}

static void give_back(struct rtl8169 *c, enum rtl_ring ring, const struct job *job)
{
    for (unsigned i = 0; i < job->count; i++)
        rtl_descriptor_give(c, job->pieces[i].at, job->pieces[i].opts1 & TX_KEPT);
    c->places[ring].index = job->next;
}

static enum result send_one(struct rtl8169 *c, enum rtl_ring ring, struct job *job)
{
    if (!c->setup.transmit || !gather(c, ring, job))
        return TX_DRY;
    if (!job->wrong)
        job->wrong = rtl_frame_finish(&job->frame, job->filled, job->size, job->opts1, job->opts2);
    if (job->wrong)
        complain(c, job->wrong);
    else if (!send_frame(c, job))
        return TX_REFUSED;
    give_back(c, ring, job);
    c->news.tx_ok += !job->wrong;
    c->news.tx_errors += job->wrong != NULL;
    c->news.causes |= job->wrong ? ISR_TER : ISR_TOK;
    return TX_SENT;
}

bool rtl_transmit(struct rtl8169 *c, uint8_t poll)
{
    struct job job;
    enum result result = TX_SENT;
    unsigned frames = 0;
    for (; frames < TX_FRAMES_MAX && result == TX_SENT; frames++) {
        rtl_follow(c);
        result = poll & TPPOLL_HPQ ? send_one(c, RTL_TX_HIGH, &job) : TX_DRY;
        if (result == TX_DRY && poll & TPPOLL_NPQ)
            result = send_one(c, RTL_TX_NORMAL, &job);
    }
    if (!c->setup.loopback)
        net_flush(c->net);
    if (result == TX_DRY && c->setup.transmit)
        c->news.causes |= ISR_TDU;
    c->blocked = result == TX_REFUSED;
    return result != TX_DRY;
}
