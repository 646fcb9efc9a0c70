/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Errors as values: see error.h.
 */
#include "base/error.h"

#include "base/one_line.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool error_set(struct error *err, const char *format, ...)
{
    if (!err)
        return false;
    /* Through a buffer: the arguments may point into err->text. */
    char text[sizeof(err->text)];
    va_list ap;
    va_start(ap, format);
    vsnprintf(text, sizeof(text), format, ap);
    va_end(ap);
    one_line_make(text);
    memcpy(err->text, text, sizeof(text));
    return false;
}

bool error_prefix(struct error *err, const char *format, ...)
{
    if (!err)
        return false;
    char text[sizeof(err->text)];
    va_list ap;
    va_start(ap, format);
    int n = vsnprintf(text, sizeof(text), format, ap);
    va_end(ap);
    const size_t most = sizeof(text) - 3; /* room for ": " and the end */
    size_t used = n < 0 ? 0 : (size_t)n < most ? (size_t)n : most;
    memcpy(text + used, ": ", 2);
    used += 2;
    size_t rest = strnlen(err->text, sizeof(text) - 1 - used);
    memcpy(text + used, err->text, rest);
    text[used + rest] = 0;
    one_line_make(text);
    memcpy(err->text, text, sizeof(text));
    return false;
}
