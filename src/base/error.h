/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Errors as values.
 *
 * A function that can fail returns bool (or a pointer) and takes a struct error owned by its caller.
 * The message is made where the fact is known, in one line without a newline, and names the thing:
 *
 *     if (magic != QCOW2_MAGIC)
 *         return error_set(err, "%s: not a qcow2 image: bad magic 0x%08x", path, magic);
 */
#ifndef RVVM_BASE_ERROR_H
#define RVVM_BASE_ERROR_H

#include <stdbool.h>

struct error {
    char text[512]; /* always terminated; empty when nothing failed */
};

/* Writes the message (cut to fit, control characters as '?'). err may be NULL. Always returns false. */
bool error_set(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Puts "PREFIX: " before the message that err holds. Always returns false. */
bool error_prefix(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
