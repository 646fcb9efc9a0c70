/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Large pages for shared memory objects. MADV_COLLAPSE (Linux 6.1) makes them whatever the system's
 * settings for transparent huge pages are; where it fails, small pages do.
 */
#ifndef RVVM_HOST_LINUX_LARGE_PAGES_H
#define RVVM_HOST_LINUX_LARGE_PAGES_H

#include <stddef.h>
#include <stdint.h>

#define LARGE_PAGE (2u << 20)

/* Maps a memory object at a multiple of LARGE_PAGE. MAP_FAILED: errno says why. */
void *large_pages_map(int fd, size_t size, int protection);

/* The part becomes one large page, or more, as far as that can be. Its pages are there then. */
void large_pages_make(void *start, size_t size);

#endif
