/* SPDX-License-Identifier: MPL-2.0 */
/* Mappings at addresses that mmap() alone would not choose. */
#ifndef RVVM_HOST_POSIX_MAP_ALIGNED_H
#define RVVM_HOST_POSIX_MAP_ALIGNED_H

#include <stddef.h>

/*
 * A shared mapping of an object, at a multiple of `alignment`, which is a power of 2 and of whole pages.
 * MAP_FAILED: errno says why.
 */
void *map_aligned(int fd, size_t size, size_t alignment, int protection);

#endif
