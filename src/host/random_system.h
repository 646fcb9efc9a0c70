/* SPDX-License-Identifier: MPL-2.0 */
/* Where random bytes come from (random_bytes.c). */
#ifndef RVVM_HOST_RANDOM_SYSTEM_H
#define RVVM_HOST_RANDOM_SYSTEM_H

#include <stddef.h>
#include <stdint.h>

/* Returns how many it could get: less than `size` only if the system has no generator, or refuses it. */
size_t random_from_system(uint8_t *bytes, size_t size);

#endif
