/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * For the programs of this folder: each is built for the host and for riscv64, and both print the same
 * (tests/user/programs.test). So they print nothing that may differ: no addresses, ids, times.
 */
#ifndef SHOW_H
#define SHOW_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A call, and what it says; for a descriptor, id or address only whether it is one. */
#define SHOW(call) show_result(#call, (long)(call))
#define SHOW_OK(call) show_ok(#call, (long)(call))
#define SAY(...) (printf(__VA_ARGS__), fflush(stdout))

static inline long show_result(const char *text, long result)
{
    int e = errno;
    printf("%s = %ld", text, result);
    if (result == -1)
        printf(" %s", strerrorname_np(e));
    printf("\n");
    fflush(stdout);
    return result;
}

static inline long show_ok(const char *text, long result)
{
    int e = errno;
    if (result < 0)
        printf("%s failed: %s\n", text, strerrorname_np(e));
    else
        printf("%s\n", text);
    fflush(stdout);
    return result;
}

#endif
