/* SPDX-License-Identifier: MPL-2.0 */
/* Memory and page tables: see arena.h (privileged specification, "Sv39"). */
#include "sandbox/arena.h"

#include "cpu/csr.h"
#include <inttypes.h>
#include <string.h>

enum { PTE_V = 1, PTE_A = 64, PTE_D = 128, PTE_PPN_SHIFT = 10, LEVELS = 3, ENTRIES = 512 };

static uint64_t align(uint64_t value, uint64_t to)
{
    return (value + to - 1) & ~(to - 1);
}

bool arena_add(struct arena *a, uint64_t address, uint64_t size, unsigned rights, struct error *err)
{
    if (a->count == ARENA_PARTS_MAX)
        return error_set(err, "more than %d parts of memory", ARENA_PARTS_MAX);
    size = align(size, ARENA_PAGE);
    /* What has large pages' size gets their alignment, so that its tables are few. */
    uint64_t offset = align(a->used, size < ARENA_LARGE_PAGE ? ARENA_PAGE : ARENA_LARGE_PAGE);
    a->parts[a->count++] = (struct arena_part){address, size, offset, rights};
    a->used = offset + size;
    return true;
}

/* As many tables as there may be, however parts lie: each begins and ends some. */
static uint64_t table_bytes(const struct arena *a)
{
    uint64_t tables = 1;
    for (unsigned i = 0; i < a->count; i++)
        tables += a->parts[i].size / ARENA_LARGE_PAGE / ENTRIES +
                  a->parts[i].size / ARENA_LARGE_PAGE + 2 * (LEVELS - 1);
    return tables * ARENA_PAGE;
}

static uint64_t *table_at(const struct arena *a, uint64_t pte)
{
    uint64_t physical = pte >> PTE_PPN_SHIFT << 12;
    return (uint64_t *)(void *)(a->memory.data + (physical - ARENA_RAM_BASE));
}

static uint64_t pte_of(uint64_t offset, unsigned bits)
{
    return (ARENA_RAM_BASE + offset) >> 12 << PTE_PPN_SHIFT | bits | PTE_V;
}

/* The entry for an address, `level` steps above the last one. */
static uint64_t *entry_for(struct arena *a, uint64_t address, unsigned level)
{
    uint64_t *table = table_at(a, pte_of(a->tables, 0));
    for (unsigned at = LEVELS - 1; at > level; at--) {
        uint64_t *entry = &table[address >> (12 + 9 * at) & (ENTRIES - 1)];
        if (!*entry) {
            *entry = pte_of(a->next_table, 0);
            a->next_table += ARENA_PAGE;
        }
        table = table_at(a, *entry);
    }
    return &table[address >> (12 + 9 * level) & (ENTRIES - 1)];
}

static void map_part(struct arena *a, const struct arena_part *part)
{
    for (uint64_t done = 0; done < part->size;) {
        uint64_t address = part->address + done, offset = part->offset + done;
        bool large =
            !((address | offset) % ARENA_LARGE_PAGE) && part->size - done >= ARENA_LARGE_PAGE;
        /* A and D are set from the start, so that the hart never writes here. */
        *entry_for(a, address, large) = pte_of(offset, part->rights | PTE_A | PTE_D);
        done += large ? ARENA_LARGE_PAGE : ARENA_PAGE;
    }
}

bool arena_make(struct arena *a, struct error *err)
{
    a->tables = align(a->used, ARENA_PAGE);
    a->next_table = a->tables + ARENA_PAGE;
    if (!memory_map(&a->memory, a->tables + table_bytes(a), err))
        return false;
    for (unsigned i = 0; i < a->count; i++)
        map_part(a, &a->parts[i]);
    return true;
}

void arena_free(struct arena *a)
{
    if (a->memory.data)
        memory_unmap(&a->memory);
}

uint64_t arena_root(const struct arena *a)
{
    return (uint64_t)SATP_SV39 << SATP64_MODE_SHIFT | (ARENA_RAM_BASE + a->tables) >> 12;
}

void arena_clear(struct arena *a)
{
    memory_clear(&a->memory, a->tables);
}

const struct arena_part *arena_part_of(const struct arena *a, uint64_t address, uint64_t size)
{
    for (unsigned i = 0; i < a->count; i++) {
        const struct arena_part *part = &a->parts[i];
        uint64_t into = address - part->address;
        if (into <= part->size && size <= part->size - into)
            return part;
    }
    return NULL;
}

uint8_t *arena_bytes(const struct arena *a, uint64_t address, uint64_t size)
{
    const struct arena_part *part = arena_part_of(a, address, size);
    return part ? a->memory.data + part->offset + (address - part->address) : NULL;
}
