/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Files that are run as programs: the headers are read and what they say is mapped, as rvvm-user does it.
 * What must hold: nothing but the guest's part of memory is touched, whatever they say.
 */
#define _GNU_SOURCE
#include "fuzz.h"

#include "user/copy.h"
#include "user/elf.h"
#include "user/script.h"
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static char canary[8192];

static void map(struct elf *elf, int fd)
{
    struct space space;
    struct error err;
    if (!space_init(&space, elf->xlen, &err))
        abort();
    elf_map(elf, &space, fd, 0, &err);
    for (unsigned n = 0; n < space.count; n++)
        if (space.areas[n].end > space.end || space.areas[n].first < SPACE_FIRST ||
            space.areas[n].first >= space.areas[n].end)
            abort();
    while (space.count)
        if (space_munmap(&space, space.areas[0].first, space.areas[0].end - space.areas[0].first))
            abort();
    space_free(&space);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool ready;
    struct elf elf;
    struct script script;
    struct error err;
    if (!ready && !user_catch_faults(&err))
        abort();
    ready = true;
    memset(canary, 0x5a, sizeof(canary));
    int fd = memfd_create("program", MFD_CLOEXEC);
    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    if (script_read(&script, fd)) {
        char *argv[] = {"a", "b", NULL};
        free(script_argv(&script, "/path", argv));
    }
    if (elf_read(&elf, fd, &err))
        map(&elf, fd);
    close(fd);
    for (unsigned n = 0; n < sizeof(canary); n++)
        if (canary[n] != 0x5a)
            abort();
    return 0;
}
