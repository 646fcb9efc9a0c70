/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Virtqueues (dev/virtio/virtqueue.h) in memory that a driver writes as it likes, before and between
 * what the device does. Checked meanwhile: chains name that memory only and are no longer than was
 * asked for, the device writes nowhere else, and never has more chains than the ring has slots.
 */
#include "fuzz.h"

#include "dev/virtio/virtqueue.h"
#include <stdlib.h>
#include <string.h>

#define BASE 0x1000u
#define MEMORY 2048u
#define IOV_MAX_HERE 12
#define HELD_MAX 64
#define OPERATIONS_MAX 1000

struct guest {
    uint8_t *memory; /* of its own block, so that ASan sees who leaves it */
    struct virtq vq;
    struct virtq_chain held[HELD_MAX];
    struct iovec iov[HELD_MAX][IOV_MAX_HERE];
    unsigned held_count;
};

static void check(bool holds)
{
    if (!holds)
        abort();
}

static void *map(void *ctx, uint64_t address, size_t size)
{
    struct guest *g = ctx;
    if (address < BASE || address - BASE > MEMORY || size > MEMORY - (address - BASE))
        return NULL;
    return g->memory + (address - BASE);
}

static void written(void *ctx, const void *bytes, size_t size)
{
    struct guest *g = ctx;
    const uint8_t *first = bytes;
    check(first >= g->memory && size <= MEMORY && first + size <= g->memory + MEMORY);
}

/* Ring and tables mostly at the beginning of memory, where the input's bytes are put. */
static struct virtq_layout take_layout(struct fuzz_input *in)
{
    unsigned flags = (unsigned)fuzz_take(in, 1);
    struct virtq_layout layout = {
        .packed = flags & 1,
        .indirect = flags & 2,
        .event_idx = flags & 4,
        .size = (uint16_t)fuzz_take(in, 1),
        .desc = BASE,
        .driver = BASE + 0x200,
        .device = BASE + 0x300,
    };
    if (flags & 8)
        layout.size = (uint16_t)(1u << layout.size % 6);
    if (flags & 16)
        layout.desc += fuzz_take(in, 2);
    if (flags & 32)
        layout.driver += fuzz_take(in, 2);
    if (flags & 64)
        layout.device += fuzz_take(in, 2);
    return layout;
}

static void check_chain(struct guest *g, const struct virtq_chain *chain)
{
    uint64_t out = 0, in = 0;
    check(chain->out + chain->in <= chain->iov_max);
    for (unsigned i = 0; i < chain->out + chain->in; i++) {
        const struct iovec *iov = &chain->iov[i];
        check(iov->iov_len > 0);
        written(g, iov->iov_base, iov->iov_len);
        *(i < chain->out ? &out : &in) += iov->iov_len;
    }
    check(out == chain->out_size && in == chain->in_size);
}

/* Sometimes it is put back at once. */
static void pop(struct guest *g, bool back)
{
    if (g->held_count == HELD_MAX)
        return;
    struct virtq_chain *chain = &g->held[g->held_count];
    chain->iov = g->iov[g->held_count];
    chain->iov_max = IOV_MAX_HERE;
    if (!virtq_pop(&g->vq, chain))
        return;
    check_chain(g, chain);
    if (back) {
        virtq_unpop(&g->vq, chain);
        return;
    }
    check(++g->held_count <= g->vq.size);
    check(g->vq.popped == g->held_count);
}

static void push(struct guest *g, unsigned which, uint32_t size)
{
    if (!g->held_count)
        return;
    struct virtq_chain chain = g->held[which % g->held_count], *last = &g->held[g->held_count - 1];
    struct iovec iov[IOV_MAX_HERE];
    memcpy(iov, chain.iov, sizeof(iov));
    chain.iov = iov;
    uint8_t bytes[64] = {0};
    virtq_chain_read(&chain, size % 100, bytes, sizeof(bytes));
    virtq_chain_write(&chain, size % 50, bytes, sizeof(bytes));
    virtq_push(&g->vq, &chain, size);
    /* The last one takes the place, with its iovecs. */
    struct virtq_chain *place = &g->held[which % g->held_count];
    memcpy(place->iov, last->iov, sizeof(iov));
    last->iov = place->iov;
    *place = *last;
    g->held_count--;
}

static void operate(struct guest *g, struct fuzz_input *in)
{
    unsigned what = (unsigned)fuzz_take(in, 1), offset;
    switch (what & 7) {
    default:
        pop(g, what & 128);
        break;
    case 2:
        push(g, what >> 3, (uint32_t)fuzz_take(in, 2));
        break;
    case 3:
        virtq_publish(&g->vq);
        break;
    case 4:
        if (what & 8)
            virtq_notify_on(&g->vq);
        else
            virtq_notify_off(&g->vq);
        break;
    case 5: /* the driver writes a byte of the rings */
        offset = (unsigned)fuzz_take(in, 2) % MEMORY;
        g->memory[offset] = (uint8_t)fuzz_take(in, 1);
        break;
    case 6: /* a field: of descriptors, of indexes */
        offset = (unsigned)fuzz_take(in, 2) % (MEMORY - 16) & ~1u;
        memcpy(g->memory + offset, &(uint16_t){(uint16_t)fuzz_take(in, 2)}, 2);
        break;
    case 7: /* a whole descriptor that may well be good */
        offset = 16 * (what >> 3);
        uint64_t words[2] = {BASE + fuzz_take(in, 2) % MEMORY, fuzz_take(in, 2)};
        words[1] |= fuzz_take(in, 2) << 32 | fuzz_take(in, 2) << 48;
        memcpy(g->memory + offset, words, 16);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = {data, size};
    static struct guest g;
    memset(&g, 0, sizeof(g));
    g.memory = aligned_alloc(16, MEMORY);
    memset(g.memory, 0, MEMORY);
    struct virtq_memory memory = {map, written, &g};
    struct virtq_layout layout = take_layout(&in);
    virtq_start(&g.vq, &memory, &layout);
    for (unsigned n = 0; fuzz_left(&in) && n < OPERATIONS_MAX; n++)
        operate(&g, &in);
    while (g.held_count)
        push(&g, 0, 1);
    virtq_publish(&g.vq);
    check(g.vq.popped == 0);
    virtq_stop(&g.vq);
    free(g.memory);
    return 0;
}
