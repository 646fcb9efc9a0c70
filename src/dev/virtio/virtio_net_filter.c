/* SPDX-License-Identifier: MPL-2.0 */
/* Which frames are for the guest: see virtio_net_filter.h. */
#include "dev/virtio/virtio_net_filter.h"

#include <string.h>

enum { AT_TYPE = 12, AT_TAG = 14, TYPE_VLAN = 0x8100, VLAN_ID = 0xfff };

void net_filter_reset(struct net_filter *f, const uint8_t mac[NET_ADDRESS_SIZE], bool by_vlan)
{
    *f = (struct net_filter){.modes[NET_FILTER_PROMISCUOUS] = true, .by_vlan = by_vlan};
    memcpy(f->mac, mac, NET_ADDRESS_SIZE);
}

void net_filter_set_vlan(struct net_filter *f, unsigned vlan, bool passes)
{
    uint64_t bit = UINT64_C(1) << vlan % 64;
    if (passes)
        f->vlans[vlan / 64] |= bit;
    else
        f->vlans[vlan / 64] &= ~bit;
}

/* A tag of VLAN 0 is a priority and no VLAN (IEEE 802.1Q, 9.6). */
static bool vlan_passes(const struct net_filter *f, const uint8_t *head)
{
    if (!f->by_vlan || (head[AT_TYPE] << 8 | head[AT_TYPE + 1]) != TYPE_VLAN)
        return true;
    unsigned vlan = (head[AT_TAG] << 8 | head[AT_TAG + 1]) & VLAN_ID;
    return !vlan || (f->vlans[vlan / 64] >> vlan % 64 & 1);
}

static bool is_in(const struct net_filter_table *table, const uint8_t *address)
{
    for (unsigned i = 0; i < table->count; i++)
        if (!memcmp(table->addresses[i], address, NET_ADDRESS_SIZE))
            return true;
    return table->overflow;
}

static bool address_passes(const struct net_filter *f, const uint8_t *to)
{
    static const uint8_t broadcast[NET_ADDRESS_SIZE] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    if (!memcmp(to, broadcast, NET_ADDRESS_SIZE))
        return !f->modes[NET_FILTER_NO_BROADCAST];
    if (to[0] & 1)
        return !f->modes[NET_FILTER_NO_MULTICAST] &&
               (f->modes[NET_FILTER_ALL_MULTICAST] || is_in(&f->multicast, to));
    return !f->modes[NET_FILTER_NO_UNICAST] &&
           (f->modes[NET_FILTER_ALL_UNICAST] || !memcmp(to, f->mac, NET_ADDRESS_SIZE) ||
            is_in(&f->unicast, to));
}

bool net_filter_passes(const struct net_filter *f, const uint8_t head[NET_FILTER_HEAD])
{
    return f->modes[NET_FILTER_PROMISCUOUS] || (vlan_passes(f, head) && address_passes(f, head));
}
