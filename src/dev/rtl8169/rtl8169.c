/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The card as a PCI function: interrupts, the timer, and how the network's thread follows what harts
 * write.
 */
#include "dev/rtl8169/card.h"

#include "base/log.h"
#include "host/clock.h"
#include <stdlib.h>
#include <string.h>

#define VENDOR_REALTEK 0x10ec
#define DEVICE_RTL8169 0x8169
#define BUS_CLOCK_MHZ 33 /* what CONFIG2 says */

/*
 * Interrupts: the wire is up while a bit is set in both ISR and IMR. A message goes out when one is
 * set anew, and when the guest has cleared or masked some and others remain.
 */

static void update_interrupts(struct rtl8169 *c, bool news)
{
    bool level = rtl_get(c, RTL_ISR, 2) & rtl_get(c, RTL_IMR, 2);
    if (level != c->wire)
        pci_intx_set(c->pci, level);
    if (level && (news || !c->wire))
        pci_interrupt(c->pci, 0);
    c->wire = level;
}

void rtl_update_interrupts(struct rtl8169 *c)
{
    update_interrupts(c, true);
}

void rtl_raise(struct rtl8169 *c, unsigned causes)
{
    unsigned before = rtl_get(c, RTL_ISR, 2);
    rtl_set(c, RTL_ISR, 2, before | causes);
    update_interrupts(c, causes & ~before & rtl_get(c, RTL_IMR, 2));
}

/*
 * The timer. TCTR runs through its 32 bits and does not stop at TIMERINT.
 */

uint32_t rtl_timer_count(const struct rtl8169 *c)
{
    return (uint32_t)((clock_monotonic_ns() - c->timer_start) * BUS_CLOCK_MHZ / 1000);
}

void rtl_arm_timer(struct rtl8169 *c)
{
    uint32_t at = rtl_get(c, RTL_TIMERINT, 4);
    uint64_t deadline = EVENT_NEVER;
    if (at) {
        uint64_t left = (uint32_t)(at - rtl_timer_count(c));
        if (!left)
            left = UINT64_C(1) << 32;
        deadline = clock_monotonic_ns() + (left * 1000 + BUS_CLOCK_MHZ - 1) / BUS_CLOCK_MHZ;
    }
    event_timer_set(&c->timer, deadline);
}

static void timer_fired(void *state)
{
    struct rtl8169 *c = state;
    pthread_mutex_lock(&c->lock);
    /* It may have been moved meanwhile: then this is of before. */
    uint32_t at = rtl_get(c, RTL_TIMERINT, 4);
    if (at && (int32_t)(rtl_timer_count(c) - at) >= 0)
        rtl_raise(c, ISR_TIMEOUT);
    rtl_arm_timer(c); /* for the next time round */
    pthread_mutex_unlock(&c->lock);
}

static void settled(void *state)
{
    struct rtl8169 *c = state;
    pthread_mutex_lock(&c->lock);
    if (c->phy.settling) {
        rtl_phy_settle(&c->phy);
        atomic_fetch_add(&c->version, 1);
        rtl_raise(c, ISR_LINKCHG);
    }
    pthread_mutex_unlock(&c->lock);
}

/*
 * On the network's thread
 */

static uint64_t ring_base(const struct rtl8169 *c, unsigned reg)
{
    return (uint64_t)rtl_get(c, reg + 4, 4) << 32 | rtl_get(c, reg, 4);
}

/* Under the lock. */
static void make_setup(struct rtl8169 *c)
{
    struct rtl_setup *s = &c->setup;
    uint32_t tcr = rtl_get(c, RTL_TCR, 4), rcr = rtl_get(c, RTL_RCR, 4);
    uint32_t cpcr = rtl_get(c, RTL_CPCR, 2);
    s->base[RTL_TX_NORMAL] = ring_base(c, RTL_TNPDS);
    s->base[RTL_TX_HIGH] = ring_base(c, RTL_THPDS);
    s->base[RTL_RX] = ring_base(c, RTL_RDSAR);
    memcpy(s->epoch, c->epoch, sizeof(s->epoch));
    s->transmit = c->registers[RTL_CR] & CR_TE;
    s->receive = c->registers[RTL_CR] & CR_RE;
    s->loopback = (tcr & TCR_LOOPBACK) == TCR_LOOPBACK || rtl_phy_loops(&c->phy);
    s->connected = rtl_phy_status(&c->phy) & PHYSTATUS_LINK;
    s->check = cpcr & CPCR_RXCHKSUM;
    s->untag = cpcr & CPCR_RXVLAN;
    s->accept = rcr;
    s->longest = rtl_get(c, RTL_RMS, 2);
    if (!s->longest || s->longest > RTL_FRAME_MAX)
        s->longest = RTL_FRAME_MAX;
    memcpy(s->address, &c->registers[RTL_IDR], sizeof(s->address));
    memcpy(s->multicast, &c->registers[RTL_MAR], sizeof(s->multicast));
    c->setup_version = atomic_load(&c->version);
}

