/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The serial EEPROM, a 93C46 of 64 words, read bit by bit: a start bit, two of the operation and six of
 * the address go in at rising edges of SK while CS is high; then a 0 and the word come out, the most
 * significant bit first, and after it the words that follow. BSD drivers have the card's address from
 * here. It is write-protected: other operations do nothing.
 */
#include "dev/rtl8169/card.h"

#define WORDS 64
#define COMMAND_BITS 9 /* with the start bit */
#define READ 2

static uint16_t word_at(unsigned word, const uint8_t mac[NET_ADDRESS_SIZE])
{
    static const uint16_t head[] = {0x8129, 0x10ec, 0x8169, 0x10ec, 0x8169, 0x4020, 0xa101};
    const unsigned address = sizeof(head) / sizeof(*head);
    if (word < address)
        return head[word];
    if (word - address < NET_ADDRESS_SIZE / 2)
        return (uint16_t)(mac[2 * (word - address)] | mac[2 * (word - address) + 1] << 8);
    return 0;
}

static void clock_out(struct rtl_eeprom *e, const uint8_t mac[NET_ADDRESS_SIZE])
{
    if (!e->left) {
        e->left = 16;
        e->word = (e->word + 1) % WORDS;
    }
    e->out = word_at(e->word, mac) >> --e->left & 1;
}

static void clock_in(struct rtl_eeprom *e, bool bit)
{
    if (!e->bits && !bit) /* not begun yet */
        return;
    e->in = e->in << 1 | bit;
    e->bits++;
    if (e->bits == COMMAND_BITS && (e->in >> 6 & 3) == READ) {
        e->word = e->in % WORDS;
        e->left = 16;
        e->out = false;
    }
}

void rtl_eeprom_drive(struct rtl_eeprom *e, const uint8_t mac[NET_ADDRESS_SIZE], uint8_t lines)
{
    bool rises = lines & EE_SK && !e->clock;
    if (!(lines & EE_CS)) {
        *e = (struct rtl_eeprom){.out = true};
    } else if (rises) {
        bool reads = e->bits == COMMAND_BITS && (e->in >> 6 & 3) == READ;
        if (reads)
            clock_out(e, mac);
        else if (e->bits < COMMAND_BITS)
            clock_in(e, lines & EE_DI);
    }
    e->clock = lines & EE_SK;
}
