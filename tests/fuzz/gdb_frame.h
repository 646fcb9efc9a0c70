/* SPDX-License-Identifier: GPL-3.0-only */
/* Lines as packets of GDB's protocol, for gdb_fuzz.c and gdb_user_fuzz.c. */
#ifndef TESTS_FUZZ_GDB_FRAME_H
#define TESTS_FUZZ_GDB_FRAME_H

#include <stddef.h>
#include <stdint.h>

/* What a packet is made of that is ended by a newline. */
static inline size_t frame(char *to, const uint8_t *line, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    uint8_t sum = 0;
    size_t n = 0;
    to[n++] = '$';
    for (size_t i = 0; i < size; i++) {
        char c = (char)line[i];
        if (c == '$' || c == '#') {
            to[n++] = '}';
            sum += '}';
            c ^= 0x20;
        }
        to[n++] = c;
        sum += (uint8_t)c;
    }
    to[n++] = '#';
    to[n++] = digits[sum >> 4];
    to[n++] = digits[sum & 15];
    return n;
}

#endif
