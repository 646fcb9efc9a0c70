/* SPDX-License-Identifier: MPL-2.0 */
/* Stores to memory that holds translated code. code_map.h says how it works. */
#include "cpu/code_map.h"

static bool names_slot(uint64_t slots, unsigned slot)
{
    for (uint64_t rest = slots; rest; rest >>= 16)
        if ((rest & 0xffff) == slot + 1)
            return true;
    return slots == ANY_SLOT;
}

static uint64_t with_slot(uint64_t slots, unsigned slot)
{
    for (unsigned shift = 0; shift < 64; shift += 16)
        if (!(slots >> shift & 0xffff))
            return slots | (uint64_t)(slot + 1) << shift;
    return ANY_SLOT;
}

bool code_map_note_writer(struct code_map *map, const uint8_t *host, unsigned hart, unsigned slot)
{
    struct code_page *page = code_map_page(map, host);
    uint64_t bit = UINT64_C(1) << hart;
    uint64_t slots = atomic_load(&page->slots);
    while (!names_slot(slots, slot) &&
           !atomic_compare_exchange_weak(&page->slots, &slots, with_slot(slots, slot)))
        ;
    if (!(atomic_load(&page->writers) & bit))
        atomic_fetch_or(&page->writers, bit);
    return atomic_load(&page->granules) == 0;
}

void code_map_stored(struct code_map *map, const uint8_t *host, uint64_t size)
{
    uint64_t offset = (uint64_t)(host - map->ram);
    /* The store before the look: the translator marks, then reads the bytes. */
    atomic_thread_fence(memory_order_seq_cst);
    while (size) {
        unsigned first = offset % PAGE_SIZE;
        unsigned part = size < PAGE_SIZE - first ? (unsigned)size : PAGE_SIZE - first;
        uint64_t granules = atomic_load(&map->pages[offset >> PAGE_SHIFT].granules);
        if (granules & granules_of(first, part))
            map->written(map->ctx, offset, part);
        offset += part;
        size -= part;
    }
}

void code_map_give_up(struct code_map *map, const uint8_t *host)
{
    if (code_map_has_code(map, host))
        map->give_up(map->ctx, (uint64_t)(host - map->ram) & PAGE_MASK);
}
