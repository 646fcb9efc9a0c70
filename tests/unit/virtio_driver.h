/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * The driver's side of a virtqueue (Virtual I/O Device 1.2, 2.7 and 2.8), for tests: it puts chains in,
 * gets them back and keeps count of both, as plainly as the specification says it. It does nothing
 * that a driver may not do; tests that want that write into its memory.
 */
#ifndef RVVM_TESTS_VIRTIO_DRIVER_H
#define RVVM_TESTS_VIRTIO_DRIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define DRIVER_SIZE_MAX 1024

enum { F_NEXT = 1, F_WRITE = 2, F_INDIRECT = 4, F_AVAIL = 1 << 7, F_USED = 1 << 15 };
enum { DRIVER_CALLS, DRIVER_POLLS }; /* whether it wants interrupts */

struct driver_desc {
    uint64_t address;
    uint32_t size;
    uint16_t a, b; /* split: flags, next; packed: id, flags */
};

/* A piece of a buffer. */
struct driver_part {
    uint64_t address;
    uint32_t size;
    bool write;
};

struct driver {
    uint8_t *memory; /* the guest's, from address `base` on */
    uint64_t base;
    bool packed, event_idx;
    uint16_t size;
    uint64_t desc, driver, device; /* addresses of the areas */

    uint16_t next_avail, next_used; /* split: count on; packed: slots */
    bool avail_wrap, used_wrap;
    uint16_t kicked; /* split: idx at the last question whether to kick; packed: slots since */
    uint16_t kicked_slot;
    bool kicked_wrap;

    bool id_used[DRIVER_SIZE_MAX];      /* split: the head's descriptor is the device's */
    uint16_t id_slots[DRIVER_SIZE_MAX]; /* descriptors of the chain of that id */
    bool slot_used[DRIVER_SIZE_MAX];    /* split */
    unsigned free;                      /* descriptors */
};

static inline void *driver_at(const struct driver *d, uint64_t address)
{
    return d->memory + (address - d->base);
}

static inline struct driver_desc *driver_desc(const struct driver *d, unsigned slot)
{
    return (struct driver_desc *)driver_at(d, d->desc) + slot;
}

static inline uint16_t *driver_avail(const struct driver *d)
{
    return driver_at(d, d->driver);
}

static inline uint16_t *driver_used(const struct driver *d)
{
    return driver_at(d, d->device);
}

static inline uint32_t driver_event(uint16_t off_wrap, uint16_t flags)
{
    return off_wrap | (uint32_t)flags << 16;
}

/* For words that the device looks at whenever it likes. */
static inline void driver_store16(uint16_t *word, uint16_t value)
{
    __atomic_store_n(word, value, __ATOMIC_RELAXED);
}

/* The areas at `address`, one behind the other; returns where they end. */
static inline uint64_t driver_start(struct driver *d, uint64_t address)
{
    d->desc = address;
    d->driver = address + 16ull * d->size;
    d->device = (d->driver + 2 * (3ull + d->size) + 3) & ~3ull;
    uint64_t end = d->device + 2 * (3 + 4ull * d->size);
    memset(driver_at(d, address), 0, end - address);
    d->next_avail = d->next_used = d->kicked = d->kicked_slot = 0;
    d->avail_wrap = d->used_wrap = d->kicked_wrap = true;
    memset(d->id_used, 0, sizeof(d->id_used));
    memset(d->slot_used, 0, sizeof(d->slot_used));
    d->free = d->size;
    return (end + 15) & ~15ull;
}

static inline int driver_free_id(const struct driver *d)
{
    for (int i = 0; i < d->size; i++)
        if (d->packed ? !d->id_used[i] : !d->slot_used[i])
            return i;
    return -1;
}

static inline void driver_fill_table(struct driver *d, uint64_t table,
                                     const struct driver_part *parts, unsigned count)
{
    struct driver_desc *t = driver_at(d, table);
    for (unsigned i = 0; i < count; i++) {
        uint16_t flags = parts[i].write ? F_WRITE : 0;
        if (d->packed)
            t[i] = (struct driver_desc){parts[i].address, parts[i].size, 0, flags};
        else
            t[i] = (struct driver_desc){parts[i].address, parts[i].size,
                                        flags | (i + 1 < count ? F_NEXT : 0), i + 1};
    }
}

static inline int driver_add_split(struct driver *d, const struct driver_part *parts,
                                   unsigned count, uint16_t flags)
{
    int head = -1;
    struct driver_desc *last = NULL;
    for (unsigned i = 0; i < count; i++) {
        int slot = driver_free_id(d);
        d->slot_used[slot] = true;
        *driver_desc(d, slot) = (struct driver_desc){parts[i].address, parts[i].size,
                                                     flags | (parts[i].write ? F_WRITE : 0), 0};
        if (last) {
            last->a |= F_NEXT;
            last->b = slot;
        } else {
            head = slot;
        }
        last = driver_desc(d, slot);
    }
    driver_avail(d)[2 + d->next_avail % d->size] = head;
    __atomic_store_n(&driver_avail(d)[1], ++d->next_avail, __ATOMIC_RELEASE);
    return head;
}

