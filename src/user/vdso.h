/* SPDX-License-Identifier: MPL-2.0 */
/* Calls of the emulator that are no system calls: by the functions of the vdso. */
#ifndef RVVM_USER_VDSO_H
#define RVVM_USER_VDSO_H

#include "user/process.h"

enum vdso_number {
    VDSO_CLOCK_GETTIME = 0x72760000,
    VDSO_CLOCK_GETRES,
    VDSO_GETTIMEOFDAY,
};

/* Whether an ecall is one of them. */
static inline bool vdso_is_call(const struct hart *h)
{
    return (uint32_t)h->x[17] >> 16 == VDSO_CLOCK_GETTIME >> 16;
}

void vdso_call(struct hart *h, const struct space *s);

#endif
