/* SPDX-License-Identifier: MPL-2.0 */
/* The words behind `-net CARD,`: see options.h. */
#include "net/options.h"

#include "base/words.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define DHCP_ADDRESSES 16 /* that libslirp has to give */
#define HOSTNAME_MAX 63   /* a label of DNS (RFC 1035, 2.3.4) */

/* Up to what = says. false: not a number, or too large. */
static bool take_number(unsigned *number, const char *value, unsigned min, unsigned max)
{
    char *end;
    if (!value || *value < '0' || *value > '9')
        return false;
    unsigned long long n = strtoull(value, &end, 10);
    *number = (unsigned)n;
    return !*end && n >= min && n <= max;
}

static bool take_switch(bool *on, const char *value)
{
    static const char *const choices[] = {"off", "on", NULL};
    int chosen = words_choose(value, choices);
    *on = chosen == 1;
    return chosen >= 0;
}

static bool take_text(const char **text, const char *value)
{
    *text = value;
    return value && *value;
}

static bool take_address(struct in_addr *address, const char *value)
{
    return value && inet_pton(AF_INET, value, address) == 1;
}

/* ADDRESS/BITS, with nothing behind the bits; DHCP_ADDRESSES and those of the host must fit. */
static bool take_net(struct net_user_options *user, char *value)
{
    char *slash = value ? strchr(value, '/') : NULL;
    unsigned bits;
    if (!slash || !take_number(&bits, slash + 1, 8, 27))
        return false;
    *slash = '\0';
    user->mask.s_addr = htonl(~UINT32_C(0) << (32 - bits));
    bool ok = take_address(&user->net, value) && !(user->net.s_addr & ~user->mask.s_addr);
    *slash = '/';
    return ok;
}

/* libslirp makes addresses by appending 64 bits. */
static bool take_net6(struct net_user_options *user, char *value)
{
    char *slash = value ? strchr(value, '/') : NULL;
    if (!slash || !take_number(&user->net6_bits, slash + 1, 64, 64))
        return false;
    *slash = '\0';
    bool ok = inet_pton(AF_INET6, value, &user->net6) == 1;
    for (unsigned i = 8; i < 16; i++)
        ok = ok && !user->net6.s6_addr[i];
    *slash = '/';
    return ok && user->net6.s6_addr[0] != 0xff;
}

static bool take_hostname(const char **name, const char *value)
{
    return take_text(name, value) && strlen(value) <= HOSTNAME_MAX;
}

static bool take_user_word(struct net_user_options *user, const char *name, char *value)
{
    bool on;
    if (!strcmp(name, "net"))
        return take_net(user, value);
    if (!strcmp(name, "host"))
        return take_address(&user->host, value);
    if (!strcmp(name, "dns"))
        return take_address(&user->dns, value);
    if (!strcmp(name, "dhcp"))
        return take_address(&user->dhcp, value);
    if (!strcmp(name, "net6"))
        return take_net6(user, value);
    if (!strcmp(name, "ipv6") && take_switch(&on, value)) {
        user->no_ipv6 = !on;
        return true;
    }
    if (!strcmp(name, "restrict"))
        return take_switch(&user->restricted, value);
    if (!strcmp(name, "tftp"))
        return take_text(&user->tftp, value);
    if (!strcmp(name, "bootfile"))
        return take_text(&user->bootfile, value);
    if (!strcmp(name, "hostname"))
        return take_hostname(&user->hostname, value);
    if (!strcmp(name, "domain"))
        return take_text(&user->domain, value);
    return false;
}

/* Only as the first word. false: it names none. */
static bool take_kind(struct net_options *options, const char *name, const char *value)
{
    static const char *const kinds[] = {
        [NET_KIND_USER] = "user", [NET_KIND_TAP] = "tap", [NET_KIND_SOCKET] = "socket", NULL};
    int kind = words_choose(name, kinds);
    if (kind < 0 || (value && kind != NET_KIND_TAP))
        return false;
    options->kind = (enum net_kind)kind;
    options->tap = value;
    return !value || *value;
}

