/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A ring of bytes with a fixed size. It has no lock of its own.
 *
 * Bytes that ring_peek() shows stay where they are until they are dropped, so that a single consumer
 * may hand them to a system call while others put, with the lock released in between.
 */
#ifndef RVVM_BASE_RING_H
#define RVVM_BASE_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ring {
    uint8_t *bytes;
    size_t size;
    size_t first; /* index of the oldest byte */
    size_t count; /* bytes held */
};

/* false: not enough memory. */
bool ring_init(struct ring *r, size_t size);
void ring_free(struct ring *r);

/* How many bytes were taken, fetched: 0 to size. */
size_t ring_put(struct ring *r, const void *bytes, size_t size);
size_t ring_get(struct ring *r, void *bytes, size_t size);

/* The oldest bytes as far as they lie side by side. */
const uint8_t *ring_peek(const struct ring *r, size_t *size);
/* Forgets the oldest; size is at most count. */
void ring_drop(struct ring *r, size_t size);

static inline size_t ring_room(const struct ring *r)
{
    return r->size - r->count;
}

#endif
