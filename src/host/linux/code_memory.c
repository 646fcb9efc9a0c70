/* SPDX-License-Identifier: MPL-2.0 */
/* Translated code by memfd_create(). */
#define _GNU_SOURCE
#include "host/code_memory.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static bool map_twice(struct code_memory *m, int fd, size_t size, struct error *err)
{
    if (ftruncate(fd, (off_t)size) < 0)
        return error_set(err, "cannot make a memory object of %zu MiB: %s", size >> 20,
                         strerror(errno));
    void *write = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
    void *exec = mmap(NULL, size, PROT_READ | PROT_EXEC, MAP_SHARED | MAP_NORESERVE, fd, 0);
    int e = errno;
    if (write != MAP_FAILED && exec != MAP_FAILED) {
        madvise(write, size, MADV_DONTDUMP);
        madvise(exec, size, MADV_DONTDUMP);
        *m = (struct code_memory){.write = write, .exec = exec, .size = size};
        return true;
    }
    if (write != MAP_FAILED)
        munmap(write, size);
    if (exec != MAP_FAILED)
        munmap(exec, size);
    return error_set(err, "cannot map %zu MiB for code: %s", size >> 20, strerror(e));
}

bool code_memory_map(struct code_memory *m, size_t size, struct error *err)
{
    *m = (struct code_memory){0};
    int fd = memfd_create("rvvm-code", MFD_CLOEXEC);
    if (fd < 0)
        return error_set(err, "cannot make a memory object for code: %s", strerror(errno));
    bool mapped = map_twice(m, fd, size, err);
    close(fd); /* the mappings keep it */
    return mapped;
}

void code_memory_unmap(struct code_memory *m)
{
    if (!m->write)
        return;
    munmap(m->write, m->size);
    munmap((void *)(uintptr_t)m->exec, m->size);
    *m = (struct code_memory){0};
}
