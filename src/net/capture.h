/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A file of the frames that pass a cable, for tcpdump and Wireshark (libpcap's format, pcap-savefile(5)).
 * Large packets are written as they are, with the checksums that are in them: these programs know that.
 */
#ifndef RVVM_NET_CAPTURE_H
#define RVVM_NET_CAPTURE_H

#include "net/net.h"

struct capture;

/* Creates or empties the file. NULL: err says why not. loop outlives it. */
struct capture *capture_open(const char *path, struct event_loop *loop, struct log *log,
                             struct error *err);
/* On the loop's thread. When the file cannot be written, that is logged and no more is. */
void capture_packet(struct capture *capture, const struct net_packet *packet);
/* When the loop's thread has ended. capture may be NULL. */
void capture_close(struct capture *capture);

#endif
