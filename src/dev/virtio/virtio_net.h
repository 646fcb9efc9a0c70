/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A virtio network card: virtio_net_parts.h says how it is made. Offered to the driver are checksums,
 * segmentation (TCP, UDP) in both directions, receive buffers that are merged, a pair of queues for
 * each hart, filters of addresses and VLANs, and the state of the link.
 *
 *     struct net_card_config config = {.net = net, .mac = {0x52, 0x54, ...}, .harts = harts};
 *     pci_plug(bus, virtio_net_new(&config, err), err);
 */
#ifndef RVVM_DEV_VIRTIO_VIRTIO_NET_H
#define RVVM_DEV_VIRTIO_VIRTIO_NET_H

#include "dev/net_card.h"

#define VIRTIO_NET_PAIRS_MAX 63 /* a receive and a transmit queue each, and one for control */

/* NULL: err says why. */
struct pci_function *virtio_net_new(const struct net_card_config *config, struct error *err);

#endif