void rtl_follow(struct rtl8169 *c)
{
    if (atomic_load_explicit(&c->version, memory_order_acquire) == c->setup_version)
        return;
    pthread_mutex_lock(&c->lock);
    make_setup(c);
    c->resetting = false;
    pthread_mutex_unlock(&c->lock);
    for (unsigned i = 0; i < RTL_RINGS; i++)
        if (c->places[i].epoch != c->setup.epoch[i])
            c->places[i] = (struct rtl_place){.epoch = c->setup.epoch[i]};
}

static uint32_t missed(const struct rtl8169 *c, unsigned more)
{
    uint32_t count = rtl_get(c, RTL_MPC, 3) + more;
    return count < 0xffffff ? count : 0xffffff;
}

void rtl_publish(struct rtl8169 *c)
{
    const struct rtl_news news = c->news;
    if (!memcmp(&news, &(struct rtl_news){0}, sizeof(news)))
        return;
    memset(&c->news, 0, sizeof(c->news));
    pthread_mutex_lock(&c->lock);
    struct rtl_tally *t = &c->tally;
    t->tx_ok += news.tx_ok;
    t->tx_errors += news.tx_errors;
    t->rx_ok += news.rx_ok;
    t->rx_errors += news.rx_errors;
    t->rx_missed = (uint16_t)(t->rx_missed + news.rx_missed);
    t->rx_unicast += news.rx_unicast;
    t->rx_broadcast += news.rx_broadcast;
    t->rx_multicast += news.rx_multicast;
    rtl_set(c, RTL_MPC, 3, missed(c, news.rx_missed));
    if (news.causes)
        rtl_raise(c, news.causes);
    pthread_mutex_unlock(&c->lock);
}

/* Which rings are to be looked at: those the guest has rung for, and those that were not done with. */
static uint8_t take_rung(struct rtl8169 *c)
{
    pthread_mutex_lock(&c->lock);
    uint8_t poll = c->running |= c->rung;
    c->rung = 0;
    pthread_mutex_unlock(&c->lock);
    return poll;
}

static void transmit(struct rtl8169 *c)
{
    uint8_t poll = take_rung(c);
    if (!poll || c->blocked)
        return;
    bool more = rtl_transmit(c, poll);
    rtl_publish(c);
    if (more) {
        if (!c->blocked)
            event_call_post(&c->work); /* others of the loop shall have their turn */
        return;
    }
    pthread_mutex_lock(&c->lock);
    c->running = 0;
    pthread_mutex_unlock(&c->lock);
}

static void end_stall(struct rtl8169 *c)
{
    atomic_store(&c->stalled, false);
    c->retry_delay = 0;
    event_timer_set(&c->retry, EVENT_NEVER);
}

static void retry_receive(struct rtl8169 *c)
{
    if (!atomic_load(&c->stalled) || !rtl_can_receive(c))
        return;
    end_stall(c);
    net_ready(c->net);
}

static void work(void *state)
{
    struct rtl8169 *c = state;
    rtl_follow(c);
    retry_receive(c);
    transmit(c);
}

static void retry_fired(void *state)
{
    struct rtl8169 *c = state;
    rtl_follow(c);
    retry_receive(c);
    if (!atomic_load(&c->stalled))
        return;
    c->retry_delay *= 2;
    if (c->retry_delay < RTL_RETRY_MAX)
        event_timer_set(&c->retry, clock_monotonic_ns() + c->retry_delay);
    else
        net_ready(c->net); /* what waits is dropped */
}

static bool card_receive(void *state, const struct net_packet *packet)
{
    struct rtl8169 *c = state;
    if (rtl_receive(c, packet)) {
        if (atomic_load_explicit(&c->stalled, memory_order_relaxed))
            end_stall(c);
        return true;
    }
    if (c->retry_delay >= RTL_RETRY_MAX) { /* nobody is there */
        c->news.rx_missed++;
        return true;
    }
    if (!atomic_exchange(&c->stalled, true)) {
        c->retry_delay = RTL_RETRY_MIN;
        event_timer_set(&c->retry, clock_monotonic_ns() + c->retry_delay);
        c->news.causes |= ISR_RDU;
        rtl_publish(c);
    }
    return false;
}

