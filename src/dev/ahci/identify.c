/* SPDX-License-Identifier: MPL-2.0 */
/*
 * IDENTIFY DEVICE (ATA8-ACS 7.12): 256 words, of which those that are not named here are zero.
 */
#include "dev/ahci/controller.h"

#include <string.h>

enum {
    WORD_SERIAL = 10,   /* to 19 */
    WORD_FIRMWARE = 23, /* to 26 */
    WORD_MODEL = 27,    /* to 46 */
    WORD_SECTORS_28 = 60,
    WORD_SUPPORTED = 82, /* to 84: feature sets; 85 to 87: those that are enabled */
    WORD_SECTORS_48 = 100,
    WORD_WWN = 108,
};

enum {
    SETS_82 =
        1 << 14 | 1 << 6 | 1 << 5 | 1 << 3 | 1 << 0, /* NOP, look-ahead, cache, power, SMART */
    SETS_83 = 1 << 14 | 1 << 13 | 1 << 12 | 1 << 10, /* flushes, 48-bit addresses */
    SETS_84 = 1 << 14 | 1 << 8 | 1 << 6 | 1 << 5,    /* name, FUA writes, logs */
    ENABLED_LOOK_AHEAD = 1 << 6,
    ENABLED_WRITE_CACHE = 1 << 5,
    ENABLED_SMART = 1 << 0,
};

/* Two characters a word, the first in the high half, padded with blanks. */
static void put_text(uint16_t *words, unsigned count, const char *text)
{
    for (unsigned i = 0; i < count; i++) {
        uint8_t high = *text ? (uint8_t)*text++ : ' ';
        words[i] = (uint16_t)(high << 8 | (*text ? (uint8_t)*text++ : ' '));
    }
}

static void put_number(uint16_t *words, unsigned count, uint64_t value)
{
    for (unsigned i = 0; i < count; i++)
        words[i] = (uint16_t)(value >> 16 * i);
}

static void put_feature_sets(const struct ahci_port *p, uint16_t *w)
{
    w[WORD_SUPPORTED] = SETS_82;
    w[WORD_SUPPORTED + 1] = SETS_83;
    w[WORD_SUPPORTED + 2] = SETS_84;
    w[WORD_SUPPORTED + 3] = SETS_82;
    if (!p->look_ahead)
        w[WORD_SUPPORTED + 3] &= ~ENABLED_LOOK_AHEAD;
    if (!p->write_cache)
        w[WORD_SUPPORTED + 3] &= ~ENABLED_WRITE_CACHE;
    if (!p->smart)
        w[WORD_SUPPORTED + 3] &= ~ENABLED_SMART;
    w[WORD_SUPPORTED + 4] = SETS_83 & 0x3fff;
    w[WORD_SUPPORTED + 5] = SETS_84;
}

static void put_transfer_modes(uint16_t *w)
{
    w[47] = 0x8000 | 16; /* sectors of READ MULTIPLE at most */
    w[49] = 0x0f00;      /* LBA, DMA, IORDY */
    w[50] = 1 << 14;
    w[53] = 1 << 2 | 1 << 1;             /* words 64 to 70 and 88 hold something */
    w[63] = 0x0007;                      /* multiword DMA up to mode 2 */
    w[64] = 0x0003;                      /* PIO up to mode 4 */
    w[65] = w[66] = w[67] = w[68] = 120; /* ns a cycle */
    w[75] = AHCI_SLOTS - 1;              /* tags, zero-based */
    w[76] = 1 << 8 | 0x000e;             /* queuing; three generations of Serial ATA */
    w[88] = 0x407f;                      /* Ultra DMA up to mode 6, which is chosen */
}

static unsigned log2_of(unsigned n)
{
    return 31 - (unsigned)__builtin_clz(n);
}

static void put_size(const struct ahci_port *p, uint16_t *w)
{
    uint64_t short_limit = 0x0fffffff;
    w[1] = 16383; /* the geometry of everything that is too large to have one */
    w[3] = 16;
    w[6] = 63;
    put_number(&w[WORD_SECTORS_28], 2, p->sectors < short_limit ? p->sectors : short_limit);
    put_number(&w[WORD_SECTORS_48], 4, p->sectors);
    unsigned shift = log2_of(p->info->block_size / ATA_SECTOR);
    if (shift > 3)
        shift = 3; /* the unit of a file system, not of the image's clusters */
    w[106] = (uint16_t)(1 << 14 | (shift ? 1 << 13 | shift : 0));
    w[209] = 1 << 14; /* aligned to it */
}

bool ata_identify(struct ahci_slot *slot)
{
    const struct ahci_port *p = slot->port;
    uint16_t w[ATA_SECTOR / 2] = {[0] = 1 << 6};
    put_text(&w[WORD_SERIAL], 10, p->serial);
    put_text(&w[WORD_FIRMWARE], 4, AHCI_FIRMWARE);
    put_text(&w[WORD_MODEL], 20, "RVVM ATA disk");
    put_transfer_modes(w);
    put_feature_sets(p, w);
    put_size(p, w);
    w[80] = 1 << 8 | 1 << 7 | 1 << 6 | 1 << 5; /* ATA8-ACS and what was before */
    /* World wide name: NAA 5, a number of ours, a part of the hash of the serial number. */
    uint64_t name =
        UINT64_C(5) << 60 | UINT64_C(0x52564d) << 36 | (drive_hash(p->serial, 0) & 0xfffffffff);
    for (unsigned i = 0; i < 4; i++)
        w[WORD_WWN + i] = (uint16_t)(name >> (48 - 16 * i));
    if (p->info->discard) {
        w[105] = ATA_TRIM_SECTORS_MAX;
        w[169] = 1; /* TRIM */
    }
    w[217] = 1;              /* it does not turn */
    w[222] = 1 << 12 | 0xe0; /* Serial ATA, to revision 3.0 */
    uint8_t *bytes = (uint8_t *)w, sum = 0xa5;
    bytes[ATA_SECTOR - 2] = 0xa5;
    for (unsigned i = 0; i < ATA_SECTOR - 2; i++)
        sum += bytes[i];
    bytes[ATA_SECTOR - 1] = (uint8_t)-sum;
    return ahci_send(slot, w, sizeof(w));
}
