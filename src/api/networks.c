/* SPDX-License-Identifier: MPL-2.0 */
/* The networks of a machine: see networks.h. */
#include "api/networks.h"

#include "dev/net_card.h"
#include "net/calls.h"
#include "net/forward.h"
#include <stdio.h>
#include <stdlib.h>
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

void networks_init(struct networks *networks)
{
    pthread_mutex_init(&networks->lock, NULL);
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
    while (networks->forward_count)
        free(networks->forwards[--networks->forward_count]);
    pthread_mutex_destroy(&networks->lock);
}

/* The host's side of two forwards is the same. */
static bool is_same(const char *one, const char *other)
{
    struct net_forward a, b;
    char a_name[NET_FORWARD_NAME_SIZE], b_name[NET_FORWARD_NAME_SIZE];
    if (!net_forward_parse(&a, one, NULL) || !net_forward_parse(&b, other, NULL))
        return false;
    net_forward_name(&a, a_name);
    net_forward_name(&b, b_name);
    return !strcmp(a_name, b_name);
}

static void remember(struct networks *networks, const char *text, bool add)
{
    unsigned n = 0;
    if (add) {
        networks->forwards[networks->forward_count] = strdup(text);
        networks->forward_count += networks->forwards[networks->forward_count] != NULL;
        return;
    }
    while (n < networks->forward_count && !is_same(networks->forwards[n], text))
        n++;
    if (n == networks->forward_count)
        return;
    free(networks->forwards[n]);
    networks->forward_count--;
    for (; n < networks->forward_count; n++)
        networks->forwards[n] = networks->forwards[n + 1];
}

bool networks_show_forward(struct networks *networks, unsigned n, char *text, size_t size)
{
    pthread_mutex_lock(&networks->lock);
    const bool there = n < networks->forward_count;
    if (there)
        snprintf(text, size, "%s", networks->forwards[n]);
    pthread_mutex_unlock(&networks->lock);
    return there;
}

static bool change(struct networks *networks, struct net *net, const struct net_forward *forward,
                   const char *text, bool add, struct error *err)
{
    pthread_mutex_lock(&networks->lock);
    bool ok = !add || networks->forward_count < FORWARDS_MAX ||
              error_set(err, "%s: there are %u forwards already", text, FORWARDS_MAX);
    ok = ok && (add ? net_add_forward(net, forward, err) : net_remove_forward(net, forward, err));
    if (ok)
        remember(networks, text, add);
    pthread_mutex_unlock(&networks->lock);
    return ok;
}

bool networks_forward(struct networks *networks, const char *text, bool add, struct error *err)
{
    struct net_forward forward;
    if (!net_forward_parse(&forward, text, err))
        return false;
    for (unsigned i = 0; i < networks->count; i++) {
        struct net *net = networks->nets[i];
        if (net && net_can_forward(net))
            return change(networks, net, &forward, text, add, err);
    }
    return error_set(err, "%s: there is no network in user mode to forward a port to", text);
}
