/* SPDX-License-Identifier: MPL-2.0 */
/* perf's map: see perf_map.h. */
#define _GNU_SOURCE
#include "host/perf_map.h"

#include <fcntl.h>
#include <unistd.h>

FILE *perf_map_open(void)
{
    char path[64];
    snprintf(path, sizeof(path), "/tmp/perf-%ld.map", (long)getpid());
    /* A name that anybody may guess: only a file of our own making will do. */
    unlink(path);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    return fd >= 0 ? fdopen(fd, "w") : NULL;
}
