/* SPDX-License-Identifier: MPL-2.0 */
/* Names of the numbers and flags that system calls take, for -strace. */
#ifndef RVVM_USER_STRACE_NAMES_H
#define RVVM_USER_STRACE_NAMES_H

#include <stddef.h>
#include <stdint.h>

/* kind: an enum syscall_arg that has names; a value without one is a number. The text is cut to size. */
void strace_name(uint8_t kind, uint64_t value, char *text, size_t size);

/* NULL: it has none. */
const char *strace_signal_name(uint64_t signal);
const char *strace_error_name(uint64_t error);

#endif
