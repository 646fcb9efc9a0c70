/* SPDX-License-Identifier: MPL-2.0 */
/* Files that are handed over, what they are called, and files that are not: see image_file.h. */
#include "host/image_file.h"

const char *image_file_use_name(enum image_file_use use)
{
    static const char *const names[] = {
        [IMAGE_FILE_FOR_READING] = "read",
        [IMAGE_FILE_FOR_WRITING] = "write",
        [IMAGE_FILE_AROUND_CACHE] = "direct",
        [IMAGE_FILE_NAMELESS] = "temporary",
    };
    return names[use];
}

bool image_file_open(struct image_file *f, const char *path, unsigned flags, struct error *err)
{
    return image_file_open_by(NULL, f, path, flags, err);
}
