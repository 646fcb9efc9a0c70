/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Translated code by an object of shm_open(), whose name is gone before anybody else could use it, or by a
 * file in /tmp: there are systems where either lies on a file system that nothing may be executed from. Some
 * systems have no memory that two mappings write and execute; there the interpreter runs.
 */
#define _GNU_SOURCE
#include "host/code_memory.h"

#include "host/posix/map_aligned.h"
#include "host/random.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* -1: errno says why. */
static int open_object(void)
{
    uint64_t number;
    char name[32];
    random_bytes(&number, sizeof(number));
    snprintf(name, sizeof(name), "/rvvm-%016" PRIx64, number);
    int fd = shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
    if (fd >= 0)
        shm_unlink(name);
    return fd; /* and close-on-exec: POSIX promises that */
}

static int open_file(void)
{
    char path[] = "/tmp/rvvm-code-XXXXXX";
    int fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0)
        unlink(path);
    return fd;
}

/* Takes fd. False: errno says why. */
static bool map_twice(struct code_memory *m, int fd, size_t size)
{
    if (fd < 0)
        return false;
    void *write = MAP_FAILED, *exec = MAP_FAILED;
    if (ftruncate(fd, (off_t)size) == 0) {
        write = map_aligned(fd, size, CODE_MEMORY_PART, PROT_READ | PROT_WRITE);
        if (write != MAP_FAILED)
            exec = map_aligned(fd, size, CODE_MEMORY_PART, PROT_READ | PROT_EXEC);
    }
    int e = errno;
    if (exec != MAP_FAILED)
        *m = (struct code_memory){.write = write, .exec = exec, .size = size};
    else if (write != MAP_FAILED)
        munmap(write, size);
    close(fd); /* the mappings keep it */
    errno = e;
    return m->write;
}

bool code_memory_map(struct code_memory *m, size_t size, struct error *err)
{
    *m = (struct code_memory){0};
    size = code_memory_whole_parts(size);
    if (map_twice(m, open_object(), size) || map_twice(m, open_file(), size))
        return true;
    return error_set(err, "cannot map %zu MiB for code: %s", size >> 20, strerror(errno));
}

/* Systems that do so do it by themselves. */
void code_memory_make_large(const struct code_memory *m, size_t offset, size_t size)
{
    (void)m;
    (void)offset;
    (void)size;
}
