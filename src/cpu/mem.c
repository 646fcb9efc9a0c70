/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Memory accesses that the inline lookup did not serve: TLB misses, misaligned and page-crossing
 * accesses, devices. Misaligned accesses to main memory work, and loads from flash that code is run from,
 * since compilers take that for memory; to devices they are access faults.
 */
#include "cpu/mem.h"

#include "cpu/code_map.h"

#include <string.h>

static unsigned access_fault(enum access access)
{
    return access == ACCESS_READ ? CAUSE_LOAD_ACCESS : CAUSE_STORE_ACCESS;
}

/* `size` bytes on one page. A page that the TLB has needs no walk (misaligned accesses come here). */
static bool target_of(struct hart *h, uint64_t va, unsigned size, enum access access,
                      struct mem_target *t)
{
    const struct tlb_entry *e = tlb_entry(h, va);
    if (tlb_hits(access == ACCESS_READ ? e->read : e->write, va, 1)) {
        t->host = (uint8_t *)(uintptr_t)(va + e->addend);
        return true;
    }
    return mmu_target(h, va, size, access, t, NULL);
}

/* Guest data races are the guest's: the copies below are not told to the race detector. */
#define RACY __attribute__((no_sanitize("thread")))

RACY static void copy_bytes(void *to, const void *from, unsigned size)
{
    uint8_t *t = to;
    const uint8_t *f = from;
    for (unsigned i = 0; i < size; i++)
        t[i] = __atomic_load_n(&f[i], __ATOMIC_RELAXED);
}

static uint64_t load_ram(const uint8_t *host, unsigned size)
{
    if ((uintptr_t)host & (size - 1)) {
        uint64_t value = 0;
        copy_bytes(&value, host, size);
        return value;
    }
    switch (size) {
    case 1:
        return __atomic_load_n(host, __ATOMIC_RELAXED);
    case 2:
        return __atomic_load_n((const uint16_t *)host, __ATOMIC_RELAXED);
    case 4:
        return __atomic_load_n((const uint32_t *)host, __ATOMIC_RELAXED);
    default:
        return __atomic_load_n((const uint64_t *)host, __ATOMIC_RELAXED);
    }
}

static void store_bytes(uint8_t *host, uint64_t value, unsigned size)
{
    for (unsigned i = 0; i < size; i++)
        __atomic_store_n(&host[i], (uint8_t)(value >> (8 * i)), __ATOMIC_RELAXED);
}

static void store_ram(uint8_t *host, uint64_t value, unsigned size)
{
    if ((uintptr_t)host & (size - 1)) {
        store_bytes(host, value, size);
        return;
    }
    switch (size) {
    case 1:
        __atomic_store_n(host, (uint8_t)value, __ATOMIC_RELAXED);
        return;
    case 2:
        __atomic_store_n((uint16_t *)host, (uint16_t)value, __ATOMIC_RELAXED);
        return;
    case 4:
        __atomic_store_n((uint32_t *)host, (uint32_t)value, __ATOMIC_RELAXED);
        return;
    default:
        __atomic_store_n((uint64_t *)host, value, __ATOMIC_RELAXED);
    }
}

static void stored(struct hart *h, const uint8_t *host, unsigned size)
{
    if (h->bus->code_map)
        code_map_stored(h->bus->code_map, host, size);
}

static void before_store(struct hart *h, uint8_t *host, unsigned size)
{
    if (unlikely(h->watch))
        h->watch->before_store(h->watch, host, size);
}

static void reaches_device(struct hart *h)
{
    if (unlikely(h->watch))
        h->watch->device = true;
}

/* Whether the access has the hart stop before it (debug.h). */
static bool is_watched(struct hart *h, uint64_t va, unsigned size, unsigned accesses)
{
    return unlikely(h->points) && debug_watches(h, va, size, accesses);
}

/* Bytes of the access that lie on va's page. */
static unsigned first_part(uint64_t va, unsigned size)
{
    unsigned room = PAGE_SIZE - (va & ~PAGE_MASK);
    return size < room ? size : room;
}

