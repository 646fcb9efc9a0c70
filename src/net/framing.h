/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Frames on a byte stream: each has its length before it, 32 bits in network order, as QEMU's `-netdev
 * stream` writes them. Two buffers with this on one side and bytes on the other.
 *
 *     framing_put(&out, &packet)                 until it returns false
 *     write out.bytes + out.first, framing_used(&out) bytes; framing_skip(&out, written)
 *
 *     read to framing_room(&in, &size); framing_fill(&in, size_read)
 *     while (framing_next(&in, &frame, &size) == FRAMING_FRAME) ...
 */
#ifndef RVVM_NET_FRAMING_H
#define RVVM_NET_FRAMING_H

#include "net/net.h"

#define FRAMING_LENGTH_SIZE 4
#define FRAMING_BUFFER_SIZE (256u << 10)
_Static_assert(FRAMING_BUFFER_SIZE >= 2 * (NET_FRAME_MAX + FRAMING_LENGTH_SIZE),
               "there is always room for a frame behind the rest of one");

struct framing {
    size_t first, end; /* of what is in the buffer */
    uint8_t bytes[FRAMING_BUFFER_SIZE];
};

static inline size_t framing_used(const struct framing *f)
{
    return f->end - f->first;
}

/* Forgets all. */
void framing_clear(struct framing *f);
/* Appends a frame of up to NET_FRAME_MAX bytes. false: no room. */
bool framing_put(struct framing *f, const struct net_packet *packet);
/* Forgets bytes from the front. */
void framing_skip(struct framing *f, size_t size);

/* Where bytes can be put, at least one, when framing_next has returned FRAMING_MORE. */
uint8_t *framing_room(struct framing *f, size_t *size);
/* So many were put there. */
void framing_fill(struct framing *f, size_t size);

enum framing_result {
    FRAMING_FRAME, /* good until the next call of any of these */
    FRAMING_MORE,  /* there is no whole frame */
    FRAMING_BAD,   /* a length that no frame has: what comes makes no sense any more */
};
enum framing_result framing_next(struct framing *f, const uint8_t **frame, size_t *size);

#endif
