/* SPDX-License-Identifier: MPL-2.0 */
/* Random bytes by BCryptGenRandom(): see random.h. No version of the system is known to have no generator. */
#include "host/random_system.h"

#include "host/win32/system.h"
#include <bcrypt.h>

#define PART (1u << 30)

size_t random_from_system(uint8_t *bytes, size_t size)
{
    size_t done = 0;
    while (done < size) {
        ULONG part = size - done < PART ? (ULONG)(size - done) : PART;
        if (BCryptGenRandom(NULL, bytes + done, part, BCRYPT_USE_SYSTEM_PREFERRED_RNG) < 0)
            break;
        done += part;
    }
    return done;
}
