/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Random bytes by getentropy() (POSIX.1-2024), with /dev/urandom for kernels and sandboxes that refuse it.
 */
#define _GNU_SOURCE
#include "host/random.h"
#include "host/clock.h"
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
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

/* Both sources gone: not secret, but different at each call, so that nothing fails or repeats. */
static void random_from_clock(uint8_t *bytes, size_t size)
{
    uint64_t state = clock_monotonic_ns() ^ clock_realtime_ns() << 20 ^ (uintptr_t)&state;
    for (size_t i = 0; i < size; i++) { /* splitmix64 */
        uint64_t z = state += 0x9e3779b97f4a7c15;
        z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
        z = (z ^ z >> 27) * 0x94d049bb133111eb;
        bytes[i] = (uint8_t)(z ^ z >> 31);
    }
}

void random_bytes(void *bytes, size_t size)
{
    uint8_t *at = bytes;
    while (size) {
        size_t part = size < ENTROPY_MAX ? size : ENTROPY_MAX;
        if (getentropy(at, part) < 0)
            break;
        at += part;
        size -= part;
    }
    if (size) {
        size_t n = random_from_device(at, size);
        random_from_clock(at + n, size - n);
    }
}
