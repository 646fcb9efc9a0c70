/* SPDX-License-Identifier: GPL-3.0-only */
/* OpenBSD's header, as far as rvvm asks for more than POSIX: see tests/cross/bsd.test. */
#ifndef RVVM_TESTS_OPENBSD_UNISTD_H
#define RVVM_TESTS_OPENBSD_UNISTD_H

#include_next <unistd.h>

int pledge(const char *promises, const char *execpromises);
int unveil(const char *path, const char *permissions);

#endif
