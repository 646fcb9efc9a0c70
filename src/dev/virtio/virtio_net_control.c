/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Virtio network device: commands of the driver (5.1.6.5). A command is a class, a number, data and a byte
 * for the answer; kernels wait for that in a loop.
 */
#include "dev/virtio/virtio_net_parts.h"
#include <string.h>

#define ROUND 16

enum class {
    CLASS_RX = 0,
    CLASS_MAC = 1,
    CLASS_VLAN = 2,
    CLASS_ANNOUNCE = 3,
    CLASS_MQ = 4,
    CLASS_GUEST_OFFLOADS = 5,
};
enum answer { ANSWER_OK = 0, ANSWER_ERROR = 1 };

struct command {
    const struct virtq_chain *chain;
    uint64_t at; /* where its data go on */
    uint8_t class, number;
    void (*tell)(struct virtio_net *n); /* what has changed of the configuration; NULL: nothing */
};

/* The next bytes of the data. false: there are not so many. */
static bool take(struct command *c, void *bytes, size_t size)
{
    if (virtq_chain_read(c->chain, c->at, bytes, size) < size)
        return false;
    c->at += size;
    return true;
}

static bool set_mode(struct virtio_net *n, struct command *c)
{
    uint8_t on;
    if (!take(c, &on, sizeof(on)))
        return false;
    n->filter.modes[c->number] = on;
    return true;
}

/* A count and so many addresses. Of a table that is too long only that it is. */
static bool take_table(struct command *c, struct net_filter_table *table)
{
    uint32_t count;
    if (!take(c, &count, sizeof(count)) || count > (c->chain->out_size - c->at) / NET_ADDRESS_SIZE)
        return false;
    uint64_t end = c->at + (uint64_t)count * NET_ADDRESS_SIZE;
    table->overflow = count > NET_FILTER_ADDRESSES;
    table->count = table->overflow ? 0 : count;
    take(c, table->addresses, table->count * NET_ADDRESS_SIZE);
    c->at = end;
    return true;
}

static bool set_tables(struct virtio_net *n, struct command *c)
{
    struct net_filter_table unicast, multicast;
    if (!take_table(c, &unicast) || !take_table(c, &multicast))
        return false;
    n->filter.unicast = unicast;
    n->filter.multicast = multicast;
    return true;
}

static bool set_address(struct virtio_net *n, struct command *c)
{
    uint8_t mac[NET_ADDRESS_SIZE];
    if (!take(c, mac, sizeof(mac)) || (mac[0] & 1))
        return false;
    memcpy(n->filter.mac, mac, sizeof(mac));
    if (n->features & NET_F_MAC)
        c->tell = virtio_net_tell_address;
    return true;
}

enum { VLAN_ADD = 0, VLAN_DEL = 1 };

static bool set_vlan(struct virtio_net *n, struct command *c)
{
    uint16_t vlan;
    if (!take(c, &vlan, sizeof(vlan)) || vlan >= NET_VLANS)
        return false;
    net_filter_set_vlan(&n->filter, vlan, c->number == VLAN_ADD);
    return true;
}

static bool end_announcement(struct virtio_net *n, struct command *c)
{
    if (n->announce)
        c->tell = virtio_net_tell_status;
    n->announce = false;
    return true;
}

static bool set_pairs(struct virtio_net *n, struct command *c)
{
    uint16_t pairs;
    if (!take(c, &pairs, sizeof(pairs)) || !pairs || pairs > n->pairs_max)
        return false;
    n->pairs = pairs;
    return true;
}

static bool set_offloads(struct virtio_net *n, struct command *c)
{
    uint64_t offloads;
    if (!take(c, &offloads, sizeof(offloads)) || offloads & ~(n->features & NET_F_GUEST_OFFLOADS))
        return false;
    n->offloads = offloads;
    virtio_net_tell_offloads(n);
    return true;
}

static const struct {
    uint8_t class, number;
    uint64_t feature;
    bool (*run)(struct virtio_net *n, struct command *c);
} commands[] = {
    {CLASS_RX, NET_FILTER_PROMISCUOUS, NET_F_CTRL_RX, set_mode},
    {CLASS_RX, NET_FILTER_ALL_MULTICAST, NET_F_CTRL_RX, set_mode},
    {CLASS_RX, NET_FILTER_ALL_UNICAST, NET_F_CTRL_RX_EXTRA, set_mode},
    {CLASS_RX, NET_FILTER_NO_MULTICAST, NET_F_CTRL_RX_EXTRA, set_mode},
    {CLASS_RX, NET_FILTER_NO_UNICAST, NET_F_CTRL_RX_EXTRA, set_mode},
    {CLASS_RX, NET_FILTER_NO_BROADCAST, NET_F_CTRL_RX_EXTRA, set_mode},
    {CLASS_MAC, 0, NET_F_CTRL_RX, set_tables},
    {CLASS_MAC, 1, NET_F_CTRL_MAC_ADDR, set_address},
    {CLASS_VLAN, VLAN_ADD, NET_F_CTRL_VLAN, set_vlan},
    {CLASS_VLAN, VLAN_DEL, NET_F_CTRL_VLAN, set_vlan},
    {CLASS_ANNOUNCE, 0, NET_F_GUEST_ANNOUNCE, end_announcement},
    {CLASS_MQ, 0, NET_F_MQ, set_pairs},
    {CLASS_GUEST_OFFLOADS, 0, NET_F_CTRL_GUEST_OFFLOADS, set_offloads},
};

static enum answer obey(struct virtio_net *n, struct command *c)
{
    for (unsigned i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        if (commands[i].class == c->class && commands[i].number == c->number &&
            n->features & commands[i].feature && commands[i].run(n, c))
            return ANSWER_OK;
    virtio_log_guest(n->virtio, "command %u of class %u with %llu bytes", c->number, c->class,
                     (unsigned long long)c->chain->out_size);
    return ANSWER_ERROR;
}

/*
 * The configuration shows what a command did before the command comes back (5.1.6.5.2.1, 5.1.6.5.4.2).
 * It cannot be changed with the queue locked; but as long as a chain is kept there is a queue, and the
 * driver stays who it is.
 */
static struct virtio_queue *tell_changes(struct virtio_net *n, struct virtio_queue *q,
                                         const struct command *c)
{
    const unsigned queue = virtio_queue_index(q);
    if (!c->tell)
        return q;
    virtio_end(q);
    c->tell(n);
    return virtio_begin(n->virtio, queue);
}

/* Returns the queue, which may have been let go in between. */
static struct virtio_queue *serve(struct virtio_net *n, struct virtio_queue *q,
                                  const struct virtq_chain *chain)
{
    struct command c = {.chain = chain};
    uint8_t answer = ANSWER_ERROR;
    if (take(&c, &c.class, 1) && take(&c, &c.number, 1))
        answer = (uint8_t)obey(n, &c);
    q = tell_changes(n, q, &c);
    virtio_push(q, chain, (uint32_t)virtq_chain_write(chain, 0, &answer, 1));
    return q;
}

void virtio_net_control(struct virtio_net *n, unsigned queue)
{
    unsigned budget = ROUND;
    struct virtq_chain chain = {.iov = n->iov, .iov_max = VIRTQ_IOV_MAX};
    struct virtio_queue *q = virtio_net_begin(n, queue);
    if (!q)
        return;
    virtio_notify_off(q);
    do {
        while (budget && virtio_pop(q, &chain)) {
            q = serve(n, q, &chain);
            budget--;
        }
    } while (budget && virtio_notify_on(q));
    virtio_end(q);
    if (!budget)
        virtio_net_kick(n, queue);
}
