/* SPDX-License-Identifier: MPL-2.0 */
/* Network cards: see net_card.h. */
#include "dev/net_card.h"

#include "base/words.h"
#include "dev/pci/pci.h"
#include "dev/rtl8169/rtl8169.h"
#include "dev/virtio/virtio_net.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The first is the default: the fastest that Debian's kernel knows. */
static const struct net_card_kind kinds[] = {
    {"virtio", virtio_net_new},
    {"rtl8169", rtl8169_new},
    {"none", NULL},
};
#define KINDS (sizeof(kinds) / sizeof(*kinds))

static const struct net_card_kind *find_kind(const char *name)
{
    for (unsigned i = 0; i < KINDS; i++)
        if (!strcmp(kinds[i].name, name))
            return &kinds[i];
    return NULL;
}

/* Six bytes, hexadecimal, behind colons: of one station, not of a group. */
static bool take_mac(struct net_card_choice *choice, const char *value)
{
    unsigned bytes[NET_ADDRESS_SIZE];
    int end = 0;
    if (!value || strspn(value, "0123456789abcdefABCDEF:") != strlen(value) ||
        sscanf(value, "%2x:%2x:%2x:%2x:%2x:%2x%n", &bytes[0], &bytes[1], &bytes[2], &bytes[3],
               &bytes[4], &bytes[5], &end) != NET_ADDRESS_SIZE ||
        value[end] || (bytes[0] & 1))
        return false;
    unsigned sum = 0;
    for (unsigned i = 0; i < NET_ADDRESS_SIZE; i++) {
        choice->mac[i] = (uint8_t)bytes[i];
        sum |= bytes[i];
    }
    return choice->mac_said = sum;
}

/* Appends a word to the network's, commas doubled again. */
static void append_word(char *list, const char *word)
{
    char *to = list + strlen(list);
    if (to != list)
        *to++ = ',';
    for (; *word; word++) {
        if (*word == ',')
            *to++ = ',';
        *to++ = *word;
    }
    *to = '\0';
}

bool net_card_parse(struct net_card_choice *choice, const char *text, struct error *err)
{
    char *words = strdup(text);
    *choice = (struct net_card_choice){.kind = &kinds[0], .network = calloc(1, strlen(text) + 2)};
    bool ok = (words && choice->network) || error_set(err, "out of memory");
    bool first = true;
    for (char *word = words, *next; ok && word; word = next, first = false) {
        next = words_cut(word);
        const struct net_card_kind *kind = first ? find_kind(word) : NULL;
        if (kind)
            choice->kind = kind;
        else if (!*word && *text)
            ok = error_set(err, "no such word for this network: an empty one");
        else if (strncmp(word, "mac=", 4))
            append_word(choice->network, word);
        else if (!take_mac(choice, word + 4))
            ok = error_set(err, "%s: not the address of a card (52:54:00:12:34:56)", word);
    }
    free(words);
    if (!ok)
        net_card_free(choice);
    return ok;
}

void net_card_free(struct net_card_choice *choice)
{
    free(choice->network);
    *choice = (struct net_card_choice){0};
}

void net_card_address(uint8_t mac[NET_ADDRESS_SIZE], unsigned index)
{
    const uint32_t low = 0x123456 + index;
    const uint8_t address[NET_ADDRESS_SIZE] = {
        0x52, 0x54, 0x00, (uint8_t)(low >> 16), (uint8_t)(low >> 8), (uint8_t)low};
    memcpy(mac, address, sizeof(address));
}

bool net_card_plug(struct pci_bus *bus, const struct net_card_kind *kind,
                   const struct net_card_config *config, struct error *err)
{
    struct pci_function *card = kind->new_card(config, err);
    return card && pci_plug(bus, card, err);
}