static bool take_word(struct net_options *options, const char *name, char *value)
{
    bool on;
    if (!strcmp(name, "dump"))
        return take_text(&options->dump, value);
    if (!strcmp(name, "link") && take_switch(&on, value)) {
        options->link_down = !on;
        return true;
    }
    if (!strcmp(name, "mtu"))
        return take_number(&options->mtu, value, NET_MTU_MIN, NET_MTU_MAX);
    if (options->kind == NET_KIND_SOCKET && !strcmp(name, "listen"))
        return take_text(&options->listen, value);
    if (options->kind == NET_KIND_SOCKET && !strcmp(name, "connect"))
        return take_text(&options->connect, value);
    return options->kind == NET_KIND_USER && take_user_word(&options->user, name, value);
}

/* An address that was not said is the n-th of the network. */
static void default_address(struct net_user_options *user, struct in_addr *address, uint32_t n)
{
    if (!address->s_addr)
        address->s_addr = user->net.s_addr | htonl(n);
}

/* Neither the network's own address nor the one for all. */
static bool is_host_of(const struct net_user_options *user, struct in_addr address)
{
    uint32_t host = ntohl(address.s_addr & ~user->mask.s_addr);
    return (address.s_addr & user->mask.s_addr) == user->net.s_addr && host &&
           host != ntohl(~user->mask.s_addr);
}

static bool check_user(struct net_user_options *user, struct error *err)
{
    default_address(user, &user->host, 2);
    default_address(user, &user->dns, 3);
    const uint32_t hosts = ntohl(~user->mask.s_addr);
    default_address(user, &user->dhcp, hosts > 32 ? 15 : 4);
    const struct in_addr last = {.s_addr = htonl(ntohl(user->dhcp.s_addr) + DHCP_ADDRESSES - 1)};
    const struct in_addr all[] = {user->host, user->dns, user->dhcp};
    static const char *const names[] = {"host", "dns", "dhcp"};
    for (unsigned i = 0; i < 3; i++) {
        char text[INET_ADDRSTRLEN];
        inet_ntop(AF_INET, &all[i], text, sizeof(text));
        if (!is_host_of(user, all[i]))
            return error_set(err, "%s=%s: no address for a host of the guest's network", names[i],
                             text);
        for (unsigned j = 0; j < i; j++)
            if (all[j].s_addr == all[i].s_addr)
                return error_set(err, "%s=%s: %s has that address", names[i], text, names[j]);
    }
    if (!is_host_of(user, last))
        return error_set(err, "dhcp: there are not %u addresses from there on", DHCP_ADDRESSES);
    return true;
}

static bool check(struct net_options *options, struct error *err)
{
    if (options->kind == NET_KIND_SOCKET && !options->listen == !options->connect)
        return error_set(err, "socket: needs one of listen=WHERE and connect=WHERE");
    return check_user(&options->user, err);
}

bool net_options_parse(struct net_options *options, const char *text, struct error *err)
{
    *options = (struct net_options){.text = strdup(text)};
    struct net_user_options *user = &options->user;
    user->net.s_addr = htonl(0x0a000200);
    user->mask.s_addr = htonl(0xffffff00);
    user->net6.s6_addr[0] = 0xfe;
    user->net6.s6_addr[1] = 0xc0;
    user->net6_bits = 64;
    bool ok = options->text || error_set(err, "%s: out of memory", text);
    bool first = true;
    for (char *word = *text && ok ? options->text : NULL, *next; ok && word; word = next) {
        next = words_cut(word);
        char *value = words_value(word);
        ok = (first && take_kind(options, word, value)) || take_word(options, word, value) ||
             error_set(err, "no such word for this network: %s%s%s", word, value ? "=" : "",
                       value ? value : "");
        first = false;
    }
    ok = ok && check(options, err);
    if (!ok)
        net_options_free(options);
    return ok;
}

void net_options_free(struct net_options *options)
{
    free(options->text);
    *options = (struct net_options){0};
}
