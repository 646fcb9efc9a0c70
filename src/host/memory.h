/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Guest memory: one memory object, mapped once here, that others may map again (shared with another
 * process, snapshotted, mapped a second time for code). Pages cost the host nothing until touched.
 */
#ifndef RVVM_HOST_MEMORY_H
#define RVVM_HOST_MEMORY_H

#include "base/error.h"
#include <stddef.h>
#include <stdint.h>

struct memory {
    uint8_t *data; /* page aligned; zero at first */
    uint64_t size; /* bytes, a multiple of the host's page */
    int fd;        /* the object; -1 where the host has none */
};

/* size is rounded up to pages. The message names the size; the caller prefixes its option. */
bool memory_map(struct memory *m, uint64_t size, struct error *err);
void memory_unmap(struct memory *m);

/* Where the host can, that part becomes large pages; offset and size are multiples of MEMORY_LARGE. A part
 * that is not inside is left alone. Takes long; others may use the memory meanwhile. */
#define MEMORY_LARGE (2u << 20)
void memory_make_large(const struct memory *m, uint64_t offset, uint64_t size);

/* The first `size` bytes, of whole pages, read as zero again and the host gets its pages back.
 * Nobody may use them meanwhile. */
void memory_clear(struct memory *m, uint64_t size);

/* Pages that will be written soon, all at once: cheaper than one by one, when they are touched. */
void memory_populate(void *start, size_t size);

/* Bytes of main memory and swap that the host has, used or not; 0: cannot tell. */
uint64_t memory_host_total(void);

#endif
