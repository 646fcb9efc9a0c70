/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Guest memory by an anonymous mapping: POSIX's objects, shm_open(), have no way to give back pages.
 * MAP_ANONYMOUS is POSIX's since 2024 only, but every system's for long.
 */
#define _GNU_SOURCE
#include "host/memory.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Strict systems count pages before they are touched, where they are not told not to. */
#ifndef MAP_NORESERVE
#define MAP_NORESERVE 0
#endif

static void *map_zeroes(void *place, size_t size)
{
    return mmap(place, size, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | (place ? MAP_FIXED : 0), -1, 0);
}

bool memory_map(struct memory *m, uint64_t size, struct error *err)
{
    *m = (struct memory){.fd = -1};
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    if (size == 0)
        return error_set(err, "a memory of 0 bytes");
    if (size > (SIZE_MAX >> 1) - page)
        return error_set(err, "%" PRIu64 " bytes are more than this host can address", size);
    size = (size + page - 1) & ~(page - 1);
    void *data = map_zeroes(NULL, size);
    if (data == MAP_FAILED)
        return error_set(err, "cannot map %" PRIu64 " MiB of memory: %s", size >> 20,
                         strerror(errno));
    *m = (struct memory){.data = data, .size = size, .fd = -1};
    return true;
}

void memory_make_large(const struct memory *m, uint64_t offset, uint64_t size)
{
    (void)m;
    (void)offset;
    (void)size;
}

void memory_unmap(struct memory *m)
{
    if (m->data)
        munmap(m->data, m->size);
    *m = (struct memory){.fd = -1};
}

void memory_clear(struct memory *m, uint64_t size)
{
    if (m->data && map_zeroes(m->data, size) == MAP_FAILED)
        memset(m->data, 0, size);
}

/* They come one by one. */
void memory_populate(void *start, size_t size)
{
    (void)start;
    (void)size;
}

/* sysconf() knows nothing of swap. */
uint64_t memory_host_total(void)
{
    return 0;
}
