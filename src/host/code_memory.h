/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Memory for translated code: one memory object mapped twice, once to write and once to execute, so
 * that no page is ever both.
 */
#ifndef RVVM_HOST_CODE_MEMORY_H
#define RVVM_HOST_CODE_MEMORY_H

#include "base/error.h"
#include <stddef.h>
#include <stdint.h>

struct code_memory {
    uint8_t *write; /* aligned to CODE_MEMORY_PART; zero at first; costs nothing until touched */
    const uint8_t *exec; /* the same bytes, readable and executable */
    size_t size;
};

#define CODE_MEMORY_PART (2u << 20)

static inline size_t code_memory_whole_parts(size_t size)
{
    return (size + CODE_MEMORY_PART - 1) & ~(size_t)(CODE_MEMORY_PART - 1);
}

/*
 * A part that begins and ends at multiples of CODE_MEMORY_PART is full: where the host can, it becomes
 * large pages. Takes long. Others may run what is in it meanwhile.
 */
void code_memory_make_large(const struct code_memory *m, size_t offset, size_t size);

/*
 * The same for a process that forks: parent and child have the same bytes at first and each changes its own.
 * No host has such memory twice in one process, so write is exec: its pages are both.
 */
bool code_memory_map_private(struct code_memory *m, size_t size, struct error *err);
bool code_memory_map(struct code_memory *m, size_t size, struct error *err);
void code_memory_unmap(struct code_memory *m);

#endif
