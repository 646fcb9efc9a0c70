/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Lines that are shown to users: what a guest, a file or a file's name puts into one ends it for nobody, and cannot
 * steer the terminal that shows it.
 */
#ifndef RVVM_BASE_ONE_LINE_H
#define RVVM_BASE_ONE_LINE_H

/* Puts a '?' in the place of each control character. */
static inline void one_line_make(char *text)
{
    for (unsigned char *c = (unsigned char *)text; *c; c++)
        if (*c < 0x20 || *c == 0x7f)
            *c = '?';
}

#endif