static uint64_t next_page(const struct hart *h, uint64_t va)
{
    uint64_t next = (va & PAGE_MASK) + PAGE_SIZE;
    return h->xlen == 32 ? (uint32_t)next : next;
}

/* A part of a misaligned load. */
static bool load_part(struct hart *h, const struct mem_target *t, unsigned size, uint8_t *to)
{
    if (t->host) {
        copy_bytes(to, t->host, size);
        return true;
    }
    reaches_device(h);
    for (unsigned i = 0; i < size; i++) {
        uint64_t byte;
        if (t->paddr + i - h->bus->rom.base >= h->bus->rom.size ||
            !h->bus->read(h->bus->ctx, t->paddr + i, 1, &byte))
            return false;
        to[i] = (uint8_t)byte;
    }
    return true;
}

uint64_t mem_load_slow(struct hart *h, uint64_t va, unsigned size)
{
    uint64_t value = 0;
    struct mem_target t, second;
    unsigned first = first_part(va, size);
    if (is_watched(h, va, size, ACCESS_READ))
        return 0;
    if (!target_of(h, va, first, ACCESS_READ, &t))
        return 0;
    if (first < size) {
        if (!target_of(h, next_page(h, va), size - first, ACCESS_READ, &second))
            return 0;
        if (load_part(h, &t, first, (uint8_t *)&value) &&
            load_part(h, &second, size - first, (uint8_t *)&value + first))
            return value;
        hart_fault(h, CAUSE_LOAD_ACCESS, va);
        return 0;
    }
    if (likely(t.host))
        return load_ram(t.host, size);
    reaches_device(h);
    if (va & (size - 1) ? load_part(h, &t, size, (uint8_t *)&value)
                        : h->bus->read(h->bus->ctx, t.paddr, size, &value))
        return value;
    hart_fault(h, access_fault(ACCESS_READ), va);
    return 0;
}

void mem_store_slow(struct hart *h, uint64_t va, unsigned size, uint64_t value)
{
    struct mem_target t, second;
    unsigned first = first_part(va, size);
    if (is_watched(h, va, size, ACCESS_WRITE))
        return;
    if (!target_of(h, va, first, ACCESS_WRITE, &t))
        return;
    if (first < size) {
        if (!target_of(h, next_page(h, va), size - first, ACCESS_WRITE, &second))
            return;
        if (!t.host || !second.host) {
            hart_fault(h, CAUSE_STORE_ACCESS, va);
            return;
        }
        before_store(h, t.host, first);
        before_store(h, second.host, size - first);
        store_bytes(t.host, value, first);
        stored(h, t.host, first);
        store_bytes(second.host, value >> (8 * first), size - first);
        stored(h, second.host, size - first);
        return;
    }
    if (likely(t.host)) {
        before_store(h, t.host, size);
        store_ram(t.host, value, size);
        stored(h, t.host, size);
        return;
    }
    reaches_device(h);
    if (size < 8)
        value &= (UINT64_C(1) << (8 * size)) - 1;
    if ((va & (size - 1)) || !h->bus->write(h->bus->ctx, t.paddr, size, value))
        hart_fault(h, access_fault(ACCESS_WRITE), va);
}

void *mem_atomic_slow(struct hart *h, uint64_t va, unsigned size, enum access access)
{
    struct mem_target t;
    if (va & (size - 1)) {
        hart_fault(h, access == ACCESS_READ ? CAUSE_LOAD_MISALIGNED : CAUSE_STORE_MISALIGNED, va);
        return NULL;
    }
    /* What writes has read before. */
    if (is_watched(h, va, size, access == ACCESS_WRITE ? ACCESS_READ | ACCESS_WRITE : access))
        return NULL;
    if (!target_of(h, va, size, access, &t))
        return NULL;
    if (!t.host) {
        hart_fault(h, access_fault(access), va);
    } else if (access == ACCESS_WRITE) {
        before_store(h, t.host, size);
        if (h->bus->code_map)
            code_map_give_up(h->bus->code_map, t.host);
    }
    return t.host;
}
