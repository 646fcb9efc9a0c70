/* SPDX-License-Identifier: MPL-2.0 */
/* Mappings that may have large pages: large_pages.h. */
#define _GNU_SOURCE
#include "host/linux/large_pages.h"

#include "host/posix/map_aligned.h"
#include <sys/mman.h>

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

void *large_pages_map(int fd, size_t size, int protection)
{
    void *m = map_aligned(fd, size, LARGE_PAGE, protection);
    if (m != MAP_FAILED)
        madvise(m, size, MADV_DONTDUMP);
    return m;
}

void large_pages_make(void *start, size_t size)
{
    madvise(start, size, MADV_COLLAPSE);
}