static inline int driver_add_packed(struct driver *d, const struct driver_part *parts,
                                    unsigned count, uint16_t flags)
{
    int id = driver_free_id(d);
    struct driver_desc *first = driver_desc(d, d->next_avail);
    uint16_t first_flags = 0;
    for (unsigned i = 0; i < count; i++) {
        struct driver_desc *desc = driver_desc(d, d->next_avail);
        uint16_t f = flags | (parts[i].write ? F_WRITE : 0) | (i + 1 < count ? F_NEXT : 0) |
                     (d->avail_wrap ? F_AVAIL : F_USED);
        desc->address = parts[i].address;
        desc->size = parts[i].size;
        desc->a = id;
        if (i)
            desc->b = f;
        else
            first_flags = f;
        if (++d->next_avail == d->size) {
            d->next_avail = 0;
            d->avail_wrap = !d->avail_wrap;
        }
    }
    __atomic_store_n(&first->b, first_flags, __ATOMIC_RELEASE);
    d->kicked += count;
    return id;
}

/* Makes a chain available; its id, or -1: no room. table: memory for an indirect one, or 0. */
static inline int driver_add(struct driver *d, const struct driver_part *parts, unsigned count,
                             uint64_t table)
{
    struct driver_part indirect = {table, 16 * count, false};
    unsigned slots = table ? 1 : count;
    if (slots > d->free)
        return -1;
    if (table) {
        driver_fill_table(d, table, parts, count);
        parts = &indirect;
    }
    int id = d->packed ? driver_add_packed(d, parts, slots, table ? F_INDIRECT : 0)
                       : driver_add_split(d, parts, slots, table ? F_INDIRECT : 0);
    d->id_used[id] = true;
    d->id_slots[id] = slots;
    d->free -= slots;
    return id;
}

/* Whether the device wants a doorbell for what was added since the last question. */
static inline bool driver_must_kick(struct driver *d)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (!d->packed) {
        uint16_t old = d->kicked, now = d->next_avail;
        d->kicked = now;
        if (!d->event_idx)
            return now != old && !(__atomic_load_n(&driver_used(d)[0], __ATOMIC_RELAXED) & 1);
        uint16_t event = __atomic_load_n(&driver_used(d)[2 + 4 * d->size], __ATOMIC_RELAXED);
        return (uint16_t)(now - event - 1) < (uint16_t)(now - old);
    }
    uint32_t event = __atomic_load_n((uint32_t *)driver_at(d, d->device), __ATOMIC_RELAXED);
    unsigned count = d->kicked, slot = d->kicked_slot;
    bool wrap = d->kicked_wrap, reached = false;
    for (unsigned i = 0; i < count; i++) {
        reached |= (event & 0xffff) == (slot | (wrap ? 0x8000u : 0));
        if (++slot == d->size) {
            slot = 0;
            wrap = !wrap;
        }
    }
    d->kicked = 0;
    d->kicked_slot = slot;
    d->kicked_wrap = wrap;
    unsigned what = event >> 16 & 3;
    return count && (what == 0 || (what == 2 && reached));
}

/* Interrupts from the next used buffer on, or none. */
static inline void driver_interrupts(struct driver *d, unsigned how)
{
    if (d->packed) {
        uint16_t off = d->next_used | (d->used_wrap ? 0x8000 : 0);
        uint32_t event = how == DRIVER_POLLS ? driver_event(0, 1)
                         : d->event_idx      ? driver_event(off, 2)
                                             : driver_event(0, 0);
        __atomic_store_n((uint32_t *)driver_at(d, d->driver), event, __ATOMIC_RELAXED);
    } else if (d->event_idx) {
        driver_store16(&driver_avail(d)[2 + d->size],
                       how == DRIVER_CALLS ? d->next_used : d->next_used - 1);
    } else {
        driver_store16(&driver_avail(d)[0], how == DRIVER_POLLS);
    }
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static inline void driver_free_chain(struct driver *d, unsigned id)
{
    d->id_used[id] = false;
    d->free += d->id_slots[id];
    if (d->packed)
        return;
    for (unsigned slot = id, i = 0; i < d->id_slots[id]; i++) {
        d->slot_used[slot] = false;
        slot = driver_desc(d, slot)->b;
    }
}

/* The next buffer that the device has given back: its id, or -1: none, or -2: none that it had. */
static inline int driver_get(struct driver *d, uint32_t *written)
{
    uint32_t id;
    if (d->packed) {
        struct driver_desc *desc = driver_desc(d, d->next_used);
        uint16_t flags = __atomic_load_n(&desc->b, __ATOMIC_ACQUIRE);
        if (!!(flags & F_USED) != d->used_wrap || !!(flags & F_AVAIL) != d->used_wrap)
            return -1;
        id = desc->a;
        *written = flags & F_WRITE ? desc->size : 0;
        if (id >= d->size || !d->id_used[id])
            return -2;
        d->next_used += d->id_slots[id];
        if (d->next_used >= d->size) {
            d->next_used -= d->size;
            d->used_wrap = !d->used_wrap;
        }
    } else {
        uint16_t *used = driver_used(d);
        if (__atomic_load_n(&used[1], __ATOMIC_ACQUIRE) == d->next_used)
            return -1;
        uint32_t *element = (uint32_t *)(used + 2) + 2 * (d->next_used % d->size);
        id = element[0];
        *written = element[1];
        if (id >= d->size || !d->id_used[id])
            return -2;
        d->next_used++;
    }
    driver_free_chain(d, id);
    return (int)id;
}

#endif
