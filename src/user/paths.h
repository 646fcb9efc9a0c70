/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Paths that the guest gives: an absolute one is looked for below the sysroot (-L) first, and
 * /proc/self/exe is the guest's program, not the emulator.
 */
#ifndef RVVM_USER_PATHS_H
#define RVVM_USER_PATHS_H

#include "user/process.h"
#include <limits.h>

struct user_path {
    uint64_t address; /* for the host's kernel: the guest's own or text */
    char text[PATH_MAX];
};

/*
 * Where the path at a guest address leads; 0 is no path and stays so. follow: a symbolic link at its
 * end is followed. -errno.
 */
int64_t path_find(struct user_thread *t, uint64_t address, bool follow, struct user_path *path);

/* The rest of a path in /proc of this process ("maps", "exe"): by its number, self, or a thread of it.
 * NULL: it is none. */
const char *path_in_own_proc(const char *path);

/*
 * Where `path` is below a sysroot, its symbolic links led inside it. false: it is not there. */
bool sysroot_find(const char *sysroot, const char *path, bool follow, char found[PATH_MAX]);

#endif
