/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A Realtek RTL8169SC gigabit network card, as a conventional PCI function: the part that Linux
 * (r8169), the BSDs (re) and Haiku have had drivers for since 2004.
 *
 *     struct net_card_config config = {.net = net, .mac = {0x52, 0x54, 0, 0x12, 0x34, 0x56}};
 *     pci_plug(bus, rtl8169_new(&config, err), err);
 *
 * Why this one of the family: every driver knows it, and it needs no firmware and none of the
 * indirect registers of its PCI Express relatives (10ec:8168).
 */
#ifndef RVVM_DEV_RTL8169_RTL8169_H
#define RVVM_DEV_RTL8169_RTL8169_H

#include "base/error.h"

struct net_card_config;
struct pci_function;

/* NULL: err says why. The network is the caller's, and outlives the card. */
struct pci_function *rtl8169_new(const struct net_card_config *config, struct error *err);

#endif
