/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Structures with longs or addresses in them, which a program of 32 bits lays out otherwise than the host.
 * layouts.def lists them; here they are read and written, in the host's form whatever the program's is:
 *
 *     struct rusage usage;
 *     ...
 *     return layout_write(space, LAYOUT_rusage, address, &usage) ? 0 : -EFAULT;
 *
 * A long that a program of 32 bits has no room for loses its upper half, as it does in a kernel of 64.
 */
#ifndef RVVM_USER_LAYOUT_H
#define RVVM_USER_LAYOUT_H

#include "user/space.h"

enum layout {
#define LAYOUT(name, ...) LAYOUT_##name,
#include "user/layouts.def"
#undef LAYOUT
    LAYOUTS,
};

#define LAYOUT_HOST_MOST 384 /* no structure of the host's is larger */

/* A signal mask behind an address: the sixth argument of calls that have no room for both. */
struct mask_argument {
    uint64_t address, size;
};

/* Bytes that it takes in the program, and on the host. */
size_t layout_size(const struct space *s, enum layout layout);
size_t layout_host_size(enum layout layout);

/* false: EFAULT. */
bool layout_read(const struct space *s, enum layout layout, void *host, uint64_t address);
bool layout_write(const struct space *s, enum layout layout, uint64_t address, const void *host);

/* So many of them, one behind the other. */
bool layout_read_list(const struct space *s, enum layout layout, void *host, uint64_t address,
                      uint64_t count);

/* siginfo.c: siginfo_t, 128 bytes in either form. */
void siginfo_narrow(uint8_t *guest, const void *host);
void siginfo_widen(void *host, const uint8_t *guest);

#endif
