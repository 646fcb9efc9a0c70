/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Translated code by memfd_create(). A program that is compiled by the translator is ten times the
 * size it was, and with small pages the processor would spend its time looking up where they are:
 * so both mappings are made for large pages.
 */
#define _GNU_SOURCE
#include "host/code_memory.h"

#include "host/linux/large_pages.h"
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static bool map_twice(struct code_memory *m, int fd, size_t size, struct error *err)
{
    if (ftruncate(fd, (off_t)size) < 0)
        return error_set(err, "cannot make a memory object of %zu MiB: %s", size >> 20,
                         strerror(errno));
    void *write = large_pages_map(fd, size, PROT_READ | PROT_WRITE);
    void *exec =
        write == MAP_FAILED ? MAP_FAILED : large_pages_map(fd, size, PROT_READ | PROT_EXEC);
    if (exec != MAP_FAILED) {
        *m = (struct code_memory){.write = write, .exec = exec, .size = size};
        return true;
    }
    int e = errno;
    if (write != MAP_FAILED)
        munmap(write, size);
    return error_set(err, "cannot map %zu MiB for code: %s", size >> 20, strerror(e));
}

bool code_memory_map(struct code_memory *m, size_t size, struct error *err)
{
    *m = (struct code_memory){0};
    size = code_memory_whole_parts(size);
    int fd = memfd_create("rvvm-code", MFD_CLOEXEC);
    if (fd < 0)
        return error_set(err, "cannot make a memory object for code: %s", strerror(errno));
    bool mapped = map_twice(m, fd, size, err);
    close(fd); /* the mappings keep it */
    return mapped;
}

void code_memory_make_large(const struct code_memory *m, size_t offset, size_t size)
{
    if (offset % CODE_MEMORY_PART || size % CODE_MEMORY_PART)
        return;
    large_pages_make(m->write + offset, size);
    large_pages_make((void *)(uintptr_t)(m->exec + offset), size);
}
