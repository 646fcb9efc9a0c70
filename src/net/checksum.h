/* SPDX-License-Identifier: MPL-2.0 */
/* The Internet checksum (RFC 1071): ones' complement sums of 16-bit words in network order. */
#ifndef RVVM_NET_CHECKSUM_H
#define RVVM_NET_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/*
 * Adds size bytes to a sum, which begins as 0 and is no more than a sum of these functions: parts may be
 * added in any order if each but the last has an even size.
 */
uint32_t checksum_add(uint32_t sum, const void *bytes, size_t size);

/* Adds a word, in the host's order. */
static inline uint32_t checksum_add_word(uint32_t sum, uint16_t word)
{
    sum += word;
    return (sum & 0xffff) + (sum >> 16);
}

/* The sum, not inverted, in the host's order. */
static inline uint16_t checksum_fold(uint32_t sum)
{
    sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)((sum & 0xffff) + (sum >> 16));
}

/* What goes into a header. */
static inline uint16_t checksum_finish(uint32_t sum)
{
    return (uint16_t)~checksum_fold(sum);
}

#endif
