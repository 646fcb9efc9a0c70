/* SPDX-License-Identifier: MPL-2.0 */
/* The list of points, and the questions that the slow ways of fetches and accesses ask it. */
#include "cpu/debug.h"

#include "cpu/mmu.h"

static unsigned find(const struct debug_points *points, const struct debug_point *point)
{
    unsigned n = 0;
    while (n < points->count &&
           (points->list[n].kind != point->kind || points->list[n].va != point->va ||
            points->list[n].size != point->size))
        n++;
    return n;
}

bool debug_points_add(struct debug_points *points, const struct debug_point *point)
{
    if (find(points, point) < points->count)
        return true;
    if (points->count == DEBUG_POINTS_MAX)
        return false;
    points->list[points->count++] = *point;
    return true;
}

bool debug_points_remove(struct debug_points *points, const struct debug_point *point)
{
    unsigned n = find(points, point);
    if (n == points->count)
        return false;
    points->list[n] = points->list[--points->count];
    return true;
}

void debug_set_points(struct hart *h, const struct debug_points *points)
{
    h->points = points && points->count ? points : NULL;
    hart_fence_ask(h, (h->direct ? HART_FENCE_FETCH : HART_FENCE_TLB) | HART_FENCE_JUMPS);
}

/* Whether [va, va + size) and [other, other + other_size) meet; both may end at the top of all addresses. */
static bool meets(uint64_t va, uint64_t size, uint64_t other, uint64_t other_size)
{
    return va - other < other_size || other - va < size;
}

unsigned debug_withheld(const struct hart *h, uint64_t va)
{
    unsigned withheld = 0;
    const uint64_t page = va & PAGE_MASK;
    for (unsigned i = 0; i < h->points->count; i++) {
        const struct debug_point *p = &h->points->list[i];
        if (debug_is_break(p->kind))
            withheld |= (p->va & PAGE_MASK) == page ? ACCESS_FETCH : 0;
        else if (meets(page, PAGE_SIZE, p->va, p->size))
            withheld |= ACCESS_READ | ACCESS_WRITE;
    }
    return withheld;
}

bool debug_breaks(struct hart *h)
{
    for (unsigned i = 0; i < h->points->count; i++) {
        const struct debug_point *p = &h->points->list[i];
        if (debug_is_break(p->kind) && p->va == h->pc) {
            debug_stop_hart(h, p->kind, p->va);
            return true;
        }
    }
    return false;
}

bool debug_finds_watch(const struct hart *h, uint64_t va, unsigned size, unsigned accesses,
                       struct debug_stop *stop)
{
    static const uint8_t watched[] = {[DEBUG_WRITE] = ACCESS_WRITE,
                                      [DEBUG_READ] = ACCESS_READ,
                                      [DEBUG_ACCESS] = ACCESS_READ | ACCESS_WRITE};
    for (unsigned i = 0; i < h->points->count; i++) {
        const struct debug_point *p = &h->points->list[i];
        if (debug_is_break(p->kind) || !(watched[p->kind] & accesses) ||
            !meets(va, size, p->va, p->size))
            continue;
        *stop = (struct debug_stop){p->kind, p->va};
        return true;
    }
    return false;
}

bool debug_watches(struct hart *h, uint64_t va, unsigned size, unsigned accesses)
{
    if (!debug_finds_watch(h, va, size, accesses, &h->stop))
        return false;
    hart_fault(h, CAUSE_DEBUG, va);
    return true;
}

void debug_stop_hart(struct hart *h, enum debug_kind kind, uint64_t va)
{
    h->stop = (struct debug_stop){kind, va};
    hart_kick(h, h->direct ? HART_EV_USER : HART_EV_STOP);
}
