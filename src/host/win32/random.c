/* SPDX-License-Identifier: MPL-2.0 */
/* Random bytes by BCryptGenRandom(): see random.h. */
#include "host/random.h"

#include "host/clock.h"
#include "host/win32/system.h"
#include <bcrypt.h>

#define PART (1u << 30)

/* The system has no generator, which no version of it is known to do: not secret, but never the same. */
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
        ULONG part = size < PART ? (ULONG)size : PART;
        if (BCryptGenRandom(NULL, at, part, BCRYPT_USE_SYSTEM_PREFERRED_RNG) < 0)
            random_from_clock(at, part);
        at += part;
        size -= part;
    }
}
