/* SPDX-License-Identifier: MPL-2.0 */
/* What files that are handed over are called: see image_file.h. */
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
