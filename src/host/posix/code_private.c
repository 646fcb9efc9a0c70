/* SPDX-License-Identifier: MPL-2.0 */
/* Memory for code of a process that forks, and the end of either kind: see code_memory.h. */
#define _GNU_SOURCE
#include "host/code_memory.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#ifndef MAP_NORESERVE
#define MAP_NORESERVE 0
#endif

bool code_memory_map_private(struct code_memory *m, size_t size, struct error *err)
{
    *m = (struct code_memory){0};
    size = code_memory_whole_parts(size);
    void *all = mmap(NULL, size + CODE_MEMORY_PART, PROT_READ | PROT_WRITE | PROT_EXEC,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (all == MAP_FAILED)
        return error_set(err, "cannot map %zu MiB for code: %s", size >> 20, strerror(errno));
    uint8_t *start = (uint8_t *)all + (-(uintptr_t)all % CODE_MEMORY_PART);
    *m = (struct code_memory){.write = start, .exec = start, .size = size};
    return true;
}

void code_memory_unmap(struct code_memory *m)
{
    if (m->exec && m->exec != m->write)
        munmap((void *)(uintptr_t)m->exec, m->size);
    if (m->write)
        munmap(m->write, m->size);
    *m = (struct code_memory){0};
}
