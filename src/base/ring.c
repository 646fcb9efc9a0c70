/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Byte rings: see ring.h.
 */
#include "base/ring.h"
#include <stdlib.h>
#include <string.h>

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

bool ring_init(struct ring *r, size_t size)
{
    *r = (struct ring){.bytes = malloc(size), .size = size};
    return r->bytes != NULL;
}

void ring_free(struct ring *r)
{
    free(r->bytes);
    *r = (struct ring){0};
}

size_t ring_put(struct ring *r, const void *bytes, size_t size)
{
    if (r->count == 0)
        r->first = 0; /* a ring that is mostly empty touches few pages, however large it is */
    size = least(size, ring_room(r));
    if (size == 0)
        return 0;
    size_t at = r->first + r->count;
    if (at >= r->size)
        at -= r->size;
    size_t part = least(size, r->size - at);
    memcpy(r->bytes + at, bytes, part);
    memcpy(r->bytes, (const uint8_t *)bytes + part, size - part);
    r->count += size;
    return size;
}

size_t ring_get(struct ring *r, void *bytes, size_t size)
{
    size_t done = 0;
    while (done < size && r->count) {
        size_t part;
        const uint8_t *oldest = ring_peek(r, &part);
        part = least(part, size - done);
        memcpy((uint8_t *)bytes + done, oldest, part);
        ring_drop(r, part);
        done += part;
    }
    return done;
}

const uint8_t *ring_peek(const struct ring *r, size_t *size)
{
    *size = least(r->count, r->size - r->first);
    return r->bytes + r->first;
}

void ring_drop(struct ring *r, size_t size)
{
    r->first += size;
    if (r->first >= r->size)
        r->first -= r->size;
    r->count -= size;
}
