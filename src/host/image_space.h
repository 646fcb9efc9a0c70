/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What image_file.h needs that POSIX does not have: locks that belong to an open file, zeroes without writing
 * them, IO around the page cache. Where files are opened in a way of its own (win32/image_file.c) there is
 * image_space_zero only.
 */
#ifndef RVVM_HOST_IMAGE_SPACE_H
#define RVVM_HOST_IMAGE_SPACE_H

#include "host/image_file.h"

/* False: somebody else has it open in a way that does not go together with ours. */
bool image_space_lock(const struct image_file *f, struct error *err);

/* Errno, EOPNOTSUPP where the host has no quick way. */
int image_space_zero(const struct image_file *f, uint64_t offset, uint64_t size);

/* What offset, size and memory are aligned to for it; every file system and device is content with that. */
#define IMAGE_SPACE_DIRECT_ALIGN 4096
/* -1: cannot. */
int image_space_open_direct(const struct image_file *f);

/* A file without a name. -1: errno says why. */
int image_space_open_temporary(const char *folder);

#endif
