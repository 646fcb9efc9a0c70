/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What a drive is called: serial numbers, and numbers made from them that are the same in every run
 * and, as good as certainly, no other drive's.
 */
#ifndef RVVM_DEV_DRIVE_ID_H
#define RVVM_DEV_DRIVE_ID_H

#include <stdint.h>

#define DRIVE_SERIAL_MAX 20 /* ASCII characters: what NVMe, ATA and virtio have room for */

/* FNV-1a with 64 bits, mixed so that each character reaches all of them. seed tells apart what is made
 * from the same text. */
static inline uint64_t drive_hash(const char *text, unsigned seed)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325) ^ seed;
    for (; *text; text++)
        h = (h ^ (uint8_t)*text) * UINT64_C(0x100000001b3);
    h ^= h >> 32;
    h *= UINT64_C(0xd6e8feb86659fd93);
    return h ^ h >> 32;
}

#endif
