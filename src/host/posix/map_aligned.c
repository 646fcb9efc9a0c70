/* SPDX-License-Identifier: MPL-2.0 */
/* Aligned mappings: see map_aligned.h. Room for one at any place is reserved first, and given back around it. */
#define _GNU_SOURCE
#include "host/posix/map_aligned.h"

#include <errno.h>
#include <stdint.h>
#include <sys/mman.h>

#ifndef MAP_NORESERVE
#define MAP_NORESERVE 0
#endif

void *map_aligned(int fd, size_t size, size_t alignment, int protection)
{
    size_t room = size + alignment;
    uint8_t *all = mmap(NULL, room, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (all == MAP_FAILED)
        return MAP_FAILED;
    size_t before = -(uintptr_t)all & (alignment - 1);
    void *m = mmap(all + before, size, protection, MAP_SHARED | MAP_FIXED | MAP_NORESERVE, fd, 0);
    if (m == MAP_FAILED) {
        int e = errno;
        munmap(all, room);
        errno = e;
        return MAP_FAILED;
    }
    if (before)
        munmap(all, before);
    munmap(all + before + size, room - before - size);
    return m;
}
