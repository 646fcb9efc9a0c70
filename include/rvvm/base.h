/* SPDX-License-Identifier: MPL-2.0 */
/* What all the library's headers have in common: errors, the log. rvvm/rvvm.h includes them all. */
#ifndef RVVM_BASE_H
#define RVVM_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define RVVM_API __attribute__((visibility("default")))
#else
#define RVVM_API
#endif

#define RVVM_VERSION "0.1.0"

/* Why a call failed: one line without a newline, naming what and where. Owned by the caller. */
struct rvvm_error {
    char text[512];
};

enum rvvm_log_level {
    RVVM_LOG_ERROR, /* something that was asked for does not work */
    RVVM_LOG_WARN,  /* it works, but not as one may think */
    RVVM_LOG_INFO,  /* what the machine is made of and does */
    RVVM_LOG_GUEST, /* the guest did something that the hardware does not define */
    RVVM_LOG_DEBUG, /* for those who work on the library */
};

/*
 * Receives log lines (no newline) from any of the machine's threads, several at once. It may not
 * call the library for this machine, and the guest waits while it runs. Guests cannot flood it:
 * after a thousand lines of RVVM_LOG_GUEST no more come.
 */
typedef void rvvm_log_fn(void *ctx, enum rvvm_log_level level, const char *line);

#ifdef __cplusplus
}
#endif

#endif
