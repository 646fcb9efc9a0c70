/* SPDX-License-Identifier: MPL-2.0 */
/* System calls as numbers: see host_call.h. A processor is a header beside this file. */
#define _GNU_SOURCE
#include "host/host_call.h"

#if defined(__x86_64__)
#include "host/linux/host_call_x86_64.h"
#elif defined(__aarch64__)
#include "host/linux/host_call_aarch64.h"
#elif defined(__riscv) && __riscv_xlen == 64
#include "host/linux/host_call_riscv64.h"
#else
#include "host/linux/host_call_any.h"
#endif
