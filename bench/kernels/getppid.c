/* SPDX-License-Identifier: GPL-3.0-only */
/* The cheapest system call, many times: what it costs to enter the kernel and come back. */
#include "kernel.h"

#include <sys/syscall.h>
#include <unistd.h>

static uint64_t run(unsigned rounds)
{
    uint64_t same = 0;
    long parent = getppid();
    for (unsigned i = 0; i < rounds * 250000; i++)
        same += syscall(SYS_getppid) == parent;
    return same;
}

const struct kernel kernel_getppid = {.name = "getppid", .group = "system", .run = run};
