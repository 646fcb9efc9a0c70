/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Network cards as a user names them, `-net CARD[,BACKEND][,WORD]...`: which card, its address, and the
 * network that it is connected to.
 *
 *     struct net_card_choice choice;
 *     net_card_parse(&choice, "virtio,user,restrict=on,mac=52:54:00:00:00:01", err)
 *     ...
 *     net_card_plug(bus, &choice, &config, err)
 *     net_card_free(&choice)
 *
 * A new card is a line in the table of net_card.c.
 */
#ifndef RVVM_DEV_NET_CARD_H
#define RVVM_DEV_NET_CARD_H

#include "base/error.h"
#include "base/log.h"
#include "net/net.h"
#include <stdbool.h>
#include <stdint.h>

struct pci_bus;
struct pci_function;

/* What a card's constructor gets. */
struct net_card_config {
    struct net *net; /* outlives the card, which attaches itself and detaches in its remove */
    uint8_t mac[NET_ADDRESS_SIZE];
    unsigned harts; /* of the machine: as many queues are of use */
    struct log *log;
};

/* Each card has one of these: struct pci_function *CARD_new(const struct net_card_config *,
 * struct error *). NULL: err says why. */
typedef struct pci_function *net_card_new_fn(const struct net_card_config *config,
                                             struct error *err);

struct net_card_kind {
    const char *name;          /* the user's word */
    net_card_new_fn *new_card; /* NULL: no card, no network */
};

struct net_card_choice {
    const struct net_card_kind *kind;
    bool mac_said;
    uint8_t mac[NET_ADDRESS_SIZE];
    char *network; /* owned: what is left of the words, for net_open */
};

/*
 * The first word may be left out: then the card is the default one. On false nothing has to be freed,
 * and err names the word that is wrong; words of the network itself are net_open's to check.
 */
bool net_card_parse(struct net_card_choice *choice, const char *text, struct error *err);
void net_card_free(struct net_card_choice *choice);

/* The address of the index-th card of a machine when the user says none. */
void net_card_address(uint8_t mac[NET_ADDRESS_SIZE], unsigned index);

/* Makes the card and plugs it in. */
bool net_card_plug(struct pci_bus *bus, const struct net_card_kind *kind,
                   const struct net_card_config *config, struct error *err);

#endif
