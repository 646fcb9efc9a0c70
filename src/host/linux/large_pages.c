/* SPDX-License-Identifier: MPL-2.0 */
/* Mappings that may have large pages: large_pages.h. */
#define _GNU_SOURCE
#include "host/linux/large_pages.h"

#include <errno.h>
#include <sys/mman.h>

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

void *large_pages_map(int fd, size_t size, int protection)
{
    size_t room = size + LARGE_PAGE;
    uint8_t *all = mmap(NULL, room, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (all == MAP_FAILED)
        return MAP_FAILED;
    size_t before = -(uintptr_t)all % LARGE_PAGE;
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
    madvise(m, size, MADV_DONTDUMP);
    return m;
}

void large_pages_make(void *start, size_t size)
{
    madvise(start, size, MADV_COLLAPSE);
}
