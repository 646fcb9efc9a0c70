/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Breakpoints and watchpoints, by virtual address: what a debugger asks a hart to stop at.
 *
 * Nothing is written to guest memory, and running code asks nothing. The page of a breakpoint gets no
 * fetch entry in the TLB, so that no engine enters translated or predecoded code there: its
 * instructions are fetched one by one, and each is compared first (code.c). The page of a watchpoint
 * gets no entries for loads and stores, so that each access comes to mem.c, which compares. The rest of
 * the machine runs as ever, and a hart without points has NULL in hart.points.
 *
 * A hart without a machine has no TLB to speak of: direct_points.c.
 *
 * A hart stops before the instruction that would be run, or would access memory: nothing of it has
 * happened. The list belongs to the debugger, who changes it only while all harts rest, and asks them
 * for debug_fence then.
 */
#ifndef RVVM_CPU_DEBUG_H
#define RVVM_CPU_DEBUG_H

#include "cpu/tlb.h"
#include <stdbool.h>
#include <stdint.h>

struct hart;

enum debug_kind {
    DEBUG_BREAK,      /* an instruction is about to be run */
    DEBUG_HARD_BREAK, /* the same: debuggers like to tell the two apart */
    DEBUG_WRITE,      /* memory is about to be written, */
    DEBUG_READ,       /* read, */
    DEBUG_ACCESS,     /* or either */
    DEBUG_STEP,       /* one instruction was run: no point, but a reason to stop */
    DEBUG_NONE,
};

struct debug_point {
    uint64_t va;
    uint64_t size; /* bytes, at least 1; breakpoints: not looked at */
    enum debug_kind kind;
};

#define DEBUG_POINTS_MAX 256

struct debug_points {
    struct debug_point list[DEBUG_POINTS_MAX];
    unsigned count;
};

/* Why a hart has stopped. */
struct debug_stop {
    enum debug_kind kind; /* DEBUG_NONE: for nothing of a debugger's */
    uint64_t va;          /* of the point */
};

/* What hart_trap takes for a stop: a cause that is none. */
#define CAUSE_DEBUG 0xff

static inline bool debug_is_break(enum debug_kind kind)
{
    return kind == DEBUG_BREAK || kind == DEBUG_HARD_BREAK;
}

/* false: there is no more room, or no such point. Adding twice is adding once. */
bool debug_points_add(struct debug_points *points, const struct debug_point *point);
bool debug_points_remove(struct debug_points *points, const struct debug_point *point);

/* While h rests: these are its points from now on. NULL, or none in it: no points. */
void debug_set_points(struct hart *h, const struct debug_points *points);

/* enum access bits of what may have no entry in the TLB on that page. hart.points is not NULL. */
unsigned debug_withheld(const struct hart *h, uint64_t va);

/* Whether there is a breakpoint at h->pc: then the hart stops. hart.points is not NULL. */
bool debug_breaks(struct hart *h);

/* Whether an access is watched: then a fault is noted that has the hart stop. accesses: enum access
 * bits. hart.points is not NULL. */
bool debug_watches(struct hart *h, uint64_t va, unsigned size, unsigned accesses);

/* The same question without the fault: *stop is the point. */
bool debug_finds_watch(const struct hart *h, uint64_t va, unsigned size, unsigned accesses,
                       struct debug_stop *stop);

/* CAUSE_DEBUG: h->pc is at the instruction, which has done nothing. */
void debug_stop_hart(struct hart *h, enum debug_kind kind, uint64_t va);

#endif
