/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A sandbox's memory: parts of an address space, each a piece of one memory object that a hart has for
 * its main memory, and the page tables (Sv39) through which the hart sees them. What is not a part is
 * not there for the program.
 */
#ifndef RVVM_SANDBOX_ARENA_H
#define RVVM_SANDBOX_ARENA_H

#include "base/error.h"
#include "host/memory.h"
#include <stddef.h>
#include <stdint.h>

#define ARENA_PARTS_MAX 40
#define ARENA_PAGE UINT64_C(4096)
#define ARENA_LARGE_PAGE (UINT64_C(2) << 20)
#define ARENA_RAM_BASE UINT64_C(0x80000000) /* physical address of the memory object's first byte */

enum { ARENA_READ = 2, ARENA_WRITE = 4, ARENA_EXEC = 8, ARENA_USER = 16 }; /* as in a PTE */

struct arena_part {
    uint64_t address, size; /* whole pages */
    uint64_t offset;        /* in the memory object */
    unsigned rights;
};

struct arena {
    struct memory memory;
    struct arena_part parts[ARENA_PARTS_MAX];
    unsigned count;
    uint64_t used;   /* bytes of the memory object that parts have */
    uint64_t tables; /* offset of the first page table, the root, and of the next free one */
    uint64_t next_table;
};

/* Parts are named first: which do not overlap. size is rounded up to pages; address is a multiple of one. */
bool arena_add(struct arena *a, uint64_t address, uint64_t size, unsigned rights,
               struct error *err);

/* Then there is memory, all zero, and tables. */
bool arena_make(struct arena *a, struct error *err);
void arena_free(struct arena *a);

/* satp */
uint64_t arena_root(const struct arena *a);

/* All that parts hold is zero again. Nobody uses it meanwhile. */
void arena_clear(struct arena *a);

/* The part that a range lies in; NULL: none. */
const struct arena_part *arena_part_of(const struct arena *a, uint64_t address, uint64_t size);

/* Its bytes; NULL: it is not within a part. */
uint8_t *arena_bytes(const struct arena *a, uint64_t address, uint64_t size);

#endif
