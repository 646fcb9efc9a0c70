/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The Internet checksum: see checksum.h.
 *
 * The sum of words in the host's order is the sum in network order with its bytes swapped (RFC 1071,
 * 2.B), so bytes are swapped once, at the end. Halves of 64 bits go to two sums that cannot overflow
 * within what a frame has.
 */
#include "net/checksum.h"

#include "base/big_endian.h"
#include <string.h>

uint32_t checksum_add(uint32_t sum, const void *bytes, size_t size)
{
    const uint8_t *at = bytes;
    uint64_t a = 0, b = 0, c = 0, d = 0;
    for (; size >= 16; size -= 16, at += 16) {
        uint32_t words[4];
        memcpy(words, at, sizeof(words));
        a += words[0];
        b += words[1];
        c += words[2];
        d += words[3];
    }
    uint8_t rest[16] = {0};
    uint32_t words[4];
    memcpy(rest, at, size);
    memcpy(words, rest, sizeof(words));
    uint64_t all = a + b + c + d + words[0] + words[1] + words[2] + words[3];
    all = (all & 0xffffffff) + (all >> 32);
    all = (all & 0xffffffff) + (all >> 32);
    all = (all & 0xffff) + (all >> 16);
    all = (all & 0xffff) + (all >> 16);
    /* In memory the two bytes of this number stand in network order. */
    uint16_t host = (uint16_t)all;
    uint8_t order[2];
    memcpy(order, &host, sizeof(order));
    sum += get_be16(order);
    return (sum & 0xffff) + (sum >> 16);
}
