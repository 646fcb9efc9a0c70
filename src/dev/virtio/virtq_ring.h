/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What the two kinds of ring share: how guest memory is read, how a chain grows. Used by
 * virtqueue.c, virtq_split.c and virtq_packed.c only.
 *
 * All fields of a ring are little-endian, as is every host that this runs on (cpu/mem.h).
 */
#ifndef RVVM_DEV_VIRTIO_VIRTQ_RING_H
#define RVVM_DEV_VIRTIO_VIRTQ_RING_H

#include "dev/virtio/virtqueue.h"
#include <stdatomic.h>

struct virtq_ops {
    bool (*start)(struct virtq *vq, const struct virtq_layout *layout);
    bool (*pop)(struct virtq *vq, struct virtq_chain *chain);
    void (*unpop)(struct virtq *vq, const struct virtq_chain *chain);
    void (*push)(struct virtq *vq, const struct virtq_chain *chain, uint32_t written);
    bool (*publish)(struct virtq *vq);
    void (*notify_off)(struct virtq *vq);
    bool (*notify_on)(struct virtq *vq);
};

extern const struct virtq_ops virtq_split_ops, virtq_packed_ops;

/* 2.7.5 and 2.8.13, the same numbers in both. */
enum {
    VIRTQ_DESC_F_NEXT = 1 << 0,
    VIRTQ_DESC_F_WRITE = 1 << 1,
    VIRTQ_DESC_F_INDIRECT = 1 << 2,
};

#define VIRTQ_DESC_SIZE 16
/* Entries of an indirect table. No chain is longer than the largest queue (2.7.5.3.1). */
#define VIRTQ_TABLE_MAX 32768u

/*
 * One load or store each, so that the value that was checked is the one that is used, whatever the
 * guest writes meanwhile. Rings are accessed in units of several sizes, hence may_alias.
 */
typedef uint16_t __attribute__((may_alias)) ring_u16;
typedef uint32_t __attribute__((may_alias)) ring_u32;
typedef uint64_t __attribute__((may_alias)) ring_u64;

static inline uint16_t load16(const void *p)
{
    return __atomic_load_n((const ring_u16 *)p, __ATOMIC_RELAXED);
}

static inline uint16_t load16_acquire(const void *p)
{
    return __atomic_load_n((const ring_u16 *)p, __ATOMIC_ACQUIRE);
}

static inline uint32_t load32(const void *p)
{
    return __atomic_load_n((const ring_u32 *)p, __ATOMIC_RELAXED);
}

static inline uint64_t load64(const void *p)
{
    return __atomic_load_n((const ring_u64 *)p, __ATOMIC_RELAXED);
}

static inline void store16(void *p, uint16_t value)
{
    __atomic_store_n((ring_u16 *)p, value, __ATOMIC_RELAXED);
}

static inline void store16_release(void *p, uint16_t value)
{
    __atomic_store_n((ring_u16 *)p, value, __ATOMIC_RELEASE);
}

static inline void store32(void *p, uint32_t value)
{
    __atomic_store_n((ring_u32 *)p, value, __ATOMIC_RELAXED);
}

/* Stores before it are seen by whoever's stores are seen by loads after it. */
static inline void full_fence(void)
{
    atomic_thread_fence(memory_order_seq_cst);
}

static inline void virtq_written(struct virtq *vq, const void *bytes, size_t size)
{
    vq->memory.written(vq->memory.ctx, bytes, size);
}

/* Always false. why is a constant: it outlives the queue. */
bool virtq_break(struct virtq *vq, const char *why);

/* An area of the ring, aligned as the specification has it; NULL: the queue is broken. */
void *virtq_map_area(struct virtq *vq, uint64_t address, size_t size, unsigned align);

/* Memory of an indirect table; *entries of it. NULL: the queue is broken. */
void *virtq_map_table(struct virtq *vq, uint64_t address, uint32_t size, unsigned *entries);

/* One more descriptor at the chain's end. false: the queue is broken. */
bool virtq_chain_add(struct virtq *vq, struct virtq_chain *chain, uint64_t address, uint32_t size,
                     bool write);

#endif
