/* SPDX-License-Identifier: MPL-2.0 */
/* The networks of a machine: see networks.h. */
#include "api/networks.h"

#include "dev/net_card.h"
#include "net/calls.h"
#include "net/forward.h"
#include <stdio.h>
#include <string.h>

static bool plug(struct networks *networks, unsigned index, struct pci_bus *bus,
                 const struct net_card_choice *choice, const struct rvvm_config *config,
                 struct log *log, struct error *err)
{
    char name[16];
    const struct rvvm_wire *wire = config->networks[index].wire;
    struct net_calls_config calls = {.opened = &networks->wires[index]};
    struct net_config how = {.log = log, .name = name, .calls = wire ? &calls : NULL};
    struct net **net = &networks->nets[index];
    struct net_card_config card = {.harts = config->harts, .log = log};
    if (!choice->kind->new_card)
        return true;
    if (wire) {
        calls.send = wire->frame;
        calls.ctx = wire->ctx;
    }
    snprintf(name, sizeof(name), "net%u", index);
    memcpy(card.mac, choice->mac, sizeof(card.mac));
    if (!choice->mac_said)
        net_card_address(card.mac, index);
    memcpy(how.mac, card.mac, sizeof(how.mac));
    *net = card.net = net_open(choice->network, &how, err);
    return *net && net_card_plug(bus, choice->kind, &card, err);
}

bool networks_plug(struct networks *networks, struct pci_bus *bus, const struct rvvm_config *config,
                   struct log *log, struct error *err)
{
    bool ok = config->network_count <= NETWORKS_MAX ||
              error_set(err, "%u networks: at most %u", config->network_count, NETWORKS_MAX);
    for (unsigned i = 0; ok && i < config->network_count; i++) {
        struct net_card_choice choice;
        const char *text = config->networks[i].text;
        ok = net_card_parse(&choice, text ? text : "", err);
        if (!ok)
            return error_prefix(err, "net%u", i);
        networks->count = i + 1;
        ok = plug(networks, i, bus, &choice, config, log, err) || error_prefix(err, "net%u", i);
        net_card_free(&choice);
    }
    for (unsigned i = 0; ok && i < config->forward_count; i++)
        ok = networks_forward(networks, config->forwards[i], true, err);
    return ok;
}

void networks_close(struct networks *networks)
{
    for (unsigned i = 0; i < networks->count; i++)
        net_close(networks->nets[i]);
    networks->count = 0;
}

bool networks_forward(struct networks *networks, const char *text, bool add, struct error *err)
{
    struct net_forward forward;
    if (!net_forward_parse(&forward, text, err))
        return false;
    for (unsigned i = 0; i < networks->count; i++) {
        struct net *net = networks->nets[i];
        if (net && net_can_forward(net))
            return add ? net_add_forward(net, &forward, err)
                       : net_remove_forward(net, &forward, err);
    }
    return error_set(err, "%s: there is no network in user mode to forward a port to", text);
}
