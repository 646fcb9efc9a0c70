/* SPDX-License-Identifier: MPL-2.0 */
/* Ports of the host that lead into the guest: see forward.h. */
#include "net/forward.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool take_port(uint16_t *port, const char *text)
{
    size_t digits = strspn(text, "0123456789");
    if (!digits || digits > 5 || text[digits])
        return false;
    int number = atoi(text);
    *port = htons((uint16_t)number);
    return number > 0 && number <= 65535;
}

/* [ADDRESS:]PORT; leaves the family at AF_UNSPEC when there is no address. */
static bool take_side(union net_address *side, char *text)
{
    char *port = strrchr(text, ':');
    if (!port) {
        /* The port has the same place in both. */
        return take_port(&side->v4.sin_port, text);
    }
    *port++ = '\0';
    size_t length = strlen(text);
    if (*text != '[') {
        side->v4.sin_family = AF_INET;
        return inet_pton(AF_INET, text, &side->v4.sin_addr) == 1 &&
               take_port(&side->v4.sin_port, port);
    }
    if (text[length - 1] != ']')
        return false;
    text[length - 1] = '\0';
    side->v6.sin6_family = AF_INET6;
    return inet_pton(AF_INET6, text + 1, &side->v6.sin6_addr) == 1 &&
           take_port(&side->v6.sin6_port, port);
}
_Static_assert(offsetof(struct sockaddr_in, sin_port) == offsetof(struct sockaddr_in6, sin6_port),
               "a port without an address is of either family");

bool net_forward_parse(struct net_forward *forward, const char *text, struct error *err)
{
    static const char form[] = "not a port forward (tcp/127.0.0.1:2022=22)";
    char words[128];
    *forward = (struct net_forward){.udp = !strncmp(text, "udp/", 4)};
    size_t skip = forward->udp || !strncmp(text, "tcp/", 4) ? 4 : 0;
    if (strlen(text + skip) >= sizeof(words))
        return error_set(err, "%s: %s", text, form);
    strcpy(words, text + skip);
    char *to = strchr(words, '=');
    if (!to)
        return error_set(err, "%s: %s", text, form);
    *to++ = '\0';
    union net_address *host = &forward->host, *guest = &forward->guest;
    if (!take_side(host, words) || !take_side(guest, to))
        return error_set(err, "%s: %s", text, form);
    const int said = host->any.sa_family;
    if (said == AF_UNSPEC) {
        host->any.sa_family = guest->any.sa_family == AF_INET6 ? AF_INET6 : AF_INET;
        if (host->any.sa_family == AF_INET6)
            host->v6.sin6_addr = in6addr_loopback;
        else
            host->v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    }
    if (guest->any.sa_family == AF_UNSPEC)
        guest->any.sa_family = host->any.sa_family;
    if (guest->any.sa_family != host->any.sa_family)
        return error_set(err, "%s: one side is IPv4 and the other IPv6", text);
    return true;
}

void net_forward_name(const struct net_forward *forward, char name[NET_FORWARD_NAME_SIZE])
{
    const union net_address *host = &forward->host;
    const bool v6 = host->any.sa_family == AF_INET6;
    char address[INET6_ADDRSTRLEN] = "?";
    inet_ntop(host->any.sa_family, v6 ? (const void *)&host->v6.sin6_addr : &host->v4.sin_addr,
              address, sizeof(address));
    snprintf(name, NET_FORWARD_NAME_SIZE, v6 ? "%s/[%s]:%u" : "%s/%s:%u",
             forward->udp ? "udp" : "tcp", address, ntohs(host->v4.sin_port));
}
