/* SPDX-License-Identifier: MPL-2.0 */
/* Log lines: see log.h. A line is made whole before it goes to the sink. */
#include "base/log.h"

#include "base/one_line.h"
#include <stdbool.h>
#include <stdio.h>

static void pass_line(struct log *log, enum log_level level, char *line)
{
    one_line_make(line);
    log->sink(log->ctx, level, line);
}

void log_line(struct log *log, enum log_level level, const char *format, ...)
{
    if (!log || !log->sink || level > log->level)
        return;
    bool last = false;
    if (level == LOG_GUEST) {
        /* Looked at first, so that the count cannot wrap however long the guest goes on. */
        if (atomic_load_explicit(&log->guest, memory_order_relaxed) >= LOG_GUEST_MAX)
            return;
        unsigned n = atomic_fetch_add_explicit(&log->guest, 1, memory_order_relaxed);
        if (n >= LOG_GUEST_MAX)
            return;
        last = n == LOG_GUEST_MAX - 1;
    }
    char line[1024];
    va_list ap;
    va_start(ap, format);
    vsnprintf(line, sizeof(line), format, ap);
    va_end(ap);
    pass_line(log, level, line);
    if (last) {
        snprintf(line, sizeof(line), "the guest has done %d such things; the rest is not shown",
                 LOG_GUEST_MAX);
        pass_line(log, level, line);
    }
}