static void card_received(void *state)
{
    rtl_publish(state);
}

static void card_writable(void *state)
{
    struct rtl8169 *c = state;
    c->blocked = false;
    work(c);
}

static void card_link(void *state, bool up)
{
    struct rtl8169 *c = state;
    pthread_mutex_lock(&c->lock);
    if (up != c->phy.cable) {
        rtl_phy_cable(&c->phy, up);
        atomic_fetch_add(&c->version, 1);
        rtl_raise(c, ISR_LINKCHG);
    }
    pthread_mutex_unlock(&c->lock);
}

static const struct net_card_ops card_ops = {
    .name = "rtl8169",
    .receive = card_receive,
    .received = card_received,
    .writable = card_writable,
    .link = card_link,
};

/*
 * The PCI function
 */

static uint64_t bar_read(void *state, unsigned bar, uint64_t offset, unsigned size)
{
    (void)bar; /* both lead to the registers */
    return rtl_read(state, (unsigned)offset, size);
}

static void bar_write(void *state, unsigned bar, uint64_t offset, unsigned size, uint64_t value)
{
    (void)bar;
    rtl_write(state, (unsigned)offset, size, (uint32_t)value);
}

/* On the network's thread: nothing of a ring is under way. */
static void power_on(void *state)
{
    struct rtl8169 *c = state;
    pthread_mutex_lock(&c->lock);
    rtl_registers_power_on(c);
    atomic_fetch_add(&c->version, 1);
    pthread_mutex_unlock(&c->lock);
    memset(&c->news, 0, sizeof(c->news));
    rtl_follow(c);
    if (atomic_load(&c->stalled)) {
        end_stall(c);
        net_ready(c->net); /* what has waited is dropped */
    }
}

static void reset(void *state)
{
    struct rtl8169 *c = state;
    net_run(c->net, power_on, c);
}

static void remove_function(void *state)
{
    struct rtl8169 *c = state;
    if (c->attached)
        net_detach(c->net); /* before the rest: until then the network's callbacks may post calls */
    event_call_remove(&c->work);
    event_timer_remove(&c->timer);
    event_timer_remove(&c->settle);
    event_timer_remove(&c->retry);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

static const struct pci_function_ops function_ops = {
    .name = "rtl8169",
    .bar_read = bar_read,
    .bar_write = bar_write,
    .reset = reset,
    .remove = remove_function,
};

static const struct pci_function_config function_config = {
    .ops = &function_ops,
    .ids = {.vendor = VENDOR_REALTEK,
            .device = DEVICE_RTL8169,
            .subsystem_vendor = VENDOR_REALTEK,
            .subsystem = DEVICE_RTL8169,
            .class_code = 0x020000,
            .revision = 0x10},
    .bars = {[0] = {PCI_BAR_IO, RTL_REGISTERS, 1, 4}, [1] = {PCI_BAR_MEM32, RTL_REGISTERS, 1, 4}},
    .interrupt_pin = 1,
    .conventional = true,
};

struct pci_function *rtl8169_new(const struct net_card_config *config, struct error *err)
{
    struct rtl8169 *c = calloc(1, sizeof(*c));
    if (!c) {
        error_set(err, "rtl8169: out of memory");
        return NULL;
    }
    c->net = config->net;
    memcpy(c->mac, config->mac, sizeof(c->mac));
    pthread_mutex_init(&c->lock, NULL);
    struct event_loop *loop = net_loop(c->net);
    event_call_init(&c->work, loop, work, c);
    event_timer_init(&c->timer, loop, timer_fired, c);
    event_timer_init(&c->settle, loop, settled, c);
    event_timer_init(&c->retry, loop, retry_fired, c);

    struct pci_function_config function = function_config;
    function.state = c;
    c->pci = pci_function_new(&function, err);
    if (!c->pci) {
        remove_function(c);
        return NULL;
    }
    pci_msi_init(c->pci, 1); /* without it the wire does */
    rtl_registers_power_on(c);
    atomic_store(&c->version, 1);
    const struct net_card card = {&card_ops, c};
    c->attached = net_attach(c->net, &card, err);
    if (!c->attached) {
        pci_function_free(c->pci);
        return NULL;
    }
    return c->pci;
}
