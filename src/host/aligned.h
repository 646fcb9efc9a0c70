/* SPDX-License-Identifier: MPL-2.0 */
/* Memory whose address is a multiple of more than malloc() promises. */
#ifndef RVVM_HOST_ALIGNED_H
#define RVVM_HOST_ALIGNED_H

#include <stdlib.h>
#ifdef _WIN32
#include <malloc.h>
#endif

/* alignment: a power of two. NULL: out of memory. Given back by aligned_free only. */
static inline void *aligned_new(size_t alignment, size_t size)
{
#ifdef _WIN32
    return _aligned_malloc(size, alignment);
#else
    return aligned_alloc(alignment, (size + alignment - 1) & ~(alignment - 1));
#endif
}

static inline void aligned_free(void *memory)
{
#ifdef _WIN32
    _aligned_free(memory);
#else
    free(memory);
#endif
}

#endif
