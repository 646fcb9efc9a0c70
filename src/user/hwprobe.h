/* SPDX-License-Identifier: MPL-2.0 */
/* riscv_hwprobe(2): what the processor can, as pairs of key and value (Linux, arch/riscv/hwprobe.rst). */
#ifndef RVVM_USER_HWPROBE_H
#define RVVM_USER_HWPROBE_H

#include "isa/isa.h"
#include "user/space.h"

/* false: a key that nobody knows. */
bool hwprobe_value(const struct isa *isa, const struct space *space, int64_t key, uint64_t *value);

#endif
