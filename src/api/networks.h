/* SPDX-License-Identifier: MPL-2.0 */
/* The networks of a machine, as struct rvvm_config names them. */
#ifndef RVVM_API_NETWORKS_H
#define RVVM_API_NETWORKS_H

#include "base/error.h"
#include "base/log.h"
#include <pthread.h>
#include <rvvm/rvvm.h>
#include <stdbool.h>

struct net;
struct pci_bus;

#define NETWORKS_MAX 16
#define FORWARDS_MAX 256

struct networks {
    struct net *nets[NETWORKS_MAX];        /* NULL: of the card "none" */
    struct net_calls *wires[NETWORKS_MAX]; /* the program's own ends; NULL: it is another backend */
    unsigned count;
    pthread_mutex_t lock; /* what follows */
    char *forwards[FORWARDS_MAX];
    unsigned forward_count;
};

/* Of zero bytes. */
void networks_init(struct networks *networks);
/* Opens them, plugs their cards in and adds the forwards. What was opened is networks_close's, also when
 * it fails. */
bool networks_plug(struct networks *networks, struct pci_bus *bus, const struct rvvm_config *config,
                   struct log *log, struct error *err);
/* After the cards are gone. */
void networks_close(struct networks *networks);

/* Any thread. */
bool networks_forward(struct networks *networks, const char *text, bool add, struct error *err);
/* The n-th forward as it was said. false: there are fewer. */
bool networks_show_forward(struct networks *networks, unsigned n, char *text, size_t size);

#endif
