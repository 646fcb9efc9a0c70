/* SPDX-License-Identifier: GPL-3.0-only */
/* FreeBSD's header, as far as rvvm asks for it: see tests/cross/bsd.test. Rights are bits of this test's own. */
#ifndef RVVM_TESTS_CAPSICUM_H
#define RVVM_TESTS_CAPSICUM_H

#include <stdarg.h>
#include <stdint.h>

typedef struct cap_rights {
    uint64_t bits;
} cap_rights_t;

#define CAP_READ UINT64_C(0x1)
#define CAP_WRITE UINT64_C(0x2)
#define CAP_SEEK UINT64_C(0x4)
#define CAP_FSYNC UINT64_C(0x8)
#define CAP_FTRUNCATE UINT64_C(0x10)
#define CAP_FCNTL UINT64_C(0x20)
#define CAP_FSTAT UINT64_C(0x40)
#define CAP_EVENT UINT64_C(0x80)
#define CAP_ACCEPT UINT64_C(0x100)
#define CAP_SHUTDOWN UINT64_C(0x200)
#define CAP_GETSOCKOPT UINT64_C(0x400)
#define CAP_SETSOCKOPT UINT64_C(0x800)
#define CAP_GETPEERNAME UINT64_C(0x1000)
#define CAP_GETSOCKNAME UINT64_C(0x2000)

/* The system's are variadic, too; the list ends with 0. */
cap_rights_t *fake_rights_set(cap_rights_t *rights, ...);
#define cap_rights_init(rights, ...) \
    ((rights)->bits = 0, fake_rights_set((rights), __VA_ARGS__, UINT64_C(0)))
#define cap_rights_set(rights, ...) fake_rights_set((rights), __VA_ARGS__, UINT64_C(0))

int cap_rights_limit(int fd, const cap_rights_t *rights);
int cap_enter(void);

#endif
