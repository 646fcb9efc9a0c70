/* SPDX-License-Identifier: MPL-2.0 */
/* Where a profiler looks for the names of code that no file has: perf's map, on Linux. */
#ifndef RVVM_HOST_PERF_MAP_H
#define RVVM_HOST_PERF_MAP_H

#include <stdio.h>

/* This process's, to be written. NULL: nobody would read it, or it cannot be made. */
FILE *perf_map_open(void);

#endif
