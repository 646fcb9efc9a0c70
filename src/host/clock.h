/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Clocks, in nanoseconds.
 */
#ifndef RVVM_HOST_CLOCK_H
#define RVVM_HOST_CLOCK_H

#include <stdint.h>

/* Never goes back; counts from an arbitrary start. Cheap: no system call where the host allows. */
uint64_t clock_monotonic_ns(void);

/* Since 1970-01-01 00:00 UTC. May be stepped by the host's administrator. */
uint64_t clock_realtime_ns(void);

#endif
