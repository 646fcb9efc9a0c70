/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Which parts of main memory the translator has made code from, so that a store to them is
 * noticed. Shared by all harts of a machine; absent (NULL) when nothing is translated.
 *
 * A page with translated code gets no write entry in any TLB, so that stores to it take the slow
 * path, which asks here. Within a page the unit is a granule: data beside code costs its
 * writers a slow store, but drops no code.
 *
 * Every function may be called from any thread.
 */
#ifndef RVVM_CPU_CODE_MAP_H
#define RVVM_CPU_CODE_MAP_H

#include "cpu/tlb.h"
#include <stdatomic.h>

#define GRANULE_SHIFT 6 /* 64 bytes: a page is one word of bits */

struct code_page {
    _Atomic uint64_t granules; /* bit set: code was translated from there */
    _Atomic uint64_t writers;  /* harts that may hold a write entry */
    _Atomic uint64_t slots;    /* TLB slots of these entries: 16 bits each, slot + 1; or ANY_SLOT */
};

#define ANY_SLOT UINT64_MAX

struct code_map {
    const uint8_t *ram; /* page aligned */
    uint64_t size;      /* bytes */
    struct code_page *pages;
    /* Drops the code made from these bytes of RAM; they have been written. */
    void (*written)(void *ctx, uint64_t offset, uint64_t size);
    /* Somebody is about to write to the page in a way that cannot be followed: from now on no code is
     * made from it. */
    void (*give_up)(void *ctx, uint64_t offset);
    void *ctx;
};

static inline struct code_page *code_map_page(const struct code_map *map, const uint8_t *host)
{
    return &map->pages[(uint64_t)(host - map->ram) >> PAGE_SHIFT];
}

static inline bool code_map_has_code(const struct code_map *map, const uint8_t *host)
{
    return atomic_load(&code_map_page(map, host)->granules) != 0;
}

/* The granules of `size` bytes from `first`, within one page. */
static inline uint64_t granules_of(unsigned first, unsigned size)
{
    unsigned low = first >> GRANULE_SHIFT, high = (first + size - 1) >> GRANULE_SHIFT;
    return (UINT64_MAX << low) & (UINT64_MAX >> (63 - high));
}

/* A hart is about to make a write entry in that slot. false: the page has code, it may not. */
bool code_map_note_writer(struct code_map *map, const uint8_t *host, unsigned hart, unsigned slot);

/* Bytes of RAM at `host` have been written, not through a write entry. */
void code_map_stored(struct code_map *map, const uint8_t *host, uint64_t size);

/* The page will be written by an atomic operation, or by a device through a pointer. */
void code_map_give_up(struct code_map *map, const uint8_t *host);

#endif
