/* SPDX-License-Identifier: MPL-2.0 */
/* The words behind `-net CARD,`: which backend, and how it is to be. */
#ifndef RVVM_NET_OPTIONS_H
#define RVVM_NET_OPTIONS_H

#include "base/error.h"
#include "host/inet.h"
#include <stdbool.h>

enum net_kind { NET_KIND_USER, NET_KIND_TAP, NET_KIND_SOCKET };

struct net_user_options {
    struct in_addr net, mask; /* net=10.0.2.0/24 */
    /* In it: the host as the guest sees it, the resolver, the first address that DHCP gives. */
    struct in_addr host, dns, dhcp;
    bool no_ipv6;
    struct in6_addr net6; /* net6=fec0::/64 */
    unsigned net6_bits;
    bool restricted;                                 /* only port forwards get through */
    const char *tftp, *bootfile, *hostname, *domain; /* or NULL */
};

struct net_options {
    enum net_kind kind;
    const char *dump;   /* file for a capture, or NULL */
    bool link_down;     /* the cable is not plugged in at first */
    unsigned mtu;       /* 0: not said */
    const char *tap;    /* NULL: the host chooses a name */
    const char *listen; /* of the socket backend one of these: tcp:HOST:PORT or unix:PATH */
    const char *connect;
    struct net_user_options user;
    char *text; /* owned; the strings are in it */
};

#define NET_MTU_MIN 576   /* what IPv4 asks of every host */
#define NET_MTU_MAX 65521 /* what libslirp takes */

/* On false nothing has to be freed. */
bool net_options_parse(struct net_options *options, const char *text, struct error *err);
void net_options_free(struct net_options *options);

#endif
