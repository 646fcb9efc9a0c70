/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Merges TCP segments that follow one another into large packets, as a card does that coalesces what it
 * receives: a guest then handles one packet where there were forty. It undoes what segmentation does, so
 * that what is merged could be cut again into the same segments (offload.h):
 *
 *     if (!gro_add(gro, frame, size))
 *         ... deliver it: it is nothing to merge; what came before it of its connection is out already
 *     gro_flush(gro);                         at the end of a round
 *
 * Frames come from a stack on this host, so their checksums are not looked at.
 */
#ifndef RVVM_NET_GRO_H
#define RVVM_NET_GRO_H

#include "net/net.h"

struct gro;

/* emit gets large packets, and segments that found no company. NULL: out of memory. */
struct gro *gro_new(void (*emit)(void *ctx, const struct net_packet *packet), void *ctx);
/* Drops what it has. gro may be NULL. */
void gro_free(struct gro *gro);

/* false: the frame is the caller's to deliver. */
bool gro_add(struct gro *gro, const uint8_t *frame, size_t size);
void gro_flush(struct gro *gro);

#endif
