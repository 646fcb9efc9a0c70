/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Log lines go to a sink that the embedding program gives; nothing else in the library prints.
 * What a guest does wrong is LOG_GUEST: shown with -v only, and limited in rate so that a hostile
 * guest cannot fill a disk through it.
 */
#ifndef RVVM_BASE_LOG_H
#define RVVM_BASE_LOG_H

#include <stdarg.h>
#include <stdatomic.h>

enum log_level {
    LOG_ERROR, /* something the user asked for does not work */
    LOG_WARN,  /* it works, but not as the user may think */
    LOG_INFO,  /* -v: what the machine was made of, what it does */
    LOG_GUEST, /* -v: the guest did something the hardware does not define */
    LOG_DEBUG, /* -v -v */
};

struct log {
    void (*sink)(void *ctx, enum log_level level, const char *line); /* called from any thread */
    void *ctx;
    enum log_level level;   /* the last level that is passed on */
    _Atomic unsigned guest; /* LOG_GUEST lines passed so far; silent after LOG_GUEST_MAX */
};

#define LOG_GUEST_MAX 1000

/* log may be NULL: then nothing happens. The line carries no newline. */
void log_line(struct log *log, enum log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
