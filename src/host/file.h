/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Whole files in, whole files out. For what a user names on the command line: every failure is one
 * line that begins with the file's name.
 */
#ifndef RVVM_HOST_FILE_H
#define RVVM_HOST_FILE_H

#include "base/error.h"
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct file_data {
    uint8_t *bytes; /* NULL only when nothing was read; an empty file has a valid pointer */
    size_t size;
};

/* Regular files of at most `limit` bytes; never waits (a FIFO is refused, not opened to block). */
bool file_read(const char *path, uint64_t limit, struct file_data *data, struct error *err);
void file_data_free(struct file_data *data);

/* Creates or replaces. */
bool file_write(const char *path, const void *bytes, size_t size, struct error *err);

/* Whether there is a file of that name that this process may read. */
bool file_is_readable(const char *path);
bool file_exists(const char *path);
/* Takes the place of what has the new name. */
bool file_rename(const char *from, const char *to);
void file_remove(const char *path);
/* To write from the start; NULL: errno says why. */
FILE *file_open_output(const char *path);

/* A name that does not depend on the folder that the process is in: what goes before it, "/home/me/", or empty
 * for one that is so already. To be freed; NULL: there is none. */
char *file_folder_before(const char *path);

/* The folder for files that nobody wants to keep. */
const char *file_temporary_folder(void);

#endif
