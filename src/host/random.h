/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Random bytes from the host's cryptographic generator.
 */
#ifndef RVVM_HOST_RANDOM_H
#define RVVM_HOST_RANDOM_H

#include <stddef.h>

/* Any thread. Waits only when the host itself has just booted. */
void random_bytes(void *bytes, size_t size);

#endif
