/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Guest memory by memfd_create(): pages appear when they are touched (MAP_NORESERVE keeps a strict
 * overcommit setting from counting them before), and stay out of core dumps.
 */
#define _GNU_SOURCE
#include "host/memory.h"

#include "host/linux/large_pages.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>
#include <unistd.h>

bool memory_map(struct memory *m, uint64_t size, struct error *err)
{
    *m = (struct memory){.fd = -1};
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    if (size == 0)
        return error_set(err, "a memory of 0 bytes");
    /* Also an off_t, and user space is half of the address space at most. */
    if (size > (SIZE_MAX >> 1) - page || size > INT64_MAX - page)
        return error_set(err, "%" PRIu64 " bytes are more than this host can address", size);
    size = (size + page - 1) & ~(page - 1);

    int fd = memfd_create("rvvm-ram", MFD_CLOEXEC);
    if (fd < 0)
        return error_set(err, "cannot make a memory object: %s", strerror(errno));
    if (ftruncate(fd, (off_t)size) < 0) {
        int e = errno;
        close(fd);
        return error_set(err, "cannot make a memory object of %" PRIu64 " MiB: %s", size >> 20,
                         strerror(e));
    }
    void *data = large_pages_map(fd, size, PROT_READ | PROT_WRITE);
    if (data == MAP_FAILED) {
        int e = errno;
        close(fd);
        return error_set(err, "cannot map %" PRIu64 " MiB of memory: %s", size >> 20, strerror(e));
    }
    *m = (struct memory){.data = data, .size = size, .fd = fd};
    return true;
}

void memory_make_large(const struct memory *m, uint64_t offset, uint64_t size)
{
    if (offset < m->size && size <= m->size - offset)
        large_pages_make(m->data + offset, size);
}

void memory_unmap(struct memory *m)
{
    if (m->data)
        munmap(m->data, m->size);
    if (m->fd >= 0)
        close(m->fd);
    *m = (struct memory){.fd = -1};
}

void memory_clear(struct memory *m, uint64_t size)
{
    if (!m->data)
        return;
    if (fallocate(m->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, (off_t)size) < 0)
        memset(m->data, 0, size);
}

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

void memory_populate(void *start, size_t size)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t first = (uintptr_t)start & ~(page - 1), end = (uintptr_t)start + size;
    madvise((void *)first, (end - first + page - 1) & ~(page - 1), MADV_POPULATE_WRITE);
}

uint64_t memory_host_total(void)
{
    struct sysinfo info;
    if (sysinfo(&info) < 0)
        return 0;
    return ((uint64_t)info.totalram + info.totalswap) * info.mem_unit;
}
