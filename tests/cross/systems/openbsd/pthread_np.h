/* SPDX-License-Identifier: GPL-3.0-only */
/* OpenBSD's header, as far as rvvm asks for it: see tests/cross/bsd.test. */
#ifndef RVVM_TESTS_PTHREAD_NP_H
#define RVVM_TESTS_PTHREAD_NP_H

#include <pthread.h>

void pthread_set_name_np(pthread_t thread, const char *name);

#endif
