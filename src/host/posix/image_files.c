/* SPDX-License-Identifier: MPL-2.0 */
/* Files that are handed over between processes, the list of them: see image_file.h. */
#include "host/image_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool image_files_can_pass(void)
{
    return true;
}

bool image_files_add(struct image_files *files, const char *path, enum image_file_use use, int fd,
                     struct error *err)
{
    const char *why = fd < 0 ? strerror(errno) : "too many files";
    char *copy = NULL;
    if (fd >= 0 && files->count < IMAGE_FILES_MAX) {
        why = "out of memory";
        copy = strdup(path);
    }
    if (copy) {
        files->list[files->count++] = (struct image_files_entry){copy, use, fd};
        return true;
    }
    if (fd >= 0)
        close(fd);
    return error_set(err, "%s: cannot be handed over: %s", path, why);
}

void image_files_close(struct image_files *files)
{
    while (files->count) {
        struct image_files_entry *entry = &files->list[--files->count];
        if (entry->fd >= 0)
            close(entry->fd);
        free(entry->path);
    }
}
