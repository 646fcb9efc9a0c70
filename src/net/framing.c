/* SPDX-License-Identifier: MPL-2.0 */
/* Frames on a byte stream: see framing.h. */
#include "net/framing.h"

#include "base/big_endian.h"
#include "host/iov.h"
#include <string.h>

void framing_clear(struct framing *f)
{
    f->first = f->end = 0;
}

/* Moves what is there to the front. */
static void compact(struct framing *f)
{
    if (f->first)
        memmove(f->bytes, f->bytes + f->first, framing_used(f));
    f->end -= f->first;
    f->first = 0;
}

bool framing_put(struct framing *f, const struct net_packet *packet)
{
    const size_t needed = FRAMING_LENGTH_SIZE + packet->size;
    if (packet->size > NET_FRAME_MAX || framing_used(f) + needed > FRAMING_BUFFER_SIZE)
        return false;
    if (f->end + needed > FRAMING_BUFFER_SIZE)
        compact(f);
    put_be32(f->bytes + f->end, (uint32_t)packet->size);
    struct iov_cursor at = iov_start(packet->iov, packet->iov_count);
    iov_copy_out(&at, f->bytes + f->end + FRAMING_LENGTH_SIZE, packet->size);
    f->end += needed;
    return true;
}

void framing_skip(struct framing *f, size_t size)
{
    f->first += size;
    if (f->first == f->end)
        framing_clear(f);
}

uint8_t *framing_room(struct framing *f, size_t *size)
{
    if (FRAMING_BUFFER_SIZE - f->end < NET_FRAME_MAX + FRAMING_LENGTH_SIZE)
        compact(f);
    *size = FRAMING_BUFFER_SIZE - f->end;
    return f->bytes + f->end;
}

void framing_fill(struct framing *f, size_t size)
{
    f->end += size;
}

enum framing_result framing_next(struct framing *f, const uint8_t **frame, size_t *size)
{
    if (framing_used(f) < FRAMING_LENGTH_SIZE)
        return FRAMING_MORE;
    uint32_t length = get_be32(f->bytes + f->first);
    if (!length || length > NET_FRAME_MAX)
        return FRAMING_BAD;
    if (framing_used(f) < FRAMING_LENGTH_SIZE + length)
        return FRAMING_MORE;
    *frame = f->bytes + f->first + FRAMING_LENGTH_SIZE;
    *size = length;
    framing_skip(f, FRAMING_LENGTH_SIZE + length);
    return FRAMING_FRAME;
}
