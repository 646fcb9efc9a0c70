/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A plan of main memory: which bytes go where, before any is copied. Nothing in it overlaps and all
 * of it is main memory, because plan_add refuses all else.
 */
#ifndef RVVM_MACHINE_BOOT_PLAN_H
#define RVVM_MACHINE_BOOT_PLAN_H

#include "base/error.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Segments of two ELF files, and the rest. */
#define PLAN_PIECES_MAX 48

struct plan_piece {
    const char *name; /* the file, or what it is: for messages */
    uint64_t address;
    uint64_t span;     /* bytes it takes in memory; beyond `size` they are zero */
    const void *bytes; /* owned by others */
    size_t size;
};

struct plan {
    uint64_t ram_base, ram_size;
    struct plan_piece pieces[PLAN_PIECES_MAX];
    unsigned count;
};

/* A span less than the size counts as the size. */
bool plan_add(struct plan *plan, struct plan_piece piece, struct error *err);

/* The end of the highest piece that lies below `limit`; ram_base if there is none. */
uint64_t plan_end_below(const struct plan *plan, uint64_t limit);

/* Whether [address, address + span) is main memory that nothing takes. */
bool plan_is_free(const struct plan *plan, uint64_t address, uint64_t span);

/* Writes the pieces. ram is the host address of ram_base and holds zeros. */
void plan_write(const struct plan *plan, uint8_t *ram);

static inline uint64_t align_down(uint64_t address, uint64_t to)
{
    return address & ~(to - 1);
}

/* The caller knows that it does not wrap. */
static inline uint64_t align_up(uint64_t address, uint64_t to)
{
    return align_down(address + (to - 1), to);
}

#endif
