/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Random bytes by getentropy() (POSIX.1-2024), with /dev/urandom for kernels and sandboxes that refuse it.
 */
#define _GNU_SOURCE
#include "host/random_system.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define ENTROPY_MAX 256 /* GETENTROPY_MAX, which not every system names */

static size_t random_from_device(uint8_t *bytes, size_t size)
{
    int fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    size_t done = 0;
    while (done < size) {
        ssize_t n = read(fd, bytes + done, size - done);
        if (n <= 0 && !(n < 0 && errno == EINTR))
            break;
        done += n > 0 ? (size_t)n : 0;
    }
    close(fd);
    return done;
}

size_t random_from_system(uint8_t *bytes, size_t size)
{
    size_t done = 0;
    while (done < size) {
        size_t part = size - done < ENTROPY_MAX ? size - done : ENTROPY_MAX;
        if (getentropy(bytes + done, part) < 0)
            return done + random_from_device(bytes + done, size - done);
        done += part;
    }
    return done;
}
