/* SPDX-License-Identifier: MPL-2.0 */
/* A sorted array: programs have hundreds of areas, seldom thousands. See areas.h. */
#include "user/areas.h"

#include <stdlib.h>
#include <string.h>

unsigned areas_from(const struct space *s, uint64_t address)
{
    unsigned low = 0, high = s->count;
    while (low < high) {
        unsigned middle = low + (high - low) / 2;
        if (s->areas[middle].end <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool areas_cover(const struct space *s, uint64_t first, uint64_t end)
{
    for (unsigned n = areas_from(s, first); first < end; n++) {
        if (n == s->count || s->areas[n].first > first)
            return false;
        first = s->areas[n].end;
    }
    return true;
}

bool areas_are_free(const struct space *s, uint64_t first, uint64_t end)
{
    unsigned n = areas_from(s, first);
    return n == s->count || s->areas[n].first >= end;
}

bool areas_reserve(struct space *s)
{
    if (s->count + 3 <= s->room)
        return true;
    unsigned room = s->room ? 2 * s->room : 64;
    struct area *areas = realloc(s->areas, room * sizeof(*areas));
    if (!areas)
        return false;
    s->areas = areas;
    s->room = room;
    return true;
}

static void insert(struct space *s, unsigned at, const struct area *area)
{
    memmove(&s->areas[at + 1], &s->areas[at], (s->count - at) * sizeof(*s->areas));
    s->areas[at] = *area;
    s->count++;
}

static void erase(struct space *s, unsigned at, unsigned count)
{
    memmove(&s->areas[at], &s->areas[at + count], (s->count - at - count) * sizeof(*s->areas));
    s->count -= count;
}

/* Has an area begin at an address that lies in one. */
static void split(struct space *s, uint64_t address)
{
    unsigned n = areas_from(s, address);
    if (n == s->count || s->areas[n].first >= address)
        return;
    struct area low = s->areas[n];
    low.end = address;
    s->areas[n].first = address;
    insert(s, n, &low);
}

static bool agree(const struct area *a, const struct area *b)
{
    return a->end == b->first && a->prot == b->prot && a->kind == b->kind && a->shared == b->shared;
}

/* Joins the area with its neighbours, where they agree. */
static void join(struct space *s, unsigned n)
{
    if (n + 1 < s->count && agree(&s->areas[n], &s->areas[n + 1])) {
        s->areas[n].end = s->areas[n + 1].end;
        erase(s, n + 1, 1);
    }
    if (n > 0 && agree(&s->areas[n - 1], &s->areas[n])) {
        s->areas[n - 1].end = s->areas[n].end;
        erase(s, n, 1);
    }
}

void areas_cut(struct space *s, uint64_t first, uint64_t end)
{
    split(s, first);
    split(s, end);
    unsigned n = areas_from(s, first), behind = n;
    while (behind < s->count && s->areas[behind].first < end)
        behind++;
    erase(s, n, behind - n);
}

void areas_put(struct space *s, const struct area *area)
{
    unsigned n = areas_from(s, area->first);
    insert(s, n, area);
    join(s, n);
}

void areas_set_prot(struct space *s, uint64_t first, uint64_t end, unsigned prot)
{
    split(s, first);
    split(s, end);
    unsigned n = areas_from(s, first), behind = n;
    for (; behind < s->count && s->areas[behind].first < end; behind++)
        s->areas[behind].prot = (uint8_t)prot;
    while (behind > n)
        join(s, --behind);
}

uint64_t areas_find_room(const struct space *s, uint64_t size, uint64_t align)
{
    uint64_t top = s->mmap_top;
    for (unsigned n = areas_from(s, top - 1) + 1; n-- > 0;) {
        uint64_t end = n ? s->areas[n - 1].end : SPACE_FIRST;
        if (n < s->count && s->areas[n].first < top)
            top = s->areas[n].first;
        uint64_t at = (top - size) & ~(align - 1);
        if (size <= top && at <= top && at >= end)
            return at;
    }
    return 0;
}
