/* SPDX-License-Identifier: MPL-2.0 */
/* Random bytes: see random.h. */
#include "host/random.h"

#include "host/clock.h"
#include "host/random_system.h"

/* All sources gone: not secret, but different at each call, so that nothing fails or repeats. */
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
    size_t n = random_from_system(bytes, size);
    if (n < size)
        random_from_clock((uint8_t *)bytes + n, size - n);
}
