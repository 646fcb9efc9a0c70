/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Files in /proc that would show the emulator: a program that opens one gets a file of its own with
 * what Linux on riscv64 would say about it.
 */
#ifndef RVVM_USER_PROC_FILES_H
#define RVVM_USER_PROC_FILES_H

#include "user/process.h"

/* A descriptor, or -errno; -ENOENT: the path is no such file. flags: open's. */
int64_t proc_file_open(struct user_thread *t, const char *path, uint64_t flags);

#endif
