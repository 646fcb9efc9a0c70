/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Errors as values: see error.h.
 */
#include "base/error.h"
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
    size_t used = n < 0 ? 0 : (size_t)n;
    if (used >= sizeof(text))
        used = sizeof(text) - 1;
    snprintf(text + used, sizeof(text) - used, ": %s", err->text);
    memcpy(err->text, text, sizeof(text));
    return false;
}
